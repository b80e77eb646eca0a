"""Writes rare_characters.tsv anew; README.md beside it names the sources. Needs pypinyin, which nothing else uses."""

from pathlib import Path

from pypinyin.pinyin_dict import pinyin_dict  # type: ignore[import-not-found, unused-ignore]

HERE = Path(__file__).resolve().parent
# Characters of names whose reading pypinyin does not know.
ADDED = {"㐂": "xǐ", "𠮷": "jí"}


def easily_typed(character: str) -> bool:
    """Whether every input method of the last forty years has it: the 6,763 characters of GB 2312."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def is_han(code: int) -> bool:
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF


def main() -> None:
    readings = {chr(code): read for code, read in pinyin_dict.items() if is_han(code)} | ADDED
    common = set((HERE / "name_characters.txt").read_text(encoding="utf-8").split())
    lines = [
        f"{character}\t{readings[character]}{'	common' if character in common else ''}\n"
        for character in sorted(readings)
        if not easily_typed(character)
    ]
    (HERE / "rare_characters.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

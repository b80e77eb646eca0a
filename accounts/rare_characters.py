"""生僻字输入: rare characters found by pinyin or code point, and what the printed form makes of them (R30).

The characters and their readings lie in `data/rare_characters.tsv`; its README names the sources.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

from exam_portal.kit import fonts
from exam_portal.kit.printing import Runs

_DATA = Path(__file__).resolve().parent / "data" / "rare_characters.tsv"
_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
# The characters of a card: Chinese ones of any plane, and the private use area of older cards.
_ON_A_CARD = re.compile("[\u3007\u3400-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003ffff]")
_CODE_POINT = re.compile(r"(?:u\+?|0x|\\u)?([0-9a-f]{4,6})")

# A page of characters to choose from.
AT_ONCE = 48
# Typed where a rare character belongs, until it is chosen.
_PLACES = re.compile("[?？□]")


@dataclass(frozen=True)
class RareCharacter:
    """A character, its readings with tone marks (the usual one first), and whether names often have it."""

    character: str
    readings: tuple[str, ...] = ()
    common: bool = False

    @property
    def code(self) -> str:
        """`U+5586`."""
        return code_point(self.character)

    @property
    def reading(self) -> str:
        """The usual reading, or the code point of a character whose reading is not known."""
        return self.readings[0] if self.readings else self.code

    @property
    def printed(self) -> bool:
        """Whether the printed form has a glyph for it."""
        return fonts.covers(self.character)


def code_point(character: str) -> str:
    """`U+5586`, as a form frames it."""
    return f"U+{ord(character):04X}"


def _syllable(reading: str) -> tuple[str, str]:
    """A syllable without tone, `ü` as `v`, and the tone as a digit, "" when it has none: zhé and zhe2 → zhe, 2."""
    tone, letters = "", ""
    for part in unicodedata.normalize("NFD", reading.lower()):
        if part in _TONES:
            tone = _TONES[part]
        elif part.isdecimal():
            tone = str(unicodedata.decimal(part))
        elif part == "\u0308":
            letters = letters[:-1] + "v"
        elif "a" <= part <= "z":
            letters += part
    return letters, tone


@cache
def _characters() -> Mapping[str, RareCharacter]:
    characters = {}
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        character, readings, *marks = line.split("\t")
        characters[character] = RareCharacter(character, tuple(readings.split(",")), "common" in marks)
    return characters


@cache
def _by_syllable() -> Mapping[str, list[tuple[str, RareCharacter]]]:
    """Characters with the tone of that reading by syllable; those common in names first, else by code point."""
    found = defaultdict(list)
    for rare in sorted(_characters().values(), key=lambda rare: (not rare.common, rare.character)):
        for syllable, tone in dict.fromkeys(map(_syllable, rare.readings)):
            found[syllable].append((tone, rare))
    return found


def find_character(character: str) -> RareCharacter | None:
    """A character as it may stand on an ID card, with what is known of it; None for anything else."""
    if not _ON_A_CARD.fullmatch(character):
        return None
    return _characters().get(character, RareCharacter(character))


def find(typed: str) -> list[RareCharacter]:
    """The characters of a syllable (`zhe`, `zhé`, `zhe2`, `lü`, `lv`), or that of a code point (`U+5586`, `5586`)."""
    query = "".join(unicodedata.normalize("NFKC", typed).split()).lower()
    if re.fullmatch(r"[^\W\d_]+[0-5]?", query):
        syllable, tone = _syllable(query)
        hits = [rare for own, rare in _by_syllable().get(syllable, []) if tone in {"", own}]
        if hits:
            return list(dict.fromkeys(hits))
    if (code := _CODE_POINT.fullmatch(query)) and int(code[1], 16) <= 0x10FFFF:
        rare = find_character(chr(int(code[1], 16)))
        return [rare] if rare else []
    return []


def pinyin(character: str) -> str:
    """The usual reading of a rare character, "" when unknown or when a form could not print it."""
    rare = _characters().get(character)
    reading = rare.readings[0] if rare else ""
    return reading if all(map(fonts.covers, reading)) else ""


def runs(text: str) -> Runs:
    """A text as a paper writes it: what the fonts have as it is, else code point and, where known, pinyin."""
    parts: Runs = []
    for character in text or "—":
        if unicodedata.category(character) == "Mn" and not fonts.covers(character):
            continue  # a variation selector: the character itself stands before it
        if fonts.covers(character):
            if parts and isinstance(parts[-1], str):
                parts[-1] += character
            else:
                parts.append(character)
        else:
            parts.append({"code": code_point(character), "pinyin": pinyin(character)})
    return parts


def insert(*, character: str, name: str, again: str) -> tuple[str, str]:
    """Put a chosen character into a name that is typed twice; returns both.

    It goes where a question mark or □ keeps its place, in both, else to the end of the one being typed: of both while
    they are the same, of the second when that is what it lacks next, else of the first.
    """
    if _PLACES.search(name) or _PLACES.search(again):
        return _PLACES.sub(character, name, count=1), _PLACES.sub(character, again, count=1)
    if name == again:
        return name + character, again + character
    if name.startswith(again + character):
        return name, again + character
    return name + character, again


def not_printed(text: str) -> list[RareCharacter]:
    """The characters of a text that the printed form has no glyph for, each once."""
    return [
        _characters().get(character, RareCharacter(character))
        for character in dict.fromkeys(text)
        if not character.isspace() and not fonts.covers(character)
    ]


def print_hint(text: str) -> str:
    """What to know about characters of a name that the print fonts lack; "" when they have all."""
    if not (lacking := not_printed(text)):
        return ""
    return _(
        "The fonts of the printed form do not have %(characters)s. The form shows the code point in a frame instead, "
        "with the pinyin where it is known. Your name is right as it is: nothing needs to be done."
    ) % {"characters": "、".join(f"{rare.character} ({rare.code})" for rare in lacking)}

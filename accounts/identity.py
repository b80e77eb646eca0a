"""ID documents: their types as data, how numbers are normalised, checked, masked and looked up.

The region code of a resident ID is a hint only: retired codes live on in people's cards.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum.iso7064 import mod_11_2

from exam_portal import clock
from exam_portal.kit.crypto import keyed_digest, lookup_keys
from exam_portal.kit.text import joined, visible

USERNAME_PATTERN = r"^[a-z][a-z0-9_.-]{3,29}$"


class Sex(models.TextChoices):
    """Sex as documents state it."""

    FEMALE = "F", _("Female")
    MALE = "M", _("Male")


_WRONG_CHECK = _("The last character does not fit the others: one of them is mistyped.")


def _check_eighteen(number: str) -> None:
    """GB 11643: 17 digits and a check character (ISO 7064 MOD 11-2), with a real, past date of birth."""
    if re.fullmatch(r"[0-9]{15}", number):
        raise ValidationError(_("This is an old 15-digit number. Enter the 18 characters of your present card."))
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise ValidationError(_("The number has 18 characters: 17 digits, then a digit or X."))
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ValidationError(_("Digits 7 to 14 are not a date. Compare them with your card.")) from None
    if not date(1900, 1, 1) <= born < clock.today():
        raise ValidationError(_("The date of birth in digits 7 to 14 cannot be right. Compare it with your card."))
    if not mod_11_2.is_valid(number):
        raise ValidationError(_WRONG_CHECK)


_PERMITS = ("810000", "820000", "830000")


def _check_residence_permit(number: str) -> None:
    _check_eighteen(number)
    if not number.startswith(_PERMITS):
        raise ValidationError(_("The number of a residence permit begins with 810000, 820000 or 830000."))


def _check_foreigner(number: str) -> None:
    """15 characters on older cards; since 2023 18 from 9, with the check character of GB 11643."""
    if not re.fullmatch(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]", number):
        raise ValidationError(_("The number is 3 letters and 12 digits, or 18 characters from 9."))
    if number.startswith("9") and not mod_11_2.is_valid(number):
        raise ValidationError(_WRONG_CHECK)


def _pattern(pattern: str, message: str | Promise) -> Callable[[str], None]:
    def check(number: str) -> None:
        if not re.fullmatch(pattern, number):
            raise ValidationError(str(message))

    return check


@dataclass(frozen=True)
class IdType:
    """A kind of ID document: its name, how its number is checked, and whether the number tells sex and birth date.

    `alone` is the form of numbers that no other type has: whoever gives one under another type is told (R04).
    """

    label: str | Promise
    check: Callable[[str], None]
    tells_birth: bool = False
    alone: str = r"(?!)"

    def has(self, number: str) -> bool:
        """Whether a normalised number can be one of this type."""
        try:
            self.check(number)
        except ValidationError:
            return False
        return True


ID_TYPES: dict[str, IdType] = {
    "resident_id": IdType(
        _("Resident ID card"),
        _check_eighteen,
        tells_birth=True,
        alone=r"[0-9]{15}|(?!8[123]0000|9)[0-9]{17}[0-9X]",
    ),
    "residence_permit": IdType(
        _("Residence permit for Hong Kong, Macau and Taiwan residents"),
        _check_residence_permit,
        tells_birth=True,
        alone=r"8[123]0000[0-9]{11}[0-9X]",
    ),
    "travel_permit_hk_mo": IdType(
        _("Mainland travel permit for Hong Kong and Macau residents"),
        _pattern(
            r"[HM][0-9]{8}",
            _("The number is H or M and 8 digits; on an older card two more, which count its renewals."),
        ),
    ),
    "travel_permit_tw": IdType(
        _("Mainland travel permit for Taiwan residents"),
        _pattern(r"[0-9]{8}", _("The number has 8 digits.")),
    ),
    "foreigner_permanent": IdType(
        _("Foreigner's permanent residence card"),
        _check_foreigner,
        alone=r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
    ),
    # Nine characters are all that the machine-readable lines of a passport hold (ICAO 9303).
    "passport": IdType(
        _("Passport"), _pattern(r"(?=.*[0-9])[A-Z0-9]{6,9}", _("The number has 6 to 9 letters and digits."))
    ),
    "officer": IdType(
        _("Officer's card"),
        _pattern(
            r"[\u4e00-\u9fff]{1,10}[A-Z]{0,3}[0-9]{4,10}|[0-9]{5,10}",
            _("Enter the number as printed, with the characters before it (军字第1234567号)."),
        ),
    ),
}


def choices() -> list[tuple[str, str | Promise]]:
    """ID types for a form, in the order candidates need them."""
    return [(code, id_type.label) for code, id_type in ID_TYPES.items()]


def name_on_paper(id_type: str) -> str:
    """The Chinese name of an ID type, as official papers have it in every language."""
    with translation.override("zh-hans"):
        return str(ID_TYPES[id_type].label)


# What a number of a document may have beside what is its holder's: on older travel permits for Hong Kong and Macau
# residents two digits that count renewals, on an officer's card the words around the number, 军字第1234567号.
_RENEWALS = re.compile(r"(?<=^[HM][0-9]{8})[0-9]{2}$")
_WORDS = re.compile(r"(?<=[\u4e00-\u9fff])(?:字第?|第)(?=[A-Z]{0,3}[0-9])|(?<=[0-9])号$")


def normalise_number(typed: str) -> str:
    """One number, however it is typed (R04): half-width, any script's digits as 0-9, nothing invisible, no spaces or
    hyphens, capitals; and however often its document was renewed.

    Until nothing changes any more: what is left when a space is taken out may have a compatibility form of its own.
    """
    number = joined(visible(unicodedata.normalize("NFKC", typed))).upper()
    number = "".join(str(unicodedata.decimal(character, character)) for character in number)
    number = _WORDS.sub("", _RENEWALS.sub("", number))
    return number if number == typed else normalise_number(number)


def check_number(*, id_type: str, number: str) -> None:
    """Refuse a normalised number that cannot be of its type, or that another type alone has: else one card would
    register once under each type (R04).

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    for code, other in ID_TYPES.items():
        if code != id_type and re.fullmatch(other.alone, number):
            raise ValidationError(
                _("This is the number of another ID type: %(type)s. Choose that type.") % {"type": other.label}
            )
    ID_TYPES[id_type].check(number)


def digest(*, id_type: str, number: str) -> str:
    """The keyed digest over type and normalised number by which an ID is found and kept unique."""
    return keyed_digest("identity", id_type, number)


def digest_columns(*, id_type: str, number: str) -> dict[str, str | None]:
    """The look-up columns of a candidate's row: by the present key, and by the next one while keys rotate."""
    return dict(
        zip(
            ("id_digest", "id_digest_next"),
            (keyed_digest("identity", id_type, number, key=key) if key else None for key in lookup_keys()),
            strict=True,
        )
    )


def digests_of_any_type(typed: str) -> list[str]:
    """What `typed` would be found by, in either look-up column, if it were an ID number of any type; for signing in."""
    number = normalise_number(typed)
    return [
        keyed_digest("identity", code, number, key=key)
        for key in dict.fromkeys(filter(None, lookup_keys()))
        for code in ID_TYPES
    ]


def birth_and_sex(*, id_type: str, number: str) -> tuple[date | None, str]:
    """Date of birth and sex that a checked number tells, or (None, "")."""
    if not ID_TYPES[id_type].tells_birth:
        return None, ""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return born, (Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def mask(number: str) -> str:
    """`110101199003070029` → `1101**********0029`; shorter numbers show less."""
    shown = 4 if len(number) >= 12 else 2
    return number[:shown] + "*" * (len(number) - 2 * shown) + number[-shown:]


@dataclass(frozen=True)
class Compared:
    """Two ID numbers side by side: the characters of each, with whether they differ there.

    `places` are the numbers of the characters that differ, from 1; empty where the lengths do.
    """

    old: list[tuple[str, bool]]
    new: list[tuple[str, bool]]
    places: list[int]


def compare(old: str, new: str, *, masked: bool = True) -> Compared:
    """Two ID numbers side by side; masked ones tell which places differ, and nothing of what stands there."""
    pairs = list(zip(old, new, strict=False)) if len(old) == len(new) else []
    places = [place for place, (a, b) in enumerate(pairs, 1) if a != b]

    def side(number: str) -> list[tuple[str, bool]]:
        return [(character, place in places) for place, character in enumerate(mask(number) if masked else number, 1)]

    return Compared(side(old), side(new), places)


def normalise_username(typed: str) -> str:
    """One username, however it is typed: half-width, nothing invisible, small letters."""
    return visible(unicodedata.normalize("NFKC", typed)).strip().lower()


def check_username(username: str) -> None:
    """A normalised username starts with a letter and never looks like an ID number, also without what separates.

    Else somebody's ID number could be somebody else's username. The ID types themselves are asked, but what has fewer
    than five digits is let through: only of passports is the form so wide, and zhang2024 is a name and a year.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    if not re.fullmatch(USERNAME_PATTERN, username):
        raise ValidationError(
            _(
                "A username has 4 to 30 characters, starts with a letter, "
                "and goes on with letters, digits, “_”, “.” or “-”."
            )
        )
    number = normalise_number(re.sub(r"[_.]", "", username))
    digits = sum(character.isdigit() for character in number)
    if digits >= 5 and any(id_type.has(number) for id_type in ID_TYPES.values()):
        raise ValidationError(_("This looks like an ID number. Choose a username with more letters."))


DOT = "·"
_DOTS = re.compile(r"\s*[·\u0387•．・‧∙⋅᛫﹒･]\s*")
# Chinese characters by their planes, whether or not this Python's Unicode knows them yet. Behind one, a selector
# chooses the form in which it is shown, and is no character of its own.
_HAN = "\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SELECTORS = "\U000e0100-\U000e01ef"
# A full stop is a dot of a minority name only between Chinese characters; elsewhere it shortens: J. R. Smith.
_STOP_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}{_SELECTORS}])\s*\.\s*(?=[{_HAN}])")
# What a person sees as one character: a Chinese one, also of the private use area, in which older ID cards have what
# was not in Unicode; or a letter of any script with its accents. Numbers that look like letters (①, ², Ⅷ) are none.
_SEEN = r"(?:hs?|am{0,4})"
# Between them one dot, what holds the parts of a foreign name together, or pinyin in brackets: 王(zhe).
_SHAPE_OF_A_NAME = re.compile(rf"{_SEEN}(?:(?:·|[ .'’-]{{0,2}}){_SEEN}|[ .]{{0,2}}\({_SEEN}+\))*[.'’]?")


def normalise_name(typed: str) -> str:
    """One name, however it is typed (R30): dots of all kinds become 「·」, spaces around them and doubled ones go.

    Visible characters are kept as they are, from any plane of Unicode: compatibility forms are other characters to a
    register.
    """
    name = _DOTS.sub(DOT, visible(typed).replace("\u3000", " ").strip())
    name = _STOP_BETWEEN_HAN.sub(DOT, name)
    return re.sub(r"\s+", " ", name)


def _shape(name: str) -> str:
    """A name with `h` for a Chinese character, `s` for a selector, `a` for a letter, `m` for an accent, and the rest
    as it is."""

    def kind(character: str) -> str:
        if re.match(rf"[{_HAN}\ue000-\uf8ff]", character):
            return "h"
        if "\ufe00" <= character <= "\ufe0f":  # selectors of emoji and mathematics
            return character
        if re.match(rf"[{_SELECTORS}]", character):
            return "s"
        category = unicodedata.category(character)
        return {"L": "a", "M": "m"}.get(category[0], character)

    return "".join(map(kind, name))


def check_name(name: str) -> None:
    """Refuse a normalised name that is too short or long, or holds what no name holds.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    shape = _shape(name)
    if sum(part not in "sm" for part in shape) < 2 or len(name) > 50:
        raise ValidationError(_("A name has 2 to 50 characters."))
    if not _SHAPE_OF_A_NAME.fullmatch(shape):
        raise ValidationError(_("Enter the name as it stands on the ID document: letters and 「·」 only."))


def check_birth_date(born: date) -> None:
    """Refuse a date of birth that nobody who registers can have.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    if not date(1900, 1, 1) <= born < clock.today():
        raise ValidationError(_("This date of birth cannot be right."))

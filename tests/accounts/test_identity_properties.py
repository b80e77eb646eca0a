"""Properties of ID numbers and names, tried with many values; the clock stands still."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import identity
from exam_portal import clock

TODAY = date(2023, 12, 5)
# GB 11643, appendix: weights of the 17 digits and the check characters of the sums modulo 11. Written out here, so that
# the library which the portal takes is not its own proof.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
PERMITS = ("810000", "820000", "830000")

settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
steady = settings(settings.get_profile("steady"), max_examples=300)

typed = st.text(max_size=40) | st.text(
    alphabet="0123456789xXｘＸ０１２３９٠١٩ -\u3000\u2010\u2212·•．.・‧∙⋅王𠮷ABabHM军字第号", max_size=40
)


@pytest.fixture(autouse=True)
def pinned(portal_time: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portal's clock stands: yesterday is the last birthday that counts."""
    moment = datetime(2023, 12, 5, 9, tzinfo=clock.BEIJING)
    monkeypatch.setattr(clock, "now", lambda: moment)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A valid number of 18 characters, of any region code and any past date since 1900."""
    region = draw(st.integers(100000, 999999).map(str) | st.sampled_from(PERMITS))
    born = draw(st.dates(date(1900, 1, 1), TODAY - timedelta(days=1)))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + check_character(body)


def check_character(body: str) -> str:
    return CHECK_CHARACTERS[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True)) % 11]


def accepted(number: str) -> bool:
    """Whether the number is accepted as the ID type that its first digits tell."""
    told = {"9": "foreigner_permanent"}.get(number[0], "resident_id")
    try:
        identity.check_number(id_type="residence_permit" if number[:6] in PERMITS else told, number=number)
    except ValidationError:
        return False
    return True


@pytest.mark.rule("R04")
@given(typed)
@steady
def test_normalising_a_number_twice_is_normalising_it_once(text: str) -> None:
    once = identity.normalise_number(text)
    assert identity.normalise_number(once) == once


@pytest.mark.rule("R04")
def test_no_character_beside_a_letter_needs_a_second_turn() -> None:
    for code in range(0x110000):
        once = identity.normalise_number(f"O{chr(code)}1")
        assert identity.normalise_number(once) == once, hex(code)


@pytest.mark.rule("R04")
@given(st.from_regex(r"[a-z][a-z0-9]{3,14}", fullmatch=True))
@steady
def test_a_username_is_no_id_number_of_five_digits_or_more(name: str) -> None:
    number = identity.normalise_number(name)
    try:
        identity.check_username(name)
    except ValidationError:
        return
    assert sum(map(str.isdigit, number)) < 5 or not any(kind.has(number) for kind in identity.ID_TYPES.values())


@pytest.mark.rule("R30")
@given(typed)
@steady
def test_normalising_a_name_twice_is_normalising_it_once(text: str) -> None:
    once = identity.normalise_name(text)
    assert identity.normalise_name(once) == once


@pytest.mark.rule("R04")
@given(numbers())
@steady
def test_every_valid_number_of_a_past_date_is_accepted(number: str) -> None:
    assert accepted(number)
    born, sex = identity.birth_and_sex(id_type="resident_id", number=number)
    assert f"{born:%Y%m%d}" == number[6:14]
    assert sex == ("M" if int(number[16]) % 2 else "F")


@pytest.mark.rule("R04")
def test_every_past_day_since_1900_is_accepted_and_no_other() -> None:
    day = date(1899, 12, 25)
    while day < TODAY + timedelta(days=7):
        body = f"110101{day:%Y%m%d}002"
        assert accepted(body + check_character(body)) == (date(1900, 1, 1) <= day < TODAY), day
        day += timedelta(days=1)


@pytest.mark.rule("R04")
@given(numbers())
@steady
def test_every_substitution_of_one_character_is_refused(number: str) -> None:
    for position, right in enumerate(number):
        for wrong in "0123456789X":
            if wrong != right:
                changed = number[:position] + wrong + number[position + 1 :]
                assert not accepted(changed), (number, changed)


@pytest.mark.rule("R04")
@given(numbers())
@steady
def test_every_swap_of_two_unequal_neighbours_is_refused(number: str) -> None:
    for position in range(17):
        one, other = number[position : position + 2]
        if one != other:
            changed = number[:position] + other + one + number[position + 2 :]
            assert not accepted(changed), (number, changed)

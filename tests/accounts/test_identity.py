"""ID numbers, names and usernames."""

import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts import identity
from tests.factories import resident_id


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    "typed",
    [
        "11010119900307002x",
        " 110101 19900307 002X ",
        "１１０１０１１９９００３０７００２Ｘ",
        "110101-19900307-002X",
        "110101\u300019900307002ｘ",
        "١١٠١٠١١٩٩٠٠٣٠٧٠٠٢X",
        "\u202d11010119900307002X\u202c",
        "\ufeff110101\u200b19900307\u2060002x\0",
    ],
)
def test_a_number_is_the_same_however_it_is_typed(typed: str) -> None:
    number = identity.normalise_number(typed)
    assert number == "11010119900307002X"
    identity.check_number(id_type="resident_id", number=number)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("110101900307002", "15"),
        ("11010119900307002", "18"),
        ("110101199002300021", "7"),
        ("110101299903070021", "7"),
        ("110101199003070021", "末位|last"),
        ("810000199408230021", "居住证|[Rr]esidence permit"),
        ("ABCDEFGHIJKLMNOPQR", "18"),
    ],
)
def test_a_wrong_resident_id_is_refused_with_the_reason(number: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        identity.check_number(id_type="resident_id", number=number)


@pytest.mark.parametrize(
    ("id_type", "good", "bad"),
    [
        ("residence_permit", "810000199408230021", "110101199003070029"),
        ("travel_permit_hk_mo", "H12345678", "X12345678"),
        ("travel_permit_hk_mo", "M12345678 01", "M12345678 1"),
        ("travel_permit_tw", "12345678", "1234567"),
        ("travel_permit_tw", "1234-5678", "12345678 01"),
        ("foreigner_permanent", "USA110101900101", "US110101900101"),
        ("foreigner_permanent", "91184019850312001x", "911840198503120010"),
        ("passport", "E12345678", "E-1"),
        ("passport", "EA1234567", "EA12345678"),
        ("officer", "军字第1234567号", "军1"),
        ("officer", "文职字第 0012345 号", "军字第号"),
        ("officer", "士字第P011816号", "P011816"),
        ("officer", "0123456", "1234"),
        # Words without a digit would be usernames as well.
        ("passport", "C01X00T47", "ZHANGSAN"),
        ("officer", "学1234567", "ZHANGSAN"),
    ],
)
def test_each_id_type_has_its_own_form(id_type: str, good: str, bad: str) -> None:
    identity.check_number(id_type=id_type, number=identity.normalise_number(good))
    with pytest.raises(ValidationError):
        identity.check_number(id_type=id_type, number=identity.normalise_number(bad))


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("H3065887701", "H30658877"),
        ("h30658877 02", "H30658877"),
        ("Ｈ３０６５８８７７０２", "H30658877"),
        ("M3065887709", "M30658877"),
        ("军字第1234567号", "军1234567"),
        ("军字第 1234567", "军1234567"),
        ("军第1234567号", "军1234567"),
        ("军字1234567", "军1234567"),
        ("士字第P011816号", "士P011816"),
        # Not so long, or not of that form.
        ("H306588770", "H306588770"),
        ("H306588770201", "H306588770201"),
        ("E3065887701", "E3065887701"),
        ("1H3065887701", "1H3065887701"),
    ],
)
def test_what_a_number_has_beside_its_holders_own_goes(typed: str, number: str) -> None:
    assert identity.normalise_number(typed) == number


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    ("number", "own"),
    [
        ("11010119900307002X", "resident_id"),
        ("110101900307002", "resident_id"),
        ("810000199408230021", "residence_permit"),
        ("91184019850312001X", "foreigner_permanent"),
        ("USA110101900101", "foreigner_permanent"),
    ],
)
def test_a_number_that_one_type_alone_has_is_taken_under_no_other(number: str, own: str) -> None:
    for other in identity.ID_TYPES.keys() - {own}:
        with pytest.raises(ValidationError, match=str(identity.ID_TYPES[own].label)):
            identity.check_number(id_type=other, number=number)


def test_no_number_is_alone_under_two_types_and_every_such_form_is_one_that_its_type_knows() -> None:
    for number in ("11010119900307002X", "810000199408230021", "91184019850312001X", "USA110101900101"):
        owners = [code for code, kind in identity.ID_TYPES.items() if re.fullmatch(kind.alone, number)]
        assert len(owners) == 1
        assert identity.ID_TYPES[owners[0]].has(number)


def test_sex_and_birth_date_come_from_the_resident_id() -> None:
    born, sex = identity.birth_and_sex(id_type="resident_id", number=resident_id(2))
    assert (str(born), sex) == ("1990-03-07", "F")
    assert identity.birth_and_sex(id_type="resident_id", number=resident_id(3))[1] == "M"
    assert identity.birth_and_sex(id_type="passport", number="E12345678") == (None, "")


def test_numbers_are_masked() -> None:
    assert identity.mask("11010119900307002X") == "1101**********002X"
    assert identity.mask("E12345678") == "E1*****78"


@pytest.mark.rule("R30")
@pytest.mark.parametrize("dot", "·•．.・‧∙⋅")
def test_dots_in_names_become_one(dot: str) -> None:
    assert identity.normalise_name(f" 买买提 {dot} 吐尔逊 ") == "买买提·吐尔逊"


@pytest.mark.rule("R30")
@pytest.mark.parametrize(
    "name",
    [
        *("王𠮷", "䶮𬭊", "买买提·吐尔逊", "Anna-Maria O'Neill", "欧阳娜娜", "㛃㛃", "〇一", "王zhe"),
        *("王(zhe)", "王(zhe)明", "J. R. Smith", "Robert Downey Jr.", "葛\U000e0100城", "\ue863\ue863"),
        *("Jose\u0301 Pe\u0301rez", "Nguye\u0302\u0303n An", "D' Angelo", "娜" * 50, "王\U00031350"),
    ],
)
def test_hard_names_are_kept_as_they_are(name: str) -> None:
    assert identity.normalise_name(name) == name
    identity.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("王", "王" * 51, "王1", "·王五", "<b>王五</b>", "王_五", "王😀"),
        # Numbers that look like letters, dots at an end or doubled, brackets around nothing.
        *("王①", "x²y", "王Ⅷ", "王㈠", "阿·", "阿··里", "王(", "王)", "王()", "(zhe)王", "王(1)"),
        # Selectors are not seen: these are one character, or choose the form of none.
        *("王\ufe00", "王\U000e0100", "王\ufe0f明", "A\U000e0100B", "\U000e0100王明", "王\U000e0100\U000e0101明"),
        *("e\u0301", "ab" + "\u0301" * 5),
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        identity.check_name(name)


@pytest.mark.parametrize(
    "username",
    [
        *("zhang", "zhang.san-2023", "a_b_c_d", "zhang2024", "wang1990", "li19900307", "zhang19900307", "wang123456"),
        *("liu0307", "li1990", "a1b2c3", "x13800138000"),
    ],
)
def test_usernames(username: str) -> None:
    identity.check_username(username)


@pytest.mark.parametrize(
    "username",
    [
        *(
            "abc",
            "1abc",
            "Zhang",
            "zhang san",
            "a" * 31,
            "zhang\n",
            "zhаng",
            "ｚｈａｎｇ",
            "zhang\u200b",
            "zhang@example.org",
        ),
        *("e12345678", "usa110101900101", "e-12345678", "e.123.456.78", "h_1234_5678", "c-n-1234567"),
        *("ea1234567", "c01x00t47", "m123a4567", "h3065887701", "h30658877-01", "usa-110101-900101", "zxy123456"),
    ],
)
def test_a_username_that_could_be_an_id_or_is_malformed_is_refused(username: str) -> None:
    with pytest.raises(ValidationError):
        identity.check_username(username)


def shown(characters: list[tuple[str, bool]]) -> tuple[str, str]:
    """What stands there, and `^` under what is marked."""
    return "".join(c for c, _ in characters), "".join("^" if differs else " " for _, differs in characters)


def test_two_numbers_side_by_side_tell_the_places_that_differ() -> None:
    compared = identity.compare("110101199003070029", "110101199003170026")
    assert shown(compared.old) == ("1101**********0029", "            ^    ^")
    assert shown(compared.new) == ("1101**********0026", "            ^    ^")
    assert compared.places == [13, 18]


def test_numbers_of_other_lengths_are_masked_each_for_itself() -> None:
    compared = identity.compare("110101199003070029", "H12345678")
    assert shown(compared.old) == ("1101**********0029", " " * 18)
    assert shown(compared.new) == ("H1*****78", " " * 9)
    assert compared.places == []


def test_unmasked_they_show_in_full_and_marked() -> None:
    compared = identity.compare("12345678", "12345679", masked=False)
    assert shown(compared.old) == ("12345678", "       ^")
    assert shown(compared.new) == ("12345679", "       ^")


@given(pair=st.integers(6, 20).flatmap(lambda n: st.tuples(*[st.text("0123456789", min_size=n, max_size=n)] * 2)))
def test_side_by_side_all_that_a_mask_hides_stays_hidden(pair: tuple[str, str]) -> None:
    compared = identity.compare(*pair)
    for number, side in zip(pair, (compared.old, compared.new), strict=True):
        assert shown(side)[0] == identity.mask(number)

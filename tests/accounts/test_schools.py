"""Schools by name: the list, and how it is searched."""

import re
import unicodedata
from collections import Counter
from pathlib import Path
from time import perf_counter

import pytest
from django.utils.translation import override

from accounts import education, schools
from accounts.profile_forms import SchoolForm

FILE = Path(schools.__file__).parent / "data" / "schools.tsv"
ROWS = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()]
FORMER = [tuple(pair.split(" ")) for row in ROWS for pair in row[5].split(",") if pair]


def found(typed: str, most: int = 20) -> list[str]:
    return [one.name for one in schools.find(typed)][:most]


# --- The list -----------------------------------------------------------------------------------
def test_every_row_has_six_columns_and_the_known_source_and_kind() -> None:
    assert {len(row) for row in ROWS} == {6}
    assert {row[3] for row in ROWS} == {"regular", "secondary", "military", "open"}
    assert {row[3] for row in ROWS} <= set(education.RECOGNISED_SCHOOL_KINDS)
    assert {row[4] for row in ROWS} == {"A", "U"}


@pytest.mark.parametrize("column", [0, 1])
def test_codes_and_names_are_there_once(column: int) -> None:
    assert [value for value, number in Counter(row[column] for row in ROWS).items() if number > 1] == []


def test_names_are_different_in_what_a_search_sees() -> None:
    assert [name for name, n in Counter(schools._plain(row[1]) for row in ROWS).items() if n > 1] == []


def test_codes_and_names_fit_their_columns_and_none_is_the_code_of_other_schools() -> None:
    assert [row for row in ROWS if not 1 <= len(row[0]) <= 10 or not 2 <= len(row[1]) <= 80] == []
    assert schools.OTHER not in {row[0] for row in ROWS}


def test_initials_are_as_long_as_the_name_one_letter_for_each_character() -> None:
    pairs = [(row[1], row[2]) for row in ROWS] + [(name, letters) for name, letters in FORMER]
    for name, letters in pairs:
        assert len(name) == len(letters), name
        for character, letter in zip(name, letters, strict=True):
            chinese = unicodedata.category(character) == "Lo"
            assert (letter.isascii() and letter.islower()) if chinese else letter == character, name


def test_former_names_are_no_present_ones() -> None:
    assert {name for name, _letters in FORMER} & {row[1] for row in ROWS} == set()


# --- By initials --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("zndx", "中南大学"),
        ("ZNDX", "中南大学"),
        ("ＺＮＤＸ", "中南大学"),
        ("zn dx", "中南大学"),
        ("hjjydx", "海军军医大学"),
        ("dejydx", "第二军医大学"),
        ("wxwsgdzyjsxx", "无锡卫生高等职业技术学校"),
        ("bjsfdxxg", "北京师范大学-香港浸会大学联合国际学院"),
    ],
)
def test_a_school_is_found_by_its_initials(typed: str, first: str) -> None:
    assert found(typed)[0] == first


def test_schools_of_the_same_initials_are_all_found() -> None:
    assert found("hnzyydx") == [
        "河南中医药大学",
        "湖南中医药大学",
        "湖南中医药大学湘杏学院",
        "湖南中医药高等专科学校",
    ]


# --- By characters ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("湖南中医", "湖南中医药大学"),
        ("湖中医", "湖南中医药大学"),
        ("湖 医 大", "湖南中医药大学"),
        ("中矿京", "中国矿业大学（北京）"),
        ("中国矿业大学(北京)", "中国矿业大学（北京）"),
        ("中国矿业大学（北京）", "中国矿业大学（北京）"),
        ("中国矿业大学北京", "中国矿业大学（北京）"),
        ("北京师范大学香港", "北京师范大学-香港浸会大学联合国际学院"),
    ],
)
def test_any_characters_in_their_order_find_a_school(typed: str, name: str) -> None:
    assert name in found(typed)


@pytest.mark.parametrize("typed", ["学大南中", "医中南湖", "中南大学x", "某某医科大学", "zzzzzz"])
def test_characters_in_another_order_or_beyond_the_name_find_nothing(typed: str) -> None:
    assert found(typed) == []


@pytest.mark.parametrize("typed", ["", " ", "\u3000", "（", "()", "-", "_", "·"])
def test_nothing_that_could_be_sought_finds_nothing(typed: str) -> None:
    assert found(typed) == []


def test_the_same_comes_first_then_what_begins_so_then_what_holds_it_then_the_rest() -> None:
    names = found("中医药大学", 100)
    begins = [name.startswith("中医药大学") for name in names]
    holds = ["中医药大学" in name for name in names]
    assert holds == sorted(holds, reverse=True)
    assert begins == sorted(begins, reverse=True)
    assert found("北京大学")[0] == "北京大学"
    assert found("湖南中医")[0] == "湖南中医药大学"


def test_among_equals_present_names_come_before_former_ones_and_short_before_long() -> None:
    results = [one for one in schools.find("上海") if one.name.startswith("上海")]
    keys = [(one.renamed, len(schools._plain(one.name))) for one in results]
    assert keys == sorted(keys)


def test_every_example_beside_the_field_finds_a_school() -> None:
    with override("en"):
        text = str(SchoolForm.base_fields["picker_query"].help_text)
    examples = re.findall(r"[a-z]{5,}(?=,)|(?<=“)[^”]+", text)
    assert len(examples) == 3
    assert [example for example in examples if not found(example)] == []


# --- Former names -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "name", "today"),
    [
        ("湘雅医", "湘雅医学院", "中南大学"),
        ("湖南医科大学", "湖南医科大学", "中南大学"),
        ("第二军医大学", "第二军医大学", "海军军医大学"),
        ("湖南中医学院", "湖南中医学院", "湖南中医药大学"),
    ],
)
def test_a_school_is_found_by_its_former_name_and_says_the_present_one(typed: str, name: str, today: str) -> None:
    first = schools.find(typed)[0]
    assert (first.name, first.school.name, first.renamed) == (name, today, True)
    assert name in first.school.former


def test_every_name_present_or_former_finds_itself_first() -> None:
    for name in [row[1] for row in ROWS[::10]] + [name for name, _letters in FORMER]:
        assert schools.find(name)[0].name == name


def test_a_school_is_found_once_by_the_name_that_fits_best() -> None:
    for typed in ("大学", "dx", "医学院", "湖南", "x"):
        codes = [one.school.code for one in schools.find(typed)]
        assert len(codes) == len(set(codes)) > 0


# --- The code of a name -------------------------------------------------------------------------
def test_every_name_of_the_list_has_its_code() -> None:
    assert [row[1] for row in ROWS if schools.code_of(row[1]) != row[0]] == []
    assert [name for name, _letters in FORMER if schools.code_of(name) == schools.OTHER] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("中南大学", "4143010533"),
        (" 中南\u3000大学 ", "4143010533"),
        ("湘雅医学院", "4143010533"),
        ("中国矿业大学(北京)", schools.code_of("中国矿业大学（北京）")),
        ("中南", "999999"),
        ("中南大学分校", "999999"),
        ("", "999999"),
        ("（）", "999999"),
    ],
)
def test_the_code_is_that_of_the_whole_name_else_that_of_other_schools(name: str, code: str) -> None:
    assert schools.code_of(name) == code


# --- Speed --------------------------------------------------------------------------------------
@pytest.mark.parametrize("character", ["x", "学", "大", "某", "("])
def test_a_search_of_one_to_forty_characters_is_fast(character: str) -> None:
    schools.find("x")  # the list is read once
    taken = []
    for length in range(1, 41):
        begun = perf_counter()
        schools.find(character * length)
        taken.append(perf_counter() - begun)
    assert sorted(taken)[len(taken) // 2] < 0.05
    assert min(taken[-5:]) < 0.05


def test_a_search_of_any_length_is_fast() -> None:
    begun = perf_counter()
    for typed in ("x" * 50_000, "学" * 50_000, "(" * 50_000):
        assert schools.find(typed) == []
    assert perf_counter() - begun < 2


@pytest.mark.parametrize("typed", ["湖南中醫藥大學", "湖南中醫"])
def test_traditional_characters_find_a_school_too(typed: str) -> None:
    assert schools.find(typed)[0].name == "湖南中医药大学"

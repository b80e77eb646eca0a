"""Frames, fingerprints and words: what the checks are made of (R03)."""

import io
import tomllib

import pytest
from django.utils import translation

from accounts.photos import checks, frames, intake, words
from accounts.photos.likeness import SAME
from accounts.photos.report import ITEMS, Box, Frame, Item, Verdict, as_json, items_from, worst
from accounts.photos.rules import Limits, PhotoRules
from tests.photos import corpus
from tests.photos.looking import SHIPPED, report_on, rules

pytestmark = pytest.mark.rule("R03")


# --- Limits -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "verdict"), [(4.9, "fail"), (5, "warn"), (9.9, "warn"), (10, "pass"), (20, "pass"), (20.1, "fail")]
)
def test_between_pass_and_fail_lies_doubt_where_it_is_given(value: float, verdict: str) -> None:
    assert Limits(low=10, high=20, doubtful_low=5, doubtful_high=20).verdict(value) == verdict


def test_rules_come_back_from_the_table_they_are_kept_in_with_the_same_version() -> None:
    table = tomllib.loads(SHIPPED.read_text())["photo"]
    made = PhotoRules.from_table(table)
    again = PhotoRules.from_table(made.as_table())
    assert (again, again.version) == (made, made.version)
    table["checks"]["white"]["low"] = 0.8
    assert PhotoRules.from_table(table).version != made.version
    assert set(made.limits) == set(ITEMS)


def test_a_report_comes_back_from_what_is_kept() -> None:
    found = report_on(corpus.jpeg(corpus.portrait("m_white"))).items
    assert items_from(as_json(found)) == found
    assert worst([]) == Verdict.PASS


# --- Frames -----------------------------------------------------------------------------------------
HEAD = Box(left=400, top=300, right=600, bottom=580, roll=0)


def test_the_suggested_frame_has_the_head_at_two_thirds_and_in_the_middle() -> None:
    kinds = dict(frames.offered(HEAD, (1000, 1400), rules()))
    suggested = kinds["suggested"]
    assert frames.head_share(suggested, HEAD, rules().ratio) == pytest.approx(rules().head, abs=0.01)
    assert kinds["closer"].width < suggested.width < kinds["wider"].width
    assert suggested.x == pytest.approx(500)


@pytest.mark.parametrize("roll", [-12.0, 0.0, 7.5])
def test_a_frame_takes_the_lean_of_the_head(roll: float) -> None:
    leaning = Box(HEAD.left, HEAD.top, HEAD.right, HEAD.bottom, roll)
    assert next(frames.offered(leaning, (1000, 1400), rules()))[1].angle == pytest.approx(roll, abs=0.01)


@pytest.mark.parametrize("frame", [Frame(0, 0, 300, 0), Frame(990, 1390, 500, 10), Frame(500, 700, 5000, 0)])
def test_a_frame_that_reaches_out_of_the_picture_is_moved_in(frame: Frame) -> None:
    inside = frames.kept_inside(frame, (1000, 1400), rules().ratio)
    half = inside.width / 2
    assert half - 1 <= inside.x <= 1000 - half + 1 and inside.width <= 1000


def test_nothing_is_enlarged() -> None:
    for width in (250, 420, 900):
        found = intake.read(io.BytesIO(corpus.jpeg(corpus.ready("f_multi", width=width))))
        for framed in checks.check(found, rules()).frames:
            cut = io.BytesIO(checks.cut(found, framed.frame, rules()))
            assert intake.read(cut).width <= min(width, rules().most_width)


# --- The same picture -------------------------------------------------------------------------------
def bits(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_a_copy_of_a_picture_differs_less_than_any_other_face() -> None:
    faces = corpus.TUNED + corpus.HELD_BACK
    prints = {face: report_on(corpus.jpeg(corpus.portrait(face))).fingerprint for face in faces}
    assert {len(found) for found in prints.values()} == {256}
    near = []
    for face in faces:
        for copied in (corpus.resaved(corpus.portrait(face), 70), corpus.stops(corpus.portrait(face), 0.25)):
            copy = report_on(corpus.jpeg(copied)).fingerprint
            near.append(bits(copy, prints[face]) <= SAME)
            assert min(bits(copy, prints[other]) for other in faces if other != face) > SAME
    assert near.count(True) >= 17, "of twenty; now and then the head is found a little elsewhere"


# --- Words ------------------------------------------------------------------------------------------
HINTS = {"face": ["", "lies", "many"], "head": ["big", "small"], "centred": ["sideways", "high", "low"]}


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
@pytest.mark.parametrize("key", ITEMS)
def test_each_check_has_a_name_a_sentence_of_help_and_a_number_in_each_language(key: str, language: str) -> None:
    with translation.override(language):
        assert words.label(key)
        for hint in HINTS.get(key, [""]):
            item = Item(key, 1.2, 0.5, 2.0, Verdict.FAIL, hint)
            assert str(words.help_for(item)).endswith((".", "。"))
            assert words.help_for(Item(key, 1.2, 0.5, 2.0, Verdict.PASS, hint)) == ""
            assert bool(words.shown(item)) == (key != "type")


def test_what_was_measured_is_told_with_what_passes() -> None:
    with translation.override("en"):
        assert words.shown(Item("upright", 6.25, -5, 5, Verdict.WARN)) == "6.2° (-5.0° to 5.0°)"
        assert words.shown(Item("white", 0.4, 0.75, None, Verdict.FAIL)) == "40 % (≥ 75 %)"
        assert words.shown(Item("bytes", 20_480, 46_081, None, Verdict.FAIL)) == "20 KB (≥ 45 KB)"
        assert words.shown(Item("face", 2, 1, 1, Verdict.FAIL)) == "2 (1)"

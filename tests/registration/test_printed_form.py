"""The printed form: what was submitted, and nothing else."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf import PdfReader

from accounts import identity, rare_characters
from accounts.actors import acting
from accounts.services.education import correct_education
from exam_portal import clock
from exam_portal.kit import fonts, printing
from registration.models import Application, Submission
from registration.services import applications, printed_form
from tests import factories
from tests.data.hard_names import HARD_NAMES

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission(draft: Application) -> Submission:
    return applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())


def pages(pdf: bytes) -> list[str]:
    # Chinese text may be broken anywhere: compare without white space.
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def glyphs_missing(pdf: bytes) -> bool:
    """Whether any text of the PDF is drawn with glyph 0, `.notdef`; typst writes two bytes a glyph."""
    drawn: set[bytes] = set()

    def visit(operator: bytes, arguments: list[Any], *_matrices: Any) -> None:
        shown = {b"TJ": arguments[:1] and arguments[0], b"Tj": arguments}.get(operator, [])
        for piece in shown:
            if not isinstance(piece, int | float):
                raw = piece.original_bytes
                drawn.update(raw[at : at + 2] for at in range(0, len(raw), 2))

    for page in PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_operand_before=visit)
    assert drawn, "the PDF has text"
    return b"\x00\x00" in drawn


@pytest.mark.rule("R09", "R24")
def test_the_form_carries_code_version_and_content_of_its_submission(submission: Submission) -> None:
    (text,) = pages(printed_form.render(submission))
    assert submission.form_code in text
    for shown in (
        "2024年度卫生专业技术资格考试报名申请表",
        "张三",
        submission.id_number,
        "203护理学",
        "初级(师)",
        "基础知识、相关专业知识、专业知识、专业实践能力",
        "湖南中医药大学",
        "普通高等教育",
        "毕业证书",
        "长沙市某某医院",
        "民营医院",
        "湖南省长沙市开福区",
        "护士执业注册首次注册年月2014-03",
        "第01版",
        "提交时间2023-12-05",
        submission.digest[:16],
        "第1页，共1页",
        "所在单位（或人事档案存放单位）审查意见",
    ):
        assert shown in text


@pytest.mark.rule("R09")
def test_a_later_change_of_the_account_does_not_change_the_form(submission: Submission) -> None:
    before = printed_form.render(submission)
    candidate = submission.application.candidate
    correct_education(
        record=candidate.education.get(), actor=acting(candidate), **factories.education(school="中南大学")
    )
    assert printed_form.render(Submission.objects.get()) == before


def test_the_same_submission_gives_the_same_bytes(submission: Submission) -> None:
    assert printed_form.render(submission) == printed_form.render(submission)


@pytest.mark.rule("R30")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王𠮷", "王𠮷"),
        ("买买提·吐尔逊", "买买提·吐尔逊"),
        ("李\U0003134a", "李U+3134A"),
        ("#read(0)*x*_y_$z$", "#read(0)*x*_y_$z$"),
        ("阿卜杜拉·" + "努尔麦麦提" * 9, "阿卜杜拉·" + "努尔麦麦提" * 9),
        ("Wolfeschlegelsteinhausenbergerdorff" * 2, "Wolfeschlegelsteinhausenbergerdorff" * 2),
    ],
)
def test_hard_names_print_and_nothing_is_markup(submission: Submission, name: str, shown: str) -> None:
    submission.content["candidate"]["name"] = name
    pdf = printed_form.render(submission)
    (text,) = pages(pdf)
    assert shown in text
    assert not glyphs_missing(pdf)


@pytest.mark.rule("R30")
def test_hard_names_print_without_a_missing_glyph(submission: Submission) -> None:
    for _typed, name in HARD_NAMES:
        submission.content["candidate"]["name"] = name
        pdf = printed_form.render(submission)
        assert not glyphs_missing(pdf), ascii(name)
        shown = "".join(
            run if isinstance(run, str) else run["code"] + run["pinyin"] for run in rare_characters.runs(name)
        )
        assert "".join(shown.split()) in pages(pdf)[0], ascii(name)


@pytest.mark.rule("R30")
def test_a_framed_code_point_has_its_pinyin_beside_it_where_that_is_known() -> None:
    assert rare_characters.runs("王\U000242be") == ["王", {"code": "U+242BE", "pinyin": "miè"}]
    assert rare_characters.runs("李\U0003134a") == ["李", {"code": "U+3134A", "pinyin": ""}]


@pytest.fixture
def installed_font(tmp_path: Path, settings: Any) -> Iterator[None]:
    """A font for one character that the print font lacks, installed for one test."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "rare"])
    builder.setupCharacterMap({0x3134A: "rare"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 800))
    pen.lineTo((800, 0))
    pen.closePath()
    builder.setupGlyf({".notdef": pen.glyph(), "rare": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "rare": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {"familyName": "Rare", "styleName": "Regular", "fullName": "Rare Regular", "psName": "Rare-Regular"}
    )
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "rare.ttf")
    settings.PORTAL_FALLBACK_FONTS = [str(tmp_path / "missing.ttf"), str(tmp_path / "rare.ttf")]
    for cached in (fonts._faces, printing._fonts):
        cached.cache_clear()
    yield
    for cached in (fonts._faces, printing._fonts):
        cached.cache_clear()


@pytest.mark.rule("R30")
def test_another_installed_font_prints_what_the_first_lacks(submission: Submission, installed_font: None) -> None:
    assert fonts.families() == ["Noto Sans CJK SC", "Rare"]
    submission.content["candidate"]["name"] = "李\U0003134a"
    pdf = printed_form.render(submission)
    assert "李\U0003134a" in pages(pdf)[0]
    assert not glyphs_missing(pdf)


@pytest.mark.parametrize(("records", "expected"), [(2, 1), (5, 2)])
def test_the_longest_texts_fit_on_one_page_with_two_records(
    submission: Submission, records: int, expected: int
) -> None:
    content = submission.content
    content["candidate"]["name"] = "阿卜杜拉·" + "努尔麦麦提" * 9
    content["basic"] |= {"employer": "某" * 80, "address": "某" * 100}
    content["education"] = content["education"] * records
    content["credentials"] = content["credentials"] * 4
    assert len(pages(printed_form.render(submission))) == expected


def test_five_records_fit_on_one_page(submission: Submission) -> None:
    submission.content["education"] *= 5
    assert len(pages(printed_form.render(submission))) == 1


def test_a_second_page_says_whose_it_is_and_keeps_the_seals_together(submission: Submission) -> None:
    content = submission.content
    record = content["education"][0] | {"school": "某" * 80, "major": "某" * 60}
    content["education"] = [record] * 5
    first, second = pages(printed_form.render(submission))
    assert "（盖章）" not in first
    assert second.count("（盖章）") == 3
    assert "张三验证码" in second
    assert submission.form_code in second
    assert "第2页，共2页" in second


def test_a_long_number_breaks_inside_its_cell(submission: Submission) -> None:
    number = "1234567890" * 4
    submission.content["education"][0]["certificate_number"] = number
    pdf = printed_form.render(submission)
    assert number in pages(pdf)[0]
    assert number not in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_every_id_type_has_its_chinese_name_on_the_paper(language: str) -> None:
    with translation.override(language):
        names = [identity.name_on_paper(id_type) for id_type in identity.ID_TYPES]
    assert names == [
        "居民身份证",
        "港澳台居民居住证",
        "港澳居民来往内地通行证",
        "台湾居民来往大陆通行证",
        "外国人永久居留身份证",
        "护照",
        "军官证",
    ]


def test_threads_may_render_at_once(submission: Submission) -> None:
    form, data = printed_form.TEMPLATE, printed_form.form_data(submission)
    alone = printing.render(form, data)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(printing.render, [form] * 12, [data] * 12)) == {alone}


def test_a_fork_after_rendering_is_refused_rather_than_hanging(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed_form.render(submission)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="forked"):
        printed_form.render(submission)


def test_a_missing_glyph_would_be_noticed() -> None:
    """The check itself: typst draws `.notdef` for a character that the font lacks, without a word."""
    import typst

    pdf = typst.compile(
        '#set text(font: "Noto Sans CJK SC")\n李\U0003134a'.encode(),
        font_paths=[str(fonts.FONT.parent)],
        ignore_system_fonts=True,
    )
    assert glyphs_missing(pdf)


@pytest.mark.rule("R24")
def test_barcode_and_qr_hold_the_form_code(submission: Submission) -> None:
    import segno

    data = printed_form.form_data(submission)
    assert data["qr"] == segno.make(submission.form_code, error="m", micro=False).svg_inline(border=0)
    assert data["barcode"].count("<rect") > 40
    assert submission.id_number not in data["qr"] + data["barcode"]

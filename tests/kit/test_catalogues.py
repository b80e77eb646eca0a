"""Translation catalogues: the tool on a small project, then the portal's own catalogues."""

import re
from gettext import GNUTranslations
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, ngettext, to_locale

from exam_portal.kit import catalogues

PYTHON = """\
from django.utils.translation import gettext as _, gettext_lazy, ngettext_lazy, pgettext

# Translators: a place, not a dot
POINT = _("Exam point")
DAYS = ngettext_lazy("%(n)d day", "%(n)d days", "n")
OPEN = pgettext("state of a window", "Open")
LONG = gettext_lazy(
    "One sentence, "
    "written on two lines."
)
"""

TEMPLATE = """\
{% load i18n %}
<a title="{% translate 'Home' %}">
  {# Translators: 「考点」 #}
    {% translate "Exam point" %}</a>
{% if a %}
{% blocktranslate trimmed count counter=n with name=person.name %}
  {{ counter }} form
  of {{ name }}
{% plural %}
  {{ counter }} forms of {{ name }}
{% endblocktranslate %}
  {% endif %}
{% include "x.html" with text=_("Half done") %}
"""

EMPTY = """\
# Written by `manage.py catalogues update`; by hand only what stands in msgstr.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

#: templates/exam/page.html
#, python-format
msgid "%(counter)s form of %(name)s"
msgid_plural "%(counter)s forms of %(name)s"
msgstr[0] ""

#: exam/views.py
#, python-format
msgid "%(n)d day"
msgid_plural "%(n)d days"
msgstr[0] ""

#. Translators: a place, not a dot
#. Translators: 「考点」
#: exam/views.py templates/exam/page.html
msgid "Exam point"
msgstr ""

#: templates/exam/page.html
msgid "Half done"
msgstr ""

#: templates/exam/page.html
msgid "Home"
msgstr ""

#: exam/views.py
msgid "One sentence, written on two lines."
msgstr ""

#: exam/views.py
msgctxt "state of a window"
msgid "Open"
msgstr ""
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def project(root: Path, python: str, template: str = "") -> Path:
    write(root / "exam" / "__init__.py", "")
    write(root / "exam" / "views.py", python)
    write(root / "templates" / "exam" / "page.html", template)
    return root


def fill(root: Path, **translations: str) -> None:
    """Put translations of the msgid "Exam point" into updated catalogues, by language."""
    catalogues.update(root)
    for language, text in translations.items():
        path = catalogues.po_path(root, language)
        path.write_text(
            path.read_text().replace('msgid "Exam point"\nmsgstr ""', f'msgid "Exam point"\nmsgstr "{text}"')
        )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project with one msgid, translated into both languages."""
    root = project(tmp_path, '_("Exam point")\n')
    fill(root, zh_Hans="考点", zh_Hant="考點")
    assert catalogues.problems(root) == []
    return root


# --- The tool -----------------------------------------------------------------------------------
def test_update_collects_from_code_and_templates(tmp_path: Path) -> None:
    root = project(tmp_path, PYTHON, TEMPLATE)
    catalogues.update(root)
    assert catalogues.po_path(root, "zh_Hans").read_text(encoding="utf-8") == EMPTY


def test_update_leaves_tests_and_other_folders_alone(small: Path) -> None:
    write(small / "tests" / "__init__.py", '_("In a test")\n')
    write(small / "node_modules" / "package" / "index.py", '_("In a package")\n')
    assert catalogues.problems(small) == []


def test_updating_again_does_not_touch_the_files(small: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*.po")}
    catalogues.update(small)
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*.po")} == before
    assert len(before) == 2


def test_update_keeps_translations_and_drops_what_is_no_longer_used(small: Path) -> None:
    project(small, '_("Exam point")\n_("Exam region")\n')
    catalogues.update(small)
    assert [(m.id, m.string) for m in catalogues.read(small, "zh_Hans") if m.id] == [
        ("Exam point", "考点"),
        ("Exam region", ""),
    ]
    project(small, '_("Exam region")\n')
    catalogues.update(small)
    assert "Exam point" not in catalogues.po_path(small, "zh_Hans").read_text()


def test_a_template_that_cannot_be_read_is_named_and_changes_nothing(small: Path) -> None:
    before = catalogues.po_path(small, "zh_Hans").read_text()
    project(small, "", "{% blocktranslate %}{% if a %}{% endblocktranslate %}")
    with pytest.raises(SyntaxError, match=r"page\.html, line 1"):
        catalogues.update(small)
    assert catalogues.po_path(small, "zh_Hans").read_text() == before


def test_compile_makes_what_gettext_reads(tmp_path: Path) -> None:
    root = project(tmp_path, PYTHON)
    fill(root, zh_Hans="考点")
    catalogues.compile_all(root)
    with catalogues.po_path(root, "zh_Hans").with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    assert compiled.gettext("Exam point") == "考点"
    assert compiled.gettext("One sentence, written on two lines.") == "One sentence, written on two lines."


# --- Checking -----------------------------------------------------------------------------------
HANS, HANT = "locale/zh_Hans/LC_MESSAGES/django.po", "locale/zh_Hant/LC_MESSAGES/django.po"


def test_check_lists_what_is_missing_in_each_catalogue(small: Path) -> None:
    project(small, '_("Exam point")\n_("Exam region")\n')
    assert catalogues.problems(small) == [
        f"{HANS}: missing: 'Exam region' (exam/views.py)",
        f"{HANT}: missing: 'Exam region' (exam/views.py)",
    ]


def test_check_lists_what_is_obsolete(small: Path) -> None:
    project(small, "")
    assert catalogues.problems(small) == [f"{HANS}: obsolete: 'Exam point'", f"{HANT}: obsolete: 'Exam point'"]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ('msgstr ""', "untranslated: 'Exam point'"),
        ('msgstr "考點"', "characters of another script (點): 'Exam point'"),
        ('msgstr "考点 "', "other space at the ends than the msgid: 'Exam point'"),
        ('msgstr "考点%(name)s"', "other placeholders than the msgid: 'Exam point'"),
        ('msgstr "<b>考点"', "other placeholders than the msgid: 'Exam point'"),
        ('msgstr "考点"\n\n#~ msgid "Old"\n#~ msgstr "旧"\n', "obsolete: 'Old'"),
        ('msgstr "考"\n"点"', "not as `manage.py catalogues update` writes it"),
    ],
)
def test_check_complains_about_a_translation(small: Path, written: str, complaint: str) -> None:
    path = catalogues.po_path(small, "zh_Hans")
    path.write_text(path.read_text().replace('msgstr "考点"', written))
    assert catalogues.problems(small) == [f"{HANS}: {complaint}"]


def test_check_complains_about_fuzzy_translations(small: Path) -> None:
    path = catalogues.po_path(small, "zh_Hant")
    path.write_text(path.read_text().replace('msgid "Exam', '#, fuzzy\nmsgid "Exam'))
    assert catalogues.problems(small) == [f"{HANT}: fuzzy: 'Exam point'"]


def test_a_plural_needs_the_placeholders_of_its_plural_form(tmp_path: Path) -> None:
    root = project(tmp_path, 'ngettext("One day", "%(n)d days", n)\n')
    catalogues.update(root)
    for language, text in {"zh_Hans": "一天", "zh_Hant": "%(n)d 天"}.items():
        path = catalogues.po_path(root, language)
        path.write_text(path.read_text().replace('msgstr[0] ""', f'msgstr[0] "{text}"'))
    assert catalogues.problems(root) == [f"{HANS}: other placeholders than the msgid: 'One day'"]


@pytest.mark.parametrize(
    ("msgid", "english"),
    [
        ("Undergraduate (本科)", True),
        ("letters and 「·」 only", True),
        ("the state “已提交”", True),
        ("For example 汉族.", False),
        ("Exam point，exam region", False),
    ],
)
def test_msgids_are_english_but_for_quoted_terms(tmp_path: Path, msgid: str, english: bool) -> None:
    root = project(tmp_path, f"_({msgid!r})\n")
    complaint = f"exam/views.py: not English: {msgid!r}"
    assert (complaint not in catalogues.problems(root)) is english


# --- The portal's catalogues --------------------------------------------------------------------
def test_the_portals_catalogues_are_complete() -> None:
    assert catalogues.problems(settings.BASE_DIR) == []


def test_the_command_ends_with_every_problem(small: Path, settings: object) -> None:
    settings.BASE_DIR = small  # type: ignore[attr-defined]
    call_command("catalogues", "check")
    project(small, '_("Exam region")\n')
    with pytest.raises(CommandError, match=r"(?s)missing: 'Exam region'.*obsolete: 'Exam point'"):
        call_command("catalogues", "check")
    told = StringIO()
    call_command("catalogues", "update", stderr=told)
    assert told.getvalue().splitlines() == [
        f"{HANS}: untranslated: 'Exam region'",
        f"{HANT}: untranslated: 'Exam region'",
    ]
    call_command("catalogues", "compile")
    assert len(list(small.rglob("*.mo"))) == 2


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {to_locale(code) for code, _name in settings.LANGUAGES} == {*catalogues.LANGUAGES, "en"}


# What candidates must read word for word.
OFFICIAL = {
    "Special notice": "特别提示",
    "Recovery question": "密码找回问题",
    "Basic information": "基本信息",
    "qualification": "学历",
    "degree": "学位",
    "Education": "学历学位信息",
    "WeChat: bind and follow": "微信绑定与关注",
    "Choose an exam": "选择考试项目",
    "Important declaration": "重要声明",
    "Candidate's pledge of integrity": "考生诚信考试承诺书",
    "Exam region": "考区",
    "Exam point": "考点",
    "Registration site": "报名点",
    "Specialty": "报考专业",
    "Level": "级别",
    "Subjects": "报考科目",
    "Registration process": "报考流程",
    "Fill in the registration": "填写/修改报考信息",
    "Confirm the photo": "确认报名照片",
    "Upload materials": "上传材料",
    "Submit": "提交信息",
    "Submit my registration": "提交报名信息",
    "Confirmation": "报名确认",
    "Qualification review": "资格审核",
    "Payment": "缴费",
    "Application form": "报名申请表",
    "Withdraw": "撤回",
    "Registration not submitted": "未提交报考信息",
    "Submitted, waiting for confirmation": "已提交，等待报名确认",
    "Confirmation failed": "确认失败",
    "Registration confirmed": "报名确认完成",
    "Passed the exam point's review": "考点初审通过",
    "Qualification review passed": "资格审查通过",
    "Qualification review not passed": "资格审查不通过",
    "Deemed given up": "视为自动放弃",
    "Not submitted; registration has closed": "未提交，报名已截止",
    "Not submitted yet": "尚未提交",
    "No supporting documents need to be uploaded.": "无需上传证明材料",
    "Example data": "示例数据",
    "Demonstration: all data are examples": "演示环境，数据均为示例",
    "You have completed the confirmation of your registration. Please wait for the qualification review "
    "by the exam point and the exam region.": "您已完成报名确认，请等待考点和考区考试管理机构进行资格审查",
}


@pytest.mark.parametrize(("msgid", "wording"), OFFICIAL.items(), ids=OFFICIAL.values())
def test_official_wordings_stand_word_for_word(msgid: str, wording: str) -> None:
    assert msgid in catalogues.collect(settings.BASE_DIR)
    with translation.override("zh-hans"):
        assert gettext(msgid) == wording


def test_english_needs_no_catalogue() -> None:
    with translation.override("en"):
        for message in catalogues.collect(settings.BASE_DIR):
            if isinstance(message.id, tuple):
                assert [ngettext(*message.id, 1), ngettext(*message.id, 2)] == list(message.id)
            elif message.id and not message.context:
                assert gettext(message.id) == message.id


def test_borrowed_texts_are_still_those_of_django_and_allauth() -> None:
    theirs: set[tuple[str, ...]] = set()
    for package in ("django", "allauth"):
        [folder] = find_spec(package).submodule_search_locations  # type: ignore[union-attr, misc]
        for path in Path(folder).rglob("locale/en/LC_MESSAGES/django.po"):
            with path.open("rb") as file:
                theirs |= {catalogues.forms(message.id) for message in read_po(file)}
    listed = [
        message
        for message in catalogues.collect(settings.BASE_DIR)
        if "exam_portal/kit/borrowed_texts.py" in dict(message.locations)
    ]
    assert listed
    assert [message.id for message in listed if catalogues.forms(message.id) not in theirs] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "language"),
    [(None, "zh-hans"), ("fr", "zh-hans"), ("zh-hans", "zh-hans"), ("zh-hant", "zh-hant"), ("en", "en")],
)
def test_a_page_comes_in_the_language_chosen_whatever_the_browser_prefers(
    client: Client, chosen: str | None, language: str
) -> None:
    if chosen:
        client.cookies["django_language"] = chosen
    page = client.get(reverse("portal:home"), headers={"accept-language": "en-GB,en;q=0.9"}).content.decode()
    title = {
        "zh-hans": "卫生专业技术资格考试网上报名",
        "zh-hant": "衛生專業技術資格考試網上報名",
        "en": "Health qualification examinations: online registration",
    }[language]
    assert f'<html lang="{language}"' in page
    assert title in page


@pytest.mark.django_db
def test_an_english_page_has_no_chinese_but_the_choice_of_language(client: Client) -> None:
    client.cookies["django_language"] = "en"
    page = client.get(reverse("account_login")).content.decode()
    assert sorted(re.findall(r"[\u3000-\u9fff]+", page)) == ["简体中文", "繁體中文"]

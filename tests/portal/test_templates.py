"""The templates as files and as components: what holds on every page whatever its view."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.utils import translation

TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))
SOURCES = {path: path.read_text(encoding="utf-8") for path in TEMPLATES}
STYLESHEET = Path(settings.BASE_DIR) / "static/css/portal.css"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_has_no_inline_style_script_or_handler_and_asks_no_other_host(path: Path) -> None:
    source = SOURCES[path]
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", source)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_comment_ends_on_its_own_line_else_it_would_be_printed(path: Path) -> None:
    assert not [line for line in SOURCES[path].splitlines() if "{#" in line and "#}" not in line]


def test_stylesheet_asks_no_other_host() -> None:
    addresses = re.findall(r"url\((.{0,12})", STYLESHEET.read_text(encoding="utf-8"))
    assert {address.strip("\"'")[:5] for address in addresses} <= {"data:"}


def test_every_icon_is_drawn_and_every_drawn_icon_is_used() -> None:
    everything = "\n".join(SOURCES.values())
    drawn = set(re.findall(r'id="icon-(\w+)"', everything))
    used = set(re.findall(r'icon\.html" with name="(\w+)"', everything)) | {"success", "warning", "error"}
    assert drawn == used


@pytest.mark.parametrize("name", ["400.html", "500.html"])
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_error_page_needs_no_request_and_no_context(name: str, language: str) -> None:
    with translation.override(language):
        page = get_template(name).render()
    assert f'<html lang="{language}">' in page


@pytest.mark.rule("R15")
def test_process_bar_shows_a_tick_when_done_and_says_each_state_in_words() -> None:
    nodes = [
        SimpleNamespace(label=label, state=state, url="", note="")
        for label, state in (("一", "done"), ("二", "current"), ("三", "ahead"))
    ]
    with translation.override("en"):
        done, current, ahead = render_to_string("includes/process_bar.html", {"nodes": nodes}).split("<li")[1:]
    assert "#icon-check" in done and "(done)" in done
    assert 'aria-current="step"' in current and "(now)" in current and "#icon-check" not in current
    assert "(not reached)" in ahead and "#icon-check" not in ahead


class Example(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the ID.")
    sex = forms.ChoiceField(label="Sex", choices=[("F", "Female"), ("M", "Male")], widget=forms.RadioSelect)
    accept = forms.BooleanField(label="Accept")
    postcode = forms.CharField(label="Postcode", required=False)


def test_form_links_each_error_to_its_field_and_keeps_what_was_typed() -> None:
    form = Example({"postcode": "310000"})
    form.add_error(None, "Not open.")
    with translation.override("en"):
        page = render_to_string("includes/form.html", {"form": form, "action": "Save", "csrf_token": "t"})
    assert re.findall(r'<a href="#(\w+)"', page) == ["id_name", "id_sex_0", "id_accept"]
    assert set(re.findall(r'id="(id_name|id_sex_0|id_accept)"', page)) == {"id_name", "id_sex_0", "id_accept"}
    assert page.count("Not open.") == 1
    assert page.index('role="alert"') < page.index('id="id_name"')
    assert 'value="310000"' in page
    assert page.count("(optional)") == 1


def test_form_without_errors_has_no_summary_and_reads_help_before_the_input() -> None:
    with translation.override("en"):
        page = render_to_string("includes/form.html", {"form": Example(), "action": "Save", "csrf_token": "t"})
    assert 'role="alert"' not in page
    assert page.index("As on the ID.") < page.index('id="id_name"')
    assert 'aria-describedby="id_name_helptext"' in page

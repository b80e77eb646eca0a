"""The docs: links lead somewhere, commands and rules exist, and nothing of ours goes unmentioned."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
RULES = {f"R{number:02d}" for number in range(1, 33)}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def as_ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """The links of a page into this repository that lead nowhere."""
    broken = []
    for link in LINK.findall(FENCE.sub("", read(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def our_commands() -> set[str]:
    """The commands of `manage.py` that come with the portal."""
    apps = {"accounts", "registration", "confirmation", "review", "exam_portal.kit", "exam_portal.portal"}
    return {name for name, app in get_commands().items() if app in apps}


@pytest.mark.parametrize("page", PAGES, ids=as_ids)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_docs.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# Two words\n[a](page.md#two-words) [b](gone.md) [c](#three) [d](https://example.org) [e](../x)\n")
    assert broken_links(page) == ["gone.md", "#three", "../x"]


def test_every_page_and_picture_is_linked_from_the_readme_on() -> None:
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen and page.exists():
            seen.add(page)
            if page.suffix == ".md":
                ahead += [(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(read(page))]
    assert [as_ids(file) for file in [*PAGES, *ROOT.glob("docs/images/*")] if file not in seen] == []


@pytest.mark.parametrize("page", PAGES, ids=as_ids)
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    # In code only: “make” is a word of plain sentences, too.
    code = re.findall(r"```.*?```|`[^`\n]+`", read(page), re.DOTALL)
    named = {target for text in code for target in re.findall(r"\bmake ([a-z][a-z-]*)", text)}
    assert named - targets == set()


def test_every_make_target_is_told_to_contributors() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", read(ROOT / "Makefile"), re.MULTILINE))
    assert targets - set(re.findall(r"`make ([a-z-]+)", read(ROOT / "CONTRIBUTING.md"))) == set()


def commands_named() -> set[str]:
    """The commands that the docs run, as `manage.py name` or through `make manage CMD="name …"`."""
    return set(re.findall(r"(?:manage\.py |CMD=\")([a-z_]+)", "\n".join(map(read, PAGES))))


def test_every_command_of_ours_is_mentioned() -> None:
    assert "exam_year" in our_commands()
    assert our_commands() - commands_named() == set()


def test_every_command_mentioned_exists() -> None:
    assert commands_named() - set(get_commands()) == set()


def test_every_rule_has_its_line_and_no_other_rule_is_named() -> None:
    lines = re.findall(r"^\| (R\d\d) \|", read(ROOT / "docs" / "rules.md"), re.MULTILINE)
    assert lines == sorted(RULES)
    folders = ("accounts", "registration", "confirmation", "review", "exam_portal", "templates")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".html"}]
    named = {rule for path in sources for rule in re.findall(r"\bR\d\d\b", read(path))}
    assert named <= RULES


def test_decisions_are_numbered_and_listed_in_order() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\)$", read(ROOT / "docs" / "decisions" / "README.md"), re.MULTILINE)
    numbers = [str(number) for number in range(1, len(pages) + 1)]
    titles = [read(page).partition("\n")[0] for page in pages]
    assert listed == [
        (number, title.removeprefix(f"# {number}. "), page.name)
        for number, title, page in zip(numbers, titles, pages, strict=True)
    ]
    assert all(page.name.startswith(f"{int(number):04d}-") for number, page in zip(numbers, pages, strict=True))
    for page in pages:
        assert re.findall(r"^\*\*(\w+)\.\*\*", read(page), re.MULTILINE) == ["Context", "Choice", "Consequence"]

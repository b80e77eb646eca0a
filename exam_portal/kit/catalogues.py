"""Translation catalogues, by Babel alone: no gettext program is needed.

Texts in code and templates are English msgids. `locale/<language>/LC_MESSAGES/django.po` is committed and complete; the
`.mo` beside it is made from it. A catalogue is a function of the sources and its own translations: no dates, no line
numbers, sorted by msgid and never wrapped, so that a change of one text is a change of one place.
"""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

# Each language with a character set that holds its script and not the other one. English is the msgids themselves.
LANGUAGES = {"zh_Hans": "gb2312", "zh_Hant": "big5"}

_NOT_SHIPPED = {"tests", "benchmarks"}
_LAZY = {f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")}
_KEYWORDS = {**DEFAULT_KEYWORDS, **_LAZY, "gettext_noop": None}
_COMMENT_TAGS = ("Translators:",)

_HEADER = """\
# Written by `manage.py catalogues update`; by hand only what stands in msgstr.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""

# What a translation must repeat as it stands: %(name)s, %s, %%, {name} and tags.
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}|</?[a-z][^>]*>")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
_CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
# Official terms and signs may stand in an English text, quoted or in brackets.
_QUOTED = re.compile(r"\([^()]*\)|「[^」]*」|《[^》]*》|“[^”]*”")


# --- Collecting ---------------------------------------------------------------------------------
def _sources(root: Path) -> Iterator[tuple[Path, Callable[[Path], bytes]]]:
    """Every file that may hold msgids, each with the way to read it as Python."""
    for package in sorted(init.parent for init in root.glob("*/__init__.py")):
        if package.name not in _NOT_SHIPPED:
            for module in sorted(package.rglob("*.py")):
                yield module, Path.read_bytes
    for template in sorted(path for path in (root / "templates").rglob("*") if path.suffix in {".html", ".txt"}):
        yield template, _template_as_python


def _template_as_python(path: Path) -> bytes:
    """Calls of gettext where the template has its tags; indentation, which means nothing here, goes."""
    python = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    return "\n".join(line.lstrip() for line in python.splitlines()).encode()


def collect(root: Path) -> Catalog:
    """The msgids of the project in `root`, each with its files and translators' comments.

    Raises:
        SyntaxError: a template cannot be read; names file and line.
    """
    template = Catalog()
    for path, as_python in _sources(root):
        found = extract("python", BytesIO(as_python(path)), keywords=_KEYWORDS, comment_tags=_COMMENT_TAGS)
        for line, msgid, comments, context in found:
            where = [(path.relative_to(root).as_posix(), line)]
            template.add(msgid, locations=where, auto_comments=comments, context=context)
    return template


# --- Catalogues as files ------------------------------------------------------------------------
def po_path(root: Path, language: str) -> Path:
    """Where the catalogue of a language is kept."""
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def read(root: Path, language: str) -> Catalog:
    """The catalogue of a language as it is in its file; empty when there is none."""
    path = po_path(root, language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _as_updated(root: Path, language: str, template: Catalog) -> str:
    """The text of a catalogue brought up to date with the sources."""
    catalogue = read(root, language)
    catalogue.update(template, no_fuzzy_matching=True)
    body = BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, sort_output=True, ignore_obsolete=True, include_lineno=False)
    header = _HEADER.format(language=language, plural_forms=catalogue.plural_forms)
    return f"{header}{body.getvalue().decode().rstrip()}\n"


def update(root: Path) -> None:
    """Bring the `.po` files up to date: new msgids come in untranslated, those no longer used go."""
    template = collect(root)
    for language in LANGUAGES:
        path = po_path(root, language)
        text = _as_updated(root, language, template)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def compile_all(root: Path) -> None:
    """Make the `.mo` files that Django reads."""
    for language in LANGUAGES:
        with po_path(root, language).with_suffix(".mo").open("wb") as file:
            write_mo(file, read(root, language))


# --- Checking -----------------------------------------------------------------------------------
def problems(root: Path) -> list[str]:
    """All that keeps the catalogues from being complete and in order, a line each with its file."""
    template = collect(root)
    found = [
        f"{message.locations[0][0]}: not English: {_shown(message)}"
        for message in _messages(template)
        if any(_CJK.search(_QUOTED.sub("", text)) for text in forms(message.id))
    ]
    for language in LANGUAGES:
        path = po_path(root, language)
        where = path.relative_to(root).as_posix()
        catalogue = read(root, language)
        complaints = list(_complaints(catalogue, template, LANGUAGES[language]))
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not complaints and text != _as_updated(root, language, template):
            complaints = ["not as `manage.py catalogues update` writes it"]
        found += [f"{where}: {complaint}" for complaint in complaints]
    return found


def _complaints(catalogue: Catalog, template: Catalog, charset: str) -> Iterator[str]:
    used = {_key(message): message for message in _messages(template)}
    known = {_key(message): message for message in _messages(catalogue)}
    for key, message in used.items():
        if key not in known:
            yield f"missing: {_shown(message)} ({message.locations[0][0]})"
    for key, message in known.items():
        if key not in used:
            yield f"obsolete: {_shown(message)}"
        elif message.fuzzy:
            yield f"fuzzy: {_shown(message)}"
        elif not all(forms(message.string)):
            yield f"untranslated: {_shown(message)}"
        else:
            for text in forms(message.string):
                if wrong := _wrong(forms(message.id)[-1], text, charset):
                    yield f"{wrong}: {_shown(message)}"
    for message in catalogue.obsolete.values():
        yield f"obsolete: {_shown(message)}"


def _wrong(msgid: str, text: str, charset: str) -> str:
    """What is wrong with a translation of `msgid`, or nothing."""
    if sorted(_PLACEHOLDER.findall(text)) != sorted(_PLACEHOLDER.findall(msgid)):
        return "other placeholders than the msgid"
    if _margins(text) != _margins(msgid):
        return "other space at the ends than the msgid"
    if foreign := [sign for sign in _IDEOGRAPH.findall(text) if not _encodes(sign, charset)]:
        return f"characters of another script ({''.join(foreign)})"
    return ""


def _margins(text: str) -> tuple[str, str]:
    """The white space before and after a text."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _encodes(sign: str, charset: str) -> bool:
    try:
        sign.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _messages(catalogue: Catalog) -> Iterator[Message]:
    """The messages without the header."""
    return (message for message in catalogue if message.id)


def forms(text: Any) -> tuple[str, ...]:
    """Singular and plural of a msgid or msgstr, or its only form."""
    return (text or "",) if isinstance(text, str | None) else tuple(text) or ("",)


def _key(message: Message) -> tuple[Any, ...]:
    return (message.context, forms(message.id))


def _shown(message: Message) -> str:
    return repr(forms(message.id)[0])

"""Looks for secrets in all that was written, however they are spelt, escaped, packed or encoded there."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from urllib.parse import unquote_plus

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{2}){8,}(?![0-9a-f])", re.IGNORECASE)
_ESCAPED = re.compile(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-7]{3}")


def plain(text: str) -> str:
    """One spelling for all: compatibility forms, case, spaces, hyphens and invisible characters make no difference."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    digits = (str(unicodedata.decimal(c, c)) for c in folded if unicodedata.category(c) not in {"Cc", "Cf", "Zs", "Pd"})
    return "".join(digits)


def leaked(written: str | bytes, secrets: dict[str, str], *, depth: int = 3) -> set[str]:
    """The names of the secrets that stand in what was written."""
    wanted = {name: plain(secret) for name, secret in secrets.items()}
    text = written.decode("utf-8", "replace") if isinstance(written, bytes) else written
    return {name for reading in _readings(text, depth) for name, secret in wanted.items() if secret in plain(reading)}


def _readings(text: str, depth: int) -> Iterator[str]:
    """The text, and what it is when it is unescaped and unpacked."""
    yield text
    for other in (unquote_plus(text), html.unescape(text), _unescaped(text)):
        if other != text:
            yield other
    if depth:
        for packed in set(_BASE64.findall(text)) | set(_HEX.findall(text)):
            for raw in _unpacked(packed):
                yield from _readings(raw.decode("utf-8", "replace"), depth - 1)


def _unescaped(text: str) -> str:
    r"""`\xe5\xbc\xa0`, `\u5f20`: as logs, JSON and Redis write what is not ASCII."""
    characters = _ESCAPED.sub(lambda found: codecs.decode(found[0], "unicode_escape"), text)
    return re.sub("[\x80-\xff]+", lambda found: found[0].encode("latin-1").decode("utf-8", "replace"), characters)


def _unpacked(packed: str) -> Iterator[bytes]:
    for decode in (lambda: base64.urlsafe_b64decode(_padded(packed)), lambda: bytes.fromhex(packed)):
        try:
            raw = decode()
        except (binascii.Error, ValueError):
            continue
        yield raw
        try:
            yield zlib.decompress(raw)
        except zlib.error:
            continue


def _padded(packed: str) -> str:
    packed = packed.rstrip("=").replace("+", "-").replace("/", "_")
    return packed + "=" * (-len(packed) % 4)

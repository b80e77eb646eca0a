"""What people type, made readable."""

import re
import unicodedata


def visible(text: str) -> str:
    """The text without control characters and invisible ones that turn or hide what stands around them.

    They come along when something is copied: telephones put them around numbers that they know from a contact.
    """
    return "".join(c for c in text if c in "\r\n\t" or unicodedata.category(c) not in {"Cc", "Cf"})


def masked(text: str, *, first: int, last: int) -> str:
    """The text with stars in its middle: `13800000000` with 3 and 4 is `138****0000`; a short one is all stars."""
    hidden = len(text) - first - last
    return text[:first] + "*" * hidden + text[len(text) - last :] if hidden > 0 else "*" * len(text)


def grouped(number: str) -> str:
    """A number of twelve digits as it stands on paper, `0123 4567 8901`."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def joined(text: str) -> str:
    """A number without the spaces and hyphens, of any kind, that people and papers put into it."""
    return re.sub(r"[\s\-\u2010-\u2015\u2212]", "", text)

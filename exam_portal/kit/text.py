"""What people type, made readable."""

import re
import unicodedata


def visible(text: str) -> str:
    """The text without control characters and invisible ones that turn or hide what stands around them.

    They come along when something is copied: telephones put them around numbers that they know from a contact.
    """
    return "".join(c for c in text if c in "\r\n\t" or unicodedata.category(c) not in {"Cc", "Cf"})


def joined(text: str) -> str:
    """A number without the spaces and hyphens, of any kind, that people and papers put into it."""
    return re.sub(r"[\s\-\u2010-\u2015\u2212]", "", text)

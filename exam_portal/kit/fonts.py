"""The fonts that papers are printed with, and which characters they have.

First comes the portal's own (Noto Sans CJK SC), then each of `PORTAL_FALLBACK_FONTS` that is installed.
"""

from functools import cache
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTCollection, TTFont
from noto_cjk_sans_otc import FONT_PATH

FONT = Path(str(FONT_PATH))
FAMILY = "Noto Sans CJK SC"


@cache
def _faces() -> dict[str, tuple[Path, frozenset[int]]]:
    """File and code points of each family, in the order in which they are tried."""
    with TTCollection(str(FONT), lazy=True) as collection:
        face = next(font for font in collection if font["name"].getDebugName(1) == FAMILY)
        faces = {FAMILY: (FONT, frozenset(face.getBestCmap()))}
    for path in map(Path, settings.PORTAL_FALLBACK_FONTS):
        if path.is_file():
            with TTFont(path, lazy=True, fontNumber=0) as font:
                faces.setdefault(font["name"].getBestFamilyName(), (path, frozenset(font.getBestCmap())))
    return faces


def families() -> list[str]:
    """The families in the order in which they are tried."""
    return list(_faces())


def folders() -> list[Path]:
    """The folders in which the families' files lie, as typst wants them."""
    return list(dict.fromkeys(path.parent for path, _covered in _faces().values()))


def covers(character: str) -> bool:
    """Whether some font has a glyph for the character."""
    return any(ord(character) in covered for _path, covered in _faces().values())

"""Papers: from data to a PDF by typst, with the fonts of `exam_portal.kit.fonts`, barcode and QR.

A paper's template is a `.typ` file of its app. It imports `paper.typ`, which lies here, for what all papers share.
"""

import io
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from barcode import Code128
from barcode.writer import SVGWriter
from django.conf import settings

from exam_portal.kit import fonts

# A text as a template writes it: what the fonts have as it is, and `{code, pinyin}` for a character that they lack.
Runs = list[str | dict[str, str]]

# The quiet zone is ten modules of 0.2 mm; the template scales the drawing.
_BARCODE = {"write_text": False, "quiet_zone": 2, "module_height": 10, "margin_top": 0, "margin_bottom": 0}


def barcode(code: str) -> str:
    """Code 128 of `code`, as SVG."""
    drawn = io.BytesIO()
    Code128(code, writer=SVGWriter()).write(drawn, _BARCODE)
    return drawn.getvalue().decode()


def qr(code: str) -> str:
    """The QR code of `code`, as SVG without the white around it."""
    return segno.make(code, error="m", micro=False).svg_inline(border=0)


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in fonts.folders()],
    )


@cache
def _first_process() -> int:
    return os.getpid()


def render(template: Path, data: dict[str, Any]) -> bytes:
    """A paper as PDF: the template with `data`, to which the fonts' names are added. Threads may call it at once.

    Raises:
        RuntimeError: this process was forked from one that had rendered. typst's own threads do not live on in a fork,
            and waiting for them would never end.
    """
    if _first_process() != os.getpid():
        raise RuntimeError("A process that has rendered a paper must not be forked to render more.")
    pdf = typst.compile(
        str(template),
        root=str(settings.BASE_DIR),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps({**data, "fonts": fonts.families()}, ensure_ascii=False)},
        format="pdf",
    )
    assert isinstance(pdf, bytes)
    return pdf

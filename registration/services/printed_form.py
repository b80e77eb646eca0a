"""The printed application form: from the snapshot alone to a PDF.

The same submission gives the same bytes, as long as template, typst and font are the same. Labels are Chinese in every
language: the form is an official paper.
"""

import io
import json
import os
import unicodedata
from datetime import datetime
from functools import cache
from typing import Any

import segno
import typst
from barcode import Code128
from barcode.writer import SVGWriter
from django.conf import settings

from accounts import rare_characters
from accounts.models.profile import Degree, Qualification
from exam_portal.clock import BEIJING
from exam_portal.kit import fonts
from registration.models import Specialty, Submission

TEMPLATE = settings.BASE_DIR / "registration" / "printed" / "application_form.typ"

Runs = list[str | dict[str, str]]

# The paper's own words for the codes of a snapshot.
SEX = {"F": "女", "M": "男", "": "—"}
FORMAT = {Specialty.Format.COMPUTER: "人机对话", Specialty.Format.PAPER: "纸笔作答"}
QUALIFICATION = {
    Qualification.SECONDARY: "中专",
    Qualification.COLLEGE: "大专",
    Qualification.UNDERGRADUATE: "本科",
    Qualification.MASTER: "硕士研究生",
    Qualification.DOCTOR: "博士研究生",
}
DEGREE = {Degree.NONE: "—", Degree.BACHELOR: "学士", Degree.MASTER: "硕士", Degree.DOCTOR: "博士"}
ID_TYPE = {
    "resident_id": "居民身份证",
    "residence_permit": "港澳台居民居住证",
    "travel_permit_hk_mo": "港澳居民来往内地通行证",
    "travel_permit_tw": "台湾居民来往大陆通行证",
    "foreigner_permanent": "外国人永久居留身份证",
    "passport": "护照",
    "officer": "军官证",
}


def runs(text: str) -> Runs:
    """A text as the template writes it: what the fonts have as it is, else code point and, where known, pinyin."""
    parts: Runs = []
    for character in text or "—":
        if unicodedata.category(character) == "Mn" and not fonts.covers(character):
            continue  # a variation selector: the character itself stands before it
        if fonts.covers(character):
            if parts and isinstance(parts[-1], str):
                parts[-1] += character
            else:
                parts.append(character)
        else:
            parts.append({"code": rare_characters.code_point(character), "pinyin": rare_characters.pinyin(character)})
    return parts


# The quiet zone is ten modules of 0.2 mm; the template scales the drawing.
_BARCODE = {"write_text": False, "quiet_zone": 2, "module_height": 10, "margin_top": 0, "margin_bottom": 0}


def _barcode(code: str) -> str:
    drawn = io.BytesIO()
    Code128(code, writer=SVGWriter()).write(drawn, _BARCODE)
    return drawn.getvalue().decode()


def _qr(code: str) -> str:
    return segno.make(code, error="m", micro=False).svg_inline(border=0)


def form_data(submission: Submission) -> dict[str, Any]:
    """What the template is given: everything that stands on the form, user texts as runs."""
    content = submission.content
    candidate, basic, specialty = content["candidate"], content["basic"], content["specialty"]
    base, version = submission.form_code[:-2], submission.form_code[-2:]
    user_texts = {
        "name": candidate["name"],
        "sex": SEX[candidate["sex"]],
        "id_type": ID_TYPE[candidate["id_type"]],
        "id_number": submission.id_number,
        "birth_date": candidate["birth_date"],
        "ethnicity": basic["ethnicity"],
        "mobile": basic["mobile"],
        "postcode": basic["postcode"],
        "address": basic["address"],
        "employer": basic["employer"],
        "region": content["region"]["name"],
        "point": content["point"]["name"],
        "exam": content["exam"]["title"],
        "specialty": f"{specialty['code']} {specialty['name']}",
        "level": specialty["level"],
        "subjects": "、".join(subject["name"] for subject in content["subjects"]),
        "format": FORMAT[specialty["format"]],
    }
    return {
        **{key: runs(text) for key, text in user_texts.items()},
        "site": runs(content["site"]["name"]) if content["site"] else None,
        "education": [
            {
                key: runs(text)
                for key, text in {
                    **record,
                    "qualification": QUALIFICATION[record["qualification"]],
                    "degree": DEGREE[record["degree"]],
                }.items()
            }
            for record in content["education"]
        ],
        "title": content["exam"]["form_title"],
        "form_code": submission.form_code,
        "code_groups": " ".join(base[start : start + 3] for start in range(0, len(base), 3)),
        "version": version,
        "digest": " ".join(submission.digest[start : start + 4] for start in range(0, 16, 4)),
        "submitted_at": _beijing(submission.submitted_at),
        "barcode": _barcode(submission.form_code),
        "qr": _qr(submission.form_code),
        "fonts": fonts.families(),
    }


def _beijing(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


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


def render(submission: Submission) -> bytes:
    """The application form of a submission, as PDF. Threads may call it at once.

    Raises:
        RuntimeError: this process was forked from one that had rendered. typst's own threads do not live on in a fork,
            and waiting for them would never end.
    """
    if _first_process() != os.getpid():
        raise RuntimeError("A process that has rendered a form must not be forked to render more.")
    pdf = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(form_data(submission), ensure_ascii=False)},
        format="pdf",
    )
    assert isinstance(pdf, bytes)
    return pdf

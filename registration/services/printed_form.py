"""The printed application form: from the snapshot, and the photo that it names, to a PDF.

The same submission gives the same bytes, as long as template, typst and font are the same. Labels are Chinese in every
language: the form is an official paper.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from accounts import identity
from accounts.credentials import CREDENTIAL_KINDS, PracticeCategory, month_label
from accounts.education import CERTIFICATE_KINDS, SCHOOL_KINDS, Degree, Qualification
from accounts.employers import EmployerKind
from accounts.rare_characters import runs
from exam_portal.clock import BEIJING
from exam_portal.kit import printing
from registration.models import Specialty, Submission
from registration.services import snapshot

TEMPLATE = settings.BASE_DIR / "registration" / "printed" / "application_form.typ"

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


def form_data(submission: Submission) -> dict[str, Any]:
    """What the template is given: everything that stands on the form, user texts as runs."""
    content = snapshot.completed(submission.content)
    candidate, basic, specialty = content["candidate"], content["basic"], content["specialty"]
    base, version = submission.form_code[:-2], submission.form_code[-2:]
    user_texts = {
        "name": candidate["name"],
        "sex": SEX[candidate["sex"]],
        "id_type": identity.name_on_paper(candidate["id_type"]),
        "id_number": submission.id_number,
        "birth_date": candidate["birth_date"],
        "ethnicity": basic["ethnicity"],
        "mobile": basic["mobile"],
        "postcode": basic["postcode"],
        "address": basic["address"],
        "employer": basic["employer"],
        "employer_kind": _on_paper(EmployerKind(basic["employer_kind"]).label) if basic["employer_kind"] else "",
        "workplace": basic["workplace"],
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
        "education": [_education(record) for record in content["education"]],
        "credentials": [_credential(credential) for credential in content["credentials"]],
        "photo": _photo(submission, content["photo"]["digest"]),
        "title": content["exam"]["form_title"],
        "form_code": submission.form_code,
        "code_groups": " ".join(base[start : start + 3] for start in range(0, len(base), 3)),
        "version": version,
        "digest": " ".join(submission.digest[start : start + 4] for start in range(0, 16, 4)),
        "submitted_at": _beijing(submission.submitted_at),
        "barcode": printing.barcode(submission.form_code),
        "qr": printing.qr(submission.form_code),
    }


def _photo(submission: Submission, digest: str) -> list[int] | None:
    """The bytes of the photo that was submitted; None where none was asked for yet.

    Raises:
        ValueError: the file is not the one that was submitted.
    """
    if not digest:
        return None
    photo = submission.application.candidate.photos.exclude(used_at=None).filter(digest=digest)[0]
    with photo.kept.open("rb") as kept:
        read: bytes = kept.read()
    if hashlib.sha256(read).hexdigest() != digest:
        raise ValueError(f"the file of photo {photo.pk} is not what was submitted")
    return list(read)


def _education(record: dict[str, str]) -> dict[str, Any]:
    """A record's cells; `about_school` and `about_certificate` are lists of what stands below in small print."""
    school_kind, certificate_kind = record["school_kind"], record["certificate_kind"]
    certification = record["certification_number"]
    about_school = [_on_paper(SCHOOL_KINDS[school_kind].label) if school_kind else "", record["school_note"]]
    about_certificate = [
        _on_paper(CERTIFICATE_KINDS[certificate_kind].label) if certificate_kind else "",
        f"认证编号 {certification}" if certification else "",
    ]
    return {
        "qualification": runs(QUALIFICATION[Qualification(record["qualification"])]),
        "degree": runs(DEGREE[Degree(record["degree"])]),
        **{key: runs(record[key]) for key in ("school", "major", "graduated", "certificate_number")},
        "about_school": [runs(text) for text in about_school if text],
        "about_certificate": [runs(text) for text in about_certificate if text],
    }


def _credential(credential: dict[str, str]) -> dict[str, str]:
    kind, category = credential["kind"], credential["category"]
    name = _on_paper(CREDENTIAL_KINDS[kind].label)
    return {
        "name": f"{name}（{_on_paper(PracticeCategory(category).label)}）" if category else name,
        "month": f"{_on_paper(month_label(kind))} {credential['since']}",
    }


def _on_paper(label: Any) -> str:
    """A label as official papers have it in every language."""
    with translation.override("zh-hans"):
        return str(label)


def _beijing(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def render(submission: Submission) -> bytes:
    """The application form of a submission, as PDF (exam_portal.kit.printing). Threads may call it at once."""
    return printing.render(TEMPLATE, form_data(submission))

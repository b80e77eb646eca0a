"""The snapshot of an application: what is submitted, printed, compared and reviewed (R09).

Shape of `content` (all texts as the candidate saw them, dates in ISO form):

    exam         code, title, form_title, year, days[]
    candidate    name, id_type, id_digest, sex, birth_date
    basic        ethnicity, mobile, address, postcode, employer, employer_kind, workplace
    education[]  qualification, degree, school_kind, school, school_code, school_note, major, graduated (YYYY-MM),
                 certificate_kind, certificate_number, certification_number - of records that stand
    credentials[]  kind, category, since (YYYY-MM)
    region       code, name
    point        code, name
    site         code, name - or null, outside online regions
    specialty    code, name, category, level_code, level, format
    subjects[]   code, name
    photo        digest - SHA-256 of the JPEG that was confirmed

Snapshots of earlier days lack what was not asked for then; `completed` reads all alike.
"""

import hashlib
import json
from datetime import date
from typing import Any

from registration.models import Application

_BASIC = ("ethnicity", "mobile", "address", "postcode", "employer", "employer_kind", "workplace")
# What the first snapshots do not have.
_LATER_BASIC = {"employer_kind": "", "workplace": ""}
_LATER_EDUCATION = dict.fromkeys(
    ("school_kind", "school_code", "school_note", "certificate_kind", "certification_number"), ""
)


def take(application: Application) -> dict[str, Any]:
    """The content of a complete application as it stands now."""
    candidate = application.candidate
    basic = candidate.basic_information
    exam, exam_region, point = application.exam, application.exam_region, application.point
    site, specialty = application.site, application.specialty
    assert exam_region and point and specialty, "only a complete application is submitted"
    subjects = {subject.code: subject.name for subject in exam.subjects.all()}
    return {
        "exam": {
            "code": exam.code,
            "title": exam.title,
            "form_title": exam.form_title,
            "year": exam.year,
            "days": [day.isoformat() for day in exam.days],
        },
        "candidate": {
            "name": candidate.name,
            "id_type": candidate.id_type,
            "id_digest": candidate.id_digest,
            "sex": candidate.sex,
            "birth_date": candidate.birth_date.isoformat() if candidate.birth_date else "",
        },
        "basic": {key: getattr(basic, key) for key in _BASIC},
        "education": [
            {**record.content, "school_code": record.school_code, "graduated": _month(record.graduated)}
            for record in candidate.education.standing()
        ],
        "credentials": [
            {"kind": credential.kind, "category": credential.category, "since": _month(credential.since)}
            for credential in candidate.credentials.all()
        ],
        "region": {"code": exam_region.region_id, "name": exam_region.region.name},
        "point": {"code": point.code, "name": point.name},
        "site": {"code": site.code, "name": site.name} if site else None,
        "specialty": {
            "code": specialty.code,
            "name": specialty.name,
            "category": specialty.category,
            "level_code": specialty.level.code,
            "level": specialty.level.name,
            "format": specialty.format,
        },
        "subjects": [{"code": code, "name": subjects[code]} for code in application.subjects],
        "photo": {"digest": application.photo_digest},
    }


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """A snapshot to be shown or printed: what it does not have because nobody was asked for it is empty."""
    return {
        **content,
        "basic": {**_LATER_BASIC, **content["basic"]},
        "education": [{**_LATER_EDUCATION, **record} for record in content["education"]],
        "credentials": content.get("credentials", []),
        "photo": content.get("photo", {"digest": ""}),
    }


def _month(month: date) -> str:
    return f"{month:%Y-%m}"


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a snapshot, 64 hex digits."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

"""The snapshot of an application: what is submitted, printed, compared and reviewed (R09).

Shape of `content` (all texts as the candidate saw them, dates in ISO form):

    exam         code, title, form_title, year, days[]
    candidate    name, id_type, id_digest, sex, birth_date
    basic        ethnicity, mobile, address, postcode, employer
    education[]  qualification, degree, school, major, graduated (YYYY-MM), certificate_number
    region       code, name
    point        code, name
    site         code, name - or null, outside online regions
    specialty    code, name, category, level_code, level, format
    subjects[]   code, name
"""

import hashlib
import json
from typing import Any

from registration.models import Application


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
        "basic": {key: getattr(basic, key) for key in ("ethnicity", "mobile", "address", "postcode", "employer")},
        "education": [
            {
                **{key: getattr(record, key) for key in ("qualification", "degree", "school", "major")},
                "graduated": record.graduated.strftime("%Y-%m"),
                "certificate_number": record.certificate_number,
            }
            for record in candidate.education.all()
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
    }


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a snapshot, 64 hex digits."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

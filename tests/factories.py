"""Rows for tests. Candidates have no usable password here: tests of signing in register through the service."""

import hashlib
import io
import secrets
import tomllib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from stdnum.iso7064 import mod_11_2

from accounts import identity
from accounts.actors import Actor, acting, working_as
from accounts.models import (
    BasicInformation,
    Candidate,
    Credential,
    EducationRecord,
    Photo,
    PhotoRuleSet,
    Point,
    Region,
    Site,
    StaffAssignment,
    User,
    WeChatUser,
)
from accounts.photos.report import ITEMS, PICTURE_ITEMS, Item, Verdict, as_json
from accounts.photos.rules import PhotoRules
from exam_portal import clock
from registration.models import (
    Application,
    Exam,
    ExamPhoto,
    ExamRegion,
    ExamSite,
    Level,
    PhotoLimit,
    Specialty,
    Subject,
)
from registration.services import applications


def resident_id(number: int) -> str:
    """A valid resident ID of somebody born on 1990-03-07; another one for each number below 1,000."""
    body = f"11010119900307{number:03d}"
    return body + mod_11_2.calc_check_digit(body)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"candidate{n:04d}")
    kind = User.Kind.CANDIDATE
    password = "!"


def staff_of(point: Point | None, region: str = "", *, role: str = "") -> Actor:
    """A new member of staff as an actor: of the point, or without one of the region; a reviewer unless told."""
    return working_as(make_staff(point, region, role=role))


def make_staff(
    point: Point | None = None,
    region: str = "",
    *,
    role: str = "",
    site: str = "",
    since: datetime | None = None,
    user: User | None = None,
) -> StaffAssignment:
    """A member of staff, new unless told whose account: of the point, else of the region, else of the nation."""
    number = User.objects.count()
    user = user or User.objects.create(username=f"staff{number:04d}", kind=User.Kind.STAFF, is_staff=True, password="!")
    region = point.region_id if point else region
    return StaffAssignment.objects.create(
        user=user,
        name=f"职员{number}",
        role=role or ("point_reviewer" if point else "region_reviewer" if region else "auditor"),
        region_id=region or None,
        point=point,
        site_id=site or None,
        valid_from=since or clock.now() - timedelta(days=30),
    )


class CandidateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Candidate

    user = factory.SubFactory(UserFactory)
    name = "张三"
    id_type = "resident_id"
    # Tests that name a number themselves take one below 100.
    id_number = factory.Sequence(lambda n: resident_id(100 + n % 900))
    id_digest = factory.LazyAttribute(lambda c: identity.digest(id_type=c.id_type, number=c.id_number))
    id_digest_next = factory.LazyAttribute(
        lambda c: identity.digest_columns(id_type=c.id_type, number=c.id_number)["id_digest_next"]
    )
    sex = "F"
    birth_date = date(1990, 3, 7)
    channel = "web"
    notice_version = "2023-11"
    registered_at = factory.LazyFunction(clock.now)


# An education record as it is typed, all but the certificate's number.
EDUCATION = {
    "qualification": "undergraduate",
    "degree": "bachelor",
    "school_kind": "regular",
    "school": "湖南中医药大学",
    "school_note": "",
    "major": "护理学",
    "graduated": "2013-07",
    "certificate_kind": "graduation",
    "certification_number": "",
}
# Basic information as it is typed.
BASIC = {
    "ethnicity": "汉族",
    "mobile": "13800000000",
    "address": "长沙市示例路1号",
    "postcode": "410000",
    "employer": "长沙市某某医院",
    "employer_kind": "private_hospital",
    "workplace": "湖南省长沙市开福区",
}


def education(number: str = "1", **more: str) -> dict[str, Any]:
    """The content of an education record, as services take it."""
    content = {**EDUCATION, "certificate_number": number, **more}
    return {**content, "graduated": date.fromisoformat(f"{content['graduated']}-01")}


def give_basic_information(candidate: Candidate) -> None:
    BasicInformation.objects.create(candidate=candidate, updated_at=clock.now(), **BASIC)


def give_education(candidate: Candidate, records: int = 1) -> None:
    for position in range(1, records + 1):
        EducationRecord.objects.create(
            candidate=candidate,
            position=position,
            school_code="4143010541",
            created_at=clock.now(),
            **education(f"10001120130500000{position}"),
        )


def give_credentials(candidate: Candidate, number: int = 1) -> None:
    kinds = ("nurse_registration", "nurse", "senior_nurse")
    for year, kind in enumerate(kinds[:number], 2014):
        Credential.objects.create(candidate=candidate, kind=kind, since=date(year, 3, 1))


def give_wechat(candidate: Candidate) -> None:
    WeChatUser.objects.create(candidate=candidate, unionid=f"u-{candidate.pk}", following=True, bound_at=clock.now())


def photo_rules() -> PhotoRules:
    """The rules of the exam-year file that the portal ships."""
    file = settings.BASE_DIR / "registration" / "exam_years" / "2024-health.toml"
    return PhotoRules.from_table(tomllib.loads(file.read_text())["photo"])


def jpeg(color: str = "white", size: tuple[int, int] = (300, 420)) -> bytes:
    """A small picture of one colour."""
    drawn = io.BytesIO()
    Image.new("RGB", size, color).save(drawn, "JPEG")
    return drawn.getvalue()


def give_photo(candidate: Candidate, *, state: str = "accepted", color: str = "white", **more: Any) -> Photo:
    """A photo that stands, with files of one colour; in a state of `Photo.STANDING`."""
    rules, at = photo_rules(), clock.now()
    rule_set, _created = PhotoRuleSet.objects.get_or_create(
        version=rules.version, defaults={"table": rules.as_table(), "since": at}
    )
    kept = jpeg(color)
    name = default_storage.save(f"photos/{secrets.token_hex(16)}.jpg", ContentFile(kept))
    doubts = {"white"} if state == "doubtful" else set()
    items = [Item(key, 1.0, None, None, Verdict.WARN if key in doubts else Verdict.PASS) for key in ITEMS]
    frame = {"number": 0, "kind": "suggested", "frame": {"x": 150, "y": 210, "width": 300, "angle": 0}}
    report = {
        "width": 300,
        "height": 420,
        "head": {"left": 90, "top": 60, "right": 210, "bottom": 340, "roll": 0},
        "items": as_json(items[: len(PICTURE_ITEMS)]),
        "chosen": {**frame, "items": as_json(items[len(PICTURE_ITEMS) :])},
    }
    values = {"channel": "web", "uploaded_at": at, "again_at": at, "checked_at": at, "chosen_at": at, "report": report}
    values |= {"original": name, "preview": name, "kept": name, "digest": hashlib.sha256(kept).hexdigest()}
    return Photo.objects.create(candidate=candidate, state=state, rule_set=rule_set, **values | more)


def make_candidate(*, records: int = 1, credentials: int = 1, **more: Any) -> Candidate:
    """A candidate with a complete account, so many education records and so many credentials."""
    candidate = CandidateFactory(**more)
    give_basic_information(candidate)
    give_photo(candidate)
    give_education(candidate, records)
    give_credentials(candidate, credentials)
    give_wechat(candidate)
    return candidate


def make_exam(code: str = "2024-health", *, prefix: str = "24W", day: int = 15) -> Exam:
    """An exam with the window of R01, three regions with two points each, two levels, three specialties."""
    exam = Exam.objects.create(
        code=code,
        kind="health",
        year=2024,
        title="2024年度卫生专业技术资格考试",
        form_title="2024年度卫生专业技术资格考试报名申请表",
        form_prefix=prefix,
        opens_at=datetime(2023, 12, 1, tzinfo=clock.BEIJING),
        closes_at=datetime(2023, 12, day, tzinfo=clock.BEIJING),
        days=[date(2024, 4, 13), date(2024, 4, 14)],
        cutoff=date(2023, 12, 31),
        source="S",
    )
    for region_code, name, online, automatic in (
        ("11", "北京", False, True),
        ("12", "天津", True, False),
        ("43", "湖南", False, False),
    ):
        make_exam_region(exam, region_code, name, online=online, automatic=automatic)
    for level_code, level_name in (("2", "初级(师)"), ("3", "中级")):
        level = Level.objects.create(exam=exam, code=level_code, name=level_name, fee=Decimal(60), source="example")
        for specialty, name, category in (("03", "护理学", "护理"), ("01", "药学", "药学")):
            Specialty.objects.create(
                exam=exam,
                level=level,
                code=f"{level_code}{specialty}",
                name=name,
                category=category,
                format="computer",
                source="U",
            )
    rules = photo_rules().as_table()
    checks = rules.pop("checks")
    ExamPhoto.objects.create(exam=exam, source="A", **rules)
    PhotoLimit.objects.bulk_create(
        PhotoLimit(exam=exam, item=item, source="D", **ends) for item, ends in checks.items()
    )
    for number, subject in enumerate(("基础知识", "相关专业知识", "专业知识", "专业实践能力"), 1):
        Subject.objects.create(exam=exam, code=str(number), name=subject, source="B")
    return exam


def make_exam_region(exam: Exam, code: str, name: str, *, online: bool, automatic: bool) -> ExamRegion:
    """A region of an exam with two points of one site each."""
    region, _created = Region.objects.get_or_create(code=code, defaults={"name": name})
    exam_region = ExamRegion.objects.create(
        exam=exam,
        region=region,
        online=online,
        automatic=automatic,
        confirmation_opens_at=datetime(2023, 12, 4, 9, tzinfo=clock.BEIJING),
        confirmation_closes_at=datetime(2023, 12, 20, 17, tzinfo=clock.BEIJING),
        notice="请在规定时间内办理报名确认。",
        source="example",
    )
    for number in ("01", "02"):
        point, _created = Point.objects.get_or_create(
            code=f"{code}{number}",
            defaults={
                "region": region,
                "name": f"{name}第{number}考点",
                "address": f"{name}示例路{number}号",
                "telephone": "000-00000000",
                "source": "example",
            },
        )
        site, _created = Site.objects.get_or_create(
            code=f"{code}{number}01",
            defaults={
                "point": point,
                "name": f"{name}第{number}报名点",
                "address": f"{name}示例路{number}号",
                "telephone": "000-00000000",
                "hours": "9:00-17:00",
                "source": "example",
            },
        )
        ExamSite.objects.create(exam_region=exam_region, site=site)
    return exam_region


def begin(candidate: Candidate, exam: Exam) -> Application:
    """An application just begun."""
    return applications.start_application(candidate=candidate, exam=exam, actor=acting(candidate), at=clock.now())


def make_draft(candidate: Candidate, exam: Exam, *, region: str = "43") -> Application:
    """A complete draft, through the services."""
    application = begin(candidate, exam)
    how = {"application": application, "actor": acting(candidate), "at": clock.now()}
    exam_region = exam.regions.get(region=region)
    site = Site.objects.get(code=f"{region}0101")
    applications.accept_pledge(**how)
    applications.choose_region(exam_region=exam_region, **how)
    applications.choose_point(point=site.point, site=site if exam_region.online else None, **how)
    applications.choose_specialty(specialty=exam.specialties.get(code="203"), subjects=["1", "2", "3", "4"], **how)
    applications.confirm_photo(digest=candidate.photos.standing().get().digest, **how)
    application.refresh_from_db()
    return application

"""The people of the demo, made by the same services as everybody; who applied last year, at last year's time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext as _

from accounts.actors import SYSTEM, Actor, acting, working_as
from accounts.models import Candidate, Channel, Question, Site, User
from accounts.photos.words import CONFIRMED
from accounts.services import credentials, education, photo_checks, photos, profile, staff, two_step, wechat
from accounts.services.registering import register_candidate
from accounts.wechat.client import Follower
from exam_portal import clock
from exam_portal.local.wechat import APP_ID, OF_THE_DEMO
from exam_portal.local.wechat.people import Person as WeChatPerson
from registration.lifecycle import State
from registration.models import Application, Exam
from registration.services import applications

PASSWORD = "demo-portal-2024"  # noqa: S105 - the demo's people are nobody, and exist only in a demo
PHOTOS = Path(__file__).parent / "demo_photos"
LAST_YEAR = datetime(2023, 1, 5, 10, tzinfo=clock.BEIJING)


@dataclass(frozen=True)
class Person:
    """A row of the table of demo accounts."""

    username: str
    password: str
    id_number: str
    what: str


def make_people() -> list[Person]:
    """Make whoever of the demo's people does not exist yet, and tell of all."""
    return [
        _fresh("fresh", "王小雨", "110101199601011222", _("a fresh candidate, just registered")),
        _halfway("halfway", "李建国", "430102199003152472", _("a half-way candidate, 2024 draft begun")),
        _repeat("repeater", "买买提·吐尔逊", "330106198811200011", _("a repeat candidate, applied in 2023")),
        *_staff(),
    ]


def as_rows(people: list[Person]) -> list[dict[str, str]]:
    """The table for programs."""
    return [asdict(person) for person in people]


@contextmanager
def _new_candidate(username: str, name: str, id_number: str) -> Iterator[Candidate | None]:
    if User.objects.filter(username=username).exists():
        yield None
        return
    user = register_candidate(
        name=name,
        id_type="resident_id",
        id_number=id_number,
        username=username,
        password=PASSWORD,
        question=Question.SCHOOL,
        answer="demo",
        channel=Channel.WEB,
        at=clock.now(),
    )
    yield user.candidate


def _fresh(username: str, name: str, id_number: str, what: str) -> Person:
    with _new_candidate(username, name, id_number):
        return Person(username, PASSWORD, id_number, what)


def _complete_account(
    candidate: Candidate, *, school: str, major: str, employer: str, mobile: str, title: str, since: date
) -> None:
    actor = acting(candidate)
    profile.save_basic_information(
        candidate=candidate,
        actor=actor,
        values={
            "ethnicity": "汉族",
            "mobile": mobile,
            "address": "示例市示例区示例路1号",
            "postcode": "100000",
            "employer": employer,
            "employer_kind": "",
            "workplace": "示例市示例区",
        },
    )
    education.add_education(
        candidate=candidate,
        actor=actor,
        qualification="undergraduate",
        degree="bachelor",
        school_kind="regular",
        school=school,
        school_note="",
        major=major,
        graduated=date(2013, 7, 1),
        certificate_kind="graduation",
        certificate_number="100011201305000001",
        certification_number="",
    )
    credentials.save_credential(candidate=candidate, actor=actor, kind=title, since=since)
    _use_photo(candidate, actor)
    _use_wechat(candidate, actor)


def _use_photo(candidate: Candidate, actor: Actor) -> None:
    """Upload the picture of somebody of the demo, check it here, and choose what is suggested."""
    file, at = PHOTOS / f"{candidate.user.username}.jpg", clock.now()
    source = SimpleUploadedFile(file.name, file.read_bytes())
    photo = photos.upload(candidate=candidate, source=source, actor=actor, at=at)
    photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    frame = photo.frames.first()
    assert frame is not None, f"the demo's own picture passes: {photo.report}"
    photos.choose(photo=photo, frame=frame, confirmed=[key for key, _sentence in CONFIRMED], actor=actor, at=at)


def _use_wechat(candidate: Candidate, actor: Actor) -> None:
    """Bind the WeChat that somebody of the demo has at its sandbox, where it follows from the beginning."""
    person = WeChatPerson(OF_THE_DEMO[candidate.user.username], candidate.name)
    openid, at = person.openid(APP_ID), clock.now()
    wechat.bind(
        candidate=candidate, actor=actor, unionid=person.unionid, openid=openid, nickname=person.nickname, at=at
    )
    wechat.note_follower(Follower(openid, following=True, unionid=person.unionid), at=at)


def _begin(candidate: Candidate, exam: Exam, region: str) -> Application:
    actor, at = acting(candidate), clock.now()
    application = applications.start_application(candidate=candidate, exam=exam, actor=actor, at=at)
    applications.accept_pledge(application=application, actor=actor, at=at)
    exam_region = exam.regions.get(region=region)
    applications.choose_region(application=application, exam_region=exam_region, actor=actor, at=at)
    first = exam_region.exam_sites.select_related("site__point").order_by("site").first()
    assert first is not None, "every region has a site"
    applications.choose_point(application=application, point=first.site.point, site=None, actor=actor, at=at)
    return application


def _halfway(username: str, name: str, id_number: str, what: str) -> Person:
    with _new_candidate(username, name, id_number) as candidate:
        if candidate:
            _complete_account(
                candidate,
                school="中南大学",
                major="护理学",
                employer="示例市第一人民医院",
                mobile="13800000002",
                title="nurse_registration",
                since=date(2013, 9, 1),
            )
            exam = Exam.objects.get(code="2024-health")
            if exam.is_open(clock.now()):
                _begin(candidate, exam, "43")
    return Person(username, PASSWORD, id_number, what)


def _repeat(username: str, name: str, id_number: str, what: str) -> Person:
    if not User.objects.filter(username=username).exists():
        with clock.shifted_to(LAST_YEAR), _new_candidate(username, name, id_number) as candidate:
            assert candidate is not None
            _complete_account(
                candidate,
                school="浙江中医药大学",
                major="药学",
                employer="示例区中医医院",
                mobile="13800000003",
                title="pharmacist",
                since=date(2016, 6, 1),
            )
            exam = Exam.objects.get(code="2023-health")
            application = _begin(candidate, exam, "33")
            actor, at = acting(candidate), clock.now()
            applications.choose_specialty(
                application=application,
                specialty=exam.specialties.get(code="366"),
                subjects=[subject.code for subject in exam.subjects.all()],
                actor=actor,
                at=at,
            )
            digest = candidate.photos.standing().get().digest
            applications.confirm_photo(application=application, digest=digest, actor=actor, at=at)
            applications.submit(application=application, actor=actor, at=at)
            application.refresh_from_db()
            reviewer = _who_worked_last_year(at)
            for name_of_transition in ("confirm_on_site", "approve_by_point", "approve_by_region"):
                applications.move(application=application, name=name_of_transition, actor=reviewer, at=at)
            assert application.state == State.QUALIFIED
    return Person(username, PASSWORD, id_number, what)


def _who_worked_last_year(at: datetime) -> Actor:
    """Somebody whose role ended since, and who does not sign in."""
    assignment = staff.add(
        actor=SYSTEM,
        username="formerreviewer",
        name="沈洁",
        role="region_reviewer",
        code="33",
        at=at,
        valid_until=at + timedelta(days=180),
    )
    return working_as(assignment)


# --- Staff, of the first registration site of Hunan and what is above it ---------------------------
def _staff() -> list[Person]:
    site = Site.objects.select_related("point__region").filter(point__region="43").order_by("pk").first()
    assert site is not None, "every region has a site"
    clerk = ("site_clerk", site.pk)
    return [
        _colleague("clerk", "周敏", *clerk, _("clerk of a registration site")),
        _colleague("newclerk", "吴倩", *clerk, _("another clerk, two-step verification not set up yet"), new=True),
        _colleague("pointreviewer", "郑华", "point_reviewer", site.point_id, _("reviewer of an exam point")),
        _colleague("regionreviewer", "冯涛", "region_reviewer", "43", _("reviewer of an exam region")),
        _colleague("regionadmin", "陈静", "region_admin", "43", _("administrator of an exam region")),
        _colleague("nationaladmin", "褚林", "national_admin", "", _("national administrator")),
        _colleague("auditor", "卫平", "auditor", "", _("auditor: sees everything, changes nothing")),
    ]


def _colleague(username: str, name: str, role: str, code: str, what: str, *, new: bool = False) -> Person:
    if not User.objects.filter(username=username).exists():
        now = clock.now()
        user = staff.add(actor=SYSTEM, username=username, name=name, role=role, code=code, at=now).user
        link = staff.make_link(actor=SYSTEM, user=user, at=now)
        staff.set_password(code=link.partition("#")[2], password=PASSWORD, at=now)
        if not new:
            secret = two_step.new_secret()
            two_step.set_up_totp(user=user, actor=SYSTEM, secret=secret, typed=two_step.code_now(secret) or "")
    return Person(username, PASSWORD, "", what)

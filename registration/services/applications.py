"""Filling in an application, submitting and withdrawing it (R01, R03, R08, R09, R24, R25, R31)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, check_acts_for, check_reason, forbidden
from accounts.models import Candidate, Carrier, Channel, IdentityRequest, Photo, Point, Site
from accounts.next_steps import account_lacks
from accounts.roles import Right
from accounts.services import ledger, outbox, photos, reminders
from accounts.services.candidates import hold
from accounts.services.identity_desk import hold_open
from accounts.territory import check_sees, sees
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked
from registration import photo_rules, steps
from registration.lifecycle import BY_NAME, CLOSABLE, MOST_VERSIONS, State
from registration.models import Application, Exam, ExamRegion, Specialty, Submission
from registration.next_steps import of_application
from registration.services import numbers, snapshot


class Closed(Refused):
    """The pre-registration window is not open at the moment the request arrived (R01)."""

    code = "closed"


class NotReady(Refused):
    """A step that must come first is missing (R03)."""

    code = "not_ready"


class Submitted(Refused):
    """The application is not a draft, so it cannot be changed."""

    code = "submitted"


def _check_open(exam: Exam, at: datetime) -> None:
    if not exam.is_offered or at < exam.opens_at:
        raise Closed(_("Online pre-registration is not open yet."))
    if at >= exam.closes_at:
        raise Closed(_("Online pre-registration has closed."))


def _check_account(candidate: Candidate, at: datetime) -> None:
    if step := account_lacks(candidate, at):
        raise NotReady(_("First: %(step)s") % {"step": step.title})


def _locked(application: Application) -> Application:
    """The same application, its row locked until the transaction ends."""
    locked(Application.objects.filter(pk=application.pk)).get()
    related = ("exam", "candidate", "exam_region__region", "point", "site", "specialty__level")
    rows = Application.objects.select_related(*related).prefetch_related("candidate__photos")
    return rows.get(pk=application.pk)


def _locked_own(application: Application, actor: Actor) -> Application:
    """The same application, locked, for its candidate alone."""
    application = _locked(application)
    check_acts_for(actor, application.candidate)
    if application.candidate.deleted_at is not None:
        raise forbidden()
    return application


def _locked_draft(application: Application, actor: Actor, at: datetime, *, step: str) -> Application:
    """The application, locked, if this step of it may be filled in now."""
    application = _locked_own(application, actor)
    _check_draft(application, at, step=step)
    return application


def _check_draft(application: Application, at: datetime, *, step: str) -> None:
    """Refuse a step that may not be filled in now (R01, R03)."""
    if application.state != State.DRAFT:
        raise Submitted(_("What was submitted cannot be changed. Withdraw it first."))
    _check_open(application.exam, at)
    if missing := steps.missing_before(application, steps.BY_NAME[step]):
        raise NotReady(_("First: %(step)s") % {"step": missing[0].title})


def _record(
    application: Application, action: str, actor: Actor, at: datetime, *, reason: str = "", **payload: object
) -> None:
    ledger.record(
        stream="application",
        stream_id=application.number,
        action=action,
        actor=actor,
        reason=reason,
        payload=payload,
        at=at,
    )


def move(
    *, application: Application, name: str, actor: Actor, at: datetime, reason: str = "", **payload: object
) -> None:
    """Take a locked application along the transition `name`, record it, and tell the candidate what is to be done now.

    The database guard looks once more.

    Raises:
        Refused: the application does not stand where the transition begins, or it is not for this kind of actor.
    """
    transition = BY_NAME[name]
    if actor.kind != transition.who.actor_kind:
        raise forbidden()
    if actor.kind == "candidate":
        check_acts_for(actor, application.candidate)
    if application.state != transition.source:
        raise Refused(
            _("This is no longer possible: the registration stands at “%(state)s”.")
            % {"state": application.status_at(at)},
            code="wrong_state",
        )
    application.state = transition.target
    application.last_transition = name
    application.save(update_fields=["state", "last_transition", "version"])
    _record(application, f"application.{name}", actor, at, reason=reason, **payload)
    reminders.remind(candidate=application.candidate, at=at, away=actor.kind != "candidate")


def _carriers(application: Application, at: datetime) -> list[Carrier]:
    """Who brings the record of what a candidate did: not WeChat where that brings what is to be done next instead."""
    to_do = of_application(application, at=at).todo is not None
    return [carrier for carrier in Carrier if carrier != Carrier.WECHAT or not to_do]


@transaction.atomic
def start_application(
    *, candidate: Candidate, exam: Exam, actor: Actor, at: datetime, channel: Channel = Channel.WEB
) -> Application:
    """The candidate's application for an exam, begun now if there is none yet: one for each exam (R31).

    Raises:
        Closed, NotReady: the window is not open, or the account lacks something (R03, R08).
    """
    check_acts_for(actor, candidate)
    hold(candidate)
    if existing := Application.objects.filter(candidate=candidate, exam=exam).first():
        return existing
    _check_open(exam, at)
    _check_account(candidate, at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('registration_application', 'id'))")
        (row_id,) = cursor.fetchone()
    application = Application.objects.create(
        pk=row_id,
        number=numbers.application_number(row_id),
        candidate=candidate,
        exam=exam,
        channel=channel,
        created_at=at,
    )
    _record(application, "application.started", actor, at, exam=exam.code)
    reminders.remind(candidate=candidate, at=at)
    return application


@transaction.atomic
def accept_pledge(*, application: Application, actor: Actor, at: datetime) -> None:
    """Accept the declarations and the integrity pledge."""
    application = _locked_draft(application, actor, at, step="pledge")
    application.pledged_at = application.pledged_at or at
    application.save(update_fields=["pledged_at"])
    _record(application, "application.pledged", actor, at)


@transaction.atomic
def choose_region(
    *,
    application: Application,
    exam_region: ExamRegion,
    actor: Actor,
    at: datetime,
    empty: bool = False,
) -> None:
    """Choose the exam region. Another one than before empties the form, not the account (R25).

    Raises:
        Refused: code `empties`; it would empty filled-in steps and `empty` does not say that this is meant.
    """
    application = _locked_draft(application, actor, at, step="region")
    if exam_region.exam_id != application.exam_id:
        raise Refused(_("This region does not take part in the exam."), code="unknown_region")
    if application.exam_region_id == exam_region.pk:
        return
    if steps.emptied_by(application, exam_region) and not empty:
        raise Refused(
            _("Changing the region empties the form. Tick the box if that is what you want."),
            code="empties",
        )
    application.exam_region = exam_region
    application.point = application.site = application.specialty = None
    application.subjects, application.photo_digest = [], ""
    application.save()
    _record(application, "application.region_chosen", actor, at, region=exam_region.region_id)


@transaction.atomic
def choose_point(*, application: Application, point: Point, site: Site | None, actor: Actor, at: datetime) -> None:
    """Choose the exam point and, where the region confirms online, the registration site.

    Raises:
        Refused: the point or site does not take part, or an online region's site is missing.
    """
    application = _locked_draft(application, actor, at, step="point")
    region = application.exam_region
    assert region is not None, "the step needs the region"
    offered = region.exam_sites.filter(site__point=point)
    if site is not None:
        offered = offered.filter(site=site)
    if not offered.exists():
        raise Refused(_("This exam point does not take part in the exam."), code="unknown_point")
    if region.online and site is None:
        raise Refused(_("Choose the registration site."), code="site_missing")
    application.point, application.site = point, site if region.online else None
    application.save(update_fields=["point", "site"])
    _record(application, "application.point_chosen", actor, at, point=point.pk)


@transaction.atomic
def choose_specialty(
    *,
    application: Application,
    specialty: Specialty,
    subjects: Sequence[str],
    actor: Actor,
    at: datetime,
) -> None:
    """Choose the specialty and its subjects, by their codes.

    Raises:
        Refused: another exam's specialty or subject, or no subject at all.
    """
    application = _locked_draft(application, actor, at, step="specialty")
    known = list(application.exam.subjects.values_list("code", flat=True))
    if specialty.exam_id != application.exam_id or not set(subjects) <= set(known):
        raise Refused(_("This specialty or subject is not part of the exam."), code="unknown_specialty")
    if not subjects:
        raise Refused(_("Choose at least one subject."), code="no_subject")
    application.specialty = specialty
    application.subjects = [code for code in known if code in subjects]
    application.save(update_fields=["specialty", "subjects"])
    _record(application, "application.specialty_chosen", actor, at, specialty=specialty.code)


@transaction.atomic
def confirm_photo(*, application: Application, digest: str, actor: Actor, at: datetime) -> None:
    """Confirm the photo that the candidate was shown, by its digest, as the one for this exam.

    Where it was checked by other rules than this exam's, the worker checks it by these.

    Raises:
        Refused: code `changed`; it is not, or no longer, the photo that stands.
    """
    hold(application.candidate)
    application = _locked_draft(application, actor, at, step="photo")
    photo = application.candidate.photos.filter(digest=digest, state__in=Photo.USABLE).first() if digest else None
    if photo is None:
        raise Refused(
            _("Your photo is another one now, or cannot be used. Look at it again."),
            code="changed",
        )
    application.photo_digest = digest
    application.save(update_fields=["photo_digest"])
    if rules := photo_rules.of_exam(application.exam):
        photos.ask_again(photo=photo, rules=rules, at=at)
    _record(application, "application.photo_confirmed", actor, at, photo=photo.pk, digest=digest)


@transaction.atomic
def submit(
    *,
    application: Application,
    actor: Actor,
    at: datetime,
    seen: str | None = None,
    channel: Channel = Channel.WEB,
) -> Submission:
    """Submit the draft as its next version: an immutable snapshot with digest and form code (R09, R24).

    `at` is when the request reached the server, `seen` the digest of the answers that the candidate was shown.
    Submitting what is submitted already returns that submission.

    Raises:
        Closed, NotReady: the window is not open, or a step is missing; nothing was changed.
        Refused: code `changed`, the answers are no longer those that were shown; or the versions are used up.
    """
    # First the person, whose identity must not change while it is taken into the snapshot (R07).
    hold(application.candidate)
    application = _locked_own(application, actor)
    if application.state == State.SUBMITTED and (standing := application.current_submission):
        return standing
    _check_draft(application, at, step="check")
    _check_account(application.candidate, at)
    if application.version >= MOST_VERSIONS:
        raise Refused(_("This registration was submitted 99 times. Turn to your exam point."), code="too_many_versions")
    content = snapshot.take(application)
    if seen is not None and seen != snapshot.digest_of(content):
        raise Refused(
            _("Your answers have changed since this page was shown, perhaps in another window. Look over them again."),
            code="changed",
        )
    application.version += 1
    submission = Submission.objects.create(
        application=application,
        version=application.version,
        form_code=numbers.form_code(
            prefix=application.exam.form_prefix,
            number=application.number,
            version=application.version,
        ),
        content=content,
        id_number=application.candidate.id_number,
        digest=snapshot.digest_of(content),
        channel=channel,
        submitted_at=at,
    )
    photos.use(candidate=application.candidate, digest=application.photo_digest, at=at)
    move(
        application=application,
        name="submit",
        actor=actor,
        at=at,
        version=submission.version,
        digest=submission.digest,
    )
    outbox.enqueue(
        candidate=application.candidate,
        kind="application_submitted",
        object_id=application.number,
        version=submission.version,
        facts={
            "exam": application.exam.title,
            "form_code": submission.form_code,
            "online": application.exam_region is not None and application.exam_region.online,
        },
        by=_carriers(application, at),
    )
    return submission


@transaction.atomic
def withdraw(*, application: Application, actor: Actor, at: datetime) -> None:
    """Take a submission back to change it; only while submitting again is still possible (R09). Twice is once.

    Raises:
        Closed: later, a mistake is taken to the exam point.
        Refused: the application is not waiting for confirmation.
    """
    application = _locked_own(application, actor)
    if application.state == State.DRAFT and application.last_transition == "withdraw":
        return
    if at >= application.exam.closes_at:
        raise Closed(
            _("Pre-registration has closed, so it could not be submitted again. Take a mistake to your exam point.")
        )
    move(application=application, name="withdraw", actor=actor, at=at, version=application.version)
    outbox.enqueue(
        candidate=application.candidate,
        kind="application_withdrawn",
        object_id=application.number,
        version=application.version,
        facts={"exam": application.exam.title},
        by=_carriers(application, at),
    )


def may_close(*, application: Application, actor: Actor) -> bool:
    """Whether this is live, and this actor's to close where a request about an identity wants it."""
    return application.state in CLOSABLE and sees(actor, Right.CLOSE_APPLICATION, application)


@transaction.atomic
def close_for_identity(
    *, application: Application, request: IdentityRequest, actor: Actor, reason: str, at: datetime
) -> None:
    """Close a live application, so that what a request asks about its candidate can be done (R07); the region's to do.

    Raises:
        Refused: not this region's, no open request about this candidate (`no_request`), a report that its exam point
            has not checked (`not_checked`), without a reason (`no_reason`), or there is nothing live to close
            (`wrong_state`).
    """
    # As deciding the request does it: first the person, then the request; then what is closed.
    held = hold_open(request=request, candidate=hold(application.candidate))
    application = _locked(application)
    check_sees(actor, Right.CLOSE_APPLICATION, application)
    if held is None:
        raise Refused(_("There is no open application about this candidate's identity."), code="no_request")
    if held.kind == IdentityRequest.Kind.TAKEN and held.state != IdentityRequest.State.CHECKED:
        raise Refused(_("Anybody can report this. Its exam point checks the originals first."), code="not_checked")
    reason = check_reason(reason)
    if application.state not in CLOSABLE:
        raise Refused(_("There is no live registration to close."), code="wrong_state")
    name = f"close_{application.state}"
    move(application=application, name=name, actor=actor, at=at, reason=reason, request=held.number)
    outbox.enqueue(
        candidate=application.candidate,
        kind="application_closed",
        object_id=f"{application.number}/{request.number}",
        version=application.version,
        facts={"exam": application.exam.title},
    )

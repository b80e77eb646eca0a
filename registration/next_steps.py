"""What registering asks of a candidate next (R01, R03, R09, R12, R13)."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import formats
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Photo
from exam_portal.kit.next_steps import NextStep, Todo
from registration import queries, steps
from registration.lifecycle import State
from registration.models import Application, Exam

FINISHED = {State.QUALIFIED, State.REJECTED, State.ABANDONED}
NOBODY = _("Nobody")
REGION = _("The exam region")
REVIEWERS = _("The exam point, then the exam region")
# A deadline that is this near makes a step urgent.
NEAR = timedelta(days=1)

CHOOSE_EXAM = Todo(
    "choose_exam",
    title=_("Choose an exam"),
    text=_("Choose the exam that you register for."),
    action=_("Choose an exam"),
    needs_account=True,
)
# One to-do, however many steps it has: whoever fills in six pages is reminded once.
SUBMIT = Todo(
    "submit",
    title=_("Finish your registration and submit it"),
    text=_("Your registration is not submitted yet."),
    action=_("Go on"),
    needs_account=True,
)
SUBMIT_AGAIN = Todo(
    "submit_again",
    title=_("Submit again"),
    text=_(
        "You have withdrawn your registration. What you sent before no longer counts: "
        "without submitting again you are not registered."
    ),
    action=_("Go on to submit"),
    needs_account=True,
)
SUBMIT_WITH_ANOTHER_PHOTO = Todo(
    "submit_with_another_photo",
    title=_("Submit again with another photo"),
    text=_(
        "The photo that you submitted was refused by staff. Withdraw your registration, confirm your new photo, and "
        "submit again."
    ),
    action=_("Go to my registration"),
    needs_account=True,
)
CONFIRM_ON_SITE = Todo(
    "confirm_on_site",
    title=_("Bring the printed form to be confirmed on site"),
    text=_(
        "Print the application form, have it stamped by your employer or the body that keeps your personnel "
        "file, and bring it with the certificates, originals and copies. Not confirmed in time means given up."
    ),
    action=_("Form and place"),
)
MEND_CONFIRMATION = Todo(
    "mend_confirmation",
    title=_("Confirmation failed: mend it and submit again"),
    text=_("Mend what the reasons name, and submit again in time; otherwise it is deemed given up."),
    action=_("Look at the reasons"),
    needs_account=True,
)


def of_application(application: Application, *, at: datetime) -> NextStep:
    """What is next for one application, who holds it, and until when."""
    if application.state == State.DRAFT:
        return _of_draft(application, at)
    region = application.exam_region
    assert region is not None, "what was submitted has a region"
    closes_at = application.exam.closes_at
    if application.state == State.SUBMITTED and at < closes_at and _photo_was_refused(application):
        return _mine(SUBMIT_WITH_ANOTHER_PHOTO, application, at, closes_at, urgent=True)
    status = application.status_at(at)
    if application.state == State.SUBMITTED and region.online:
        return NextStep(
            title=status,
            text=_("Your region confirms online. Look here, or in your messages, for the result."),
            holder=REGION,
        )
    if application.state == State.SUBMITTED and at >= region.confirmation_closes_at:
        return NextStep(
            title=status,
            text=_(
                "The time in which your region confirms has ended. Not confirmed in time means given up; "
                "contact your exam point if you were there in time."
            ),
            holder=REGION,
        )
    if application.state == State.SUBMITTED:
        return _mine(CONFIRM_ON_SITE, application, at, region.confirmation_closes_at, place=_place(application))
    if application.state == State.CONFIRMATION_FAILED:
        return _mine(MEND_CONFIRMATION, application, at, region.confirmation_closes_at, urgent=True)
    waiting = application.state not in FINISHED
    return NextStep(
        title=status, text=_("There is nothing to do for you now."), holder=REVIEWERS if waiting else NOBODY
    )


def _photo_was_refused(application: Application) -> bool:
    """Whether another photo is needed, or stands already, than the one that was submitted."""
    standing = next((p for p in application.candidate.photos.all() if p.state in Photo.STANDING), None)
    if standing is None or not application.photo_digest:
        return False
    return standing.state == Photo.State.REFUSED or standing.digest != application.photo_digest


def _of_draft(application: Application, at: datetime) -> NextStep:
    deadline = application.exam.closes_at
    if at >= deadline:
        return NextStep(
            title=application.status_at(at),
            text=_("You withdrew it and did not submit again before the window closed.")
            if application.version
            else _("Nothing was submitted before the window closed, so this year's registration ended here."),
            holder=NOBODY,
        )
    step = steps.first_open(application) or steps.BY_NAME["check"]
    if application.was_withdrawn:
        return _mine(SUBMIT_AGAIN, application, at, deadline, url=step.url(application), urgent=True)
    return _mine(SUBMIT, application, at, deadline, url=step.url(application), title=step.title)


def _mine(
    todo: Todo,
    application: Application,
    at: datetime,
    deadline: datetime,
    *,
    url: str = "",
    urgent: bool = False,
    title: str | Promise = "",
    place: str = "",
) -> NextStep:
    """The candidate's turn; what it is about is the version that stands, or of a draft the one that is to come."""
    version = application.version + (application.state == State.DRAFT)
    return todo.step(
        url=url or reverse("registration:overview", args=[application.exam.code]),
        title=title,
        about=f"{application.number}/{version}",
        exam=application.exam.title,
        place=place,
        deadline=deadline,
        urgent=urgent or deadline - at < NEAR,
    )


def _place(application: Application) -> str:
    """Name and address of the exam point; its sites and hours stand on the page."""
    point = application.point
    if point is None:
        return ""
    place = gettext("%(name)s, %(address)s") % {"name": point.name, "address": point.address}
    return gettext("%(place)s (example data)") % {"place": place} if point.example else place


def of_registration(*, candidate: Candidate, at: datetime) -> list[NextStep]:
    """All applications' next steps, the most urgent first; before what waits for others, choosing an open exam."""
    applications = list(queries.applications_of(candidate))
    for application in applications:
        application.candidate = candidate
    running = [of_application(application, at=at) for application in applications if application.state not in FINISHED]
    if mine := [step for step in running if step.todo]:
        return sorted(mine, key=lambda step: (step.todo is not SUBMIT_AGAIN, not step.urgent, step.deadline))
    taken = {application.exam_id for application in applications}
    if choices := [exam for exam in queries.open_exams(at) if exam.pk not in taken]:
        exam = min(choices, key=lambda exam: exam.closes_at)
        applied = any(max(application.exam.days) >= at.date() for application in applications)
        step = choosing(exam, at)
        # Another exam beside one applied for is offered, and nothing that must be done.
        return [replace(step, todo=None, deadline=None, urgent=False) if applied else step, *running]
    return running or _of_the_calendar(at)


def choosing(exam: Exam, at: datetime) -> NextStep:
    """Choosing an exam, for a candidate who has applied for none; this one closes first."""
    near = exam.closes_at - at < NEAR
    url = reverse("registration:exams")
    return CHOOSE_EXAM.step(url=url, about=exam.code, exam=exam.title, deadline=exam.closes_at, urgent=near)


def _of_the_calendar(at: datetime) -> list[NextStep]:
    """When nothing is open: when the next window opens, or that the last one has closed (R01)."""
    exams = queries.exams()
    if coming := min((exam for exam in exams if exam.opens_at > at), key=lambda exam: exam.opens_at, default=None):
        return [
            NextStep(
                title=_("Online pre-registration is not open yet"),
                text=_("%(exam)s: open from %(opens)s (Beijing time).")
                % {"exam": coming.title, "opens": formats.date_format(localtime(coming.opens_at), "DATETIME_FORMAT")},
                holder=NOBODY,
            )
        ]
    if exams:
        return [
            NextStep(
                title=_("Online pre-registration has closed"),
                text=_("Your account is kept; it serves the exams of the coming years."),
                holder=NOBODY,
            )
        ]
    return []


def standing_submission_stays(*, candidate: Candidate, at: datetime) -> str | None:
    """After a change of the account: what was submitted stays as it was, and how it is mended (R09)."""
    standing = [a for a in queries.applications_of(candidate) if a.state == State.SUBMITTED]
    if not standing:
        return None
    if any(at < application.exam.closes_at for application in standing):
        return str(_("What you have submitted stays as it was. To change that too: withdraw it, then submit again."))
    return str(_("What you have submitted stays as it was. A mistake in it is taken to your exam point."))

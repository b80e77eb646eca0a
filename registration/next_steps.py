"""What registering asks of a candidate next (R01, R03, R09, R12, R13)."""

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import formats
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate
from accounts.next_steps import YOU
from exam_portal.kit.next_steps import NextStep
from registration import queries, steps
from registration.lifecycle import State
from registration.models import Application

FINISHED = {State.QUALIFIED, State.REJECTED, State.ABANDONED}
NOBODY = _("Nobody")
REGION = _("The exam region")
REVIEWERS = _("The exam point, then the exam region")
# A deadline that is this near makes a step urgent.
NEAR = timedelta(days=1)


def of_application(application: Application, *, at: datetime) -> NextStep:
    """What is next for one application, who holds it, and until when."""
    if application.state == State.DRAFT:
        return _of_draft(application, at)
    region = application.exam_region
    assert region is not None, "what was submitted has a region"
    status = application.status_at(at)
    overview = reverse("registration:overview", args=[application.exam.code])
    deadline = region.confirmation_closes_at
    if application.state == State.SUBMITTED and region.online:
        return NextStep(
            title=status,
            text=_("Your region confirms online. Look here, or in your messages, for the result."),
            holder=REGION,
        )
    if application.state == State.SUBMITTED and at >= deadline:
        return NextStep(
            title=status,
            text=_(
                "The time in which your region confirms has ended. Not confirmed in time means given up; "
                "contact your exam point if you were there in time."
            ),
            holder=REGION,
        )
    if application.state == State.SUBMITTED:
        return NextStep(
            title=_("Bring the printed form to be confirmed on site"),
            text=_(
                "Print the application form, have it stamped by your employer or the body that keeps your personnel "
                "file, and bring it with the certificates, originals and copies. Not confirmed in time means given up."
            ),
            action=_("Form and place"),
            url=overview,
            holder=YOU,
            deadline=deadline,
            urgent=deadline - at < NEAR,
        )
    if application.state == State.CONFIRMATION_FAILED:
        return NextStep(
            title=status,
            text=_("Mend what the reasons name, and submit again in time; otherwise it is deemed given up."),
            action=_("Look at the reasons"),
            url=overview,
            holder=YOU,
            deadline=deadline,
            urgent=True,
        )
    waiting = application.state not in FINISHED
    return NextStep(
        title=status, text=_("There is nothing to do for you now."), holder=REVIEWERS if waiting else NOBODY
    )


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
        return NextStep(
            title=_("Submit again"),
            text=_(
                "You have withdrawn your registration. What you sent before no longer counts: "
                "without submitting again you are not registered."
            ),
            action=_("Go on to submit"),
            url=step.url(application),
            holder=YOU,
            deadline=deadline,
            urgent=True,
        )
    return NextStep(
        title=step.title,
        text=_("Your registration is not submitted yet."),
        action=_("Go on"),
        url=step.url(application),
        holder=YOU,
        deadline=deadline,
        urgent=deadline - at < NEAR,
    )


def next_step(*, candidate: Candidate, at: datetime) -> NextStep | None:
    """The most urgent of all applications' next steps; before what waits for others, choosing an exam that is open."""
    applications = list(queries.applications_of(candidate))
    for application in applications:
        application.candidate = candidate
    running = [of_application(application, at=at) for application in applications if application.state not in FINISHED]
    if mine := [step for step in running if step.deadline]:
        return min(mine, key=lambda step: (not step.urgent, step.deadline))
    if {exam.pk for exam in queries.open_exams(at)} - {application.exam_id for application in applications}:
        return NextStep(
            title=_("Choose an exam"),
            text=_("Your account is ready. Choose the exam that you register for."),
            action=_("Choose an exam"),
            url=reverse("registration:exams"),
            holder=YOU,
        )
    return running[0] if running else _of_the_calendar(at)


def _of_the_calendar(at: datetime) -> NextStep | None:
    """When nothing is open: when the next window opens, or that the last one has closed (R01)."""
    exams = queries.exams()
    if coming := min((exam for exam in exams if exam.opens_at > at), key=lambda exam: exam.opens_at, default=None):
        return NextStep(
            title=_("Online pre-registration is not open yet"),
            text=_("%(exam)s: open from %(opens)s (Beijing time).")
            % {"exam": coming.title, "opens": formats.date_format(localtime(coming.opens_at), "DATETIME_FORMAT")},
            holder=NOBODY,
        )
    if exams:
        return NextStep(
            title=_("Online pre-registration has closed"),
            text=_("Your account is kept; it serves the exams of the coming years."),
            holder=NOBODY,
        )
    return None


def standing_submission_stays(*, candidate: Candidate, at: datetime) -> str | None:
    """After a change of the account: what was submitted stays as it was, and how it is mended (R09)."""
    standing = [a for a in queries.applications_of(candidate) if a.state == State.SUBMITTED]
    if not standing:
        return None
    if any(at < application.exam.closes_at for application in standing):
        return str(_("What you have submitted stays as it was. To change that too: withdraw it, then submit again."))
    return str(_("What you have submitted stays as it was. A mistake in it is taken to your exam point."))

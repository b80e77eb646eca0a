"""What registering asks of a candidate next (R01, R03, R09, R12, R13)."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate
from accounts.next_steps import YOU
from exam_portal.kit.next_steps import NextStep
from registration import queries, steps
from registration.lifecycle import State
from registration.models import Application

FINISHED = {State.QUALIFIED, State.REJECTED, State.ABANDONED}
REVIEWERS = _("The exam point, then the exam region")


def of_application(application: Application, *, at: datetime) -> NextStep:
    """What is next for one application, who holds it, and until when."""
    overview = reverse("registration:overview", args=[application.exam.code])
    exam = application.exam
    if application.state == State.DRAFT:
        if at >= exam.closes_at:
            return NextStep(
                title=_("Not submitted; registration has closed"),  # 未提交，报名已截止
                text=_("Nothing was submitted before the window closed, so this year's registration ended here."),
                holder=_("Nobody"),
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
                deadline=exam.closes_at,
                urgent=True,
            )
        return NextStep(
            title=step.title,
            text=_("Your registration is not submitted yet."),
            action=_("Go on"),
            url=step.url(application),
            holder=YOU,
            deadline=exam.closes_at,
        )
    region = application.exam_region
    assert region is not None
    if application.state == State.SUBMITTED and region.online:
        return NextStep(
            title=application.status,
            text=_("Your region confirms online. Look here, or in your messages, for the result."),
            holder=_("The exam region"),
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
            deadline=region.confirmation_closes_at,
        )
    if application.state in {State.CONFIRMED, State.POINT_APPROVED}:
        return NextStep(
            title=application.status,
            text=_("There is nothing to do for you now."),
            holder=REVIEWERS,
        )
    return NextStep(title=application.status, text=_("There is nothing to do for you now."), holder=_("Nobody"))


def next_step(*, candidate: Candidate, at: datetime) -> NextStep | None:
    """The most urgent of all applications' next steps; before what waits for others, choosing an exam that is open."""
    applications = list(queries.applications_of(candidate))
    running = [of_application(a, at=at) for a in applications if a.state not in FINISHED]
    if mine := [step for step in running if step.url]:
        return min(mine, key=lambda step: not step.urgent)
    if {exam.pk for exam in queries.open_exams(at)} - {application.exam_id for application in applications}:
        return NextStep(
            title=_("Choose an exam"),
            text=_("Your account is ready. Choose the exam that you register for."),
            action=_("Choose an exam"),
            url=reverse("registration:exams"),
            holder=YOU,
        )
    return running[0] if running else None

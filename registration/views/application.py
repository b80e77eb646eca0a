"""Choosing an exam, the overview of an application, submitting, withdrawing and the printed form."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.access import candidate_page
from accounts.actors import acting
from accounts.models import Candidate
from accounts.next_steps import account_lacks
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration import queries, steps
from registration.access import application_page, blocked
from registration.lifecycle import State
from registration.models import Application, Exam
from registration.next_steps import of_application
from registration.services import applications, printed_form, snapshot


@candidate_page
def exams(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The exams, which of them are open, and the candidate's application for each."""
    at = clock.arrival(request)
    if step := account_lacks(candidate, at):
        return blocked(request, title=_("Choose an exam"), missing=[step])
    mine = {application.exam_id: application for application in queries.applications_of(candidate)}
    rows = []
    for exam in queries.exams():
        application = mine.get(exam.pk)
        rows.append(
            {
                "exam": exam,
                "open": exam.is_open(at),
                "early": at < exam.opens_at,
                "application": application,
                "status": application.status_at(at) if application else "",
            }
        )
    return render(request, "registration/exams.html", {"rows": rows})


@candidate_page
def start(request: HttpRequest, code: str, *, candidate: Candidate) -> HttpResponse:
    """Begin the application for an exam, or go back to the one begun (R31)."""
    if request.method != "POST":  # back from signing in again: the button is on the page of exams
        return redirect("registration:exams")
    exam = get_object_or_404(Exam, code=code)
    try:
        applications.start_application(
            candidate=candidate,
            exam=exam,
            actor=acting(candidate),
            at=clock.arrival(request),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("registration:exams")
    return redirect("registration:overview", exam.code)


@application_page
def overview(request: HttpRequest, *, application: Application) -> HttpResponse:
    """Where the application stands: process bar, next step, task list or what was submitted."""
    at = clock.arrival(request)
    draft = application.state == State.DRAFT
    open_ = application.exam.is_open(at)
    lacking = account_lacks(application.candidate, at) if draft and open_ else None
    summary = queries.summary(application)
    context = {
        "application": application,
        "exam": application.exam,
        "nodes": steps.nodes(application, at=at),
        "status": application.status_at(at),
        "next_step": lacking or of_application(application, at=at),
        "draft": draft,
        "open": open_,
        "tasks": list(steps.tasks(application)) if draft else [],
        "can_withdraw": application.state == State.SUBMITTED and at < application.exam.closes_at,
        "places": queries.places_of(application.exam_region) if not draft and application.exam_region else [],
        **summary,
        "answers": snapshot.completed(summary["current"].content) if summary["current"] else None,
    }
    return render(request, "registration/overview.html", context)


@application_page
def submit(request: HttpRequest, *, application: Application) -> HttpResponse:
    """Submit; pressed twice it shows the same result."""
    check = redirect("registration:check", application.exam.code)
    if request.method != "POST":  # back from signing in again: nothing was submitted, and the button is there
        return check
    try:
        submission = applications.submit(
            application=application,
            actor=acting(application.candidate),
            at=clock.arrival(request),
            seen=request.POST.get("seen", ""),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return check
    messages.success(request, _("Submitted. The code of your form is %(code)s.") % {"code": submission.form_code})
    return redirect("registration:overview", application.exam.code)


@application_page
def withdraw(request: HttpRequest, *, application: Application) -> HttpResponse:
    """Ask once more, then take the submission back (R09)."""
    if request.method == "POST":
        try:
            applications.withdraw(
                application=application,
                actor=acting(application.candidate),
                at=clock.arrival(request),
            )
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.warning(request, _("Withdrawn. You are not registered until you submit again."))
        return redirect("registration:overview", application.exam.code)
    if clock.arrival(request) >= application.exam.closes_at:
        messages.error(request, _("Pre-registration has closed. Take a mistake to your exam point."))
        return redirect("registration:overview", application.exam.code)
    if application.state != State.SUBMITTED:
        return redirect("registration:overview", application.exam.code)
    return render(
        request,
        "registration/withdraw.html",
        {"application": application, "exam": application.exam},
    )


@application_page
def form_pdf(request: HttpRequest, *, application: Application) -> HttpResponse:
    """The printed application form of the standing submission."""
    submission = application.current_submission
    if submission is None:
        raise Http404
    response = HttpResponse(printed_form.render(submission), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{submission.form_code}.pdf"'
    return response

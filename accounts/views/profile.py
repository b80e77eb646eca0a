"""The candidate's own data: basic information, inbox."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import queries
from accounts.access import candidate_page, is_looked_at
from accounts.actors import acting
from accounts.models import Candidate, Message
from accounts.next_steps import next_steps, told_of
from accounts.profile_forms import BasicInformationForm
from accounts.services import outbox, profile
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept


def saved(request: HttpRequest, candidate: Candidate, text: str, *, to: str = "portal:dashboard") -> HttpResponse:
    """Say that something was saved, and what else must be known after the change; then go on to a page by its name."""
    messages.success(request, text)
    for hook in hooks.load("AFTER_ACCOUNT_CHANGE"):
        if more := hook(candidate=candidate, at=clock.arrival(request)):
            messages.warning(request, more)
    return redirect(to)


@candidate_page
def basic_information(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """Contact data and workplace."""
    form = BasicInformationForm(
        posted(request),
        initial=kept(request),
        instance=getattr(candidate, "basic_information", None),
        candidate=candidate,
    )
    if carry_out(
        form,
        lambda data: profile.save_basic_information(candidate=candidate, actor=acting(candidate), values=data),
    ):
        return saved(request, candidate, _("Basic information saved."))
    return render(request, "accounts/basic_information.html", {"form": form, "candidate": candidate})


@candidate_page
def inbox(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """Messages to the candidate; opening the page marks them as read."""
    received = list(queries.inbox(candidate)[:100])
    of_todos = any(message.kind == Message.TODO for message in received)
    steps = next_steps(candidate=candidate, at=clock.arrival(request)) if of_todos else []
    rows = [(message, step := told_of(message, steps), message.written(step)) for message in received]
    if not is_looked_at(request):
        outbox.mark_read(candidate=candidate)
    return render(request, "accounts/inbox.html", {"rows": rows})

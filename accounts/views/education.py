"""Education records: those kept, one more, and correcting one (R21, R27)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.access import candidate_page
from accounts.actors import acting
from accounts.models import Candidate
from accounts.models.education import MOST_STANDING
from accounts.profile_forms import EducationForm
from accounts.services import education as service
from accounts.views.picker import SCHOOLS, with_school
from accounts.views.profile import saved
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept


def _fill_in(
    request: HttpRequest, act: Callable[[dict[str, Any]], Any], initial: dict[str, Any]
) -> dict[str, Any] | None:
    """The form of a record and the search for its school, as a page shows them; None once the record was saved.

    `typed` says whether somebody has filled the form in: then it is shown even where no record can be added any more.
    """
    sent: Any = posted(request)
    if sent is None:
        sent = kept(request)
        form = EducationForm(initial={**initial, **with_school(sent)})
    elif SCHOOLS.asked(sent):
        form = EducationForm(initial=with_school(sent))
    else:
        form = EducationForm(sent)
        if carry_out(form, act):
            return None
    return {"form": form, "picker": SCHOOLS.shown(sent), "typed": bool(sent)}


@candidate_page
def education(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The records that stand, those that were corrected, and a form for one more."""
    shown = _fill_in(
        request,
        lambda data: service.add_education(candidate=candidate, actor=acting(candidate), **data),
        initial={},
    )
    if shown is None:
        return saved(request, candidate, _("Education record saved."))
    records = list(candidate.education.all())
    standing = [record for record in records if not record.superseded_at]
    context = {
        "records": standing,
        "corrected": [record for record in records if record.superseded_at],
        "full": len(standing) >= MOST_STANDING,
        **shown,
    }
    return render(request, "accounts/education.html", context)


@candidate_page
def correct(request: HttpRequest, record: int, *, candidate: Candidate) -> HttpResponse:
    """A form to correct a record of one's own; one that was corrected already leads back to the list."""
    found = get_object_or_404(candidate.education, pk=record)
    found.candidate = candidate
    if found.superseded_at and request.method != "POST":  # else the service says whether it was this very correction
        messages.info(request, _("This record has been corrected. The corrected one stands in the list."))
        return redirect("accounts:education")
    shown = _fill_in(
        request,
        lambda data: service.correct_education(record=found, actor=acting(candidate), **data),
        initial=found.content,
    )
    if shown is None:
        return saved(request, candidate, _("Corrected. The old record is kept, and no longer counts."))
    return render(request, "accounts/education_correct.html", {"record": found, **shown})

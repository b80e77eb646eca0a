"""Practice registrations, the residency certificate and titles."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from accounts.access import candidate_page
from accounts.actors import acting
from accounts.models import Candidate
from accounts.profile_forms import CredentialChangeForm, CredentialForm
from accounts.services import credentials as service
from accounts.views.profile import saved
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept


@candidate_page
def credentials(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """What the candidate has, and a form for one more."""
    held = list(candidate.credentials.all())
    form = CredentialForm(posted(request), initial=kept(request), held={credential.kind for credential in held})
    if carry_out(
        form,
        lambda data: service.save_credential(candidate=candidate, actor=acting(candidate), new=True, **data),
        exists="kind",
    ):
        return saved(request, candidate, _("Saved."), to="accounts:credentials")
    return render(request, "accounts/credentials.html", {"held": held, "form": form})


@candidate_page
def change(request: HttpRequest, credential: str, *, candidate: Candidate) -> HttpResponse:
    """Another month or category of a credential that the candidate has, or its removal."""
    who: dict[str, Any] = {"candidate": candidate, "actor": acting(candidate), "kind": credential}
    if "remove" in request.POST:  # one that is gone already was removed by the first press
        service.remove_credential(**who)
        return saved(request, candidate, _("Removed."), to="accounts:credentials")
    found = get_object_or_404(candidate.credentials, kind=credential)
    form = CredentialChangeForm(posted(request), initial=kept(request), credential=found)
    if carry_out(form, lambda data: service.save_credential(**who, **data)):
        return saved(request, candidate, _("Saved."), to="accounts:credentials")
    return render(request, "accounts/credential.html", {"credential": found, "form": form})

"""Where somebody of staff sets the first password, or a new one, by a link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.limits import per_address
from accounts.models import User
from accounts.services import staff
from accounts.staff_forms import WelcomeForm
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted


@never_cache
@per_address("PORTAL_SIGN_INS_PER_ADDRESS")
def welcome(request: HttpRequest) -> HttpResponse:
    """Set a password by the code of a link; ends in signing in with it."""
    form = WelcomeForm(posted(request))
    users: list[User] = []

    def act(data: dict[str, str]) -> None:
        users.append(staff.set_password(code=data["code"], password=data["password1"], at=clock.arrival(request)))

    if carry_out(form, act, expired="code"):
        request.session.flush()  # somebody else may be signed in here
        text = _("Your password is set, %(username)s. Sign in with it.") % {"username": users[0].username}
        messages.success(request, text)
        return redirect("account_login")
    return render(request, "accounts/welcome.html", {"form": form})

"""Somebody of staff before a browser: signed in with a second step, or on the way there."""

import time
from dataclasses import dataclass, field

from django.test import Client
from django.urls import reverse

from accounts.actors import SYSTEM
from accounts.middleware import SEEN
from accounts.models import SecondStep, StaffAssignment, User
from accounts.services import two_step

PASSWORD = "kettle drum at dawn"
LOGIN = reverse("account_login")
SECOND_STEP = reverse("mfa_authenticate")
SET_UP = reverse("accounts:two_step")
HOME = reverse("admin:index")


def staff_client(assignment: StaffAssignment, *, proved: bool = True) -> Client:
    """A browser in which somebody of staff has signed in by app; unless `proved`, more than five minutes ago."""
    return become(Client(), assignment, proved=proved)


def become(client: Client, assignment: StaffAssignment, *, proved: bool = True) -> Client:
    """The same browser, in which somebody of staff has now signed in."""
    client.force_login(assignment.user)
    session = client.session
    at = time.time() - (0 if proved else 301)
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": at}]
    session[SEEN] = int(time.time())  # as the first request would note
    session["account_authentication_methods_user"] = str(assignment.user_id)
    session.save()
    return client


@dataclass
class Telephone:
    """An authenticator app that is set up for somebody."""

    user: User
    secret: str = field(default_factory=two_step.new_secret)

    def __post_init__(self) -> None:
        code = two_step.code_now(self.secret)
        assert code
        two_step.set_up_totp(user=self.user, actor=SYSTEM, secret=self.secret, typed=code)
        SecondStep.objects.update(last_code=0)  # as if that were long ago

    def code(self) -> str:
        code = two_step.code_now(self.secret)
        assert code
        return code


def give_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def sign_in(user: User, telephone: Telephone | None = None, *, code: str = "") -> Client:
    """Sign in by password and, where there is a telephone, its code; however far that leads."""
    client = Client()
    client.post(LOGIN, {"login": user.username, "password": PASSWORD})
    if telephone:
        client.post(SECOND_STEP, {"code": code or telephone.code()})
    return client


def is_in(client: Client) -> bool:
    """Whether this browser may go on as staff."""
    return client.get(reverse("accounts:two_step")).status_code == 200 and client.get("/").status_code == 200

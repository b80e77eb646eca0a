"""Passkeys as the second step of staff, by a passkey in software."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.models import LedgerEvent, Point, StaffAssignment
from accounts.services import two_step
from tests import factories
from tests.passkeys import Passkey, options_on
from tests.staffing import HOME, SECOND_STEP, SET_UP, Telephone, give_password, is_in, sign_in, staff_client

pytestmark = pytest.mark.django_db

ADD, CODES = reverse("accounts:two_step_passkey"), reverse("accounts:two_step_codes")
AGAIN = reverse("mfa_reauthenticate_webauthn")


@pytest.fixture
def assignment(point: Point) -> StaffAssignment:
    made = factories.make_staff(point, role="site_clerk", site="430101")
    give_password(made.user)
    return made


def set_up(client: Client, name: str = "办公室电脑") -> Passkey:
    passkey = Passkey()
    answer = client.post(ADD, {"name": name, "credential": passkey.create(options_on(client.get(ADD)))})
    assert answer.headers["Location"] == CODES
    return passkey


def failures() -> list[str]:
    return list(LedgerEvent.objects.filter(action="two_step.failed").values_list("payload__why", flat=True))


def test_a_passkey_is_set_up_and_signs_in(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    passkey = set_up(client)
    assert is_in(client)
    assert "办公室电脑" in client.get(SET_UP).content.decode()
    other = sign_in(assignment.user)
    credential = passkey.get(options_on(other.get(SECOND_STEP)))
    assert other.post(SECOND_STEP, {"credential": credential}).headers["Location"] == HOME
    assert is_in(other)
    assert LedgerEvent.objects.filter(action="sign_in.done").last().payload["by"] == "webauthn"


def test_an_answer_signs_in_once(assignment: StaffAssignment) -> None:
    passkey = set_up(sign_in(assignment.user))
    other = sign_in(assignment.user)
    credential = passkey.get(options_on(other.get(SECOND_STEP)))
    other.post(SECOND_STEP, {"credential": credential})
    third = sign_in(assignment.user)
    third.get(SECOND_STEP)
    assert third.post(SECOND_STEP, {"credential": credential}).status_code == 200
    assert not is_in(third)
    assert failures() == ["passkey"]


def test_anothers_passkey_and_one_of_another_host_are_refused(assignment: StaffAssignment, point: Point) -> None:
    passkey = set_up(sign_in(assignment.user))
    colleague = factories.make_staff(point)
    give_password(colleague.user)
    set_up(sign_in(colleague.user))
    client = sign_in(colleague.user)
    client.post(SECOND_STEP, {"credential": passkey.get(options_on(client.get(SECOND_STEP)))})
    assert not is_in(client)
    passkey.origin = "http://evil.example"
    client = sign_in(assignment.user)
    client.post(SECOND_STEP, {"credential": passkey.get(options_on(client.get(SECOND_STEP)))})
    assert not is_in(client)
    assert failures() == ["passkey", "passkey"]


def test_the_page_offers_a_passkey_to_who_has_one_only(assignment: StaffAssignment) -> None:
    Telephone(assignment.user)
    assert "data-passkey" not in sign_in(assignment.user).get(SECOND_STEP).content.decode()


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "x",
        "null",
        "1",
        "[]",
        "[1]",
        '"x"',
        "{}",
        '{"id": 1}',
        '{"response": {}}',
        '{"id": "é", "rawId": "", "x": []}',
    ],
)
def test_what_is_no_passkey_is_refused_quietly(assignment: StaffAssignment, junk: str) -> None:
    client = sign_in(assignment.user)
    client.get(ADD)
    page = client.post(ADD, {"name": "x", "credential": junk})
    assert (page.status_code, Authenticator.objects.count()) == (200, 0)
    set_up(client)
    other = sign_in(assignment.user)
    other.get(SECOND_STEP)
    assert other.post(SECOND_STEP, {"credential": junk}).status_code == 200
    assert not is_in(other)


def test_a_passkey_made_for_an_older_challenge_is_refused(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    old = options_on(client.get(ADD))
    client.get(ADD)
    page = client.post(ADD, {"name": "x", "credential": Passkey().create(old)})
    assert page.status_code == 200
    assert not two_step.steps_of(assignment.user).exists()


def test_one_of_two_is_removed_and_the_other_stays(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    set_up(client)
    Telephone(assignment.user)
    key = Authenticator.objects.get(type="webauthn")
    client.post(SET_UP, {"remove": str(key.pk)})
    assert [step.type for step in two_step.steps_of(assignment.user)] == ["totp"]
    event = LedgerEvent.objects.get(action="two_step.removed")
    assert event.payload == {"type": "webauthn"}


def test_a_passkey_proves_again_who_one_is(assignment: StaffAssignment) -> None:
    passkey = set_up(sign_in(assignment.user))
    client = staff_client(assignment, proved=False)
    client.get(AGAIN)
    refused = client.post(AGAIN, {"credential": json.dumps({"id": "x"}), "next": ADD})
    assert refused.headers["Location"].startswith(AGAIN)
    assert client.get(ADD).status_code == 302
    credential = passkey.get(options_on(client.get(AGAIN)))
    assert client.post(AGAIN, {"credential": credential, "next": ADD}).headers["Location"] == ADD
    assert client.get(ADD).status_code == 200

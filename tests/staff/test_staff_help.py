"""Letting somebody of staff sign in again: who may, why, and what is shown once (R28, R32). An auditor only looks."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import LedgerEvent, StaffAssignment
from exam_portal import clock
from tests import factories
from tests.staff.desks import clerk, of_nation, of_region, text_of
from tests.staffing import Telephone, become, give_password, is_in, sign_in, staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]

LIST = "/staff/accounts/staffassignment/"
WHY = {"reason": "本人到场，已核对身份"}


@pytest.fixture
def member(exam: object) -> StaffAssignment:
    made = clerk()
    give_password(made.user)
    Telephone(made.user)
    return made


def page(member: StaffAssignment, act: str) -> str:
    return f"{LIST}{member.pk}/{act}/"


def events() -> list[tuple[str, str, str]]:
    found = LedgerEvent.objects.filter(action__in=["password.link_made", "two_step.reset"])
    return list(found.values_list("action", "stream_id", "reason"))


def test_a_link_for_a_new_password_is_shown_once_and_sets_one(desk: Client, member: StaffAssignment) -> None:
    assert f'href="{page(member, "link")}"' in desk.get(page(member, "change")).content.decode()
    assert desk.get(page(member, "link")).status_code == 200
    assert events() == [], "looking makes no link"
    response = desk.post(page(member, "link"), WHY)
    found = re.search(r"http://localhost:8000/account/welcome/#([0-9a-z.-]+)", response.content.decode())
    assert found
    assert "no-store" in response.headers["Cache-Control"]
    assert events() == [("password.link_made", str(member.user_id), WHY["reason"])]
    assert found[1] not in desk.get(page(member, "change")).content.decode()
    typed = {"code": found[1], "password1": "copper wire at dusk", "password2": "copper wire at dusk"}
    assert Client().post("/account/welcome/", typed).status_code == 302
    member.user.refresh_from_db()
    assert member.user.check_password("copper wire at dusk")


def test_two_step_verification_is_reset_and_signs_out(desk: Client, member: StaffAssignment) -> None:
    theirs = sign_in(member.user, Telephone(member.user))
    assert is_in(theirs)
    assert desk.post(page(member, "two_step"), WHY).headers["Location"] == page(member, "change")
    assert not Authenticator.objects.exists() and not is_in(theirs)
    assert events() == [("two_step.reset", str(member.user_id), WHY["reason"])]
    assert WHY["reason"] in text_of(desk.get(page(member, "change")))


@pytest.mark.parametrize("act", ["link", "two_step"])
def test_without_a_reason_nothing_is_done(desk: Client, member: StaffAssignment, act: str) -> None:
    response = desk.post(page(member, act), {"reason": " "})
    assert set(response.context["form"].errors) == {"reason"}
    assert events() == [] and Authenticator.objects.exists()


@pytest.mark.parametrize("act", ["link", "two_step"])
def test_it_is_asked_who_one_is_first(admin: StaffAssignment, member: StaffAssignment, act: str) -> None:
    client = staff_client(admin, proved=False)
    for response in (client.get(page(member, act)), client.post(page(member, act), WHY)):
        assert response.headers["Location"].startswith("/account/confirm/?next=")
    assert events() == []
    answer = become(client, admin).post(page(member, act), WHY)
    assert answer.status_code == (200 if act == "link" else 302)
    assert len(events()) == 1


def test_it_is_asked_who_one_is_before_somebody_is_added(admin: StaffAssignment) -> None:
    """As for a link: adding hands one out, and may make another administrator."""
    client, before = staff_client(admin, proved=False), StaffAssignment.objects.count()
    for response in (client.get(f"{LIST}add/"), client.post(f"{LIST}add/", {"username": "liuyang"})):
        assert response.headers["Location"].startswith("/account/confirm/?next=")
    assert StaffAssignment.objects.count() == before
    assert become(client, admin).get(f"{LIST}add/").status_code == 200


@pytest.mark.rule("R32")
@pytest.mark.parametrize("act", ["link", "two_step"])
def test_nobody_helps_the_own_account_one_elsewhere_or_without_a_role(
    admin: StaffAssignment, desk: Client, member: StaffAssignment, act: str
) -> None:
    elsewhere = of_region("12")
    StaffAssignment.objects.filter(pk=member.pk).update(valid_until=clock.now())
    factories.make_staff(region="12", since=clock.now(), user=member.user)  # theirs now
    for row, status in ((admin, 200), (member, 200), (elsewhere, 404)):
        assert desk.get(page(row, act)).status_code == (302 if status == 200 else 404)
        assert desk.post(page(row, act), WHY).status_code == status
    for row in (admin, member):
        assert f"/{act}/" not in desk.get(page(row, "change")).content.decode()
    assert events() == [] and Authenticator.objects.exists()


def test_an_auditor_sees_who_had_which_role_and_changes_nothing(member: StaffAssignment) -> None:
    auditor = staff_client(of_nation())
    assert member.user.username in auditor.get(LIST).content.decode()
    assert f'href="{LIST}add/"' not in auditor.get(LIST).content.decode()
    text = auditor.get(page(member, "change")).content.decode()
    assert "湖南第01报名点" in text
    assert not re.search(r"/(end|link|two_step)/", text)
    for act in ("end", "link", "two_step"):
        assert auditor.get(page(member, act)).status_code == auditor.post(page(member, act), WHY).status_code == 403
    assert auditor.post(f"{LIST}add/", {}).status_code == 403
    member.refresh_from_db()
    assert member.valid_until is None and events() == []

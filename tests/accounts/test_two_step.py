"""Two-step verification of staff: set up, asked for, used once, limited, helped with (R32)."""

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.actors import SYSTEM, Actor, working_as
from accounts.models import Candidate, LedgerEvent, Point, StaffAssignment
from accounts.services import staff, two_step
from exam_portal import clock
from exam_portal.kit import crypto
from exam_portal.kit.errors import Refused
from tests import factories
from tests.staffing import (
    HOME,
    LOGIN,
    PASSWORD,
    SECOND_STEP,
    SET_UP,
    Telephone,
    give_password,
    is_in,
    sign_in,
    staff_client,
)

pytestmark = pytest.mark.django_db

APP, CODES = reverse("accounts:two_step_app"), reverse("accounts:two_step_codes")
PASSKEY = reverse("accounts:two_step_passkey")


@pytest.fixture
def assignment(point: Point) -> StaffAssignment:
    """A clerk with a password, without a second step yet."""
    made = factories.make_staff(point, role="site_clerk", site="430101")
    give_password(made.user)
    return made


@pytest.fixture
def telephone(assignment: StaffAssignment) -> Telephone:
    return Telephone(assignment.user)


def events(assignment: StaffAssignment, *but: str) -> list[tuple[str, dict[str, Any]]]:
    rows = LedgerEvent.objects.filter(stream="staff", stream_id=str(assignment.user_id)).exclude(action__in=but)
    return list(rows.values_list("action", "payload"))


# --- Setting up -----------------------------------------------------------------------------------
def secret_shown(page: Any) -> str:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page.content.decode())
    assert found
    return found[1].replace(" ", "")


@pytest.mark.rule("R32")
def test_whoever_has_none_is_led_to_set_up_and_can_do_nothing_else(assignment: StaffAssignment) -> None:
    client = Client()
    assert client.post(LOGIN, {"login": assignment.user.username, "password": PASSWORD}).headers["Location"] == HOME
    for page in ("/", CODES, reverse("accounts:welcome"), reverse("accounts:recovery"), reverse("mfa_reauthenticate")):
        assert client.get(page).headers["Location"] == SET_UP, page
        assert client.post(page).headers["Location"] == SET_UP, page
    assert client.get(SET_UP).status_code == client.get(APP).status_code == client.get(PASSKEY).status_code == 200
    assert client.post(reverse("account_logout")).headers["Location"] == "/"


def test_an_app_is_set_up_by_its_first_code_and_recovery_codes_are_shown_once(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    secret = secret_shown(client.get(APP))
    wrong = client.post(APP, {"code": "000000"})
    assert wrong.context["form"].errors.keys() == {"code"}
    assert secret_shown(wrong) == secret
    code = two_step.code_now(secret)
    assert client.post(APP, {"code": f" {code[:3]} {code[3:]}"}).headers["Location"] == CODES
    shown = re.findall(r"<code>(\d{8})</code>", client.get(CODES).content.decode())
    assert len(set(shown)) == 10
    assert client.get(CODES).headers["Location"] == SET_UP
    assert is_in(client)
    assert events(assignment, "sign_in.done") == [("two_step.added", {"type": "totp", "replaced": False})]


def test_the_secret_is_encrypted_in_the_session_and_in_the_database(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    secret = secret_shown(client.get(APP))
    assert secret not in str(dict(client.session))
    client.post(APP, {"code": two_step.code_now(secret)})
    assert "two_step_secret" not in client.session
    data = Authenticator.objects.get(type="totp").data
    assert crypto.decrypt(data["secret"]) == secret
    assert crypto.decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])


def test_the_code_of_the_set_up_signs_nobody_in(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    code = two_step.code_now(secret_shown(client.get(APP)))
    client.post(APP, {"code": code})
    other = sign_in(assignment.user)
    assert "已使用" in other.post(SECOND_STEP, {"code": code}).content.decode()


def test_whoever_lost_the_telephone_sets_up_another_after_a_recovery_code(
    assignment: StaffAssignment, telephone: Telephone
) -> None:
    (code, *_) = two_step.recovery_codes_once(user=assignment.user)
    client = sign_in(assignment.user, telephone, code=code)
    page = client.get(APP)
    assert page.context["replaces"]
    secret = secret_shown(page)
    assert client.post(APP, {"code": two_step.code_now(secret)}).status_code == 302
    assert two_step.steps_of(assignment.user).count() == 1
    assert two_step.recovery_codes_left(user=assignment.user) == 9
    with time_machine.travel(time.time() + 60):
        assert not is_in(sign_in(assignment.user, telephone))
        assert is_in(sign_in(assignment.user, telephone, code=two_step.code_now(secret) or ""))
    assert ("two_step.added", {"type": "totp", "replaced": True}) in events(assignment)


def test_whoever_waited_long_before_setting_up_gives_the_password_again(assignment: StaffAssignment) -> None:
    client = sign_in(assignment.user)
    with time_machine.travel(time.time() + 301):
        asked = client.get(APP).headers["Location"]
        assert client.get(asked).status_code == 200
        assert client.post(asked, {"password": PASSWORD, "next": APP}).headers["Location"] == APP
        assert client.get(APP).status_code == 200


@pytest.mark.rule("R32")
@pytest.mark.parametrize(
    "page", [SET_UP, APP, PASSKEY, CODES, reverse("account_reauthenticate"), reverse("mfa_reauthenticate")]
)
def test_candidates_never_reach_it(candidate: Candidate, page: str) -> None:
    client = Client()
    assert client.get(page).headers["Location"].startswith(LOGIN)
    client.force_login(candidate.user)
    assert client.get(page).status_code == client.post(page, {"code": "1"}).status_code == 403
    assert not Authenticator.objects.exists()


# --- Signing in -----------------------------------------------------------------------------------
def test_the_password_alone_signs_nobody_in_who_has_a_second_step(
    assignment: StaffAssignment, telephone: Telephone
) -> None:
    client = Client()
    answer = client.post(LOGIN, {"login": assignment.user.username, "password": PASSWORD})
    assert answer.headers["Location"] == SECOND_STEP
    assert client.get(SET_UP).headers["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session
    assert client.post(SECOND_STEP, {"code": telephone.code()}).headers["Location"] == HOME
    assert is_in(client)
    assert events(assignment, "two_step.added") == [("sign_in.done", {"by": "totp", "ended": 0})]


def test_a_code_signs_in_once_whatever_the_cache_remembers(assignment: StaffAssignment, telephone: Telephone) -> None:
    from django.core.cache import cache

    code = telephone.code()
    assert is_in(sign_in(assignment.user, telephone, code=code))
    cache.clear()
    assert not is_in(sign_in(assignment.user, telephone, code=code))
    assert ("two_step.failed", {"why": "used"}) in events(assignment)


def test_an_older_code_than_the_last_is_refused_too(assignment: StaffAssignment, telephone: Telephone) -> None:
    now = int(time.time()) // 30 * 30 + 5
    with time_machine.travel(now):
        older = telephone.code()
    with time_machine.travel(now + 30):
        two_step.use_code(user=assignment.user, typed=telephone.code())
        with pytest.raises(Refused) as refused:
            two_step.use_code(user=assignment.user, typed=older)
    assert refused.value.code == "used"


@pytest.mark.parametrize(("seconds", "accepted"), [(-30, True), (0, True), (30, True), (-90, False), (60, False)])
def test_a_code_is_accepted_half_a_minute_early_and_late(
    assignment: StaffAssignment, telephone: Telephone, seconds: int, accepted: bool
) -> None:
    now = int(time.time()) // 30 * 30 + 5
    with time_machine.travel(now + seconds):
        code = telephone.code()
    with time_machine.travel(now):
        assert is_in(sign_in(assignment.user, telephone, code=code)) == accepted


def test_a_recovery_code_stands_in_once(assignment: StaffAssignment, telephone: Telephone) -> None:
    (first, second, *_) = two_step.recovery_codes_once(user=assignment.user)
    assert is_in(sign_in(assignment.user, telephone, code=first))
    assert not is_in(sign_in(assignment.user, telephone, code=first))
    assert is_in(sign_in(assignment.user, telephone, code=second))
    assert two_step.recovery_codes_left(user=assignment.user) == 8
    assert ("sign_in.done", {"by": "recovery_codes", "ended": 0}) in events(assignment)


def test_after_five_wrong_codes_even_the_right_one_waits(assignment: StaffAssignment, telephone: Telephone) -> None:
    for _time in range(5):
        with pytest.raises(Refused):
            two_step.use_code(user=assignment.user, typed="000000")
    client = sign_in(assignment.user)
    page = client.post(SECOND_STEP, {"code": telephone.code()})
    assert page.status_code == 200
    assert "15" in str(page.context["form"].errors)
    assert [action for action, _payload in events(assignment)].count("two_step.failed") == 5
    with time_machine.travel(time.time() + 901):
        assert is_in(sign_in(assignment.user, telephone))


def test_a_right_code_forgives_the_wrong_ones(assignment: StaffAssignment, telephone: Telephone) -> None:
    for _round in range(2):
        for _time in range(4):
            with pytest.raises(Refused):
                two_step.use_code(user=assignment.user, typed="000000")
        two_step.use_code(user=assignment.user, typed=two_step.code_of(user=assignment.user) or "")


def test_a_wrong_password_is_recorded_for_staff_and_only_for_them(
    assignment: StaffAssignment, somebody: Candidate
) -> None:
    for login in (assignment.user.username, somebody.user.username, "nobody99"):
        Client().post(LOGIN, {"login": login, "password": "a wrong password"})
    assert events(assignment) == [("sign_in.failed", {"why": "password"})]
    assert LedgerEvent.objects.filter(action="sign_in.failed").count() == 1


def test_a_session_begun_by_the_password_alone_ends_once_a_second_step_is_set_up_elsewhere(
    assignment: StaffAssignment,
) -> None:
    stranger = sign_in(assignment.user)  # knows the password, and waits on the page of the set-up
    assert stranger.get(SET_UP).status_code == 200
    Telephone(assignment.user)
    assert stranger.get(SET_UP).headers["Location"] == f"{LOGIN}?next={SET_UP}"
    assert "_auth_user_id" not in stranger.session


def test_whoever_waits_at_the_second_step_while_it_is_reset_begins_again(
    assignment: StaffAssignment, telephone: Telephone
) -> None:
    client = sign_in(assignment.user)
    staff.reset_two_step(actor=SYSTEM, user=assignment.user, reason="手机丢失", at=clock.now())
    assert client.get(SECOND_STEP).headers["Location"] == LOGIN
    assert client.get(LOGIN).status_code == 200


@pytest.mark.parametrize("typed", ["", "x", "１２３", "0" * 17, "\u0001", "12345é"])
def test_what_is_no_code_is_refused_quietly(assignment: StaffAssignment, telephone: Telephone, typed: str) -> None:
    page = sign_in(assignment.user).post(SECOND_STEP, {"code": typed})
    assert (page.status_code, list(page.context["form"].errors)) == (200, ["code"])


def test_full_width_digits_are_digits(assignment: StaffAssignment, telephone: Telephone) -> None:
    wide = telephone.code().translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert is_in(sign_in(assignment.user, telephone, code=wide))


# --- Removing, resetting ----------------------------------------------------------------------------
def test_the_last_second_step_is_not_removed_by_oneself(assignment: StaffAssignment, telephone: Telephone) -> None:
    client = staff_client(assignment)
    step = Authenticator.objects.get(type="totp")
    client.post(SET_UP, {"remove": str(step.pk)})
    assert "唯一" in client.get(SET_UP).content.decode()
    assert two_step.steps_of(assignment.user).get() == step


def test_nobody_removes_anothers(assignment: StaffAssignment, telephone: Telephone, point: Point) -> None:
    other = factories.make_staff(point)
    Telephone(other.user)
    theirs = two_step.steps_of(other.user).get().pk
    with pytest.raises(Refused) as refused:
        two_step.remove(user=assignment.user, actor=working_as(assignment), step=theirs)
    assert refused.value.code == "forbidden"
    for junk in (theirs, "1" * 30, "１", "x"):
        staff_client(assignment).post(SET_UP, {"remove": str(junk)})
    assert two_step.steps_of(other.user).count() == 1


def test_new_recovery_codes_void_the_old(assignment: StaffAssignment, telephone: Telephone) -> None:
    old = two_step.recovery_codes_once(user=assignment.user)[0]
    client = staff_client(assignment)
    assert client.post(SET_UP, {"codes": "new"}).headers["Location"] == CODES
    assert old not in client.get(CODES).content.decode()
    with pytest.raises(Refused):
        two_step.use_code(user=assignment.user, typed=old)
    assert ("recovery_codes.made", {}) in events(assignment)


def test_recovery_codes_without_a_second_step_are_refused(assignment: StaffAssignment) -> None:
    with pytest.raises(Refused) as refused:
        two_step.new_recovery_codes(user=assignment.user, actor=SYSTEM)
    assert refused.value.code == "nothing"


@pytest.mark.rule("R28", "R32")
def test_an_administrator_resets_in_the_own_region_with_a_reason_and_the_sessions_end(
    assignment: StaffAssignment, telephone: Telephone
) -> None:
    client = sign_in(assignment.user, telephone)
    admin = factories.staff_of(None, "43", role="region_admin")
    staff.reset_two_step(actor=admin, user=assignment.user, reason=" 手机丢失 ", at=clock.now())
    assert not is_in(client)
    assert not Authenticator.objects.exists()
    event = LedgerEvent.objects.get(action="two_step.reset")
    assert (event.stream_id, event.actor_id, event.reason) == (str(assignment.user_id), admin.id, "手机丢失")


def reset_refused(actor: Actor, assignment: StaffAssignment, reason: str = "手机丢失") -> str:
    with pytest.raises(Refused) as refused:
        staff.reset_two_step(actor=actor, user=assignment.user, reason=reason, at=clock.now())
    assert Authenticator.objects.filter(user=assignment.user).exists()
    assert not LedgerEvent.objects.filter(action="two_step.reset").exists()
    return refused.value.code


@pytest.mark.rule("R28", "R32")
@pytest.mark.parametrize(
    ("region", "role"),
    [("11", "region_admin"), ("43", "region_reviewer"), ("", "auditor")],
)
def test_nobody_else_resets(assignment: StaffAssignment, telephone: Telephone, region: str, role: str) -> None:
    assert reset_refused(factories.staff_of(None, region, role=role), assignment) == "forbidden"


@pytest.mark.rule("R32")
def test_nobody_resets_the_own(exam: object) -> None:
    admin = factories.make_staff(None, "43", role="region_admin")
    Telephone(admin.user)
    assert reset_refused(working_as(admin), admin) == "forbidden"


def test_a_reset_without_a_reason_is_refused(assignment: StaffAssignment, telephone: Telephone) -> None:
    assert reset_refused(factories.staff_of(None, "43", role="region_admin"), assignment, " ") == "no_reason"


# --- Proving again ----------------------------------------------------------------------------------
def test_what_matters_is_asked_for_again_after_five_minutes_and_leads_back(
    assignment: StaffAssignment, telephone: Telephone
) -> None:
    client = staff_client(assignment, proved=False)
    asked = client.get(APP).headers["Location"]
    assert asked == f"{reverse('account_reauthenticate')}?next=%2Faccount%2Ftwo-step%2Fapp%2F"
    page = client.get(asked)
    assert [way["id"] for way in page.context["reauthentication_alternatives"]] == ["mfa_reauthenticate"]
    assert client.post(asked, {"password": "wrong", "next": APP}).status_code == 200
    assert client.get(APP).status_code == 302
    assert client.post(asked, {"password": PASSWORD, "next": APP}).headers["Location"] == APP
    assert client.get(APP).status_code == 200
    assert ("sign_in.failed", {"why": "password"}) in events(assignment)


def test_a_code_proves_as_well_and_once(assignment: StaffAssignment, telephone: Telephone) -> None:
    client, code = staff_client(assignment, proved=False), telephone.code()
    page = reverse("mfa_reauthenticate")
    assert client.post(page, {"code": "000000", "next": APP}).status_code == 200
    assert client.post(page, {"code": code, "next": APP}).headers["Location"] == APP
    other = staff_client(assignment, proved=False)
    assert other.post(page, {"code": code, "next": APP}).status_code == 200
    assert other.get(APP).status_code == 302


def test_what_was_sent_unproved_is_neither_done_nor_kept(assignment: StaffAssignment, telephone: Telephone) -> None:
    client = staff_client(assignment, proved=False)
    sent = client.post(SET_UP, {"codes": "new", "note": "秘密"}, headers={"referer": f"http://testserver{SET_UP}"})
    assert sent.headers["Location"].endswith("?next=%2Faccount%2Ftwo-step%2F")
    assert "秘密" not in str(dict(client.session))
    assert events(assignment, "two_step.added") == []
    elsewhere = client.post(SET_UP, {"codes": "new"}, headers={"referer": "https://evil.example/x"})
    assert "evil" not in elsewhere.headers["Location"]


def test_nobody_is_led_to_another_host(assignment: StaffAssignment, telephone: Telephone) -> None:
    client = staff_client(assignment, proved=False)
    answer = client.post(reverse("mfa_reauthenticate"), {"code": telephone.code(), "next": "https://evil.example/"})
    assert answer.headers["Location"] == HOME

"""Where somebody of staff sets a password by a link: once, within three days, and for nobody else."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.actors import SYSTEM
from accounts.models import Candidate, LedgerEvent, StaffAssignment, User
from accounts.services import recovery, staff
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests.accounts.recovering import BEGIN, QUESTION
from tests.staffing import HOME, LOGIN, PASSWORD, give_password, is_in, staff_client

pytestmark = pytest.mark.django_db

WELCOME = reverse("accounts:welcome")


@pytest.fixture
def assignment(exam: object) -> StaffAssignment:
    return staff.add(actor=SYSTEM, username="wangfang", name="王芳", role="site_clerk", code="430101", at=clock.now())


def code_for(user: User) -> str:
    path, _sign, code = staff.make_link(actor=SYSTEM, user=user, at=clock.now()).partition("#")
    assert path == WELCOME
    return code


def send(code: str, password: str = PASSWORD, client: Client | None = None) -> object:
    return (client or Client()).post(WELCOME, {"code": code, "password1": password, "password2": password})


def errors(code: str, password: str = PASSWORD) -> set[str]:
    page = send(code, password)
    assert page.status_code == 200
    return set(page.context["form"].errors)


def test_a_new_person_sets_a_password_signs_in_and_is_led_to_the_second_step(assignment: StaffAssignment) -> None:
    client = Client()
    assert client.get(WELCOME).status_code == 200
    code = code_for(assignment.user)
    assert send(code, client=client).headers["Location"] == LOGIN
    assert "wangfang" in client.get(LOGIN).content.decode()
    assert client.post(LOGIN, {"login": "wangfang", "password": PASSWORD}).headers["Location"] == HOME
    assert LedgerEvent.objects.filter(action="password.set", stream_id=str(assignment.user_id)).count() == 1


def test_a_link_is_used_once_and_voids_the_others(assignment: StaffAssignment) -> None:
    first, second = code_for(assignment.user), code_for(assignment.user)
    send(first)
    assert errors(first, "another good password") == errors(second, "another good password") == {"code"}
    assert Client().post(LOGIN, {"login": "wangfang", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(("days", "valid"), [(2.9, True), (3.1, False)])
def test_a_link_is_valid_for_three_days(assignment: StaffAssignment, days: float, valid: bool) -> None:
    code = code_for(assignment.user)
    with time_machine.travel(time.time() + days * 86400, tick=True):
        assert (send(code).status_code == 302) == valid


def test_a_link_is_void_once_the_role_has_ended(assignment: StaffAssignment) -> None:
    code = code_for(assignment.user)
    staff.end(actor=SYSTEM, assignment=assignment, at=clock.now())
    assert errors(code) == {"code"}


def test_whose_role_is_yet_to_begin_may_set_a_password(exam: object) -> None:
    later = clock.now() + timedelta(days=3)
    made = staff.add(
        actor=SYSTEM, username="lina", name="李娜", role="auditor", code="", at=clock.now(), valid_from=later
    )
    assert send(code_for(made.user)).status_code == 302
    page = Client().post(LOGIN, {"login": "lina", "password": PASSWORD})
    assert (page.status_code, page.templates[0].name) == (403, "accounts/no_role.html")


@pytest.mark.parametrize("spoil", [str.upper, str.swapcase, lambda code: code[:-1], lambda code: "1" + code])
def test_a_code_changed_in_any_way_is_refused(assignment: StaffAssignment, spoil: object) -> None:
    assert errors(spoil(code_for(assignment.user))) == {"code"}  # type: ignore[operator]


@pytest.mark.parametrize("junk", ["", "x", ".", "1.", f"{'z' * 40}.x-y", "9" * 99, "１.a-b", "-1.a-b"])
def test_what_is_no_code_is_refused(assignment: StaffAssignment, junk: str) -> None:
    assert errors(junk) == {"code"}


def test_the_whole_link_may_be_pasted(assignment: StaffAssignment) -> None:
    assert send(f" http://localhost:8000{WELCOME}#{code_for(assignment.user)} ").status_code == 302


@pytest.mark.parametrize("password", ["short", "password", "wangfang1", ""])
def test_a_weak_password_leaves_the_link_usable(assignment: StaffAssignment, password: str) -> None:
    code = code_for(assignment.user)
    assert "password1" in errors(code, password)
    assert send(code).status_code == 302


def test_passwords_that_differ_are_refused(assignment: StaffAssignment) -> None:
    code = code_for(assignment.user)
    page = Client().post(WELCOME, {"code": code, "password1": PASSWORD, "password2": PASSWORD + "x"})
    assert set(page.context["form"].errors) == {"password2"}


def test_a_new_password_ends_all_sessions(assignment: StaffAssignment) -> None:
    give_password(assignment.user)
    client = staff_client(assignment)
    code = code_for(assignment.user)
    send(code, "another good password")
    assert not is_in(client)


@pytest.mark.rule("R32")
def test_a_candidates_number_makes_no_link(assignment: StaffAssignment, somebody: Candidate) -> None:
    token = staff._welcome.make_token(somebody.user)
    assert errors(f"{somebody.user.pk}.{token}") == {"code"}
    with pytest.raises(Refused) as refused:
        staff.make_link(actor=SYSTEM, user=somebody.user, at=clock.now())
    assert refused.value.code == "forbidden"


@pytest.mark.rule("R06", "R32")
def test_the_candidates_recovery_is_no_way_into_a_staff_account(assignment: StaffAssignment) -> None:
    assert recovery.ask(login="wangfang").candidates == [0]
    client = Client()
    assert client.post(BEGIN, {"login": "wangfang"}).status_code == 302
    assert client.post(QUESTION, {"answer": "实验小学"}).status_code == 200
    code = reverse("accounts:recovery_code")
    client.post(code, {"send": "1"})
    assert client.post(code, {"code": "123456"}).status_code == 200
    assert client.get(reverse("accounts:recovery_password")).headers["Location"] == BEGIN


@pytest.mark.rule("R32")
def test_a_candidates_proof_is_none_for_staff(assignment: StaffAssignment) -> None:
    give_password(assignment.user)
    proof = recovery._proof(assignment.user, "question")
    with pytest.raises(Candidate.DoesNotExist):
        recovery.set_password(proof=proof, password="another good password")
    assert User.objects.get(pk=assignment.user_id).check_password(PASSWORD)


def test_the_code_of_the_link_is_in_no_address(assignment: StaffAssignment) -> None:
    client = Client()
    code = code_for(assignment.user)
    pages = [client.get(WELCOME), send(code, "short", client), send(code, client=client)]
    assert all(code not in str(page.request["PATH_INFO"]) + str(page.headers) for page in pages)
    assert code not in str([*LedgerEvent.objects.values()])

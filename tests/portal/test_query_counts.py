"""How many queries a page takes: few, and the same for one row or many."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.actors import acting
from accounts.models import Point
from accounts.services import outbox
from exam_portal import clock
from registration.models import Exam
from registration.services import applications
from tests import factories
from tests.accounts.requests import ask_change, report
from tests.passkeys import Passkey, options_on
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db

# Session, user, candidate, photos and unread messages are five on every page of a candidate.
STEPS = {"overview": 8, "pledge": 8, "region": 9, "point": 10, "specialty": 11, "photo": 8, "check": 12}
ACCOUNT = {
    "basic_information": 9,
    "education": 10,
    "education_correct": 10,
    "credentials": 10,
    "credential": 10,
    "wechat": 9,
    "inbox": 11,
    "security": 10,
    "calendar": 10,
    "email": 9,
}
# What saving a step costs, with the savepoint, the locked row, the ledger's event and the way to the next step;
# submitting and withdrawing also tell what is to be done now.
SAVING: dict[str, tuple[dict[str, Any], int]] = {
    "pledge": ({"accept": "on"}, 13),
    "region": ({"region": "43"}, 12),
    "point": ({"place": "4302"}, 16),
    "specialty": ({"specialty": "201", "subjects": ["1"]}, 17),
    "photo": ({}, 17),
    "submit": ({}, 36),
    "withdraw": ({}, 27),
}


@pytest.mark.parametrize("more", [0, 2])
def test_home_for_anybody(client: Client, exam: Exam, more: int, django_assert_num_queries: Any) -> None:
    for number in range(more):
        factories.make_exam(f"other-{number}", prefix=f"X{number}")
    with django_assert_num_queries(1):
        client.get(reverse("portal:home"))


@pytest.mark.parametrize("more", [0, 2])
def test_public_look_up(client: Client, exam: Exam, more: int, django_assert_num_queries: Any) -> None:
    for number in range(more):
        factories.make_exam_region(exam, f"9{number}", "某省", online=True, automatic=True)
    with django_assert_num_queries(3):
        client.get(reverse("registration:regions", args=[exam.code]))
    with django_assert_num_queries(3):
        client.get(reverse("registration:region_notice", args=[exam.code, "43"]))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("records", [1, 3])
def test_each_step(client: Client, exam: Exam, step: str, records: int, django_assert_num_queries: Any) -> None:
    candidate = factories.make_candidate(records=records, credentials=records)
    factories.make_draft(candidate, exam)
    client.force_login(candidate.user)
    page = reverse(f"registration:{step}", args=[exam.code])
    with django_assert_num_queries(STEPS[step]):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("page", ACCOUNT)
@pytest.mark.parametrize("rows", [1, 3])
def test_each_account_page(client: Client, page: str, rows: int, django_assert_num_queries: Any) -> None:
    candidate = factories.make_candidate(records=rows, credentials=rows)
    for version in range(rows):
        outbox.enqueue(
            candidate=candidate, kind="application_withdrawn", object_id="1", version=version, facts={"exam": "x"}
        )
    client.force_login(candidate.user)
    of = {"education_correct": [candidate.education.last().pk], "credential": ["nurse_registration"]}
    with django_assert_num_queries(ACCOUNT[page]):
        assert client.get(reverse(f"accounts:{page}", args=of.get(page, []))).status_code == 200


@pytest.mark.parametrize("places", [1, 3])
def test_the_list_of_sessions(client: Client, places: int, django_assert_num_queries: Any) -> None:
    candidate = factories.make_candidate()
    for number in range(places):
        key = f"{number:032d}"
        Session.objects.create(session_key=key, expire_date=datetime(2999, 1, 1, tzinfo=UTC))
        UserSession.objects.create(user=candidate.user, session_key=key, ip="127.0.0.1")
    client.force_login(candidate.user)
    with django_assert_num_queries(10):
        page = client.get(reverse("accounts:security"))
    assert len(page.context["sessions"]) == places


@pytest.mark.parametrize("places", [1, 3])
def test_the_list_of_sessions_of_staff(places: int, django_assert_num_queries: Any) -> None:
    assignment = factories.make_staff()
    client = staff_client(assignment)
    for number in range(places):
        key = f"{number:032d}"
        Session.objects.create(session_key=key, expire_date=datetime(2999, 1, 1, tzinfo=UTC))
        UserSession.objects.create(user=assignment.user, session_key=key, ip="127.0.0.1")
    client.get("/")
    with django_assert_num_queries(4):
        page = client.get(reverse("accounts:staff_security"))
    assert len(page.context["sessions"]) == places


RECOVERY = {"recovery": 0, "recovery_exam_points": 1, "recovery_exam_points_of": 3}
# One more for the session that knows who is asked.
ASKED = {"recovery_question": 1, "recovery_code": 1, "recovery_password": 2}


@pytest.mark.parametrize("page", RECOVERY)
def test_recovery_for_anybody(client: Client, exam: Exam, page: str, django_assert_num_queries: Any) -> None:
    arguments = ["43"] if page.endswith("_of") else []
    with django_assert_num_queries(RECOVERY[page]):
        assert client.get(reverse(f"accounts:{page}", args=arguments)).status_code == 200


@pytest.mark.parametrize("page", ASKED)
def test_each_step_of_recovery(client: Client, page: str, django_assert_num_queries: Any) -> None:
    client.post(reverse("accounts:recovery"), {"login": "nobody"})
    if page == "recovery_password":
        proof = {"user": factories.make_candidate().user.pk, "state": "", "by": "", "at": 0}
        signer = signing.get_cookie_signer(salt="recovery_proof" * 2)
        client.cookies["recovery_proof"] = signer.sign(json.dumps(proof))
    with django_assert_num_queries(ASKED[page]):
        assert client.get(reverse(f"accounts:{page}")).status_code == 200


@pytest.mark.parametrize("exams", [1, 3])
def test_dashboard_and_exams(client: Client, exam: Exam, exams: int, django_assert_num_queries: Any) -> None:
    candidate = factories.make_candidate(records=exams, credentials=exams)
    factories.make_draft(candidate, exam)
    for number in range(1, exams):
        factories.make_draft(candidate, factories.make_exam(f"other-{number}", prefix=f"X{number}"))
    client.force_login(candidate.user)
    with django_assert_num_queries(10):
        assert client.get(reverse("portal:dashboard")).status_code == 200
    with django_assert_num_queries(10):
        assert client.get(reverse("registration:exams")).status_code == 200


@pytest.mark.parametrize("step", SAVING)
@pytest.mark.parametrize("records", [1, 5])
def test_saving_each_step(client: Client, exam: Exam, step: str, records: int, django_assert_num_queries: Any) -> None:
    candidate = factories.make_candidate(records=records)
    draft = factories.make_draft(candidate, exam)
    client.force_login(candidate.user)
    answer, queries = SAVING[step]
    if step == "withdraw":
        applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    if step == "photo":
        answer = {"digest": candidate.photos.get().digest}
    if step == "submit":
        answer = {"seen": client.get(reverse("registration:check", args=[exam.code])).context["seen"]}
    with django_assert_num_queries(queries):
        assert client.post(reverse(f"registration:{step}", args=[exam.code]), answer).status_code == 302


IDENTITY = {"identity_notice": 0, "identity_regions": 1, "identity_apply": 2}


@pytest.mark.parametrize("page", IDENTITY)
def test_applying_for_a_change_for_anybody(
    client: Client, exam: Exam, page: str, django_assert_num_queries: Any
) -> None:
    arguments = {"identity_regions": ["taken"], "identity_apply": ["taken", "43"]}.get(page, [])
    with django_assert_num_queries(IDENTITY[page]):
        assert client.get(reverse(f"accounts:{page}", args=arguments)).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_applications_for_a_change(
    client: Client, exam: Exam, rows: int, django_assert_num_queries: Any
) -> None:
    candidate, point = factories.make_candidate(), Point.objects.get(code="4301")
    made = [report(factories.resident_id(number), point).number for number in range(rows)]
    ask_change(candidate, point, name="张珊")
    client.force_login(candidate.user)
    session = client.session
    session[f"identity_requests:{candidate.user.pk}"] = made
    session.save()
    with django_assert_num_queries(9):
        page = client.get(reverse("accounts:identity_applications"))
    assert len(page.context["made"]) == rows + 1


# Session, user and role are three on every page of staff; saving a session is three more.
TWO_STEP = {"two_step": 5, "two_step_app": 7, "two_step_passkey": 7, "staff_password": 3, "welcome": 3}


@pytest.mark.parametrize("page", TWO_STEP)
@pytest.mark.parametrize("passkeys", [1, 3])
def test_pages_of_staff_about_the_own_account(page: str, passkeys: int, django_assert_num_queries: Any) -> None:
    assignment = factories.make_staff()
    client = staff_client(assignment)
    for _number in range(passkeys):
        made = Passkey().create(options_on(client.get(reverse("accounts:two_step_passkey"))))
        client.post(reverse("accounts:two_step_passkey"), {"name": "x", "credential": made})
    client.get("/")
    with django_assert_num_queries(TWO_STEP[page]):
        assert client.get(reverse(f"accounts:{page}")).status_code == 200

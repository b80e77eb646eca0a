"""Looking at the portal as a candidate sees it: to read only, recorded, for a while, within the territory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pgtrigger
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import SYSTEM, acting
from accounts.models import Candidate, LedgerEvent, Point, StaffAssignment
from accounts.services import outbox, staff
from accounts.views import profile
from exam_portal import clock
from exam_portal.staff.looking import SHOWN, WITHHELD
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.portal.leaks import leaked
from tests.portal.test_urls import ROUTES, address
from tests.staff.test_permissions import stored
from tests.staffing import become, staff_client

pytestmark = pytest.mark.django_db

# Pages of one's own, also while one looks; with the staff site.
OWN = {
    "accounts:staff_security",
    "accounts:staff_password",
    "accounts:two_step",
    "accounts:two_step_app",
    "accounts:two_step_passkey",
    "accounts:two_step_codes",
    "accounts:welcome",
    "portal:healthz",
    "accounts:notice",
    "accounts:recovery",
    "accounts:recovery_question",
    "accounts:recovery_code",
    "accounts:recovery_password",
    "accounts:recovery_exam_points",
    "accounts:recovery_exam_points_of",
    "account_signup",
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reauthenticate",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "set_language",
    "accounts:wechat_sign_in",
    "wechat_website_callback",
    "wechat_account_callback",
    "wechat_events",
    "calendar_feed",
}
BANNER = "的视角查看网站"


@pytest.fixture
def looked_at(exam: Exam) -> Candidate:
    """A candidate with something of everything, who applies at the point 4301 and has unread messages."""
    candidate = factories.make_candidate(records=2, credentials=3)
    draft = factories.make_draft(candidate, exam)
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    factories.make_draft(candidate, factories.make_exam("second", prefix="S"))
    ask_deletion(candidate, Point.objects.get(code="4301"))
    for version in range(2):
        facts = {"exam": "x"}
        outbox.enqueue(candidate=candidate, kind="application_withdrawn", object_id="1", version=version, facts=facts)
    return candidate


@pytest.fixture
def assignment(exam: Exam) -> StaffAssignment:
    return factories.make_staff(Point.objects.get(code="4301"))


@pytest.fixture
def looking(looked_at: Candidate, assignment: StaffAssignment) -> Client:
    """A browser in which somebody of the point looks at the portal as the candidate sees it."""
    return begin(assignment, looked_at)


def begin(assignment: StaffAssignment, candidate: Candidate) -> Client:
    client = staff_client(assignment)
    look = reverse("admin:accounts_candidate_look", args=[candidate.pk])
    response = client.post(look, {"reason": "考生来电：看不到报名点"})
    assert response.headers["Location"] == "/dashboard/"
    return client


def addresses(candidate: Candidate) -> Iterator[tuple[str, str]]:
    """Every page of a candidate with its name, those of an application for what is submitted and for a draft."""
    given = {
        "number": candidate.identity_requests.get().number,
        "record": str(candidate.education.first().pk),  # type: ignore[union-attr]
        "pk": str(candidate.photos.get().pk),
    }
    for name in sorted(SHOWN | set(WITHHELD)):
        for url in {address(name, **given, code=code) for code in ("2024-health", "second")}:
            yield name, url


def test_every_page_is_shown_withheld_or_one_s_own() -> None:
    assert set(ROUTES) == SHOWN | set(WITHHELD) | OWN
    assert not SHOWN & set(WITHHELD)


@pytest.mark.rule("R32")
def test_all_pages_are_those_of_the_candidate_and_nothing_is_written(looking: Client, looked_at: Candidate) -> None:
    own = Client()
    own.force_login(looked_at.user)
    before = stored()
    for name, url in addresses(looked_at):
        for method in ("get", "head"):
            response = getattr(looking, method)(url)
            if name in WITHHELD:
                assert response.status_code == 403, url
            elif response.status_code == 302:
                assert response.headers["Location"].startswith(("/exams/", "/account/photo/")), url
            else:
                assert response.status_code == 200, url
        page = looking.get(url)
        if name == "accounts:photo_picture":
            assert "no-store" in page.headers["Cache-Control"], url
        elif page.status_code != 302:
            text = page.content.decode()
            assert BANNER in text, url
            assert looked_at.user.username in text, url
            assert leaked(text, {"number": looked_at.id_number}) == set(), url
            assert "no-store" in page.headers["Cache-Control"], url
    assert stored() == before
    # What the candidate gets there is the same, but for inbox and banner.
    for name in ("registration:overview", "accounts:education"):
        url = address(name)
        assert looking.get(url).templates[0].name == own.get(url).templates[0].name


@pytest.mark.rule("R28")
def test_a_number_in_a_reason_that_the_candidate_reads_is_masked(looking: Client, looked_at: Candidate) -> None:
    number = looked_at.id_number
    with pgtrigger.ignore():
        looked_at.identity_requests.update(
            state="refused",
            decided_by=factories.make_staff().user,
            decided_at=clock.now(),
            refusal=f"与 {number[:6]} {number[6:]} 不符",
        )
    page = looking.get(reverse("accounts:identity_applications")).content.decode()
    assert f"与 {number[:4]}** ***********{number[-1]} 不符" in page
    assert leaked(page, {"number": number}) == set()


def test_nothing_is_sent_from_there(looking: Client, looked_at: Candidate) -> None:
    before = stored()
    for _name, url in addresses(looked_at):
        for method in ("post", "put", "patch", "delete", "options"):
            response = getattr(looking, method)(url, {"accept": "on", "end": "all"} if method == "post" else None)
            assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD"), (method, url)
            assert "刚才的操作没有生效" in response.content.decode()
    assert stored() == before


def test_the_database_refuses_what_a_page_would_write(
    looking: Client, looked_at: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "is_looked_at", lambda request: False)  # so the inbox would mark messages as read
    looking.raise_request_exception = False
    before = stored()
    assert looking.get("/account/inbox/").status_code == 500
    assert stored() == before
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        assert cursor.fetchone() == ("off",)
    assert looking.get("/dashboard/").status_code == 200


def test_unread_messages_stay_unread(looking: Client, looked_at: Candidate) -> None:
    unread = looked_at.messages.filter(read_at=None).count()
    assert unread >= 2
    assert looking.get("/account/inbox/").content.decode().count('class="badge"') == unread
    assert looked_at.messages.filter(read_at=None).count() == unread


def test_it_is_recorded_with_its_reason_and_needs_one(looking: Client, looked_at: Candidate) -> None:
    event = LedgerEvent.objects.get(action="candidate.looked_at")
    assert (event.stream_id, event.reason) == (str(looked_at.pk), "考生来电：看不到报名点")
    client = staff_client(factories.make_staff(Point.objects.get(code="4301")))
    refused = client.post(reverse("admin:accounts_candidate_look", args=[looked_at.pk]), {"reason": ""})
    assert refused.status_code == 200 and "请填写" in refused.content.decode()
    assert client.get("/dashboard/").status_code == 403
    assert LedgerEvent.objects.filter(action="candidate.looked_at").count() == 1


def test_the_staff_site_and_signing_out_stay_one_s_own(looking: Client, assignment: StaffAssignment) -> None:
    page = looking.get("/staff/").content.decode()
    assert assignment.name in page and BANNER in page
    assert looking.post("/language/", {"language": "en", "next": "/dashboard/"}).status_code == 302
    assert "You see the portal as" in looking.get("/dashboard/").content.decode()
    looking.post("/account/logout/")
    assert looking.get("/dashboard/").headers["Location"].startswith("/account/login/")


def test_the_button_of_the_banner_ends_it(looking: Client, looked_at: Candidate) -> None:
    end = reverse("admin:accounts_candidate_look_end")
    assert end in looking.get("/dashboard/").content.decode()
    looking.get(end)
    assert looking.get("/dashboard/").status_code == 200
    page = reverse("admin:accounts_candidate_change", args=[looked_at.pk])
    assert looking.post(end).headers["Location"] == page
    assert looking.get("/dashboard/").status_code == 403
    assert BANNER not in looking.get(page).content.decode()
    assert looking.post(end).headers["Location"] == "/staff/"


def test_it_ends_after_fifteen_minutes(looking: Client, looked_at: Candidate) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=14, seconds=50)):
        assert looking.get("/dashboard/").status_code == 200
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15, seconds=1)):
        over = looking.get("/dashboard/", follow=True)
        assert over.redirect_chain == [(reverse("admin:accounts_candidate_change", args=[looked_at.pk]), 302)]
        assert "以考生视角查看网站已结束" in over.content.decode()
        assert looking.get("/dashboard/").status_code == 403


@pytest.mark.rule("R28", "R32")
@pytest.mark.parametrize("how", ["role ends", "another role", "leaves the territory", "account deleted"])
def test_it_ends_when_it_is_no_longer_one_s_own(
    looking: Client, looked_at: Candidate, assignment: StaffAssignment, how: str
) -> None:
    if how != "account deleted":
        ended = clock.now() - timedelta(seconds=1)
        StaffAssignment.objects.filter(pk=assignment.pk).update(valid_until=ended)
        if how == "another role":
            factories.make_staff(region="43", role="region_reviewer", since=ended, user=assignment.user)
        elif how == "leaves the territory":
            factories.make_staff(Point.objects.get(code="4302"), since=ended, user=assignment.user)
    else:
        emptied = {"name": "", "id_number": "", "id_digest": None, "id_digest_next": None}
        with pgtrigger.ignore():
            Candidate.objects.filter(pk=looked_at.pk).update(deleted_at=clock.now(), **emptied)
    assert looking.get("/exams/").status_code == 302
    after = looking.get("/exams/")
    # Without a role one is signed out.
    assert after.status_code == (302 if how == "role ends" else 403)
    assert after.headers.get("Location") == ("/account/login/?next=/exams/" if how == "role ends" else None)


def test_after_looking_at_whom_one_no_longer_sees_one_comes_home(
    looking: Client, looked_at: Candidate, assignment: StaffAssignment
) -> None:
    ended = clock.now()
    StaffAssignment.objects.filter(pk=assignment.pk).update(valid_until=ended)
    factories.make_staff(Point.objects.get(code="4302"), since=ended, user=assignment.user)
    over = looking.get("/dashboard/", follow=True)
    assert (over.redirect_chain, over.status_code) == ([("/staff/", 302)], 200)
    assert "以考生视角查看网站已结束" in over.content.decode()


def test_a_button_pressed_for_whom_one_no_longer_sees_leads_home(
    looking: Client, looked_at: Candidate, assignment: StaffAssignment
) -> None:
    ended = clock.now()
    StaffAssignment.objects.filter(pk=assignment.pk).update(valid_until=ended)
    factories.make_staff(Point.objects.get(code="4302"), since=ended, user=assignment.user)
    assert looking.post(reverse("admin:accounts_candidate_look_end")).headers["Location"] == "/staff/"


@pytest.mark.rule("R32")
def test_a_long_pause_while_looking_signs_out(looking: Client, settings: Any) -> None:
    settings.PORTAL_STAFF_IDLE_MINUTES = 10
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10, seconds=1)):
        paused = looking.get("/dashboard/")
        assert paused.headers["Location"] == "/account/login/?next=/dashboard/"
        page = looking.get("/dashboard/", follow=True).content.decode()
        assert "长时间未操作" in page and BANNER not in page


def test_looking_begins_the_pause_anew(looking: Client, settings: Any) -> None:
    settings.PORTAL_STAFF_IDLE_MINUTES = 5
    for minutes in (4, 8, 12):
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            assert looking.get("/dashboard/").status_code == 200, minutes
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=14)):
        assert looking.get("/staff/").status_code == 200


@pytest.mark.rule("R32")
def test_nobody_looks_without_a_second_step(looking: Client) -> None:
    session = looking.session
    del session["account_authentication_methods"]
    session.save()
    answer = looking.get("/dashboard/")
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("accounts:two_step"))


@pytest.mark.rule("R28")
def test_nobody_looks_at_somebody_elsewhere(exam: Exam, looked_at: Candidate) -> None:
    for elsewhere, status in (
        (factories.make_staff(Point.objects.get(code="4302")), 404),
        (factories.make_staff(None, "12", role="region_admin"), 404),
        (factories.make_staff(None, role="auditor"), 403),
    ):
        client = staff_client(elsewhere)
        look = reverse("admin:accounts_candidate_look", args=[looked_at.pk])
        assert client.post(look, {"reason": "x"}).status_code == status
        assert client.get("/dashboard/").status_code == 403
    assert not LedgerEvent.objects.filter(action="candidate.looked_at").exists()


@pytest.mark.rule("R28")
def test_applications_elsewhere_are_not_shown(exam: Exam, looked_at: Candidate, assignment: StaffAssignment) -> None:
    elsewhere = factories.make_exam("elsewhere", prefix="E")
    factories.make_draft(looked_at, elsewhere, region="12")
    begun = factories.make_exam("begun", prefix="B")
    draft = factories.begin(looked_at, begun)
    looking = begin(assignment, looked_at)
    refused = looking.get(reverse("registration:overview", args=["elsewhere"]))
    assert refused.status_code == 403 and "属于其他考点或考区" in refused.content.decode()
    assert looking.get(reverse("registration:overview", args=["begun"])).status_code == 200
    Application.objects.filter(pk=draft.pk).update(exam_region=begun.regions.get(region="12"))
    assert looking.get(reverse("registration:overview", args=["begun"])).status_code == 403
    nation = begin(factories.make_staff(role="national_admin"), looked_at)
    for code in ("elsewhere", "begun", "2024-health"):
        assert nation.get(reverse("registration:overview", args=[code])).status_code == 200


def test_another_who_signs_in_at_the_browser_does_not_look_on(looking: Client, looked_at: Candidate) -> None:
    other = factories.make_staff(Point.objects.get(code="4301"))
    session = looking.session
    state = dict(session["looking"])
    become(looking, other)
    session = looking.session
    session["looking"] = state
    session.save()
    assert looking.get("/dashboard/").status_code == 302
    assert looking.get("/dashboard/").status_code == 403


def test_looking_takes_five_queries_more_than_the_candidate_does(looking: Client, looked_at: Candidate) -> None:
    own = Client()
    own.force_login(looked_at.user)
    counts = []
    for client in (own, looking):
        client.get("/dashboard/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/dashboard/").status_code == 200
        counts.append(len(queries))
    assert counts == [10, 15]


def test_whose_role_is_ended_is_signed_out_and_looks_no_more(looking: Client, assignment: StaffAssignment) -> None:
    staff.end(actor=SYSTEM, assignment=assignment, at=clock.now())
    assert looking.get("/dashboard/").headers["Location"] == "/account/login/?next=/dashboard/"
    assert BANNER not in looking.get("/dashboard/").content.decode()

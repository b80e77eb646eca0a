"""The ledger on the audit page: who finds what, in words, quickly; and whether it is whole (R28)."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from accounts.actors import SYSTEM, VISITOR, Actor, acting, working_as
from accounts.models import Candidate, LedgerVerification, Point, StaffAssignment
from accounts.services import ledger, staff
from exam_portal import clock
from tests import factories
from tests.accounts.requests import ask_change, check
from tests.staff.desks import clerk, of_nation, of_region, text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]

PAGE = "/staff/accounts/ledgerevent/"
SEARCH = f"{PAGE}search/"


@pytest.fixture(autouse=True)
def private_files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def auditor(exam: object) -> Client:
    return staff_client(of_nation())


def write(actor: Actor = SYSTEM, *, action: str = "keys.rotated", at: datetime | None = None, **more: Any) -> None:
    ledger.record(**{"stream": "portal", "stream_id": "keys", "action": action, "actor": actor, "at": at, **more})


def rows(client: Client, **query: str) -> list[str]:
    """What each event of the list says."""
    response = client.get(PAGE, query)
    assert response.status_code == 200
    return [f"{event.what} {event.subject} {event.who}".strip() for event in response.context["cl"].events]


# --- Finding --------------------------------------------------------------------------------------
def test_by_a_candidates_username_all_that_they_did_and_that_concerns_them(
    auditor: Client, candidate: Candidate, exam: Any
) -> None:
    member = clerk()
    row = ask_change(candidate, Point.objects.get(code="4301"), name="张珊")
    check(row, working_as(member))
    application = factories.make_draft(candidate, exam)
    ledger.record(stream="application", stream_id=application.number, action="application.abandon", actor=SYSTEM)
    factories.make_draft(factories.make_candidate(), exam)
    found = rows(auditor, person=f" {candidate.user.username.upper()} ")
    assert [line.split()[0] for line in found] == [
        "逾期未确认，视为自动放弃",
        "确认照片",
        "选择报考专业",
        "选择考点",
        "选择考区",
        "确认报考承诺",
        "开始填报",
        "账户姓名或证件已变更",
        "已办理",
        "提出申请",
    ]


def test_by_a_staff_username_what_they_did_and_what_was_done_about_them(auditor: Client, candidate: Candidate) -> None:
    member = clerk()
    check(ask_change(candidate, Point.objects.get(code="4301"), name="张珊"), working_as(member))
    staff.end(actor=SYSTEM, assignment=member, at=clock.now())
    found = rows(auditor, person=member.user.username)
    assert [line.split()[0] for line in found] == ["终止角色", "账户姓名或证件已变更", "已办理"]


def test_a_username_of_nobody_is_said_beside_the_field(auditor: Client) -> None:
    write()
    response = auditor.get(PAGE, {"person": "nobody.here", "action": "keys.rotated"})
    content = response.content.decode()
    assert 'id="audit_person_error"' in content
    assert 'value="nobody.here"' in content
    assert '<option value="keys.rotated" selected>' in content
    assert rows(auditor, person="nobody.here") == []


def test_by_stream_number_action_and_group(auditor: Client, candidate: Candidate) -> None:
    write()
    write(VISITOR, stream="identity_request", stream_id="012345678901", action="identity_request.made")
    write(stream="identity_request", stream_id="012345678902", action="proof.read")
    write(acting(candidate), stream="identity_request", stream_id="012345678902", action="id_number.revealed")
    assert rows(auditor, stream="portal") == ["轮换密钥 keys"]
    assert rows(auditor, subject="0123 4567 8901") == ["提出申请 0123 4567 8901"]
    assert rows(auditor, action="proof.read") == ["打开证明扫描件 0123 4567 8902"]
    reads = rows(auditor, action="reads.*")
    assert [line.split()[0] for line in reads] == ["查看完整证件号码", "打开证明扫描件"]
    assert rows(auditor, action="reads.*", subject="012345678901") == []


def test_by_days_of_beijing_the_last_included(auditor: Client) -> None:
    for day, hour, minute in ((1, 0, 0), (1, 23, 59), (2, 0, 0), (3, 12, 0)):
        write(at=datetime(2023, 12, day, hour, minute, tzinfo=clock.BEIJING), stream_id=f"{day}-{hour}")
    assert rows(auditor, since="2023-12-01", until="2023-12-01") == ["轮换密钥 1-23", "轮换密钥 1-0"]
    assert rows(auditor, since="2023-12-02") == ["轮换密钥 3-12", "轮换密钥 2-0"]
    assert rows(auditor, until="2023-12-02") == ["轮换密钥 2-0", "轮换密钥 1-23", "轮换密钥 1-0"]
    wrong = auditor.get(PAGE, {"since": "2023-12-02", "until": "2023-12-01"}).content.decode()
    assert 'id="audit_until_error"' in wrong
    for day in ("yesterday", "0001-01-01", "9999-12-31"):
        for field in ("since", "until"):
            assert f'id="audit_{field}_error"' in auditor.get(PAGE, {field: day}).content.decode()


def test_only_what_was_found_gets_into_an_address(auditor: Client, candidate: Candidate) -> None:
    write(stream="identity_request", stream_id="012345678901", action="proof.read")
    found = auditor.post(SEARCH, {"person": candidate.user.username, "subject": "", "action": "reads.*"})
    assert found["Location"] == f"{PAGE}?person={candidate.user.username}&action=reads.%2A"
    found = auditor.post(SEARCH, {"subject": "0123 4567 8901", "person": ""})
    assert [event.what for event in auditor.get(found["Location"]).context["cl"].events] == ["打开证明扫描件"]
    for field in ("person", "subject"):
        page = auditor.post(SEARCH, {field: candidate.id_number, "action": "reads.*"})
        content = page.content.decode()
        assert page.status_code == 200 and page.context["cl"].events == []
        assert f'id="audit_{field}_error"' in content
        assert f'value="{candidate.id_number}"' in content, "once, on the page that answers"
        assert candidate.id_number not in auditor.get(PAGE).content.decode()
        assert candidate.id_number not in str(dict(auditor.session))
    assert auditor.get(SEARCH)["Location"] == PAGE


def test_a_number_outside_of_ones_territory_is_as_unknown_as_any(exam: object) -> None:
    write(stream="identity_request", stream_id="012345678901", action="proof.read")
    desk = staff_client(of_region("43", "region_admin"))
    for number in ("012345678901", "999999999999"):
        assert 'id="audit_subject_error"' in desk.post(SEARCH, {"subject": number}).content.decode()


@pytest.mark.parametrize("query", [{"id__gt": "0"}, {"actor_id": "1"}, {"reason__contains": "x"}, {"action__in": "a"}])
def test_nothing_else_is_asked_of_the_ledger(auditor: Client, query: dict[str, str]) -> None:
    assert auditor.get(PAGE, query).status_code == 400, "an address that somebody made up"


def test_pages_follow_each_other_with_their_filters(auditor: Client) -> None:
    for number in range(120):
        write(at=clock.now() + timedelta(seconds=number // 3), stream_id=str(number))
        write(action="exam_year.applied", stream="exam", stream_id=str(number))
    seen: list[str] = []
    address = f"{PAGE}?stream=portal&person="
    for _ in range(3):
        listed = auditor.get(address).context["cl"]
        seen += [event.subject for event in listed.events]
        address = PAGE + listed.older
    assert seen == [str(number) for number in reversed(range(120))]
    assert auditor.get(PAGE + listed.newer).context["cl"].events[0].subject == "69"


# --- Territory ------------------------------------------------------------------------------------
def test_a_region_sees_what_its_own_staff_did_while_they_were_its_staff(exam: object, candidate: Candidate) -> None:
    admin, own, others = of_region("43", "region_admin"), clerk(), clerk("1201")
    moved = clerk("1201")
    at = clock.now()
    write(working_as(own), stream_id="own")
    write(working_as(others), stream_id="others")
    write(working_as(moved), stream_id="before", at=at)
    write(acting(candidate), stream_id="candidate")
    StaffAssignment.objects.filter(pk=moved.pk).update(valid_until=at + timedelta(hours=1))
    now = factories.make_staff(region="43", since=at + timedelta(hours=1), user=moved.user)
    write(working_as(now), stream_id="after", at=at + timedelta(hours=2))
    about = {"stream": "staff", "stream_id": str(moved.user_id)}
    write(action="sign_in.failed", at=at, **about)
    write(action="two_step.reset", at=at + timedelta(hours=2), **about)
    staff.end(actor=SYSTEM, assignment=own, at=clock.now())
    desk = staff_client(admin)
    assert {line.split()[1] for line in rows(desk) if "轮换" in line} == {"own", "after"}
    assert [line.split()[0] for line in rows(desk, stream="staff")] == ["重置两步验证", "终止角色"], "and about them"
    assert {line.split()[1] for line in rows(staff_client(of_nation())) if "轮换" in line} == {
        "own",
        "others",
        "before",
        "candidate",
        "after",
    }


def test_a_region_is_told_the_same_of_anothers_username_as_of_nobodys(exam: object) -> None:
    desk = staff_client(of_region("43", "region_admin"))
    token = re.compile(r'csrfmiddlewaretoken" value="[^"]+"')
    pages = [
        token.sub("", desk.get(PAGE, {"person": name}).content.decode()).replace(name, "…")
        for name in (of_region("12").user.username, factories.make_candidate().user.username, "nobody.here")
    ]
    assert (
        len({text[text.index('id="audit"') : text.index("</form>", text.index('id="audit"'))] for text in pages}) == 1
    )
    assert "audit_person_error" in pages[0]


@pytest.mark.parametrize("make", [clerk, of_region])
def test_others_of_staff_have_no_audit_page(exam: object, make: Any) -> None:
    assert staff_client(make()).get(PAGE).status_code == 403


# --- Whether it is whole --------------------------------------------------------------------------
@pytest.mark.parametrize("role", ["auditor", "national_admin"])
def test_a_home_page_warns_when_the_ledger_is_not_verified_to_be_whole(exam: object, at_time: Any, role: str) -> None:
    def warning() -> str:
        home = staff_client(of_nation(role)).get("/staff/")
        with translation.override("en"):
            return " ".join(str(alert.label) for alert in home.context["alerts"])

    assert warning() == "The ledger has never been verified."
    ledger.verify_and_note(at=clock.now())
    assert warning() == ""
    at_time(clock.now() + timedelta(days=2, minutes=5))
    assert warning() == "The ledger was last verified more than two days ago."
    LedgerVerification.objects.create(
        at=clock.now(), events=5, faults=1, first_faults="candidate:1 event 2: was altered"
    )
    assert warning() == "The last verification of the ledger found faults."


def test_others_are_not_warned_of_what_they_cannot_look_into(exam: object) -> None:
    for member in (clerk(), of_region(), of_region("43", "region_admin")):
        assert staff_client(member).get("/staff/").context["alerts"] == []


def test_the_head_of_the_page_says_what_the_last_verification_found(auditor: Client) -> None:
    assert "审计日志尚未校验过" in text_of(auditor.get(PAGE))
    write()
    ledger.verify_and_note(at=datetime(2023, 12, 5, 3, 20, tzinfo=clock.BEIJING))
    text = text_of(auditor.get(PAGE))
    assert "共 1 条记录，0 处异常" in text
    assert "verify_ledger" not in text
    LedgerVerification.objects.create(
        at=clock.now(), events=5, faults=2, first_faults="candidate:1 event 2: was altered"
    )
    text = text_of(auditor.get(PAGE))
    assert "共 5 条记录，2 处异常" in text
    assert "candidate:1 event 2: was altered" in text
    assert "请运维人员运行" in text


@pytest.mark.parametrize("with_subject", [True, False])
def test_an_empty_history_is_as_wide_as_its_head(with_subject: bool) -> None:
    table = render_to_string("includes/history.html", {"history": [], "with_subject": with_subject})
    assert f'colspan="{table.count("<th scope=")}"' in table

"""Applications about identities on the pages of the exam point and the region (R07, R28)."""

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.test import Client

from accounts.actors import acting, working_as
from accounts.models import Candidate, IdentityRequest, LedgerEvent, Point, StaffAssignment
from exam_portal import clock
from exam_portal.kit import scans
from exam_portal.kit.errors import Refused
from registration.models import Application
from registration.services import applications
from tests import factories
from tests.accounts.requests import PROOF, ask_change, ask_deletion, check, report
from tests.factories import resident_id
from tests.staff.desks import actions, clerk, of_nation, of_region, page, scan, text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R07")]


# --- One application ------------------------------------------------------------------------------
def test_old_and_new_stand_side_by_side_and_the_places_that_differ_are_told(candidate: Candidate, point: Point) -> None:
    new = resident_id(7)
    row = ask_change(candidate, point, name="张珊", id_number=new)
    response = staff_client(clerk()).get(page(row))
    content, text = response.content.decode(), text_of(response)
    assert candidate.id_number not in content
    assert new not in content
    assert "张三" in text and "张珊" in text
    differing = [
        place for place, pair in enumerate(zip(candidate.id_number, new, strict=True), 1) if len(set(pair)) > 1
    ]
    assert content.count("<mark>") == 2 * len(differing)
    assert f"第 {', '.join(map(str, differing))} 位不同" in text
    assert row.telephone in text and row.reason in text
    assert candidate.user.username in text
    assert "没有妨碍办理的事项" in text
    assert "提出申请" in text, "the history, in words"


def test_the_page_takes_no_more_queries_with_a_long_history(
    candidate: Candidate, point: Point, django_assert_max_num_queries: Any
) -> None:
    row, desk = ask_deletion(candidate, point), staff_client(clerk())
    for _ in range(30):
        desk.post(page(row, "reveal"), {"reason": "核对"})
    with django_assert_max_num_queries(12):
        desk.get(page(row))


def test_whether_the_number_has_an_account_is_said(exam: object, candidate: Candidate, point: Point) -> None:
    desk = staff_client(clerk())
    assert "该证件号码没有注册账户" in text_of(desk.get(page(report(resident_id(9), point))))
    assert desk.get(page(report(candidate.id_number, point))).context["has_account"]


# --- The exam point -------------------------------------------------------------------------------
def test_the_point_checks_and_a_new_name_is_carried_out(
    candidate: Candidate, point: Point, private_files: Path
) -> None:
    row, member = ask_change(candidate, point, name="张珊"), clerk()
    desk = staff_client(member)
    assert "核验无误：修改姓名" in text_of(desk.get(page(row)))
    response = desk.post(page(row, "check"), {"proof": scan(), "remark": "原件相符"}, follow=True)
    assert "已办理。" in text_of(response)
    candidate.refresh_from_db()
    row.refresh_from_db()
    assert (candidate.name, row.state, row.remark, row.checked_by) == ("张珊", "done", "原件相符", member.user)
    assert (private_files / row.proof.name).read_bytes() == PROOF
    assert "核验无误" not in text_of(desk.get(page(row))), "nothing is left to do"


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        (b"<html>", "PDF、JPEG"),
        (b"%PDF-" + b" " * scans.MOST_BYTES, "10 MB"),
        (b"\xff\xd8\xff\xe0 cut off", "PDF、JPEG"),
        (None, "必填"),
        (b"", "空"),
    ],
)
def test_what_is_no_scan_is_said_beside_the_field_and_the_remark_stays(
    candidate: Candidate, point: Point, proof: bytes | None, says: str
) -> None:
    row = ask_change(candidate, point, name="张珊")
    sent: dict[str, Any] = {"remark": "户口簿与身份证相符"}
    if proof is not None:
        sent["proof"] = scan(proof)
    response = staff_client(clerk()).post(page(row, "check"), sent)
    content = response.content.decode()
    error = content[content.index('id="check_proof_error"') :].split("</div>\n</div>")[0]
    assert says in error or says in text_of(response)
    assert "户口簿与身份证相符</textarea>" in content
    assert 'href="#check_proof"' in content, "the summary leads to the field"
    row.refresh_from_db()
    candidate.refresh_from_db()
    assert (row.state, row.proof, candidate.name) == ("made", "", "张三")


def test_a_changed_number_is_handed_on_and_whoever_checked_it_does_not_decide(
    candidate: Candidate, point: Point
) -> None:
    row, desk = ask_change(candidate, point, id_number=resident_id(7)), staff_client(clerk())
    response = desk.post(page(row, "check"), {"proof": scan()}, follow=True)
    assert "已转考区审批" in text_of(response)
    row.refresh_from_db()
    assert row.state == "checked"
    assert desk.post(page(row, "approve")).status_code == 403
    # The point has handed it on: refusing it is the region's too.
    answer = desk.post(page(row, "refuse"), {"reason": "不想办"}, follow=True)
    row.refresh_from_db()
    assert row.state == "checked"
    assert "不予办理的原因" not in text_of(answer)


def test_refusing_wants_a_reason_and_the_applicant_reads_it(candidate: Candidate, point: Point) -> None:
    row, desk = ask_deletion(candidate, point), staff_client(clerk())
    for reason in ("", "   "):
        response = desk.post(page(row, "refuse"), {"reason": reason})
        assert b'id="refuse_reason_error"' in response.content
    row.refresh_from_db()
    assert row.state == "made"
    desk.post(page(row, "refuse"), {"reason": "未带户口簿"})
    row.refresh_from_db()
    assert (row.state, row.refusal) == ("refused", "未带户口簿")
    assert actions(stream="identity_request", stream_id=row.number)[-1] == "identity_request.refused"


def test_an_error_of_the_service_keeps_what_was_typed(draft: Application, point: Point) -> None:
    """A live registration stands against it: said with its region, and by the service when one tries nevertheless."""
    row = ask_change(draft.candidate, point, name="张珊")
    submit(draft)
    desk = staff_client(clerk())
    text = text_of(desk.get(page(row)))
    assert "妨碍办理" in text and draft.exam.title in text and "湖南 湖南第01考点" in text
    assert "终止……" not in text, "closing is the region's"
    response = desk.post(page(row, "check"), {"proof": scan(), "remark": "已核对"})
    assert draft.exam.title in text_of(response)
    assert "已核对</textarea>" in response.content.decode()
    row.refresh_from_db()
    assert row.state == "made"


# --- The region -----------------------------------------------------------------------------------
def test_the_region_approves_a_changed_number_as_the_second_person(candidate: Candidate, point: Point) -> None:
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()))
    member = of_region()
    desk = staff_client(member)
    assert "审批（须由核验人以外的人办理）" in text_of(desk.get(page(row)))
    desk.post(page(row, "approve"), {"remark": "同意"})
    candidate.refresh_from_db()
    row.refresh_from_db()
    assert (candidate.id_number, row.state, row.decided_by) == (resident_id(7), "done", member.user)
    assert row.remark == "原件相符\n同意"


def test_the_region_has_an_account_deleted_that_somebody_else_made(candidate: Candidate, point: Point) -> None:
    row = check(report(candidate.id_number, point), working_as(clerk()))
    desk = staff_client(of_region())
    assert "批准：删除该账户" in text_of(desk.get(page(row)))
    assert "已办理" in text_of(desk.post(page(row, "approve"), {"remark": ""}, follow=True))
    candidate.refresh_from_db()
    assert candidate.deleted_at is not None
    assert "该账户已删除" in text_of(desk.get(page(row)))


def test_somebody_who_checked_it_and_came_to_the_region_is_told_that_another_decides(
    candidate: Candidate, point: Point
) -> None:
    row = ask_change(candidate, point, id_number=resident_id(7))
    member = clerk()
    check(row, working_as(member))
    StaffAssignment.objects.filter(pk=member.pk).update(valid_until=clock.now())
    again = StaffAssignment.objects.create(
        user=member.user, name=member.name, role="region_reviewer", region_id="43", valid_from=clock.now()
    )
    desk = staff_client(again)
    shown = desk.get(page(row))
    text = text_of(shown)
    assert str(shown.context["another_decides"]) in text
    assert "审批（须由核验人以外的人办理）" not in text
    desk.post(page(row, "approve"), {"remark": ""})
    row.refresh_from_db()
    assert row.state == "checked"


@pytest.mark.rule("R28")
@pytest.mark.parametrize("act", ["check", "approve", "refuse", "reveal", "proof"])
def test_nobody_acts_on_what_is_another_regions(candidate: Candidate, point: Point, act: str) -> None:
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()))
    before = LedgerEvent.objects.count()
    for member in (
        clerk("1201"),
        of_region("12"),
        of_region("12", "region_admin"),
        of_nation(),
        of_nation("national_admin"),
    ):
        answer = staff_client(member).post(page(row, act), {"reason": "x", "remark": "x", "proof": scan()})
        assert answer.status_code in {403, 404}
    row.refresh_from_db()
    assert (row.state, LedgerEvent.objects.count()) == ("checked", before)


def submit(application: Application) -> None:
    applications.submit(application=application, actor=acting(application.candidate), at=clock.now())


# --- Closing what stands against it ---------------------------------------------------------------
def closing(application: Application) -> str:
    return f"/staff/registration/application/{application.pk}/close/"


def test_the_region_closes_the_live_registration_first(draft: Application, point: Point) -> None:
    row = ask_change(draft.candidate, point, name="张珊")
    submit(draft)
    desk = staff_client(of_region())
    link = f"{closing(draft)}?request={row.number}"
    assert f'href="{link}"' in desk.get(page(row)).content.decode()
    assert f'value="{row.number}"' in desk.get(link).content.decode()
    response = desk.post(link, {"request": row.number, "reason": "证件更正"})
    assert response.headers["Location"] == page(row)
    draft.refresh_from_db()
    assert (draft.state, draft.last_transition) == ("abandoned", "close_submitted")
    assert "没有妨碍办理的事项" in text_of(staff_client(clerk()).get(page(row)))


@pytest.mark.parametrize(
    ("number", "reason", "field"),
    [
        ("own", "", "reason"),
        ("0000 0000 0000", "更正", "request"),
        ("another", "更正", "request"),
        ("x", "更正", "request"),
    ],
)
def test_closing_wants_an_open_application_about_this_candidate_and_a_reason(
    draft: Application, point: Point, number: str, reason: str, field: str
) -> None:
    numbers = {
        "own": ask_change(draft.candidate, point, name="张珊").number,
        "another": ask_deletion(factories.make_candidate(), point).number,
    }
    submit(draft)
    response = staff_client(of_region()).post(
        closing(draft), {"request": numbers.get(number, number), "reason": reason}
    )
    assert f'id="id_{field}_error"' in response.content.decode()
    assert f"{reason}</textarea>" in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "submitted"


@pytest.mark.rule("R28")
def test_a_region_closes_its_own_registration_for_an_application_at_another_regions_point(
    draft: Application, exam: object
) -> None:
    """The number, told by telephone, is enough; it leads to no page that is not this region's."""
    elsewhere = Point.objects.get(code="1201")
    row = check(report(draft.candidate.id_number, elsewhere), working_as(factories.make_staff(elsewhere)))
    submit(draft)
    desk: Client = staff_client(of_region())
    assert desk.post(closing(draft), {"request": row.number, "reason": "冒用"}).headers["Location"] == "/staff/"
    draft.refresh_from_db()
    assert draft.state == "abandoned"
    assert staff_client(of_region("12")).post(closing(draft), {"request": row.number, "reason": "x"}).status_code == 404


@pytest.mark.rule("R07")
def test_what_cannot_be_undone_is_done_by_who_has_proved_who_they_are(candidate: Candidate, point: Point) -> None:
    """A session that somebody left open, or a stolen one, deletes nobody's account."""
    row = ask_deletion(candidate, point)
    member = clerk()
    thief = staff_client(member, proved=False)
    shown = thief.get(page(row))
    assert shown.context["proof_url"].startswith("/account/confirm/?next=")
    assert 'name="proof"' not in shown.content.decode()
    longest_ago = staff_client(member)
    with mock.patch("accounts.two_step._since_proof", return_value=30 * 60 + 1.0):
        answer = longest_ago.post(page(row, "check"), {"proof": scan(), "remark": ""})
    assert answer.headers["Location"].startswith("/account/confirm/")
    row.refresh_from_db()
    assert row.state == "made"
    # The form was shown to who had proved it, and is taken for half an hour.
    assert thief.post(page(row, "check"), {"proof": scan(), "remark": ""}).headers["Location"] == page(row)


def test_an_application_that_went_meanwhile_leads_to_the_list(candidate: Candidate, point: Point) -> None:
    row = ask_change(candidate, point, name="张珊")

    def gone(**_how: Any) -> None:
        IdentityRequest.objects.filter(pk=row.pk).delete()
        raise Refused("gone", code="wrong_state")

    with mock.patch("accounts.services.identity_desk.check", gone):
        answer = staff_client(clerk()).post(page(row, "check"), {"proof": scan(), "remark": ""})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/accounts/identityrequest/")

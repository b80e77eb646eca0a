"""Deleting an account, and what stands against changing or deleting one (R07)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts import queries
from accounts.actors import Actor, acting
from accounts.models import Candidate, EducationRecord, EmailCode, IdentityRequest, LedgerEvent, Message, Point, User
from accounts.services import (
    calendar,
    credentials,
    education,
    identity_desk,
    identity_requests,
    keys,
    ledger,
    profile,
    recovery,
    sessions,
    wechat,
)
from exam_portal import clock
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.accounts.requests import approve, ask_change, ask_deletion, check, paper, refusal, report
from tests.accounts.test_registering import sign_up
from tests.factories import resident_id

pytestmark = pytest.mark.django_db


def refreshed(candidate: Candidate) -> Candidate:
    return Candidate.objects.select_related("user").get(pk=candidate.pk)


# --- Deleting -----------------------------------------------------------------------------------
@pytest.mark.rule("R07")
def test_a_deleted_account_frees_number_and_username_and_keeps_its_ledger(
    client: Any, point: Point, clerk: Actor
) -> None:
    sign_up(client)
    candidate = Candidate.objects.get()
    digest = candidate.id_digest
    before = LedgerEvent.objects.filter(stream="candidate", stream_id=str(candidate.pk)).count()
    check(ask_deletion(candidate, point), clerk)
    candidate = refreshed(candidate)
    assert (candidate.name, candidate.id_number, candidate.id_digest, candidate.sex) == ("", "", None, "")
    assert candidate.deleted_at is not None and candidate.birth_date is None
    assert not candidate.user.is_active
    assert client.get("/dashboard/").status_code == 302  # its sessions have ended
    events = LedgerEvent.objects.filter(stream="candidate", stream_id=str(candidate.pk)).order_by("position")
    assert events.count() == before + 1
    assert events.last().action == "account.deleted"
    assert events.last().payload["old"] == digest
    assert list(ledger.verify()) == []
    sign_up(type(client)())
    assert Candidate.objects.exclude(pk=candidate.pk).get().user.username == "zhangsan"


@pytest.mark.rule("R07")
def test_deleting_takes_everything_that_the_account_kept(candidate: Candidate, point: Point, clerk: Actor) -> None:
    ask_change(candidate, point, name="张珊")
    link = calendar.make_link(candidate=candidate, actor=acting(candidate), language="en", at=clock.now())
    check(ask_deletion(candidate, point), clerk)
    assert Client().get(reverse("calendar_feed", args=[link.token])).status_code == 404
    kept = {
        relation.related_model._meta.model_name
        for relation in Candidate._meta.related_objects
        if relation.related_model.objects.filter(candidate=candidate).exists()
    }
    assert kept == {"identityrequest"}
    assert IdentityRequest.objects.get().state == "done"


@pytest.mark.rule("R07")
def test_nothing_is_written_to_a_deleted_account(candidate: Candidate, exam: Exam, point: Point, clerk: Actor) -> None:
    check(ask_deletion(candidate, point), clerk)
    actor, at = acting(candidate), clock.now()
    who: dict[str, Any] = {"candidate": candidate, "actor": actor}
    for write in (
        lambda: education.add_education(**who, **factories.education("9")),
        lambda: credentials.save_credential(**who, kind="nurse", since=at.date()),
        lambda: credentials.remove_credential(**who, kind="nurse_registration"),
        lambda: wechat.bind(**who, unionid="u", nickname="", at=at),
        lambda: profile.save_basic_information(**who, values=factories.BASIC),
        lambda: identity_requests.apply_for_deletion(**who, paper=paper(point), at=at),
        lambda: recovery.begin_email(**who, address="a@example.org", password="x"),
        lambda: recovery.remove_email(**who, password="x"),
        lambda: applications.start_application(**who, exam=exam, at=at),
    ):
        assert refusal(write) == "deleted"
    assert not EmailCode.objects.exists()


def test_a_username_that_looks_like_a_deleted_ones_stops_no_deletion(
    candidate: Candidate, point: Point, clerk: Actor
) -> None:
    factories.CandidateFactory(user__username=f"deleted-{candidate.pk}")
    check(ask_deletion(candidate, point), clerk)
    assert User.objects.get(pk=candidate.user_id).username != f"deleted-{candidate.pk}"


@pytest.mark.rule("R07", "R27")
def test_education_goes_only_with_the_account(candidate: Candidate) -> None:
    with pytest.raises(Exception, match="never deleted"), transaction.atomic():
        EducationRecord.objects.filter(candidate=candidate).delete()


@pytest.mark.rule("R07")
def test_a_number_that_somebody_else_took_is_freed_by_point_and_region(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    number = candidate.id_number
    request = check(report(number, point), clerk)
    assert (request.state, request.candidate_id) == ("checked", candidate.pk)
    told = Message.objects.get(kind="account_disputed")
    assert told.candidate == candidate
    assert "李四" not in told.text and point.telephone in told.text
    assert list(queries.identity_requests_of(candidate, made_here=[])) == []  # who reports is not shown to who holds it
    approve(request, region)
    assert not Candidate.objects.filter(deleted_at=None).exists()
    factories.CandidateFactory(id_number=number)


@pytest.mark.rule("R07")
def test_a_report_about_a_number_without_account_is_answered_at_the_point(point: Point, clerk: Actor) -> None:
    request = report(resident_id(7), point)
    assert refusal(lambda: check(request, clerk)) == "no_account"


@pytest.mark.rule("R07")
def test_a_report_is_about_the_account_of_its_time_and_no_later_one(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, at_time: Any
) -> None:
    """The rightful owner signs up anew; what was reported before is not about that account."""
    number = candidate.id_number
    early, second = report(resident_id(9), point), report(number, point, browser="another")
    approve(check(report(number, point), clerk), region)
    at_time(clock.now() + timedelta(days=1))
    for of in (number, resident_id(9)):
        factories.CandidateFactory(id_number=of)
    assert refusal(lambda: check(second, clerk)) == "wrong_state"  # void
    assert refusal(lambda: check(early, clerk)) == "outdated"
    assert Candidate.objects.filter(deleted_at=None).count() == 2


@pytest.mark.rule("R07")
@pytest.mark.parametrize("by", ["report", "holder"])
def test_deleting_an_account_voids_all_reports_of_its_number_on_record(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, settings: Any, by: str
) -> None:
    others = [report(candidate.id_number, point, browser=f"browser {n}").number for n in range(2)]
    settings.PORTAL_LOOKUP_KEY_NEXT = "another"
    kept = report(resident_id(9), point)
    if by == "report":
        approve(check(report(candidate.id_number, point), clerk), region)
    else:
        check(ask_deletion(candidate, point), clerk)
    assert list(IdentityRequest.objects.filter(state="made")) == [kept]
    removed = LedgerEvent.objects.filter(action="identity_request.removed").order_by("pk")
    assert [(event.stream_id, event.actor_kind) for event in removed] == [(number, "staff") for number in others]


@pytest.mark.rule("R07")
def test_a_refused_report_tells_the_holder_that_the_account_stays(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(report(candidate.id_number, point), clerk)
    identity_desk.refuse(request=request, actor=region, reason="证据不足", at=clock.now())
    assert "证据不足" not in Message.objects.get(kind="identity_refused").text
    assert User.objects.get(pk=candidate.user_id).is_active


def test_sessions_of_a_deleted_account_end_everywhere(
    client: Any, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(client)
    candidate = Candidate.objects.get()
    sign_in = type(client)()
    sign_in.post("/account/login/", {"login": "zhangsan", "password": "correct horse battery"})
    assert sign_in.get("/dashboard/").status_code == 200
    check(ask_deletion(candidate, point), clerk)
    assert [browser.get("/dashboard/").status_code for browser in (client, sign_in)] == [302, 302]
    assert sessions.end_all(user=User.objects.get(pk=candidate.user_id)) == 0


def test_rotating_both_keys_passes_a_deleted_account_and_decided_requests(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor, settings: Any
) -> None:
    check(ask_deletion(candidate, point), clerk)
    identity_desk.refuse(
        request=ask_change(newcomer, point, name="张珊"), actor=clerk, reason="证明不足", at=clock.now()
    )
    settings.PORTAL_ENCRYPTION_KEYS = ["another one", *settings.PORTAL_ENCRYPTION_KEYS]
    settings.PORTAL_LOOKUP_KEY_NEXT = "another"
    progress = list(keys.rotate())
    assert [problem for step in progress for problem in step.problems] == []
    candidate.refresh_from_db()
    newcomer.refresh_from_db()
    assert (candidate.id_digest_next, newcomer.id_digest_next is None) == (None, False)
    assert [step.changed for step in keys.rotate()][-1] == 0
    settings.PORTAL_ENCRYPTION_KEYS = ["another one"]
    assert Candidate.objects.get(pk=newcomer.pk).id_number == newcomer.id_number
    assert {request.name for request in IdentityRequest.objects.all()} == {"张三"}


@pytest.mark.rule("R07")
def test_an_account_is_found_in_either_column_while_keys_rotate(
    candidate: Candidate, point: Point, clerk: Actor, settings: Any
) -> None:
    request = report(candidate.id_number, point)
    settings.PORTAL_LOOKUP_KEY, settings.PORTAL_LOOKUP_KEY_NEXT = "new", settings.PORTAL_LOOKUP_KEY
    assert check(request, clerk).candidate == candidate


# --- Live applications ----------------------------------------------------------------------------
@pytest.mark.rule("R07")
def test_a_live_application_stands_against_it_until_it_is_withdrawn(
    draft: Application, point: Point, clerk: Actor
) -> None:
    candidate = draft.candidate
    request = ask_change(candidate, point, name="张珊")
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    assert refusal(lambda: check(request, clerk)) == "guarded"
    applications.withdraw(application=draft, actor=acting(candidate), at=clock.now())
    check(request, clerk)
    submission = applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    assert (submission.version, submission.content["candidate"]["name"]) == (2, "张珊")


@pytest.mark.rule("R07")
@pytest.mark.parametrize("kind", ["change", "delete"])
def test_the_region_closes_a_live_application_first(
    draft: Application, point: Point, clerk: Actor, region: Actor, kind: str
) -> None:
    candidate = draft.candidate
    submission = applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    request = ask_change(candidate, point, name="张珊") if kind == "change" else ask_deletion(candidate, point)
    assert refusal(lambda: check(request, clerk)) == "guarded"
    applications.close_for_identity(application=draft, request=request, actor=region, reason="姓名有误", at=clock.now())
    draft.refresh_from_db()
    assert (draft.state, draft.last_transition) == ("abandoned", "close_submitted")
    check(request, clerk)
    submission.refresh_from_db()
    assert submission.content["candidate"]["name"] == "张三"


@pytest.mark.rule("R28")
def test_only_the_own_region_closes_and_with_a_reason(draft: Application, clerk: Actor, region: Actor) -> None:
    point = Point.objects.get(code="4301")
    how: dict[str, Any] = {"application": draft, "at": clock.now()}
    submitting = dict(how)
    how["request"] = ask_change(draft.candidate, point, name="张珊")
    assert refusal(lambda: applications.close_for_identity(actor=region, reason="x", **how)) == "wrong_state"
    applications.submit(actor=acting(draft.candidate), **submitting)
    elses = how | {"request": ask_change(factories.CandidateFactory(), point, name="张珊")}
    assert refusal(lambda: applications.close_for_identity(actor=region, reason="x", **elses)) == "no_request"
    assert refusal(lambda: applications.close_for_identity(actor=region, reason=" ", **how)) == "no_reason"
    for other in (clerk, factories.staff_of(None, "12"), acting(draft.candidate)):
        act = lambda other=other: applications.close_for_identity(actor=other, reason="x", **how)  # noqa: E731
        assert refusal(act) == "forbidden"
    draft.refresh_from_db()
    assert draft.state == "submitted"


@pytest.mark.rule("R07")
@pytest.mark.parametrize("became", ["refused", "removed", "outdated", "older than the account"])
def test_nothing_is_closed_for_what_is_no_longer_open(
    draft: Application, point: Point, clerk: Actor, region: Actor, became: str, at_time: Any
) -> None:
    candidate, at = draft.candidate, clock.now()
    request = ask_change(candidate, point, name="张珊")
    if became == "refused":
        identity_desk.refuse(request=IdentityRequest.objects.get(), actor=clerk, reason="证明不足", at=at)
    elif became == "removed":
        ask_deletion(candidate, point)
    elif became == "outdated":
        waiting = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
        request = ask_change(candidate, point, name="张珊")
        approve(waiting, region)
    else:
        request = report(resident_id(9), point)
        at_time(at + timedelta(days=1))
        later = factories.CandidateFactory(id_number=resident_id(9))
        factories.give_basic_information(later)
        factories.give_photo(later)
        factories.give_education(later)
        factories.give_wechat(later)
        factories.give_credentials(later)
        draft = factories.make_draft(later, draft.exam)
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    close = lambda: applications.close_for_identity(  # noqa: E731
        application=draft, request=request, actor=region, reason="x", at=clock.now()
    )
    assert refusal(close) == "no_request"
    draft.refresh_from_db()
    assert draft.state == "submitted"


def test_once_the_exam_is_over_nothing_is_live(draft: Application, point: Point, clerk: Actor, at_time: Any) -> None:
    request = ask_change(draft.candidate, point, name="张珊")
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    last = max(draft.exam.days)
    at_time(clock.now().replace(year=last.year, month=last.month, day=last.day))
    assert refusal(lambda: check(request, clerk)) == "guarded"
    at_time(clock.now() + timedelta(days=1))
    check(request, clerk)

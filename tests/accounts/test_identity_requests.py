"""Changing an identity and deleting an account: the services (R07)."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.utils import translation
from PIL import Image
from stdnum.iso7064 import mod_11_2

from accounts.actors import Actor, acting
from accounts.models import Candidate, IdentityRequest, LedgerEvent, Message, Point
from accounts.services import identity_desk, identity_requests, ledger
from accounts.services.identity_requests import Identity
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.scans import NoScan
from tests import factories
from tests.accounts.requests import PROOF, approve, ask_change, ask_deletion, check, paper, refusal, report
from tests.accounts.test_registering import sign_up
from tests.factories import resident_id
from tests.photos import files

pytestmark = pytest.mark.django_db


TRUNCATED = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x04IHDR\x00\x00\x00\x01" + b"\x00" * 4


# --- A name -------------------------------------------------------------------------------------
@pytest.mark.rule("R07", "R30")
def test_the_point_carries_out_a_new_name_alone(candidate: Candidate, point: Point, clerk: Actor) -> None:
    request = ask_change(candidate, point, name="王𠮷 • 努尔")
    check(request, clerk)
    candidate.refresh_from_db()
    assert candidate.name == "王𠮷·努尔"
    request.refresh_from_db()
    assert (request.state, request.changes, request.needs_region) == ("done", ["name"], False)
    assert request.checked_by_id == request.decided_by_id == int(clerk.id)


@pytest.mark.rule("R07")
def test_what_was_done_is_on_record_with_both_values_who_why_and_the_scan(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    old, new = candidate.id_number, resident_id(7)
    digest = candidate.id_digest
    request = approve(check(ask_change(candidate, point, name="张珊", id_number=new), clerk), region)
    request = IdentityRequest.objects.get(pk=request.pk)
    assert (request.name, request.id_number, request.new_name, request.new_id_number) == ("张三", old, "张珊", new)
    assert (request.checked_by_id, request.decided_by_id) == (int(clerk.id), int(region.id))
    assert request.remark == "原件相符\n同意"
    with default_storage.open(request.proof.name) as scan:
        assert scan.read() == PROOF
    event = LedgerEvent.objects.get(stream="candidate", stream_id=str(candidate.pk), action="identity.changed")
    candidate.refresh_from_db()
    assert event.payload == {
        "request": request.number,
        "fields": ["name", "id_number"],
        "old": digest,
        "new": candidate.id_digest,
    }
    assert (event.actor_kind, event.actor_id) == ("staff", region.id)
    made, checked, done = LedgerEvent.objects.filter(stream="identity_request").order_by("position")
    assert [e.action.partition(".")[2] for e in (made, checked, done)] == ["made", "checked", "done"]
    assert list(ledger.verify()) == []


@pytest.mark.rule("R07")
def test_what_is_personal_is_encrypted_and_not_in_the_ledger(candidate: Candidate, point: Point, clerk: Actor) -> None:
    ask_change(candidate, point, name="欧阳娜娜")
    with connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM accounts_identityrequest r")
        (row,) = cursor.fetchone()
        cursor.execute("SELECT string_agg(e::text, '') FROM accounts_ledgerevent e")
        (events,) = cursor.fetchone()
    for personal in ("欧阳娜娜", "张三", candidate.id_number, "13800000000", "登记时输错"):
        assert personal not in row + events


# --- An ID --------------------------------------------------------------------------------------
@pytest.mark.rule("R04", "R07")
def test_another_id_number_waits_for_the_region_and_then_signs_in(
    client: Any, point: Point, clerk: Actor, region: Actor
) -> None:
    sign_up(client)
    candidate = Candidate.objects.get()
    body = "11010119851231001"
    new = body + mod_11_2.calc_check_digit(body)
    request = check(ask_change(candidate, point, id_number=new), clerk)
    candidate.refresh_from_db()
    assert (request.state, request.needs_region, candidate.id_number) == ("checked", True, "11010119900307002X")
    approve(request, region)
    candidate.refresh_from_db()
    assert (candidate.id_number, str(candidate.birth_date), candidate.sex) == (new, "1985-12-31", "M")
    password = "correct horse battery"
    assert authenticate(username=new, password=password) == candidate.user
    assert authenticate(username="11010119900307002X", password=password) is None
    assert authenticate(username="zhangsan", password=password) == candidate.user


@pytest.mark.rule("R07", "R18")
def test_another_id_is_told_with_what_becomes_of_last_years_results(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    check(ask_change(candidate, point, name="张珊"), clerk)
    approve(check(ask_change(refreshed(candidate), point, id_number=resident_id(7)), clerk), region)
    with translation.override("zh-hans"):
        renamed, renumbered = (m.text for m in Message.objects.filter(kind="identity_changed").order_by("pk"))
    assert "合并" not in renamed
    assert "到考点申请合并成绩；未申请的，视为放弃上一年度成绩" in renumbered
    assert point.telephone in renumbered


def refreshed(candidate: Candidate) -> Candidate:
    return Candidate.objects.select_related("user").get(pk=candidate.pk)


@pytest.mark.rule("R07")
def test_the_old_number_signs_up_anew(
    client: Any, candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    old = candidate.id_number
    approve(check(ask_change(candidate, point, id_number=resident_id(7)), clerk), region)
    sign_up(client, id_number=old, id_number_again=old)
    assert Candidate.objects.exclude(pk=candidate.pk).get().id_number == old


@pytest.mark.rule("R07")
def test_another_id_type_is_decided_by_the_region_too(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_type="passport", id_number="E12345678"), clerk)
    assert request.state == "checked"
    approve(request, region)
    candidate.refresh_from_db()
    assert (candidate.id_type, candidate.id_number, candidate.sex) == ("passport", "E12345678", "F")


@pytest.mark.rule("R28")
def test_the_second_person_is_another_one_of_the_region(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    both = Actor(kind="staff", id=clerk.id, role="region_reviewer", region="43")
    assert refusal(lambda: approve(request, both)) == "same_person"
    for other in (clerk, factories.staff_of(None, "12"), acting(candidate), Actor(kind="system")):
        assert refusal(lambda other=other: approve(request, other)) == "forbidden"


@pytest.mark.rule("R28")
def test_only_the_point_to_which_it_is_brought_checks(candidate: Candidate, point: Point, region: Actor) -> None:
    request = ask_change(candidate, point, name="张珊")
    neighbour = factories.staff_of(Point.objects.get(code="4302"))
    for other in (neighbour, region, acting(candidate), Actor(kind="visitor")):
        assert refusal(lambda other=other: check(request, other)) == "forbidden"


# --- Refusals -----------------------------------------------------------------------------------
def test_nothing_to_change_is_told(candidate: Candidate, point: Point) -> None:
    assert refusal(lambda: ask_change(candidate, point, name=" 张三 ")) == "unchanged"


@pytest.mark.parametrize(
    "wanted", [{"name": "张3"}, {"id_number": "110101199003070021"}, {"id_type": "passport", "id_number": "1"}]
)
def test_a_new_identity_is_checked_as_at_sign_up(candidate: Candidate, point: Point, wanted: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ask_change(candidate, point, **wanted)
    assert not IdentityRequest.objects.exists()


@pytest.mark.rule("R04")
def test_a_number_of_another_account_is_refused_when_asked_and_when_carried_out(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    assert refusal(lambda: ask_change(candidate, point, id_number=newcomer.id_number)) == "id_taken"
    request = ask_change(candidate, point, id_number=resident_id(7))
    factories.CandidateFactory(id_number=resident_id(7))
    assert refusal(lambda: check(request, clerk)) == "id_taken"


def test_a_candidate_applies_for_nobody_else(candidate: Candidate, newcomer: Candidate, point: Point) -> None:
    for apply in (
        lambda: identity_requests.apply_for_deletion(
            candidate=candidate, actor=acting(newcomer), paper=paper(point), at=clock.now()
        ),
        lambda: identity_requests.apply_for_change(
            candidate=candidate,
            actor=acting(newcomer),
            wanted=Identity(name="某人", id_type="passport", id_number="E12345678"),
            paper=paper(point),
            at=clock.now(),
        ),
    ):
        assert refusal(apply) == "forbidden"


def test_a_later_application_voids_the_one_not_brought(candidate: Candidate, point: Point, clerk: Actor) -> None:
    ask_change(candidate, point, name="张珊")
    second = ask_change(candidate, point, name="张姗")
    assert IdentityRequest.objects.get() == second
    actions = LedgerEvent.objects.filter(stream="identity_request").order_by("pk").values_list("action", flat=True)
    assert [action.partition(".")[2] for action in actions] == ["made", "removed", "made"]


@pytest.mark.parametrize("apply", [ask_deletion, lambda candidate, point: ask_change(candidate, point, name="张珊")])
def test_the_same_applied_for_twice_on_a_day_is_once(candidate: Candidate, point: Point, apply: Any) -> None:
    assert apply(candidate, point) == apply(candidate, point) == IdentityRequest.objects.get()
    assert LedgerEvent.objects.filter(action="identity_request.made").count() == 1


def test_the_same_applied_for_on_a_later_day_has_its_full_time(
    candidate: Candidate, point: Point, at_time: Any
) -> None:
    first = ask_deletion(candidate, point)
    at_time(clock.now() + timedelta(days=1))
    second = ask_deletion(candidate, point)
    assert IdentityRequest.objects.get() == second != first
    assert second.made_at > first.made_at


def test_the_same_applied_for_after_a_refusal_is_another_one(candidate: Candidate, point: Point, clerk: Actor) -> None:
    first = ask_deletion(candidate, point)
    identity_desk.refuse(request=first, actor=clerk, reason="证明不足", at=clock.now())
    assert ask_deletion(candidate, point) != first


def test_a_report_is_once_for_each_browser_and_content(point: Point) -> None:
    first = report(resident_id(7), point)
    assert report(resident_id(7), point) == first
    others = [
        report(resident_id(7), point, browser="another"),
        report(resident_id(8), point),
        report(resident_id(7), Point.objects.get(code="4302")),
    ]
    assert len({first.pk, *(made.pk for made in others)}) == IdentityRequest.objects.count() == 4


@pytest.mark.parametrize("act", ["check", "approve", "refuse"])
def test_what_was_removed_meanwhile_waits_for_nobody(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, act: str
) -> None:
    stale = ask_deletion(candidate, point)
    ask_change(candidate, point, name="张珊")
    acts = {
        "check": lambda: check(stale, clerk),
        "approve": lambda: approve(stale, region),
        "refuse": lambda: identity_desk.refuse(request=stale, actor=clerk, reason="x", at=clock.now()),
    }
    assert refusal(acts[act]) == "wrong_state"


def test_an_application_is_outdated_once_the_account_has_changed(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    waiting = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    later = ask_change(candidate, point, name="张珊")
    assert refusal(lambda: check(later, clerk)) == "another_waits"
    approve(waiting, region)
    assert refusal(lambda: check(later, clerk)) == "outdated"


def test_one_application_waits_for_the_region_at_a_time(candidate: Candidate, point: Point, clerk: Actor) -> None:
    check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    second = ask_change(candidate, point, id_number=resident_id(8))
    assert refusal(lambda: check(second, clerk)) == "another_waits"
    checked = {"state": "checked", "needs_region": True, "proof": "x.pdf", "checked_at": clock.now()}
    with pytest.raises(IntegrityError, match="identity_request_one_waiting"), transaction.atomic():
        IdentityRequest.objects.filter(pk=second.pk).update(checked_by=int(clerk.id), **checked)


def test_what_was_decided_is_not_decided_again(candidate: Candidate, point: Point, clerk: Actor, region: Actor) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    assert refusal(lambda: check(done, clerk)) == "wrong_state"
    assert refusal(lambda: approve(done, region)) == "wrong_state"
    assert refusal(lambda: identity_desk.refuse(request=done, actor=clerk, reason="x", at=clock.now())) == "wrong_state"


@pytest.mark.parametrize("waits_for", ["point", "region"])
def test_refusing_says_why_and_changes_nothing(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, waits_for: str
) -> None:
    request = ask_change(candidate, point, id_number=resident_id(7))
    actor, other = clerk, region
    if waits_for == "region":
        request, actor, other = check(request, clerk), region, clerk
    how: dict[str, Any] = {"request": request, "at": clock.now()}
    assert refusal(lambda: identity_desk.refuse(actor=other, reason="x", **how)) == "forbidden"
    assert refusal(lambda: identity_desk.refuse(actor=actor, reason=" ", **how)) == "no_reason"
    before = Candidate.objects.values().get(pk=candidate.pk)
    identity_desk.refuse(actor=actor, reason="证明不足", **how)
    request.refresh_from_db()
    assert (request.state, request.refusal) == ("refused", "证明不足")
    assert Candidate.objects.values().get(pk=candidate.pk) == before
    assert Message.objects.get(kind="identity_refused").candidate == candidate


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "MPO"])
def test_a_scan_may_be_a_picture(candidate: Candidate, point: Point, clerk: Actor, kind: str) -> None:
    drawn = io.BytesIO()
    more = {"save_all": True, "append_images": [Image.new("L", (9, 9))]} if kind == "MPO" else {}
    Image.new("L", (20, 30)).save(drawn, kind, **more)
    request = check(ask_change(candidate, point, name="张珊"), clerk, drawn.getvalue())
    name = request.proof.name
    assert name.startswith("identity/") and name.endswith({"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png"}[kind])
    assert "张" not in name


OF_CHUNKS = files.png(400, 560, extra=files.chunk(b"abCd") * 100_000)


@pytest.mark.parametrize(
    "proof",
    [TRUNCATED, b"", b"<html>", b"GIF89a", b"\xff\xd8\xff damaged", OF_CHUNKS, b"%PDF-" + b"x" * 10 * 1024 * 1024],
)
def test_what_is_no_scan_is_refused(candidate: Candidate, point: Point, clerk: Actor, proof: bytes) -> None:
    request = ask_change(candidate, point, name="张珊")
    with pytest.raises(NoScan):
        check(request, clerk, proof)
    request.refresh_from_db()
    assert (request.state, request.proof.name) == ("made", "")


def kept(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("last", ["carry_out", "tell"])
def test_what_is_refused_at_the_last_moment_leaves_no_scan_behind(
    candidate: Candidate, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, last: str, tmp_path: Path
) -> None:
    request = ask_deletion(candidate, point) if last == "carry_out" else report(candidate.id_number, point)

    def refuse(*_args: object, **_more: object) -> None:
        raise Refused("no", code="no")

    monkeypatch.setattr(identity_desk, last, refuse)
    before = kept(tmp_path)
    assert refusal(lambda: check(request, clerk)) == "no"
    assert kept(tmp_path) == before


def test_what_nobody_brought_is_removed_after_its_time(candidate: Candidate, point: Point, clerk: Actor) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    made = report(resident_id(7), point)
    end = clock.now() + identity_requests.LAPSES
    assert identity_requests.sweep(at=end - timedelta(minutes=1)) == 0
    assert identity_requests.sweep(at=end + timedelta(minutes=1)) == 1
    assert list(IdentityRequest.objects.all()) == [done]
    assert LedgerEvent.objects.filter(stream="identity_request", stream_id=made.number).exists()

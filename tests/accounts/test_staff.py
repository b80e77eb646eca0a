"""Who works here: rights, territory, one role at a time, and what the database holds by itself (R28, R32)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, InternalError, connection, transaction

from accounts import queries, roles
from accounts.actors import SYSTEM, Actor, working_as
from accounts.models import Candidate, LedgerEvent, Point, Site, StaffAssignment, User
from accounts.roles import Level, Right
from accounts.services import staff
from accounts.territory import visible_to
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories
from tests.staffing import is_in, staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("exam")]

HOUR = timedelta(hours=1)
CODES = {Level.SITE: "430101", Level.POINT: "4301", Level.REGION: "43", Level.NATION: ""}


def add(actor: Actor = SYSTEM, username: str = "wangfang", **how: Any) -> StaffAssignment:
    given = {"name": "王芳", "role": "site_clerk", "code": "430101", "at": clock.now(), **how}
    return staff.add(actor=actor, username=username, **given)


def admin(region: str = "43") -> Actor:
    return factories.staff_of(None, region, role="region_admin" if region else "national_admin")


def refused(act: Any) -> str:
    before = list(StaffAssignment.objects.values())
    with pytest.raises(Refused) as refusal, transaction.atomic():
        act()
    assert list(StaffAssignment.objects.values()) == before
    return refusal.value.code


# --- Giving a role --------------------------------------------------------------------------------
@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_is_of_its_institution_and_recorded(role: str) -> None:
    code = CODES[roles.ROLES[role].level]
    made = add(role=role, code=code)
    wanted = [code[:2] or None, code[:4] if len(code) > 2 else None, code if len(code) > 4 else None]
    assert [made.region_id, made.point_id, made.site_id] == wanted
    assert (made.user.kind, made.user.is_staff, made.user.has_usable_password()) == ("staff", True, False)
    event = LedgerEvent.objects.get(stream="staff", stream_id=str(made.user_id))
    assert (event.action, event.payload) == (
        "staff.added",
        {"assignment": made.pk, "role": role, "institution": code},
    )
    assert "王芳" not in str(event.payload)


@pytest.mark.rule("R28")
@pytest.mark.parametrize(
    ("actor_region", "actor_role", "role", "code", "allowed"),
    [
        ("43", "region_admin", "site_clerk", "430101", True),
        ("43", "region_admin", "region_admin", "43", True),
        ("43", "region_admin", "site_clerk", "110101", False),
        ("43", "region_admin", "region_reviewer", "11", False),
        ("43", "region_admin", "auditor", "", False),
        ("43", "region_admin", "national_admin", "", False),
        ("43", "region_reviewer", "site_clerk", "430101", False),
        ("", "national_admin", "site_clerk", "110101", True),
        ("", "national_admin", "auditor", "", True),
        ("", "auditor", "site_clerk", "430101", False),
    ],
)
def test_who_may_give_which_role(actor_region: str, actor_role: str, role: str, code: str, allowed: bool) -> None:
    actor = factories.staff_of(None, actor_region, role=actor_role)
    if allowed:
        given = add(actor, role=role, code=code)
        staff.end(actor=actor, assignment=given, at=clock.now())
    else:
        assert refused(lambda: add(actor, role=role, code=code)) == "forbidden"
        given = add(role=role, code=code)
        assert refused(lambda: staff.end(actor=actor, assignment=given, at=clock.now())) == "forbidden"


@pytest.mark.rule("R28")
def test_clerks_and_candidates_give_nothing(candidate: Candidate) -> None:
    clerk = factories.staff_of(Point.objects.get(code="4301"), role="point_reviewer")
    assert refused(lambda: add(clerk)) == "forbidden"
    assert refused(lambda: add(Actor(kind="candidate", id=str(candidate.pk)))) == "forbidden"


@pytest.mark.rule("R32")
def test_nobody_manages_the_own_account() -> None:
    mine = factories.make_staff(None, "43", role="region_admin")
    me = working_as(mine)
    assert refused(lambda: staff.end(actor=me, assignment=mine, at=clock.now())) == "forbidden"
    later = clock.now() + timedelta(days=400)
    assert refused(lambda: add(me, mine.user.username, valid_from=later)) == "forbidden"
    assert refused(lambda: staff.make_link(actor=me, user=mine.user, at=clock.now())) == "forbidden"


@pytest.mark.rule("R32")
def test_a_candidates_account_gets_no_role(candidate: Candidate) -> None:
    assert refused(lambda: add(username=candidate.user.username)) == "candidate"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as wrong:
        add(username="x", name="", code="999999", valid_until=clock.now() - timedelta(days=1))
    assert set(wrong.value.message_dict) == {"username", "name", "code", "valid_until"}
    with pytest.raises(ValidationError) as wrong:
        add(role="king")
    assert set(wrong.value.message_dict) == {"role"}
    assert not StaffAssignment.objects.exists()
    assert not User.objects.filter(kind="staff").exists()


@pytest.mark.rule("R28")
def test_nobody_but_operations_gives_a_role_that_began_before() -> None:
    """By when it began the ledger is read: what was done before is nobody's to see who came later."""
    now = clock.now()
    before = {"at": now, "valid_from": now - timedelta(seconds=1)}
    for actor in (admin(), admin("")):
        with pytest.raises(ValidationError) as wrong, transaction.atomic():
            add(actor, **before)
        assert set(wrong.value.message_dict) == {"valid_from"}
    assert not User.objects.filter(username="wangfang").exists()
    assert add(admin(), valid_until=now + HOUR, at=now).valid_from == now
    assert add(username="lina", **before).valid_from == before["valid_from"]


@pytest.mark.rule("R32")
def test_who_may_end_a_role_is_told_as_the_service_decides() -> None:
    mine = factories.make_staff(None, "43", role="region_admin")
    member, ended, now = add(), add(username="lina"), clock.now()
    staff.end(actor=SYSTEM, assignment=ended, at=now)
    reviewer, neighbour = factories.staff_of(None, "43"), admin("11")
    for actor, row, may in (
        (working_as(mine), member, True),
        (admin(""), member, True),
        (SYSTEM, member, True),
        (working_as(mine), mine, False),
        (reviewer, member, False),
        (neighbour, member, False),
    ):
        assert staff.may_end(actor, row, at=now) is may
        if not may:
            assert refused(lambda actor=actor, row=row: staff.end(actor=actor, assignment=row, at=now)) == "forbidden"
    ended.refresh_from_db()
    assert not staff.may_end(working_as(mine), ended, at=now), "there is nothing left to end"


@pytest.mark.parametrize(("role", "code"), [("site_clerk", "4301"), ("region_admin", "430101"), ("auditor", "43")])
def test_an_institution_of_another_level_is_none(role: str, code: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        add(role=role, code=code)
    assert set(wrong.value.message_dict) == {"code"}


@pytest.mark.rule("R28")
def test_who_has_a_role_elsewhere_now_or_later_gets_none_and_neither_is_told() -> None:
    now = clock.now()
    until, later = now + timedelta(days=10), now + timedelta(days=20)
    add(valid_until=until)
    add(username="lina", role="region_admin", code="43", valid_from=later)
    stranger, told = admin("11"), set()
    for username, start in (("wangfang", now), ("wangfang", later), ("lina", later), ("lina", now)):
        with pytest.raises(Refused) as refusal, transaction.atomic():
            add(
                stranger,
                username,
                role="region_reviewer",
                code="11",
                at=now,
                valid_from=start,
                valid_until=start + HOUR,
            )
        told.add((refusal.value.code, str(refusal.value)))
    assert [code for code, _words in told] == ["overlaps"], "the same words for each"
    add(admin(""), "lina", role="region_reviewer", code="11", valid_until=until)
    assert StaffAssignment.objects.filter(user__username="lina").count() == 2


@pytest.mark.parametrize("typed", ["wang-fang", "WANG-FANG", "-wangfang", "wangfang-"])
def test_a_username_of_another_spelling_is_told_to_be_one(typed: str) -> None:
    add(valid_until=clock.now() + timedelta(days=1))
    later = clock.now() + timedelta(days=5)
    if typed.startswith("-"):
        with pytest.raises(ValidationError):
            add(username=typed, valid_from=later)
    else:
        assert refused(lambda: add(username=typed, valid_from=later)) == "spelled_otherwise"
    assert User.objects.filter(kind="staff").count() == 1


@pytest.mark.rule("R32")
def test_a_candidates_username_in_another_spelling_gets_no_role(candidate: Candidate) -> None:
    name = candidate.user.username
    assert refused(lambda: add(username=f"{name[:2]}-{name[2:]}")) == "candidate"


@pytest.mark.rule("R28", "R32")
def test_an_act_in_a_role_that_has_ended_is_refused_and_changes_nothing() -> None:
    mine = factories.make_staff(region="43", role="region_admin")
    me = working_as(mine)
    arrived = clock.now()
    staff.end(actor=SYSTEM, assignment=mine, at=arrived + timedelta(seconds=1))
    member = add()
    ending = {"actor": me, "assignment": member}
    with pytest.raises(Refused) as refusal:
        staff.end(**ending, at=arrived + timedelta(seconds=1))
    member.refresh_from_db()
    assert (refusal.value.code, member.valid_until) == ("forbidden", None)
    staff.end(**ending, at=arrived)  # what reached the server before the end is done
    assert LedgerEvent.objects.filter(action="staff.ended").count() == 2


def test_one_role_at_a_time_and_the_next_from_its_end_on() -> None:
    now = clock.now()
    first = add(valid_until=now + timedelta(days=10))
    for start, until in ((0, None), (-5, 5), (9, 11)):
        moments = {"valid_from": now + timedelta(days=start)}
        if until:
            moments["valid_until"] = now + timedelta(days=until)
        assert refused(lambda moments=moments: add(role="point_reviewer", code="4301", **moments)) == "overlaps"
    following = add(role="point_reviewer", code="4301", valid_from=now + timedelta(days=10))
    assert following.user_id == first.user_id
    assert queries.assignment_of(first.user, at=now + timedelta(days=9)) == first
    assert queries.assignment_of(first.user, at=now + timedelta(days=10)) == following


# --- Ending it ------------------------------------------------------------------------------------
def test_an_ended_role_ends_the_sessions_and_ended_twice_is_once() -> None:
    assignment = add()
    client = staff_client(assignment)
    assert is_in(client)
    staff.end(actor=admin(), assignment=assignment, at=clock.now())
    staff.end(actor=admin(), assignment=assignment, at=clock.now())
    assert not is_in(client)
    assert LedgerEvent.objects.filter(action="staff.ended").count() == 1


def test_a_role_that_has_not_begun_ends_without_beginning() -> None:
    later = clock.now() + timedelta(days=5)
    assignment = add(valid_from=later)
    staff.end(actor=SYSTEM, assignment=assignment, at=clock.now())
    assignment.refresh_from_db()
    assert (assignment.valid_from, assignment.valid_until) == (later, later)
    assert queries.assignment_of(assignment.user, at=later) is None


# --- Helping --------------------------------------------------------------------------------------
@pytest.mark.rule("R28")
def test_a_link_is_made_by_who_manages_all_roles_of_the_account() -> None:
    now = clock.now()
    user = add(valid_until=now + timedelta(days=30)).user
    assert "/account/welcome/#" in staff.make_link(actor=admin(), user=user, at=now)
    stranger = admin("11")
    assert refused(lambda: staff.make_link(actor=stranger, user=user, at=now)) == "forbidden"
    # Whoever has a role of another region for later, as only the nation gives it, is helped by the nation only.
    add(role="region_reviewer", code="11", valid_from=now + timedelta(days=40))
    assert refused(lambda: staff.make_link(actor=stranger, user=user, at=now)) == "forbidden"
    assert refused(lambda: staff.make_link(actor=admin(), user=user, at=now)) == "forbidden"
    staff.make_link(actor=admin(""), user=user, at=now)
    assert LedgerEvent.objects.filter(action="password.link_made").count() == 2


def test_whose_role_has_ended_gets_no_link() -> None:
    assignment = add()
    staff.end(actor=SYSTEM, assignment=assignment, at=clock.now())
    assert refused(lambda: staff.make_link(actor=SYSTEM, user=assignment.user, at=clock.now())) == "forbidden"


@pytest.mark.rule("R28")
def test_an_administrator_sees_the_staff_of_the_own_region_only() -> None:
    here, there = add(), add(username="lina", role="point_reviewer", code="1101")
    of_43 = admin()
    seen = set(visible_to(of_43, StaffAssignment).values_list("region", flat=True))
    assert seen == {"43"}
    assert here in visible_to(of_43, StaffAssignment)
    assert there not in visible_to(of_43, StaffAssignment)
    assert there in visible_to(admin(""), StaffAssignment)
    assert not visible_to(factories.staff_of(None, "43"), StaffAssignment).exists()
    assert not visible_to(Actor(kind="candidate", id="1"), StaffAssignment).exists()


def test_only_administrators_manage_staff_and_auditors_see_it_too() -> None:
    managing = {code for code, role in roles.ROLES.items() if Right.MANAGE_STAFF in role.rights}
    assert managing == {"region_admin", "national_admin"}
    seeing = {code for code, role in roles.ROLES.items() if Right.SEE_STAFF in role.rights}
    assert seeing == {*managing, "auditor"}


def test_an_auditor_sees_everything_and_changes_nothing() -> None:
    assert roles.ROLES["auditor"].rights == {right for right in Right if right.value.startswith("see ")}


# --- What the database holds ----------------------------------------------------------------------
def write(**columns: Any) -> None:
    with transaction.atomic():
        user = User.objects.create(username="zhaoqiang", kind="staff", is_staff=True, password="!")
        StaffAssignment.objects.create(user=user, name="赵强", valid_from=clock.now(), **columns)


@pytest.mark.rule("R28")
@pytest.mark.parametrize(
    "columns",
    [
        {"role": "site_clerk", "region_id": "43", "point_id": "4301"},
        {"role": "point_reviewer", "region_id": "43"},
        {"role": "point_reviewer", "region_id": "43", "point_id": "4301", "site_id": "430101"},
        {"role": "region_admin"},
        {"role": "region_admin", "region_id": "43", "point_id": "4301"},
        {"role": "auditor", "region_id": "43"},
    ],
)
def test_a_role_at_an_institution_of_another_kind_is_not_written(columns: dict[str, str]) -> None:
    with pytest.raises(IntegrityError, match="staff_institution_fits"):
        write(**columns)


def test_an_unknown_role_is_not_written() -> None:
    with pytest.raises(IntegrityError, match="staff_"):
        write(role="king")


def test_a_role_that_ends_before_it_begins_is_not_written() -> None:
    with pytest.raises(IntegrityError, match="staff_valid_from_until"):
        write(role="auditor", valid_until=clock.now() - timedelta(days=1))


def test_a_second_role_at_a_time_is_not_written_by_anybody() -> None:
    first = add(valid_until=clock.now() + timedelta(days=1))
    second = add(role="auditor", code="", valid_from=clock.now() + timedelta(days=2))
    with pytest.raises(IntegrityError, match="one role at a time"), transaction.atomic():
        StaffAssignment.objects.filter(pk=first.pk).update(valid_until=None)
    with pytest.raises(IntegrityError, match="one role at a time"), transaction.atomic():
        StaffAssignment.objects.filter(pk=second.pk).update(valid_from=clock.now())


@pytest.mark.rule("R28")
@pytest.mark.parametrize(
    "columns",
    [
        {"role": "point_reviewer", "site": None},
        {"name": "王放"},
        {"valid_from": datetime(2023, 11, 1, tzinfo=clock.BEIJING)},
        {"valid_until": None},
        {"valid_until": datetime(2024, 12, 1, tzinfo=clock.BEIJING)},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_a_role_is_changed_by_ending_it_alone(columns: dict[str, Any]) -> None:
    rows = StaffAssignment.objects.filter(pk=add(valid_until=clock.now() + timedelta(days=30)).pk)
    before = rows.values().get()
    with pytest.raises(InternalError, match="only ended"), transaction.atomic():
        rows.update(**columns)
    assert rows.values().get() == before
    rows.update(valid_until=clock.now() + timedelta(days=20))


def test_a_role_is_kept_and_so_is_its_account() -> None:
    assignment = add()
    with pytest.raises(InternalError, match="Cannot delete"), transaction.atomic():
        StaffAssignment.objects.filter(pk=assignment.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(InternalError, match="never emptied"), transaction.atomic():
            cursor.execute("TRUNCATE accounts_staffassignment CASCADE")
    assert Site.objects.get(pk="430101").staff.get() == assignment

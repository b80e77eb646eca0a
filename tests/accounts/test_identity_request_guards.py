"""What the database keeps of requests about identities, and what one of them opens in an account (R07)."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors import Actor
from accounts.models import Candidate, IdentityRequest, Point
from accounts.models.users import CARRYING_OUT
from exam_portal import clock
from tests.accounts.requests import ask_change, ask_deletion, check, report
from tests.factories import resident_id

pytestmark = pytest.mark.django_db


@pytest.mark.rule("R07")
def test_the_database_wants_two_persons_and_a_proof(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    decided = {"state": "done", "decided_at": clock.now(), "decided_by": int(clerk.id)}
    rows = IdentityRequest.objects.filter(pk=request.pk)
    with pytest.raises(IntegrityError, match="identity_request_two_persons"), transaction.atomic():
        rows.update(**decided)
    made = IdentityRequest.objects.filter(pk=ask_deletion(candidate, point).pk)
    with pytest.raises(IntegrityError, match="identity_request_checked_on_proof"), transaction.atomic():
        made.update(**decided | {"checked_by": int(clerk.id), "checked_at": clock.now()})
    with pytest.raises(IntegrityError, match="identity_request_decided_by_somebody"), transaction.atomic():
        made.update(state="refused")


@pytest.mark.rule("R07")
def test_the_database_wants_the_region_for_an_id_and_for_anothers_account(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor
) -> None:
    checked = {
        "state": "checked",
        "checked_by": int(clerk.id),
        "checked_at": clock.now(),
        "proof": "x.pdf",
        "needs_region": False,
    }
    for request in (ask_change(candidate, point, id_number=resident_id(7)), report(newcomer.id_number, point)):
        with pytest.raises(IntegrityError, match="identity_request_region_where_needed"), transaction.atomic():
            IdentityRequest.objects.filter(pk=request.pk).update(candidate=candidate, **checked)


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    "values",
    [
        {"new_id_number": "110101199003070021"},
        {"changes": ["name"]},
        {"kind": "delete"},
        {"point_id": "4302"},
        {"needs_region": False},
        {"checked_by": None},
        {"proof": "other.pdf"},
    ],
    ids=str,
)
def test_between_checking_and_deciding_nothing_is_altered(
    candidate: Candidate, point: Point, clerk: Actor, values: dict[str, Any]
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    with pytest.raises(Exception, match="never altered"), transaction.atomic():
        IdentityRequest.objects.filter(pk=request.pk).update(**values)


def test_a_request_is_not_deleted_once_it_was_checked(candidate: Candidate, point: Point, clerk: Actor) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    with pytest.raises(Exception, match="never deleted"), transaction.atomic():
        request.delete()


def test_requests_are_never_emptied() -> None:
    with pytest.raises(Exception, match="never emptied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_identityrequest CASCADE")


@pytest.mark.rule("R07")
def test_what_was_decided_is_never_altered(candidate: Candidate, point: Point, clerk: Actor) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    for act in (lambda: IdentityRequest.objects.filter(pk=done.pk).update(remark=""), done.delete):
        with pytest.raises(Exception, match="never altered"), transaction.atomic():
            act()


# --- The way around the trigger -------------------------------------------------------------------
@transaction.atomic
def write(request: IdentityRequest, candidate: Candidate, **values: Any) -> None:
    """Change an account in a transaction that says that it carries out this request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [CARRYING_OUT, str(request.pk)])
    Candidate.objects.filter(pk=candidate.pk).update(**values)


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    ("state", "values"),
    [
        ("done", {"id_digest": "0" * 64}),
        ("done", {"id_number": "110101199003070021"}),
        ("done", {"id_digest_next": "0" * 64}),
        ("done", {"id_type": "passport"}),
        ("done", {"deleted_at": "2023-12-05T00:00Z", "name": "", "id_digest": None}),
        ("made", {"name": "另一人"}),
    ],
)
def test_a_request_opens_no_more_than_it_names(
    candidate: Candidate, point: Point, clerk: Actor, state: str, values: dict[str, Any]
) -> None:
    request = ask_change(candidate, point, name="张珊")
    if state == "done":
        check(request, clerk)
    with pytest.raises(Exception, match="fixed once registered"):
        write(request, candidate, **values)


@pytest.mark.rule("R07")
def test_a_request_opens_no_other_account(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor
) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"):
        write(done, newcomer, name="张珊")


@pytest.mark.rule("R07")
def test_the_way_is_closed_again_within_the_transaction(candidate: Candidate, point: Point, clerk: Actor) -> None:
    check(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"), transaction.atomic():
        Candidate.objects.filter(pk=candidate.pk).update(name="又一人")

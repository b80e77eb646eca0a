"""What the database keeps of requests about identities, and what one of them opens in an account (R07)."""

import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import identity
from accounts.actors import Actor
from accounts.models import Candidate, IdentityRequest, Point
from accounts.models import identity_requests as identity_requests_models
from accounts.models.users import CARRYING_OUT
from accounts.services import keys
from exam_portal import clock
from exam_portal.kit.rotation import begin_rotating, encrypted_columns
from tests.accounts.requests import ask_change, ask_deletion, check, report
from tests.factories import resident_id

pytestmark = pytest.mark.django_db


DELETED = {"name": "", "id_number": "", "id_digest": None, "id_digest_next": None}


def number_columns(number: str) -> dict[str, Any]:
    return {"id_number": number, **identity.digest_columns(id_type="resident_id", number=number)}


@transaction.atomic
def write(request: IdentityRequest, candidate: Candidate, **values: Any) -> None:
    """Change an account in a transaction that says that it carries out this request."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [CARRYING_OUT, str(request.pk)])
    Candidate.objects.filter(pk=candidate.pk).update(**values)


def decided(request: IdentityRequest, actor: Actor) -> IdentityRequest:
    """The request with all that deciding writes before it is carried out."""
    who = int(actor.id)
    IdentityRequest.objects.filter(pk=request.pk).update(
        candidate=request.candidate, proof="x.pdf", checked_by=who, checked_at=clock.now(), decided_by=who,
        decided_at=clock.now(),
    )  # fmt: skip
    return request


@pytest.mark.rule("R07")
def test_the_database_wants_two_persons_and_a_proof(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    rows = IdentityRequest.objects.filter(pk=request.pk)
    rows.update(decided_at=clock.now(), decided_by=int(clerk.id))
    with pytest.raises(IntegrityError, match="identity_request_two_persons"):
        write(request, candidate, **number_columns(resident_id(7)))
    made = ask_deletion(candidate, point)
    row = IdentityRequest.objects.filter(pk=made.pk)
    row.update(decided_at=clock.now(), decided_by=int(clerk.id), checked_by=int(clerk.id), checked_at=clock.now())
    with pytest.raises(IntegrityError, match="identity_request_checked_on_proof"):
        write(made, candidate, **DELETED, deleted_at=clock.now())
    row.update(proof="x.pdf", decided_by=None)
    with pytest.raises(IntegrityError, match="identity_request_decided_by_somebody"):
        write(made, candidate, **DELETED, deleted_at=clock.now())


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
@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    "values",
    [
        {"id_digest": "0" * 64},
        {"id_number": "110101199003070021"},
        {"id_digest_next": "0" * 64},
        {"id_type": "passport"},
        {"deleted_at": "2023-12-05T00:00Z", **DELETED},
    ],
    ids=str,
)
def test_a_request_opens_no_more_than_it_names(
    candidate: Candidate, point: Point, clerk: Actor, values: dict[str, Any]
) -> None:
    request = decided(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"):
        write(request, candidate, **values)
    write(request, candidate, name="张珊")
    assert IdentityRequest.objects.get().state == "done"


@pytest.mark.rule("R07")
def test_another_id_type_is_the_one_applied_for(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_type="passport", id_number="E12345678"), clerk)
    IdentityRequest.objects.filter(pk=request.pk).update(decided_by=int(region.id), decided_at=clock.now())
    with pytest.raises(Exception, match="fixed once registered"):
        write(request, candidate, id_type="officer")
    write(request, candidate, id_type="passport")


@pytest.mark.rule("R07")
def test_what_the_region_decides_is_not_carried_out_unchecked(candidate: Candidate, point: Point, clerk: Actor) -> None:
    request = decided(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    IdentityRequest.objects.filter(pk=request.pk).update(needs_region=True)
    with pytest.raises(Exception, match="fixed once registered"):
        write(request, candidate, **number_columns(resident_id(7)))


@pytest.mark.rule("R07")
def test_a_request_lets_one_change_through_and_no_second(candidate: Candidate, point: Point, clerk: Actor) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"):
        write(done, candidate, name="恶意名字")
    candidate.refresh_from_db()
    assert candidate.name == "张珊"


@pytest.mark.rule("R07")
def test_a_request_opens_no_other_account(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor
) -> None:
    request = decided(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"):
        write(request, newcomer, name="张珊")


@pytest.mark.rule("R07")
def test_the_way_is_closed_again_within_the_transaction(candidate: Candidate, point: Point, clerk: Actor) -> None:
    check(ask_change(candidate, point, name="张珊"), clerk)
    with pytest.raises(Exception, match="fixed once registered"), transaction.atomic():
        Candidate.objects.filter(pk=candidate.pk).update(name="又一人")


# --- States -----------------------------------------------------------------------------------------
@pytest.mark.rule("R07")
@pytest.mark.parametrize("state", ["checked", "done", "refused"])
def test_a_request_begins_as_made(candidate: Candidate, point: Point, clerk: Actor, state: str) -> None:
    forged = decided(ask_deletion(candidate, point), clerk)
    forged.refresh_from_db()
    forged.pk, forged.number, forged.state, forged.once = None, "9" * 12, state, None
    with pytest.raises(Exception, match="begins as made"), transaction.atomic():
        forged.save(force_insert=True)


@pytest.mark.rule("R07")
def test_done_is_what_only_the_change_of_the_account_makes_a_request(
    candidate: Candidate, point: Point, clerk: Actor
) -> None:
    request = decided(ask_deletion(candidate, point), clerk)
    with pytest.raises(Exception, match="done is set by the trigger"), transaction.atomic():
        IdentityRequest.objects.filter(pk=request.pk).update(state="done")
    assert Candidate.objects.get(pk=candidate.pk).deleted_at is None
    write(request, candidate, **DELETED, deleted_at=clock.now())
    assert IdentityRequest.objects.get().state == "done"


@pytest.mark.rule("R07")
def test_what_was_checked_does_not_become_unchecked(candidate: Candidate, point: Point, clerk: Actor) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    with pytest.raises(Exception, match="waits for the region"), transaction.atomic():
        IdentityRequest.objects.filter(pk=request.pk).update(state="made")


# --- Rotating keys ------------------------------------------------------------------------------------
def test_the_trigger_knows_every_encrypted_column() -> None:
    columns = {column.column for model, column in encrypted_columns() if model is IdentityRequest}
    assert columns == set(re.findall(r"\w+(?=')", identity_requests_models._ENCRYPTED_COLUMNS))


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    "values", [{"state": "refused"}, {"decided_by": None}, {"changes": []}, {"proof": "y.pdf", "reason": "x"}], ids=str
)
def test_rotating_alters_nothing_of_a_request_but_the_encryption(
    candidate: Candidate, point: Point, clerk: Actor, values: dict[str, Any]
) -> None:
    done = check(ask_change(candidate, point, name="张珊"), clerk)
    with transaction.atomic():
        begin_rotating()
        IdentityRequest.objects.filter(pk=done.pk).update(reason=done.reason)
        with pytest.raises(Exception, match="never altered"), transaction.atomic():
            IdentityRequest.objects.filter(pk=done.pk).update(**values)


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    "values", [{"sex": "M"}, {"channel": "baidu"}, {"id_number": "x", "id_digest_next": "0" * 64}], ids=str
)
def test_rotating_alters_nothing_of_an_account_but_one_of_number_and_digests(
    candidate: Candidate, values: dict[str, Any]
) -> None:
    with transaction.atomic():
        begin_rotating()
        with pytest.raises(Exception, match="fixed once registered"), transaction.atomic():
            Candidate.objects.filter(pk=candidate.pk).update(**{"id_number": candidate.id_number, **values})


def test_a_number_overwritten_as_if_keys_rotated_is_named_by_the_next_rotation(candidate: Candidate) -> None:
    """What no trigger can know: whether what is encrypted anew is what was encrypted before."""
    with transaction.atomic():
        begin_rotating()
        Candidate.objects.filter(pk=candidate.pk).update(id_number=resident_id(7))
    problems = [problem for progress in keys.rotate(dry_run=True) for problem in progress.problems]
    assert problems == [f"candidate {candidate.pk}: PORTAL_LOOKUP_KEY is neither its key nor its next key"]


# --- Accounts stay --------------------------------------------------------------------------------------
@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("DELETE FROM accounts_candidate", "Cannot delete rows from accounts_candidate"),
        ("DELETE FROM accounts_user", "violates foreign key"),
        ("TRUNCATE accounts_candidate CASCADE", "never emptied"),
        ("TRUNCATE accounts_user CASCADE", "never emptied"),
        ("TRUNCATE accounts_user", "cannot truncate a table referenced"),
    ],
)
def test_no_account_of_a_candidate_is_deleted(newcomer: Candidate, sql: str, found: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Exception, match=found), transaction.atomic():
            cursor.execute(sql)
    assert Candidate.objects.filter(pk=newcomer.pk, user__pk=newcomer.user_id).exists()

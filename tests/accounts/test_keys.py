"""Rotating the encryption keys and the look-up key."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import identity
from accounts.actors import acting
from accounts.models import Candidate, EmailCode, LedgerEvent
from accounts.services import keys, two_step
from exam_portal import clock
from exam_portal.kit import crypto, rotation
from exam_portal.kit.errors import Refused
from registration.models import Application, Submission
from registration.services import applications, snapshot
from tests import factories
from tests.accounts.test_registering import PASSWORD, sign_up
from tests.factories import CandidateFactory, resident_id
from tests.staffing import Telephone

pytestmark = pytest.mark.django_db

OLD, NEW = "the old look-up key", "the new look-up key"
Use = Callable[..., None]


@pytest.fixture
def use(settings: Any) -> Iterator[Use]:
    """`use("new", "old")`: these encryption keys from now on; `use(lookup=OLD, following=NEW)`: these look-up keys."""

    def change(*encryption: str, lookup: str | None = None, following: str = "") -> None:
        if encryption:
            settings.PORTAL_ENCRYPTION_KEYS = list(encryption)
        if lookup:
            settings.PORTAL_LOOKUP_KEY, settings.PORTAL_LOOKUP_KEY_NEXT = lookup, following

    return change


def rotate(**how: Any) -> dict[str, tuple[int, int]]:
    """Column → rows checked and changed."""
    done = {progress.what: (progress.checked, progress.changed) for progress in keys.rotate(**how)}
    assert not [problem for progress in keys.rotate(dry_run=True) for problem in progress.problems]
    return done


def tokens(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id_number FROM {table} ORDER BY id")  # noqa: S608
        return [token for (token,) in cursor.fetchall()]


def test_every_encrypted_column_is_known() -> None:
    found = {f"{model._meta.label}.{column.name}" for model, column in rotation.encrypted_columns()}
    assert {"accounts.Candidate.id_number", "registration.Submission.id_number"} <= found


def submit(draft: Application) -> Submission:
    return applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())


def test_everything_encrypted_is_encrypted_anew_and_submissions_stay_what_they_were(
    draft: Application, use: Use, settings: Any
) -> None:
    submit(draft)
    before = Submission.objects.values("content", "digest", "form_code", "version").get()
    number = draft.candidate.id_number
    with_old_key = tokens("accounts_candidate") + tokens("registration_submission")
    use("new", *settings.PORTAL_ENCRYPTION_KEYS)
    assert rotate()["registration.Submission.id_number"] == (1, 1)
    use("new")
    assert Candidate.objects.get().id_number == Submission.objects.get().id_number == number
    assert Submission.objects.values("content", "digest", "form_code", "version").get() == before
    assert not set(with_old_key) & set(tokens("accounts_candidate") + tokens("registration_submission"))
    assert snapshot.digest_of(before["content"]) == before["digest"]


def test_rotating_goes_in_batches_and_a_second_time_changes_nothing(use: Use) -> None:
    use("old")
    CandidateFactory.create_batch(5)
    use("new", "old")
    steps = [(p.checked, p.changed) for p in keys.rotate(batch=2) if p.what == keys.NUMBERS]
    assert steps == [(2, 2), (4, 4), (5, 5)]
    before = tokens("accounts_candidate")
    assert rotate(batch=2)["accounts.Candidate.id_number"] == (5, 0)
    assert tokens("accounts_candidate") == before


def test_an_interrupted_rotation_goes_on_where_it_was(use: Use) -> None:
    use("old")
    CandidateFactory.create_batch(5)
    use("new", "old")
    interrupted = keys.rotate(batch=2)
    assert any(progress.what == keys.NUMBERS for progress in interrupted)
    interrupted.close()
    assert [crypto.is_current(token) for token in tokens("accounts_candidate")] == [True] * 2 + [False] * 3
    assert recorded() == [{keys.NUMBERS: 2}]
    assert rotate(batch=2)["accounts.Candidate.id_number"] == (5, 3)
    assert recorded() == [{keys.NUMBERS: 2}, {keys.NUMBERS: 2}, {keys.NUMBERS: 1}]


def recorded() -> list[dict[str, int]]:
    events = LedgerEvent.objects.filter(action="keys.rotated").order_by("position")
    return list(events.values_list("payload", flat=True))


def test_a_batch_of_digests_is_recorded_with_its_rows(use: Use) -> None:
    use(lookup=OLD)
    CandidateFactory.create_batch(3)
    use(lookup=OLD, following=NEW)
    interrupted = keys.rotate_lookup(batch=2)
    next(interrupted)
    interrupted.close()
    assert Candidate.objects.exclude(id_digest_next=None).count() == 2
    assert recorded() == [{keys.LOOKUP: 2}]


def test_a_batch_that_is_taken_back_is_not_recorded(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    use("old")
    CandidateFactory()
    use("new", "old")
    note = keys._record

    def killed(what: str, rows: int) -> None:
        note(what, rows)
        raise SystemExit

    monkeypatch.setattr(keys, "_record", killed)
    with pytest.raises(SystemExit), transaction.atomic():
        list(keys.rotate())
    assert recorded() == []
    assert [crypto.is_current(token) for token in tokens("accounts_candidate")] == [False]


def test_only_a_lost_id_number_holds_up_the_digests(use: Use) -> None:
    use("lost")
    code = EmailCode.objects.create(purpose="recover", code="123456", language="en", created_at=clock.now())
    use("old", lookup=OLD)
    candidate = CandidateFactory()
    use("new", "old", lookup=OLD, following=NEW)
    progress = list(keys.rotate())
    assert [problem for column in progress for problem in column.problems] == [
        f"accounts.EmailCode.address of row {code.pk}: no encryption key fits",
        f"accounts.EmailCode.code of row {code.pk}: no encryption key fits",
    ]
    candidate.refresh_from_db()
    assert (
        candidate.id_digest_next
        == identity.digest_columns(id_type=candidate.id_type, number=candidate.id_number)["id_digest_next"]
        is not None
    )


def test_a_lost_id_number_holds_up_all_digests(use: Use) -> None:
    use("lost", lookup=OLD)
    CandidateFactory()
    use("new", lookup=OLD)
    CandidateFactory()
    use(lookup=OLD, following=NEW)
    assert keys.LOOKUP not in {progress.what for progress in keys.rotate()}
    assert not Candidate.objects.exclude(id_digest_next=None).exists()


@pytest.mark.parametrize("batch", ["0", "-1", "100001", "1000000000000000000000"])
def test_a_number_of_rows_that_is_none_is_told_in_one_line(db: None, batch: str) -> None:
    with pytest.raises(CommandError, match=r"^--batch is a number of rows, from 1 to 100000$"):
        call_command("rotate_keys", "--batch", batch)


def test_a_dry_run_counts_and_changes_nothing(use: Use) -> None:
    use("old", lookup=OLD)
    CandidateFactory.create_batch(3)
    use("new", "old", lookup=OLD, following=NEW)
    before = tokens("accounts_candidate")
    done = rotate(dry_run=True)
    assert (done["accounts.Candidate.id_number"], done[keys.LOOKUP]) == ((3, 3), (3, 3))
    assert tokens("accounts_candidate") == before
    assert not Candidate.objects.exclude(id_digest_next=None).exists()
    assert not LedgerEvent.objects.filter(action="keys.rotated").exists()


def test_a_number_that_no_key_decrypts_is_named_by_its_row_and_left(use: Use) -> None:
    use("lost")
    lost = CandidateFactory()
    use("old")
    CandidateFactory()
    use("new", "old")
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("rotate_keys", stdout=out, stderr=err)
    assert err.getvalue() == f"accounts.Candidate.id_number of row {lost.pk}: no encryption key fits\n"
    assert "accounts.Candidate.id_number: 2 of 2, 1 changed" in out.getvalue().splitlines()
    with pytest.raises(InvalidToken):
        Candidate.objects.get(pk=lost.pk)


def test_the_command_tells_programs_what_it_did_and_the_ledger_has_numbers_only(use: Use) -> None:
    use("old")
    candidate = CandidateFactory()
    use("new", "old")
    out = StringIO()
    call_command("rotate_keys", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["ok"], told["dry_run"]) == (True, False)
    numbers = next(each for each in told["rotated"] if each["what"] == "accounts.Candidate.id_number")
    assert numbers == {
        "what": "accounts.Candidate.id_number",
        "total": 1,
        "checked": 1,
        "changed": 1,
        "problems": [],
    }
    event = LedgerEvent.objects.get(action="keys.rotated")
    assert event.payload == {"accounts.Candidate.id_number": 1}
    assert candidate.id_number not in out.getvalue()


@pytest.mark.rule("R04")
def test_the_look_up_key_rotates_in_three_steps_and_the_person_is_found_at_each(use: Use) -> None:
    use(lookup=OLD)
    sign_up(Client())
    number = "11010119900307002X"
    old = identity.digest(id_type="resident_id", number=number)
    use(lookup=NEW)
    new = identity.digest(id_type="resident_id", number=number)

    def columns() -> tuple[str, str | None]:
        candidate = Candidate.objects.get()
        return candidate.id_digest, candidate.id_digest_next

    for step, filled in (
        ({"lookup": OLD, "following": NEW}, (old, new)),
        ({"lookup": NEW, "following": NEW}, (new, new)),
        ({"lookup": NEW}, (new, None)),
    ):
        use(**step)
        for moment in ("before", "after"):
            if moment == "after":
                assert rotate()[keys.LOOKUP] == (1, 1)
                assert columns() == filled
                assert rotate()[keys.LOOKUP] == (1, 0)
            response = Client().post(reverse("account_login"), {"login": number, "password": PASSWORD})
            assert response.headers.get("Location") == reverse("portal:dashboard"), (step, moment)
            again = sign_up(Client(), username="somebody")
            assert list(again.context["form"].errors) == ["id_number"], (step, moment)
    assert Candidate.objects.count() == 1


def test_a_rotation_that_is_given_up_leaves_the_first_column(use: Use) -> None:
    use(lookup=OLD)
    CandidateFactory()
    before = Candidate.objects.values("id_digest", "id_digest_next").get()
    use(lookup=OLD, following=NEW)
    rotate()
    use(lookup=OLD)
    assert rotate()[keys.LOOKUP] == (1, 1)
    assert Candidate.objects.values("id_digest", "id_digest_next").get() == before


def test_a_key_out_of_order_is_refused_and_changes_nothing(use: Use) -> None:
    use(lookup=OLD)
    candidate = CandidateFactory()
    before = Candidate.objects.values("id_digest", "id_digest_next").get()
    use(lookup=NEW)
    (progress,) = keys.rotate_lookup()
    assert progress.problems == (f"candidate {candidate.pk}: PORTAL_LOOKUP_KEY is neither its key nor its next key",)
    use(lookup=OLD, following=NEW)
    (progress,) = keys.rotate_lookup()
    assert (progress.changed, progress.problems) == (1, ())
    use(lookup=OLD, following="a third")
    (progress,) = keys.rotate_lookup()
    assert (progress.changed, len(progress.problems)) == (0, 1)
    assert "another next key" in progress.problems[0]
    assert Candidate.objects.get().id_digest == before["id_digest"]


def test_an_account_made_twice_by_processes_too_far_apart_is_found(use: Use) -> None:
    use(lookup=OLD)
    first = CandidateFactory(id_number=resident_id(1))
    use(lookup=NEW, following=NEW)
    second = CandidateFactory(id_number=resident_id(1))
    use(lookup=OLD, following=NEW)
    (progress,) = keys.rotate_lookup()
    assert progress.changed == 0
    assert progress.problems == (
        f"candidate {second.pk}: PORTAL_LOOKUP_KEY is neither its key nor its next key",
        f"candidate {first.pk}: another account has the same ID number",
    )


@pytest.mark.rule("R07")
@pytest.mark.parametrize("field", ["name", "id_type", "id_number", "id_digest", "id_digest_next"])
def test_no_part_of_an_identity_changes_but_by_a_rotation(candidate: Candidate, field: str) -> None:
    with pytest.raises(Exception, match="identity_is_fixed"), transaction.atomic():
        Candidate.objects.filter(pk=candidate.pk).update(**{field: "passport"})


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    "changes", [{"name": "李四"}, {"id_type": "passport"}, {"id_digest": "f" * 64}, {"id_digest_next": "e" * 64}]
)
def test_not_even_a_rotation_makes_an_identity_another_ones(use: Use, changes: dict[str, str]) -> None:
    use(lookup=OLD, following=NEW)
    candidate = CandidateFactory()
    with transaction.atomic():
        rotation.begin_rotating()
        with pytest.raises(Exception, match="identity_is_fixed"), transaction.atomic():
            Candidate.objects.filter(pk=candidate.pk).update(**changes)


@pytest.mark.django_db(transaction=True)
def test_leave_to_rotate_ends_with_the_transaction(candidate: Candidate) -> None:
    with transaction.atomic():
        rotation.begin_rotating()
        Candidate.objects.filter(pk=candidate.pk).update(id_number=candidate.id_number)
    with pytest.raises(Exception, match="identity_is_fixed"), transaction.atomic():
        Candidate.objects.filter(pk=candidate.pk).update(id_number=candidate.id_number)


@pytest.mark.rule("R09")
def test_a_rotation_changes_nothing_of_a_submission_but_the_encryption(draft: Application) -> None:
    submission = submit(draft)
    rotation.begin_rotating()
    with pytest.raises(Exception, match="never changed"), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(id_number="another", digest="0" * 64)
    connection.cursor().execute("RESET portal.rotating_keys")
    with pytest.raises(Exception, match="never changed"), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(id_number="another")


@pytest.mark.rule("R04")
def test_both_look_up_columns_are_unique(use: Use) -> None:
    use(lookup=OLD, following=NEW)
    CandidateFactory(id_number=resident_id(1))
    use(lookup=NEW, following=NEW)
    with pytest.raises(IntegrityError, match="candidate_id_registers_once_next"), transaction.atomic():
        CandidateFactory(id_number=resident_id(1))


def test_secrets_of_the_second_step_are_encrypted_anew_and_go_on(use: Use, exam: object) -> None:
    use("old")
    telephones = [Telephone(factories.make_staff().user) for _person in range(3)]
    codes = two_step.recovery_codes_once(user=telephones[0].user)
    two_step.use_code(user=telephones[0].user, typed=codes[0])
    before = dict(Authenticator.objects.values_list("pk", "data"))
    use("new", "old")
    assert rotate(dry_run=True)["mfa.Authenticator.totp"] == (3, 3)
    assert dict(Authenticator.objects.values_list("pk", "data")) == before
    done = rotate(batch=2)
    assert (done["mfa.Authenticator.totp"], done["mfa.Authenticator.recovery_codes"]) == ((3, 3), (3, 3))
    assert rotate()["mfa.Authenticator.totp"] == (3, 0)
    use("new")
    for telephone in telephones:
        two_step.use_code(user=telephone.user, typed=telephone.code())
    two_step.use_code(user=telephones[0].user, typed=codes[1])
    with pytest.raises(Refused):
        two_step.use_code(user=telephones[0].user, typed=codes[0])
    batches = Counter[str]()
    for payload in recorded():
        batches.update(payload)
    assert (batches["mfa.Authenticator.totp"], batches["mfa.Authenticator.recovery_codes"]) == (3, 3)


def test_a_secret_that_no_key_decrypts_is_named_by_its_row_and_left(use: Use, exam: object) -> None:
    use("lost")
    Telephone(factories.make_staff().user)
    row = Authenticator.objects.get(type="totp")
    use("new", "old")
    problems = [problem for progress in two_step.rotate(batch=10, note=keys._record) for problem in progress.problems]
    assert problems[0] == f"mfa.Authenticator.totp of row {row.pk}: no encryption key fits"
    assert Authenticator.objects.get(pk=row.pk).data == row.data


def test_a_code_that_is_used_while_keys_rotate_stays_used(use: Use, exam: object) -> None:
    use("old")
    telephone = Telephone(factories.make_staff().user)
    (first, *_) = two_step.recovery_codes_once(user=telephone.user)
    use("new", "old")
    row = Authenticator.objects.get(type="recovery_codes")
    two_step.use_code(user=telephone.user, typed=first)
    rotate()
    assert Authenticator.objects.get(pk=row.pk).data["used_mask"] == 1

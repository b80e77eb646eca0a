"""Recovering an account (R06): by question, or by a code to the verified e-mail address; then a new password.

Whether an account exists is never told. A name that nobody has gets a question of its own, always the same one; each
step makes the same queries and hashes as often as for a candidate, and what only a candidate's attempt needs, the
ledger's event and the message, is written by the sweeper.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.actors import SYSTEM, Actor, acting, check_acts_for, forbidden
from accounts.auth import called
from accounts.limits import forget_failed_sign_ins
from accounts.models import Candidate, EmailCode, Question, RecoveryAttempts, RecoveryQuestion, User
from accounts.services import email_codes, ledger, outbox, sessions
from accounts.services.candidates import hold
from accounts.services.registering import check_password as check_new_password
from accounts.services.registering import normalise_answer
from exam_portal import clock
from exam_portal.kit.crypto import keyed_digest
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

DAY = timedelta(days=1)
MOST_TRIES = 5  # a day, for each name that an account has
PROOF_VALID = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who is asked what. `candidates` is [0] for a name that nobody has; `name` a keyed digest of what was typed.

    A number may be of several persons, as ID documents of different types; all of them may answer.
    """

    candidates: list[int]
    name: str
    question: str


@dataclass(frozen=True, kw_only=True)
class Proof:
    """That somebody is `user`, `by` question or e-mail, at a real moment (seconds); void once the password changes."""

    user: int
    state: str
    by: str
    at: float


def ask(*, login: str) -> Asked:
    """The question for a username or ID number; for a name that nobody has a stable one from the same list."""
    # However it is typed, it is one name: no spelling has tries, or a question, of its own.
    spelled = identity.normalise_number(login)
    found = list(
        RecoveryQuestion.objects.filter(called(login, user="candidate__user__"), candidate__user__is_active=True)
        .order_by("pk")
        .values_list("candidate__user__sign_in_name", "candidate", "question")
    )
    # A username before a number: whoever else has that number also has a username.
    found.sort(key=lambda row: row[0] != spelled)
    # Not by the look-up key: the question of a name that nobody has must outlive its rotation, as a candidate's does.
    nobodys = salted_hmac("recovery question", spelled, algorithm="sha256").digest()
    return Asked(
        candidates=[candidate for _name, candidate, _question in found] or [0],
        name=keyed_digest("recovery", spelled),
        question=found[0][2] if found else Question.values[nobodys[0] % len(Question.values)],
    )


@transaction.atomic
def _claim(*, way: str, name: str, candidates: list[int]) -> int:
    """Count a try before it is looked at, so that parallel ones cannot pass the limit. Returns the row's number.

    Of several candidates with one number the first is told of wrong answers.

    Raises:
        Refused: code `too_many`.
    """
    now = clock.now()
    # The candidate before anything else, as whoever writes about one does; the same query for a name that nobody has.
    held = locked(Candidate.objects.filter(pk=candidates[0], deleted_at=None)).first()
    row, _created = RecoveryAttempts.objects.get_or_create(
        key=keyed_digest("recovery-tries", way, name), defaults={"since": now}
    )
    row = locked(RecoveryAttempts.objects.filter(pk=row.pk)).get()
    if row.since <= now - DAY:
        row.tries, row.since = 0, now
    if row.tries >= MOST_TRIES:
        raise Refused(
            _("Too many attempts with this name. Try again in 24 hours, or recover the account in another way."),
            code="too_many",
        )
    row.tries += 1
    row.candidate = held
    row.save(update_fields=["tries", "since", "candidate"])
    return row.pk


@cache
def _nobodys_hash() -> str:
    return make_password("nobody")


def answer(*, asked: Asked, typed: str) -> Proof:
    """Prove by the answer to the question who forgot the password.

    Raises:
        Refused: the answer is not right (`wrong_answer`), or there were too many wrong ones (`too_many`).
    """
    attempts = RecoveryAttempts.objects.filter(pk=_claim(way="question", name=asked.name, candidates=asked.candidates))
    answers = RecoveryQuestion.objects.filter(candidate__in=asked.candidates, question=asked.question)
    hashes = list(answers.order_by("pk").values_list("answer_hash", "candidate__user")) or [(_nobodys_hash(), 0)]
    said = normalise_answer(typed)
    user = next((user for answer_hash, user in hashes if check_password(said, answer_hash)), 0)
    if not user:
        attempts.update(wrong=F("wrong") + 1)
        raise Refused(_("This answer is not right."), code="wrong_answer")
    attempts.filter(tries__gt=0).update(tries=F("tries") - 1)  # only wrong ones count
    return _proof(User.objects.get(pk=user), "question")


def send_code(*, asked: Asked) -> int:
    """Have a code sent to the account's verified address, if there is one. Returns the code's number, always.

    Raises:
        Refused: too many codes were asked for with this name (`too_many`).
    """
    _claim(way="email", name=asked.name, candidates=asked.candidates)
    first = asked.candidates[0]
    address = User.objects.filter(candidate=first).values_list("email", flat=True).first() or ""
    return email_codes.issue(purpose=EmailCode.Purpose.RECOVER, candidate=first or None, address=address)


def use_code(*, code_id: int, typed: str) -> Proof:
    """Prove by the code sent to the verified address who forgot the password.

    Raises:
        WrongCode: it is another one, too old, or used; or the address has been changed since.
    """
    code = email_codes.use(code_id=code_id, purpose=EmailCode.Purpose.RECOVER, typed=typed)
    user = User.objects.get(candidate=code.candidate_id)
    if user.email != code.address:
        raise email_codes.WrongCode(_("This code is not right, or too old. Ask for a new one."))
    return _proof(user, "email")


def _state(user: User) -> str:
    """What changes with the password; a digest of a digest, since sessions are rows in the database."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()


def _proof(user: User, by: str) -> Proof:
    return Proof(user=user.pk, state=_state(user), by=by, at=datetime.now(UTC).timestamp())


@transaction.atomic
def set_password(*, proof: Proof, password: str) -> User:
    """Give the account a new password; all its sessions end, and the candidate reads of it in the inbox. However often
    the forgotten one was tried, it signs in at once.

    The same password twice with one proof, as by a button pressed twice, is once.

    Raises:
        ValidationError: the password is too weak.
        Refused: the proof is too old, or was used (`expired`), or the account was deleted (`deleted`).
    """
    candidate = hold(Candidate.objects.get(user=proof.user))
    user = locked(User.objects.filter(pk=proof.user)).get()
    too_old = datetime.now(UTC).timestamp() - proof.at > PROOF_VALID.total_seconds()
    used = not constant_time_compare(proof.state, _state(user))
    if used and not too_old and user.check_password(password):
        return user
    if too_old or used or not user.is_active:
        raise Refused(_("This took too long. Please begin again."), code="expired")
    validate_password(password, user)
    check_new_password(password, id_number=candidate.id_number)
    user.set_password(password)
    user.save(update_fields=["password"])
    sessions.end_all(user=user)
    candidate.email_codes.filter(purpose=EmailCode.Purpose.RECOVER).update(used=True)
    ledger.record_about(candidate, "password.recovered", acting(candidate), by=proof.by)
    outbox.tell(candidate=candidate, kind="password_recovered")
    forget_failed_sign_ins(user)
    return user


def sweep_attempts() -> int:
    """Tell candidates of wrong answers, and forget the tries of yesterday. Returns how many candidates were told."""
    told = 0
    for pk in RecoveryAttempts.objects.filter(wrong__gt=F("told"), candidate__isnull=False).values_list(
        "pk", flat=True
    ):
        told += _tell(pk)
    RecoveryAttempts.objects.filter(since__lt=clock.now() - DAY, candidate=None).delete()
    RecoveryAttempts.objects.filter(since__lt=clock.now() - DAY, wrong=F("told")).delete()
    return told


@transaction.atomic
def _tell(pk: int) -> bool:
    candidate = Candidate.objects.filter(recovery_attempts=pk).first()
    if candidate is None or not locked(Candidate.objects.filter(pk=candidate.pk, deleted_at=None)).first():
        return False
    row = locked(RecoveryAttempts.objects.filter(pk=pk)).first()
    if row is None or row.candidate_id != candidate.pk or row.wrong <= row.told:
        return False
    count = row.wrong - row.told
    ledger.record_about(candidate, "recovery.failed", SYSTEM, wrong=count)
    outbox.enqueue(
        candidate=candidate, kind="recovery_failed", object_id=str(row.pk), version=row.wrong, facts={"count": count}
    )
    row.told = row.wrong
    row.save(update_fields=["told"])
    return True


def begin_email(*, candidate: Candidate, actor: Actor, address: str, password: str) -> int:
    """Have a code sent to an address that the candidate wants to recover by. Returns the code's number.

    Whoever gets at a session for a minute must not be able to take the account over later: hence the password.

    Raises:
        Refused: the password is not right (`wrong_password`), or there were too many tries or codes (`too_many`).
    """
    check_password_again(candidate=candidate, actor=actor, password=password)
    return email_codes.issue(purpose=EmailCode.Purpose.VERIFY, candidate=candidate.pk, address=address)


def verify_email(*, candidate: Candidate, actor: Actor, code_id: int, typed: str) -> None:
    """Make the address to which the code was sent the account's verified one; until then the old one stands.

    Raises:
        WrongCode: it is another one, too old, or used.
    """
    check_acts_for(actor, candidate)
    code = email_codes.use(code_id=code_id, purpose=EmailCode.Purpose.VERIFY, typed=typed)
    if code.candidate_id != candidate.pk:
        raise forbidden()
    _set_address(candidate, actor, code.address, "email.verified")


def remove_email(*, candidate: Candidate, actor: Actor, password: str) -> None:
    """Take the address away; the account is recovered by question only.

    Raises:
        Refused: as `begin_email`.
    """
    check_password_again(candidate=candidate, actor=actor, password=password)
    _set_address(candidate, actor, "", "email.removed")


def check_password_again(*, candidate: Candidate, actor: Actor, password: str) -> None:
    """Refuse whoever is signed in but does not know the password.

    Raises:
        Refused: the password is not right (`wrong_password`), or was wrong too often (`too_many`).
    """
    check_acts_for(actor, candidate)
    with transaction.atomic():
        hold(candidate)
    # Counted in a transaction of its own: a refusal must not take the count back.
    tries = _claim(way="address", name=str(candidate.pk), candidates=[candidate.pk])
    if not User.objects.get(candidate=candidate).check_password(password):
        raise Refused(_("This is not your password."), code="wrong_password")
    RecoveryAttempts.objects.filter(pk=tries, tries__gt=0).update(tries=F("tries") - 1)  # only wrong ones count


@transaction.atomic
def _set_address(candidate: Candidate, actor: Actor, address: str, action: str) -> None:
    hold(candidate)
    user = locked(User.objects.filter(pk=candidate.user_id)).get()
    user.email = address
    user.save(update_fields=["email"])
    candidate.user = user
    ledger.record_about(candidate, action, actor)
    outbox.tell(candidate=candidate, kind="email_changed", removed=not address)

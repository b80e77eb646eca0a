"""Two-step verification of staff (R32): what somebody has set up, and using it.

The tables and algorithms are django-allauth's; whatever of its inside is touched is touched here. What it leaves open
is decided here too: a code is accepted once, by a row in the database and not by the cache; wrong ones are counted
there; the last step is not removed by oneself; and all of it is in the ledger, in the stream `staff`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.actors import VISITOR, Actor, forbidden
from accounts.models import SecondStep, User
from accounts.services import ledger
from exam_portal.kit import crypto, rotation
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

Type = Authenticator.Type
STEPS = (Type.TOTP, Type.WEBAUTHN)  # recovery codes stand in for one of these, and are none themselves
MOST_WRONG = 5  # codes, within
WINDOW = timedelta(minutes=15)
# Where in `Authenticator.data` something secret stands, encrypted by `accounts.two_step.TwoStepAdapter`.
SECRETS = {Type.TOTP: "secret", Type.RECOVERY_CODES: "seed"}

new_secret = generate_totp_secret


def steps_of(user: User) -> QuerySet[Authenticator]:
    """What somebody may sign in by beside the password, the oldest first; without recovery codes."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=STEPS).order_by("created_at", "pk")


# --- Setting up -----------------------------------------------------------------------------------
@transaction.atomic
def set_up_totp(*, user: User, actor: Actor, secret: str, typed: str) -> None:
    """Take the app that shows codes from `secret`, proved by one of them; that code is then used.

    It replaces another one: whoever lost the telephone and signed in by a recovery code could not remove that first.

    Raises:
        Refused: the code is not one of this secret's (`wrong_code`).
    """
    state = _hold(user)
    number = _number_of(secret, typed)
    if number is None:
        raise Refused(_("This code is not right. Enter the one that the app shows now."), code="wrong_code")
    replaced, _rows = Authenticator.objects.filter(user_id=user.pk, type=Type.TOTP).delete()
    TOTP.activate(user, secret)
    state.last_code = number
    state.save(update_fields=["last_code"])
    _added(user, actor, Type.TOTP, replaced=bool(replaced))


def passkey_options(*, user: User) -> dict[str, Any]:
    """What the browser must know to make a passkey; begins a challenge in this session."""
    return webauthn.begin_registration(user, False)


@transaction.atomic
def add_passkey(*, user: User, actor: Actor, name: str, credential: Any) -> None:
    """Take a passkey that the browser has made for the challenge of this session.

    Raises:
        Refused: it is not the answer to that challenge (`wrong_passkey`).
    """
    _hold(user)
    try:
        webauthn.parse_registration_response(credential)
        webauthn.complete_registration(credential)
    except (ValidationError, TypeError, ValueError, LookupError, AttributeError):
        raise wrong_passkey() from None
    webauthn.WebAuthn.add(user, name, credential)
    _added(user, actor, Type.WEBAUTHN, replaced=False)


def _added(user: User, actor: Actor, type_: str, *, replaced: bool) -> None:
    RecoveryCodes.activate(user)
    ledger.record_about(user, "two_step.added", actor, type=type_, replaced=replaced)


@transaction.atomic
def remove(*, user: User, actor: Actor, step: int) -> None:
    """Remove the app or a passkey, by its number, as long as another one is left.

    Raises:
        Refused: it is not theirs (`forbidden`), or the last one (`last`).
    """
    _hold(user)
    steps = {authenticator.pk: authenticator for authenticator in steps_of(user)}
    if step not in steps:
        raise forbidden()
    if len(steps) == 1:
        raise Refused(_("This is your only second step. Set up another one before you remove it."), code="last")
    steps[step].delete()
    ledger.record_about(user, "two_step.removed", actor, type=steps[step].type)


@transaction.atomic
def new_recovery_codes(*, user: User, actor: Actor) -> None:
    """Make new recovery codes; the old ones are void.

    Raises:
        Refused: nothing is set up that they could stand in for (`nothing`).
    """
    _hold(user)
    if not steps_of(user).exists():
        raise Refused(_("Set up an authenticator app or a passkey first."), code="nothing")
    Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(user)
    ledger.record_about(user, "recovery_codes.made", actor)


@transaction.atomic
def recovery_codes_once(*, user: User) -> list[str]:
    """The recovery codes, the first time that they are asked for; afterwards nothing."""
    _hold(user)
    row = Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES).first()
    if row is None or row.wrap().did_view:
        return []
    row.wrap().mark_as_viewed()
    return row.wrap().get_unused_codes()


def recovery_codes_left(*, user: User) -> int:
    """How many recovery codes have not been used."""
    row = Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES).first()
    return len(row.wrap().get_unused_codes()) if row else 0


def forget(*, user: User) -> None:
    """Remove everything that somebody has set up, recovery codes and wrong attempts too; inside a transaction."""
    state = _hold(user)
    Authenticator.objects.filter(user_id=user.pk).delete()
    state.wrong = 0
    state.save(update_fields=["wrong"])


# --- Using ----------------------------------------------------------------------------------------
def use_code(*, user: User, typed: str) -> Authenticator:
    """Use a code of the app, or a recovery code. Each is accepted once; a failure is recorded and stays so.

    Raises:
        Refused: it is wrong (`wrong_code`), was used (`used`), or there were too many wrong ones (`too_many`).
    """
    with transaction.atomic():
        state, now = _hold(user), datetime.now(UTC)
        if state.since <= now - WINDOW:
            state.wrong, state.since = 0, now
        if state.wrong >= MOST_WRONG:
            raise Refused(_("Too many wrong codes. Wait 15 minutes and try again."), code="too_many")
        found, why = _find(user, state, typed)
        state.wrong = 0 if found else state.wrong + 1
        state.save(update_fields=["last_code", "wrong", "since"])
        if found is None:
            ledger.record_about(user, "two_step.failed", VISITOR, why=why)
    if found is None and why == "used":
        raise Refused(_("This code has been used. Wait for the next one that the app shows."), code="used")
    if found is None:
        raise Refused(_("This code is not right."), code="wrong_code")
    return found


def _find(user: User, state: SecondStep, typed: str) -> tuple[Authenticator | None, str]:
    """What the code belongs to, now marked as used, or None and why."""
    rows = {row.type: row for row in Authenticator.objects.filter(user_id=user.pk, type__in=SECRETS)}
    for row in rows.values():
        row.user = user
    if app := rows.get(Type.TOTP):
        number = _number_of(crypto.decrypt(app.data["secret"]), typed)
        if number is not None and number <= state.last_code:
            return None, "used"
        if number is not None:
            state.last_code = number
            return app, ""
    codes = rows.get(Type.RECOVERY_CODES)
    return (codes, "") if codes and codes.wrap().validate_code(typed) else (None, "wrong")


def use_passkey(*, user: User, credential: Any) -> Authenticator:
    """Use a passkey for the challenge of this session; a failure is recorded.

    Raises:
        Refused: it is not the answer to that challenge, or none of theirs (`wrong_passkey`).
    """
    try:
        webauthn.parse_authentication_response(credential)
        found = webauthn.complete_authentication(user, credential)
    except (ValidationError, TypeError, ValueError, LookupError, AttributeError):
        ledger.record_about(user, "two_step.failed", VISITOR, why="passkey")
        raise wrong_passkey() from None
    found.user = user
    return found


def wrong_passkey() -> Refused:
    """The refusal of a passkey that is not theirs, or came too late."""
    return Refused(_("This passkey was not accepted. Please try again."), code="wrong_passkey")


def code_now(secret: str, *, after: int = 0) -> str | None:
    """The code of `secret` at this moment, or the next one where it is not newer than the one numbered `after`."""
    numbers = _numbers()
    fresh = [number for number in numbers[len(numbers) // 2 :] if number > after]
    return _code(secret, fresh[0]) if fresh else None


def code_of(*, user: User) -> str | None:
    """The code that somebody's app shows and that has not been used; None where those of this moment were.

    Raises:
        Refused: they have no app (`nothing`).
    """
    app = Authenticator.objects.filter(user_id=user.pk, type=Type.TOTP).first()
    if app is None:
        raise Refused(_("There is no authenticator app."), code="nothing")
    used = SecondStep.objects.filter(user=user).values_list("last_code", flat=True).first()
    return code_now(crypto.decrypt(app.data["secret"]), after=used or 0)


def _numbers() -> list[int]:
    """The half minutes, counted from 1970, whose codes are accepted at this moment."""
    return list(yield_hotp_counters_from_time())


def _code(secret: str, number: int) -> str:
    return format_hotp_value(hotp_value(secret, number))


def _number_of(secret: str, typed: str) -> int | None:
    """To which half minute a code belongs, the newest of those accepted now; None for a wrong code."""
    fits = [number for number in _numbers() if constant_time_compare(_code(secret, number), typed)]
    return max(fits, default=None)


def _hold(user: User) -> SecondStep:
    """The row that keeps two from using one code, or from removing one step each, at once."""
    SecondStep.objects.get_or_create(user=user, defaults={"since": datetime.now(UTC)})
    return locked(SecondStep.objects.filter(user=user)).get()


# --- Rotating keys --------------------------------------------------------------------------------
def rotate(*, batch: int, note: rotation.Note, dry_run: bool = False) -> Iterator[rotation.Progress]:
    """Encrypt anew the secrets of apps and recovery codes; as `exam_portal.kit.rotation` does for columns."""
    for type_, key in SECRETS.items():
        yield from rotation.rotate(_SecretsOfType(type_, key), batch=batch, note=note, dry_run=dry_run)


class _SecretsOfType(rotation.Encrypted):
    """The secrets of one type of authenticator."""

    def __init__(self, type_: str, key: str) -> None:
        self.what, self.key = f"{Authenticator._meta.label}.{type_}", key
        self.rows = Authenticator.objects.filter(type=type_)

    def tokens(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        token = Cast(KeyTextTransform(self.key, F("data")), TextField())
        return rows.annotate(token=token).order_by("pk").values_list("pk", "token")

    def write(self, texts: dict[Any, str]) -> None:
        rows = list(Authenticator.objects.filter(pk__in=texts))
        for row in rows:
            row.data[self.key] = crypto.encrypt(texts[row.pk])
        Authenticator.objects.bulk_update(rows, ["data"])

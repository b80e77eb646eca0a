"""Registering an account (R04, R05)."""

import unicodedata
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.actors import acting
from accounts.models import Candidate, Channel, Question, RecoveryQuestion, User
from accounts.services import ledger, reminders
from exam_portal.kit.errors import Refused

# The version of 特别提示 that candidates read and accept before registering.
NOTICE_VERSION = "2023-11"


class IdTaken(Refused):
    """This ID number has an account already (R04); by whom is not said."""

    code = "id_taken"


class UsernameTaken(Refused):
    """Another account has this username."""

    code = "username_taken"


def normalise_answer(typed: str) -> str:
    """A recovery answer as it is hashed: compatibility forms, case and spaces make no difference."""
    return "".join(unicodedata.normalize("NFKC", typed).casefold().split())


def check_answer(typed: str) -> None:
    """Refuse a recovery answer that is hardly one.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    if len(normalise_answer(typed)) < 2:
        raise ValidationError(_("Enter an answer of at least 2 characters."))


def check_password(password: str, *, id_number: str) -> None:
    """Refuse a password that is the ID number, a part of it, or little more than it.

    What little is left of others without spaces and hyphens, as of eight hyphens, is no part of a number.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    typed = identity.normalise_number(password)
    if (len(typed) >= 4 and typed in id_number) or id_number in typed:
        raise ValidationError(_("The password must not be made of the ID number."))


def register_candidate(
    *,
    name: str,
    id_type: str,
    id_number: str,
    username: str,
    password: str,
    question: Question,
    answer: str,
    channel: Channel,
    at: datetime,
) -> User:
    """Create the account of a candidate who has accepted 特别提示.

    What is typed is normalised and checked here too (accounts.identity). The number is claimed by its unique digest
    before anything slow is done, so that of parallel attempts one wins and the others cost nothing.

    Raises:
        ValidationError: something typed cannot be right.
        IdTaken, UsernameTaken: nothing was created.
    """
    name, id_number, username = (
        identity.normalise_name(name),
        identity.normalise_number(id_number),
        identity.normalise_username(username),
    )
    identity.check_name(name)
    identity.check_number(id_type=id_type, number=id_number)
    identity.check_username(username)
    check_answer(answer)
    validate_password(password)
    check_password(password, id_number=id_number)
    born, sex = identity.birth_and_sex(id_type=id_type, number=id_number)
    try:
        with transaction.atomic():
            user = User.objects.create(username=username, kind=User.Kind.CANDIDATE, date_joined=at)
            candidate = Candidate.objects.create(
                user=user,
                name=name,
                id_type=id_type,
                id_number=id_number,
                **identity.digest_columns(id_type=id_type, number=id_number),
                sex=sex,
                birth_date=born,
                channel=channel,
                notice_version=NOTICE_VERSION,
                registered_at=at,
            )
            user.set_password(password)
            user.save(update_fields=["password"])
            RecoveryQuestion.objects.create(
                candidate=candidate,
                question=question,
                answer_hash=make_password(normalise_answer(answer)),
            )
            who = acting(candidate, channel)
            ledger.record_about(candidate, "account.registered", who, at, notice=NOTICE_VERSION, id_type=id_type)
            reminders.remind(candidate=candidate, at=at)
    except IntegrityError as error:
        if "candidate_id_registers_once" in str(error):
            raise IdTaken(
                _(
                    "This ID number is already registered. If it is yours, sign in with it; if you never registered, "
                    "somebody else used your number: the exam point of your city helps you."
                )
            ) from None
        if "accounts_user_username" in str(error) or "user_sign_in_name_once" in str(error):
            raise UsernameTaken(_("This username is taken. Choose another one.")) from None
        raise
    return user

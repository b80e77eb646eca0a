"""Who works here: giving somebody a role, ending it, and helping them to sign in (R28, R32)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext_lazy as _

from accounts import identity, queries, roles
from accounts.actors import SYSTEM, VISITOR, Actor, check_reason, forbidden, working_as
from accounts.limits import forget_failed_sign_ins
from accounts.models import Point, Region, Site, StaffAssignment, User
from accounts.roles import Level, Right
from accounts.services import ledger, sessions, two_step
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked


def institution(*, role: str, code: str) -> dict[str, str]:
    """The institution columns of an assignment: of a site with its point and region, and so on.

    Raises:
        Refused: there is no such role (`unknown_role`), or no such institution of its level (`unknown_institution`).
    """
    if role not in roles.ROLES:
        raise Refused(_("There is no role “%(role)s”.") % {"role": role}, code="unknown_role")
    level = roles.ROLES[role].level
    if level == Level.NATION:
        if code:
            raise Refused(_("This role is of no single institution."), code="unknown_institution")
        return {}
    if level == Level.SITE:
        site = Site.objects.select_related("point").filter(pk=code).first()
        found = {"site_id": site.pk, "point_id": site.point_id, "region_id": site.point.region_id} if site else None
    elif level == Level.POINT:
        point = Point.objects.filter(pk=code).first()
        found = {"point_id": point.pk, "region_id": point.region_id} if point else None
    else:
        found = {"region_id": code} if Region.objects.filter(pk=code).exists() else None
    if found is None:
        raise Refused(
            _("There is no %(level)s with the code “%(code)s”.") % {"level": level.label, "code": code},
            code="unknown_institution",
        )
    return found


def manages(actor: Actor, *, role: str, region: str) -> bool:
    """Whether this actor gives and ends this role: a region's administrator those of the own region.

    The nation's administrators and operations manage all.
    """
    if actor == SYSTEM or (actor.may(Right.MANAGE_STAFF) and not actor.region):
        return True
    return actor.may(Right.MANAGE_STAFF) and actor.region == region and roles.ROLES[role].level != Level.NATION


@transaction.atomic
def add(
    *,
    actor: Actor,
    username: str,
    name: str,
    role: str,
    code: str,
    at: datetime,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> StaffAssignment:
    """Give somebody a role, in an account made now or there already; `code` is the institution's, "" for the nation's.

    It begins at `at`, or later: whoever could give one that began before would see in the ledger what was done then
    by and about somebody who was of no region or of another (R28). Operations may.

    Whoever has a role elsewhere, now or later, gets none: else two regions would share an account, and neither could
    help its owner to sign in.

    Raises:
        ValidationError: what is typed cannot be right, everything at once, by the names of these arguments.
        Refused: not the actor's to give (`forbidden`); a candidate's username (`candidate`), or one that differs from
            an account's by hyphens only (`spelled_otherwise`); or the person has a role at that time, or one that the
            actor does not manage (`overlaps`).
    """
    username, name = identity.normalise_username(username), identity.normalise_name(name)
    valid_from = valid_from or at
    place = _checked(
        username=username,
        name=name,
        role=role,
        code=code,
        valid_from=valid_from,
        valid_until=valid_until,
        earliest=None if actor == SYSTEM else at,
    )
    if not manages(actor, role=role, region=place.get("region_id", "")):
        raise forbidden()
    user, _created = User.objects.get_or_create(
        sign_in_name=identity.normalise_number(username),
        defaults={"username": username, "kind": User.Kind.STAFF, "is_staff": True, "password": make_password(None)},
    )
    if user.kind != User.Kind.STAFF:
        raise Refused(_("This username is a candidate's. Staff have accounts of their own."), code="candidate")
    if user.username != username:
        raise Refused(
            _("Another username differs from this one by hyphens only. Type that one, or choose a new one."),
            code="spelled_otherwise",
        )
    if actor.id == str(user.pk):
        raise forbidden()
    _hold(actor, user)  # of two regions at once, the second sees the role that the first has given
    if not _manages_all(actor, user, at):
        raise _has_another()
    try:
        with transaction.atomic():
            assignment = StaffAssignment.objects.create(
                user=user, name=name, role=role, valid_from=valid_from, valid_until=valid_until, **place
            )
    except IntegrityError as error:
        if "one role at a time" not in str(error):
            raise
        raise _has_another() from None
    ledger.record_about(user, "staff.added", actor, at, assignment=assignment.pk, role=role, institution=code)
    return assignment


def _has_another() -> Refused:
    """The same words for a role at that time and for one of another region: neither is told."""
    return Refused(
        _("This account has another role, at that time or elsewhere. Whoever manages it ends it first."),
        code="overlaps",
    )


@transaction.atomic
def invite(*, actor: Actor, at: datetime, **given: Any) -> tuple[StaffAssignment, str]:
    """Give somebody a role, as `add`, and make the link by which a new person sets a password.

    Returns the role, and the path of the link: "" where there is a password already.

    Raises:
        ValidationError, Refused: as `add`.
    """
    assignment = add(actor=actor, at=at, **given)
    new = not assignment.user.has_usable_password()
    return assignment, make_link(actor=actor, user=assignment.user, at=at) if new else ""


def _checked(
    *,
    username: str,
    name: str,
    role: str,
    code: str,
    valid_from: datetime,
    valid_until: datetime | None,
    earliest: datetime | None,
) -> dict[str, str]:
    """The institution columns of what is typed.

    Raises:
        ValidationError: with everything that is wrong.
    """
    place: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    for field, check, typed in (("username", identity.check_username, username), ("name", identity.check_name, name)):
        try:
            check(typed)
        except ValidationError as error:
            wrong[field] = error.messages
    try:
        place = institution(role=role, code=code)
    except Refused as refused:
        wrong["role" if refused.code == "unknown_role" else "code"] = [str(refused)]
    if earliest is not None and valid_from < earliest:
        wrong["valid_from"] = [str(_("A role begins today or later."))]
    if valid_until is not None and valid_until <= valid_from:
        wrong["valid_until"] = [str(_("The role ends before it begins."))]
    if wrong:
        raise ValidationError(wrong)
    return place


@transaction.atomic
def end(*, actor: Actor, assignment: StaffAssignment, at: datetime) -> None:
    """End somebody's role; all sessions of the account end too. Ended twice is once.

    Raises:
        Refused: not the actor's to end (`forbidden`).
    """
    _hold(actor, assignment.user)
    assignment = locked(StaffAssignment.objects.filter(pk=assignment.pk)).get()
    if not _may_end(actor, assignment):
        raise forbidden()
    if not assignment.lasts(at):
        return
    assignment.valid_until = max(at, assignment.valid_from)
    assignment.save(update_fields=["valid_until"])
    sessions.end_all(user=assignment.user)
    ledger.record_about(assignment.user, "staff.ended", actor, at, assignment=assignment.pk, role=assignment.role)


def may_end(actor: Actor, assignment: StaffAssignment, *, at: datetime) -> bool:
    """Whether this actor may end a role: one that has not ended, that they manage, and nobody the own one (R32)."""
    return assignment.lasts(at) and _may_end(actor, assignment)


def _may_end(actor: Actor, assignment: StaffAssignment) -> bool:
    theirs = manages(actor, role=assignment.role, region=assignment.region_id or "")
    return theirs and actor.id != str(assignment.user_id)


def _hold(actor: Actor, user: User) -> None:
    """Hold the accounts of both, in one order: else two who end each other's roles would wait for each other."""
    numbers = {user.pk, *([int(actor.id)] if actor.kind == "staff" else [])}
    list(locked(User.objects.filter(pk__in=numbers).order_by("pk")))


# --- Signing in -----------------------------------------------------------------------------------
class _Welcome(PasswordResetTokenGenerator):
    """Tokens that the next password or sign-in voids; real time, `PASSWORD_RESET_TIMEOUT` (three days)."""

    key_salt = "accounts.services.staff.welcome"


_welcome = _Welcome()


def welcome_path(user: User) -> str:
    """Where somebody new, or who forgot the password, sets one: for three days, and once.

    What gives the right to it stands behind the `#`, which browsers keep to themselves: it comes into no log of an
    address and no Referer.
    """
    return f"{reverse('accounts:welcome')}#{int_to_base36(user.pk)}.{_welcome.make_token(user)}"


@transaction.atomic
def make_link(*, actor: Actor, user: User, at: datetime, reason: str = "") -> str:
    """Make a link by which somebody of staff sets a new password; it is given to them and shown to nobody else.

    Raises:
        Refused: they have no role, or not one that the actor manages (`forbidden`); they have a password, and an
            administrator does not say why they need another (`no_reason`).
    """
    _check_helps(actor, user, at)
    if actor != SYSTEM and user.has_usable_password():
        check_reason(reason)
    ledger.record_about(user, "password.link_made", actor, at, reason=reason)
    return welcome_path(user)


@transaction.atomic
def reset_two_step(*, actor: Actor, user: User, reason: str, at: datetime) -> None:
    """Let somebody who lost telephone, passkey and recovery codes set up two-step verification anew; sessions end.

    Raises:
        Refused: no reason is given (`no_reason`); they have no role, or not one that the actor manages (`forbidden`).
    """
    _check_helps(actor, user, at)
    check_reason(reason)
    two_step.forget(user=user)
    sessions.end_all(user=user)
    ledger.record_about(user, "two_step.reset", actor, at, reason=reason)


def invited(code: str, *, at: datetime) -> User:
    """Who may set a password by the code of a link.

    Raises:
        Refused: it is wrong, too old or used, or their role has ended (`expired`).
    """
    number, _dot, token = code.strip().partition(".")
    try:
        key = base36_to_int(number)
    except ValueError:
        key = 0
    user = User.objects.filter(pk=key, kind=User.Kind.STAFF, is_active=True).first()
    if not _welcome.check_token(user, token) or user is None or not queries.roles_of(user, at=at).exists():
        raise Refused(_("This link was used already, or is too old. Ask for a new one."), code="expired")
    return user


@transaction.atomic
def set_password(*, code: str, password: str, at: datetime) -> User:
    """Set a password by the code of a link, which is then used; all sessions of the account end. However often the
    forgotten one was tried, it signs in at once.

    Raises:
        ValidationError: the password is too weak.
        Refused: as `invited`.
    """
    locked(User.objects.filter(pk=invited(code, at=at).pk)).get()
    user = invited(code, at=at)  # of two at once, the second finds the link used
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    sessions.end_all(user=user)
    ledger.record_about(user, "password.set", VISITOR, at)
    forget_failed_sign_ins(user)
    return user


@transaction.atomic
def change_password(*, user: User, actor: Actor, present: str, password: str, keep: str, at: datetime) -> None:
    """Change the own password, which one knows; the sessions of the account end but the one with the key `keep`.

    Raises:
        ValidationError: the new password is too weak.
        Refused: it is not the actor's account (`forbidden`), or not the present password (`wrong_password`).
    """
    if (actor.kind, actor.id) != ("staff", str(user.pk)):
        raise forbidden()
    _hold(actor, user)
    user.refresh_from_db()
    if not user.check_password(present):
        raise Refused(_("This is not your password."), code="wrong_password")
    validate_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    ended = sessions.end_all(user=user, keep=keep)
    ledger.record_about(user, "password.changed", actor, at, ended=ended)


@transaction.atomic
def signed_in(*, user: User, by: str, at: datetime) -> int:
    """Record that somebody has signed in by a second step of this type; the oldest sessions beyond those allowed end.

    Returns how many ended.

    Raises:
        Refused: they have no role, or it has ended while they signed in (`forbidden`).
    """
    assignment = queries.assignment_of(user, at=at)
    if assignment is None:
        raise forbidden()
    ended = sessions.end_oldest(user=user, beyond=settings.PORTAL_STAFF_SESSIONS)
    ledger.record_about(user, "sign_in.done", working_as(assignment), at, by=by, ended=ended)
    return ended


def sign_in_failed(*, user: User, why: str, at: datetime) -> None:
    """Record that somebody could not sign in to this account: `password`, or `no_role` after the right one."""
    ledger.record_about(user, "sign_in.failed", VISITOR, at, why=why)


def helps(actor: Actor, user: User, *, at: datetime) -> bool:
    """Whether this actor may help somebody to sign in: who manages every role that they have or are to have.

    All of them: else an administrator who gives a role to somebody of another region could sign in as them there.
    """
    return queries.roles_of(user, at=at).exists() and actor.id != str(user.pk) and _manages_all(actor, user, at)


def _check_helps(actor: Actor, user: User, at: datetime) -> None:
    if not helps(actor, user, at=at):
        raise forbidden()


def _manages_all(actor: Actor, user: User, at: datetime) -> bool:
    """Whether the actor manages every role that an account has or is to have."""
    return all(manages(actor, role=held.role, region=held.region_id or "") for held in queries.roles_of(user, at=at))

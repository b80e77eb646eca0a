"""Who works here: giving somebody a role, ending it, and helping them to sign in (R28, R32)."""

from datetime import datetime

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
from accounts.actors import SYSTEM, VISITOR, Actor, forbidden, working_as
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


def check_manages(actor: Actor, *, role: str, region: str, user: User | None = None) -> None:
    """Refuse whoever may not give or end this role: a region's administrator manages that of the own region.

    Operations manage all, and nobody the own account (R32).

    Raises:
        Refused: code `forbidden`.
    """
    if actor == SYSTEM:
        return
    everywhere = actor.may(Right.MANAGE_STAFF) and not actor.region
    own = actor.may(Right.MANAGE_STAFF) and actor.region == region and roles.ROLES[role].level != Level.NATION
    if not (everywhere or own) or (user is not None and actor.id == str(user.pk)):
        raise forbidden()


@transaction.atomic
def add(
    *,
    actor: Actor,
    username: str,
    name: str,
    role: str,
    code: str,
    valid_from: datetime,
    valid_until: datetime | None = None,
) -> StaffAssignment:
    """Give somebody a role, in an account made now or there already; `code` is the institution's, "" for the nation's.

    Raises:
        ValidationError: what is typed cannot be right, everything at once, by the names of these arguments.
        Refused: not the actor's to give (`forbidden`), a candidate's username (`candidate`), or the person has a role
            at that time (`overlaps`).
    """
    username, name = identity.normalise_username(username), identity.normalise_name(name)
    place = _checked(username=username, name=name, role=role, code=code, valid_from=valid_from, valid_until=valid_until)
    user = User.objects.filter(username=username).first()
    check_manages(actor, role=role, region=place.get("region_id", ""), user=user)
    if user is None:
        new = {"kind": User.Kind.STAFF, "is_staff": True, "password": make_password(None)}
        user, _created = User.objects.get_or_create(username=username, defaults=new)
    if user.kind != User.Kind.STAFF:
        raise Refused(_("This username is a candidate's. Staff have accounts of their own."), code="candidate")
    try:
        with transaction.atomic():
            assignment = StaffAssignment.objects.create(
                user=user, name=name, role=role, valid_from=valid_from, valid_until=valid_until, **place
            )
    except IntegrityError as error:
        if "one role at a time" not in str(error):
            raise
        raise Refused(_("This account has a role at that time. End it first."), code="overlaps") from None
    _record(assignment.user, "staff.added", actor, None, assignment=assignment.pk, role=role, institution=code)
    return assignment


def _checked(
    *, username: str, name: str, role: str, code: str, valid_from: datetime, valid_until: datetime | None
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
    assignment = locked(StaffAssignment.objects.filter(pk=assignment.pk)).get()
    check_manages(actor, role=assignment.role, region=assignment.region_id or "", user=assignment.user)
    if assignment.valid_until is not None and assignment.valid_until <= at:
        return
    assignment.valid_until = max(at, assignment.valid_from)
    assignment.save(update_fields=["valid_until"])
    sessions.end_all(user=assignment.user)
    _record(assignment.user, "staff.ended", actor, at, assignment=assignment.pk, role=assignment.role)


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
def make_link(*, actor: Actor, user: User, at: datetime) -> str:
    """Make a link by which somebody of staff sets a new password; it is given to them and shown to nobody else.

    Raises:
        Refused: they have no role, or not one that the actor manages (`forbidden`).
    """
    _check_helps(actor, user, at)
    _record(user, "password.link_made", actor, at)
    return welcome_path(user)


@transaction.atomic
def reset_two_step(*, actor: Actor, user: User, reason: str, at: datetime) -> None:
    """Let somebody who lost telephone, passkey and recovery codes set up two-step verification anew; sessions end.

    Raises:
        Refused: no reason is given (`reason`); they have no role, or not one that the actor manages (`forbidden`).
    """
    _check_helps(actor, user, at)
    if not reason.strip():
        raise Refused(_("Say why this is done."), code="reason")
    two_step.forget(user=user)
    sessions.end_all(user=user)
    ledger.record(
        stream="staff", stream_id=str(user.pk), action="two_step.reset", actor=actor, reason=reason.strip(), at=at
    )


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
    _record(user, "password.set", VISITOR, at)
    forget_failed_sign_ins(user)
    return user


def signed_in(*, assignment: StaffAssignment, by: str, at: datetime) -> int:
    """Record that somebody has signed in by a second step of this type; the oldest sessions beyond those allowed end.

    Returns how many ended.
    """
    ended = sessions.end_oldest(user=assignment.user, beyond=settings.PORTAL_STAFF_SESSIONS)
    _record(assignment.user, "sign_in.done", working_as(assignment), at, by=by, ended=ended)
    return ended


def sign_in_failed(*, user: User, why: str, at: datetime) -> None:
    """Record that somebody could not sign in to this account: `password`, or `no_role` after the right one."""
    _record(user, "sign_in.failed", VISITOR, at, why=why)


def _check_helps(actor: Actor, user: User, at: datetime) -> None:
    """Refuse whoever does not manage every role that somebody has or is to have.

    All of them: else an administrator who gives a role to somebody of another region could sign in as them there.
    """
    held = list(queries.roles_of(user, at=at))
    for assignment in held:
        check_manages(actor, role=assignment.role, region=assignment.region_id or "", user=user)
    if not held:
        raise forbidden()


def _record(user: User, action: str, actor: Actor, at: datetime | None, **payload: object) -> None:
    ledger.record(stream="staff", stream_id=str(user.pk), action=action, actor=actor, payload=payload, at=at)

"""Who works here: giving somebody a role, and ending it (R28, R32)."""

from datetime import datetime

from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

from accounts import identity, roles
from accounts.actors import SYSTEM, Actor, forbidden
from accounts.models import Point, Region, Site, StaffAssignment, User
from accounts.roles import Level, Right
from accounts.services import ledger, sessions
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
        ValidationError: name or username cannot be right.
        Refused: not the actor's to give (`forbidden`), an unknown role or institution, a candidate's username
            (`candidate`), or the person has a role at that time (`overlaps`).
    """
    place = institution(role=role, code=code)
    username, name = identity.normalise_username(username), identity.normalise_name(name)
    identity.check_username(username)
    identity.check_name(name)
    user = User.objects.filter(username=username).first()
    check_manages(actor, role=role, region=place.get("region_id", ""), user=user)
    if user is None:
        user = User(username=username, kind=User.Kind.STAFF, is_staff=True)
        user.set_unusable_password()
        user.save()
    elif user.kind != User.Kind.STAFF:
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
    _record(assignment, "staff.added", actor, valid_from, role=role, institution=code)
    return assignment


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
    _record(assignment, "staff.ended", actor, at, role=assignment.role)


def welcome_path(user: User) -> str:
    """Where somebody new, or who forgot the password, sets one: for three days, and once."""
    token = default_token_generator.make_token(user)
    return reverse("accounts:welcome", args=[urlsafe_base64_encode(force_bytes(user.pk)), token])


def _record(assignment: StaffAssignment, action: str, actor: Actor, at: datetime, **payload: object) -> None:
    ledger.record(
        stream="staff",
        stream_id=str(assignment.user_id),
        action=action,
        actor=actor,
        payload={"assignment": assignment.pk, **payload},
        at=at,
    )

"""Reads of the accounts app."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet, TextField, Value

from accounts import devices, identity
from accounts.actors import Actor
from accounts.models import (
    CalendarLink,
    Candidate,
    EmailCode,
    IdentityRequest,
    LedgerEvent,
    LedgerVerification,
    Message,
    Photo,
    Point,
    Region,
    StaffAssignment,
    User,
)
from accounts.models.users import NameKey
from exam_portal import clock


def inbox(candidate: Candidate) -> QuerySet[Message]:
    """The candidate's messages, newest first."""
    return candidate.messages.all()


def standing_photo(candidate: Candidate) -> Photo | None:
    """The photo that stands, whether or not staff refused it."""
    return next((photo for photo in candidate.photos.all() if photo.state in Photo.STANDING), None)


def calendar_link_of(candidate: Candidate) -> CalendarLink | None:
    """The candidate's private link to the own deadlines, if there is one."""
    return CalendarLink.objects.filter(candidate=candidate).first()


def calendar_link(digest: str) -> CalendarLink | None:
    """The link with this digest and whose it is; None for an unknown or revoked one, or of a deleted account."""
    links = CalendarLink.objects.select_related("candidate__basic_information", "candidate__wechat")
    return links.filter(digest=digest, candidate__deleted_at=None).first()


def regions() -> QuerySet[Region]:
    """All exam regions by code."""
    return Region.objects.all()


def points_of(region: Region) -> QuerySet[Point]:
    """The exam points of a region by code; where people really register, without invented ones."""
    points = region.points.all()
    return points.filter(example=False) if settings.PORTAL_ENV == "production" else points


def code_for_an_address(candidate: Candidate) -> int | None:
    """The number of the newest code by which the candidate may still prove an address.

    Not kept in the session, which may end while the candidate looks for the e-mail.
    """
    codes = candidate.email_codes.filter(
        purpose=EmailCode.Purpose.VERIFY, used=False, created_at__gt=datetime.now(UTC) - EmailCode.VALID
    )
    return codes.order_by("-pk").values_list("pk", flat=True).first()


@dataclass(frozen=True)
class SignedIn:
    """A place where somebody is signed in: on which device, from which address, since when; whether it is this one."""

    number: int
    device: devices.Device
    address: str
    since: datetime
    here: bool


def sessions_of(user: User, *, here: str) -> list[SignedIn]:
    """Where `user` is signed in, the session with the key `here` first, then the newest."""
    alive = Session.objects.filter(expire_date__gt=datetime.now(UTC)).values("session_key")
    noted = UserSession.objects.filter(user=user, session_key__in=alive).order_by("-created_at")
    rows = [
        SignedIn(
            number=row.pk,
            device=devices.device(row.user_agent),
            address=row.ip,
            since=clock.as_shown(row.created_at),
            here=row.session_key == here,
        )
        for row in noted
    ]
    return sorted(rows, key=lambda row: not row.here)


def identity_requests_of(candidate: Candidate | None, *, made_here: list[str]) -> QuerySet[IdentityRequest]:
    """What a candidate applied for (R07), and what was applied for in this browser, by numbers; the newest first.

    Not what somebody else applies for against the candidate's account.
    """
    own = Q(candidate=candidate) & ~Q(kind=IdentityRequest.Kind.TAKEN) if candidate else Q(pk=None)
    return IdentityRequest.objects.filter(own | Q(number__in=made_here)).select_related("point__region")


def identity_request_numbered(number: str) -> IdentityRequest | None:
    """The application about an identity with this number, for whoever was told it; says nothing about anybody."""
    return IdentityRequest.objects.filter(number=number).first()


def last_verification() -> LedgerVerification | None:
    """What came out when the ledger was verified last; None when it never was."""
    return LedgerVerification.objects.first()


def staff(*, at: datetime | None, region: str | None) -> QuerySet[StaffAssignment]:
    """Staff by institution and name: those in force at `at`, or of all times; of one region with its points, or all."""
    rows = StaffAssignment.objects.select_related("user", "region", "point", "site")
    if at is not None:
        rows = rows.lasting(at).filter(valid_from__lte=at)
    if region is not None:
        rows = rows.filter(region=region)
    return rows.order_by("region", "point", "site", "user__username", "valid_from")


def assignment_of(user: User, *, at: datetime) -> StaffAssignment | None:
    """The role that somebody of staff has at `at`, or None."""
    return staff(at=at, region=None).filter(user=user).first()


def roles_of(user: User, *, at: datetime) -> QuerySet[StaffAssignment]:
    """The roles that somebody of staff has at `at`, or is to have."""
    return StaffAssignment.objects.lasting(at).filter(user=user).order_by("valid_from")


def staff_account(username: str) -> User | None:
    """The account of somebody of staff, by its username."""
    return User.objects.filter(username=identity.normalise_username(username), kind=User.Kind.STAFF).first()


def by_and_about(members: Iterable[int]) -> Q:
    """A condition: events of what these accounts of staff did, and of what was done about them."""
    numbers = sorted(map(str, members))
    return Q(actor_kind="staff", actor_id__in=numbers) | Q(stream="staff", stream_id__in=numbers)


def candidate_of(user: User) -> Candidate | None:
    """The candidate who signed in as `user`, with basic information, WeChat, photos, fetched once; None for staff."""
    if user.kind != User.Kind.CANDIDATE:
        return None
    if not User.candidate.is_cached(user):
        candidate = (
            Candidate.objects.select_related("basic_information", "wechat").prefetch_related("photos").get(user=user)
        )
        user.candidate = candidate
    return user.candidate


def user_of_wechat(unionid: str) -> User | None:
    """The account of the candidate who has bound this WeChat."""
    return User.objects.filter(candidate__wechat__unionid=unionid).first()


def candidates_named(
    typed: str, *, beginning: bool = False, among: QuerySet[Candidate] | None = None
) -> QuerySet[Candidate]:
    """Candidates of this name, or whose name begins so, of all or among these; nobody for an empty name (R30).

    Dots of all kinds are the same, so are the code points of one character in its compatibility forms, and case.
    """
    name = identity.normalise_name(typed)
    rows = Candidate.objects.order_by("name", "pk") if among is None else among
    if not name or "\0" in name:
        return rows.none()
    key = NameKey(Value(name, output_field=TextField()))
    rows = rows.alias(key=NameKey("name"))
    return rows.filter(key__startswith=key) if beginning else rows.filter(key=key)


# --- Two persons (accounts.services.second_person) ------------------------------------------------
_GIVEN = Q(action__in=["staff.added", "password.link_made", "two_step.reset"])
# A link for somebody who has a password already is made with a reason.
_TAKEN_OVER = Q(action="two_step.reset") | Q(action="password.link_made") & ~Q(reason="")


def givers_of(account: int) -> set[int]:
    """The members of staff who ever gave this account a role, a link to set its password or a new second step."""
    return _who_did(account, _GIVEN)


def takers_of(account: int) -> set[int]:
    """Those who ever opened this account anew after somebody had used it: they could have signed in to it."""
    return _who_did(account, _TAKEN_OVER)


def _who_did(account: int, what: Q) -> set[int]:
    given = LedgerEvent.objects.filter(what, stream="staff", stream_id=str(account), actor_kind="staff")
    return {int(number) for number in given.values_list("actor_id", flat=True)}


def first_persons(actor: Actor) -> set[int]:
    """The accounts after whom this one is no second person: itself, and those who gave it out."""
    return {int(actor.id)} | givers_of(int(actor.id))

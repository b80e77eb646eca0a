"""What waits for staff in this app: applications about identities (R07), photos; and whether the ledger is whole."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import queries
from accounts.actors import Actor
from accounts.models import IdentityRequest, LedgerVerification, Photo
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal.kit.counts import about
from exam_portal.kit.staff_work import Alert, Queue, Work

State = IdentityRequest.State
VERIFIED_WITHIN = timedelta(days=2)


def work(*, actor: Actor, at: datetime) -> list[Work]:
    """The queues of this member of staff: what the exam point is to check, what the region is to decide.

    Whoever sees the whole ledger is warned when it is not verified to be whole.
    """
    requests = visible_to(actor, IdentityRequest)
    found: list[Work] = []
    if actor.may(Right.CHECK_IDENTITY):
        label = _("Applications about identities: to be checked here")
        found.append(_of_identity(label, requests, State.MADE, since="made_at"))
    if actor.may(Right.DECIDE_IDENTITY):
        label = _("Applications about identities: to be decided here")
        found.append(_of_identity(label, requests, State.CHECKED, since="checked_at"))
    if actor.may(Right.DECIDE_PHOTO):
        photos = visible_to(actor, Photo).filter(state=Photo.State.DOUBTFUL)
        address = reverse("admin:accounts_photo_changelist")
        found.append(_queue(_("Photos to be looked at"), photos, address, since="chosen_at"))
    if actor.may(Right.SEE_LEDGER) and not actor.region and (wrong := ledger_alert(queries.last_verification(), at=at)):
        found.append(Alert(wrong, reverse("admin:accounts_ledgerevent_changelist")))
    return found


def ledger_alert(last: LedgerVerification | None, *, at: datetime) -> Promise | None:
    """What is wrong with the last verification of the ledger; None when nothing is."""
    if last is None:
        return _("The ledger has never been verified.")
    if last.faults:
        return _("The last verification of the ledger found faults.")
    return _("The ledger was last verified more than two days ago.") if at - last.at > VERIFIED_WITHIN else None


def _of_identity(label: Promise, requests: QuerySet[IdentityRequest], state: str, *, since: str) -> Queue:
    address = f"{reverse('admin:accounts_identityrequest_changelist')}?state__exact={state}"
    return _queue(label, requests.filter(state=state), address, since=since)


def _queue(label: Promise, rows: QuerySet[Any], url: str, *, since: str) -> Queue:
    return Queue(label=label, url=url, count=about(rows), oldest=rows.aggregate(oldest=Min(since))["oldest"])

"""What waits for staff in this app: applications about identities (R07)."""

from datetime import datetime

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import IdentityRequest
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal.kit.keyset import about
from exam_portal.kit.staff_work import Deadline, Queue

State = IdentityRequest.State


def work(*, actor: Actor, at: datetime) -> list[Queue | Deadline]:
    """The queues of this member of staff: what the exam point is to check, what the region is to decide."""
    requests = visible_to(actor, IdentityRequest)
    found: list[Queue | Deadline] = []
    if actor.may(Right.CHECK_IDENTITY):
        label = _("Applications about identities: to be checked here")
        found.append(_queue(label, requests, State.MADE, since="made_at"))
    if actor.may(Right.DECIDE_IDENTITY):
        label = _("Applications about identities: to be decided here")
        found.append(_queue(label, requests, State.CHECKED, since="checked_at"))
    return found


def _queue(label: Promise, requests: QuerySet[IdentityRequest], state: str, *, since: str) -> Queue:
    rows = requests.filter(state=state)
    count, exact = about(rows)
    return Queue(
        label=label,
        url=f"{reverse('admin:accounts_identityrequest_changelist')}?state__exact={state}",
        count=count,
        exact=exact,
        oldest=rows.aggregate(oldest=Min(since))["oldest"],
    )

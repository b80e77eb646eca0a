"""Applications to change a name or an ID, or to delete an account (R07), and the evidence of what was done."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.models.institutions import Point
from accounts.models.users import Candidate, User
from exam_portal.kit.fields import EncryptedTextField
from exam_portal.kit.rotation import ROTATING

_ENCRYPTED_COLUMNS = """ARRAY['name', 'id_number', 'new_name', 'new_id_number', 'telephone', 'reason', 'remark',
    'refusal']"""
_DECISION_COLUMNS = """ARRAY['state', 'candidate_id', 'needs_region', 'proof', 'checked_by_id', 'checked_at',
    'decided_by_id', 'decided_at', 'remark', 'refusal']"""


class IdentityRequest(models.Model):
    """What is applied for, filled in online and brought to an exam point on paper; then what was found and done.

    `name`, `id_type` and `id_number` are those of who applies; when a candidate does, what the account says, so that
    they are the old values once new ones are carried out. What is personal is encrypted, and stays here: the ledger
    holds the request's number only. `changes` names what a change changes, `needs_region` whether somebody of the
    region decides after the exam point. What was done or refused is never altered.

    `id_digest` is the applicant's, by the look-up key of its time. `once` is a keyed digest over who applies, the day
    and all that is applied for: while it waits, the same is not made twice.
    """

    class Kind(models.TextChoices):
        CHANGE = "change", _("Change the name, ID type or ID number")
        DELETE = "delete", _("Delete my account")
        TAKEN = "taken", _("Somebody else signed up with my ID number")

    class State(models.TextChoices):
        MADE = "made", _("Filled in; to be brought to the exam point")
        CHECKED = "checked", _("Checked by the exam point; the region decides")
        DONE = "done", _("Carried out")
        REFUSED = "refused", _("Refused")

    OPEN = (State.MADE, State.CHECKED)

    number = models.CharField(_("number"), max_length=12, unique=True)
    kind = models.CharField(_("what is applied for"), max_length=8, choices=Kind)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.MADE)
    point = models.ForeignKey(Point, models.PROTECT, related_name="identity_requests", verbose_name=_("exam point"))
    candidate = models.ForeignKey(Candidate, models.PROTECT, null=True, blank=True, related_name="identity_requests")
    name = EncryptedTextField(_("name"))
    id_type = models.CharField(_("ID type"), max_length=24, choices=identity.choices())
    id_number = EncryptedTextField(_("ID number"))
    new_name = EncryptedTextField(blank=True)
    new_id_type = models.CharField(max_length=24, blank=True)
    new_id_number = EncryptedTextField(blank=True)
    changes = ArrayField(models.CharField(max_length=9), default=list, blank=True)
    telephone = EncryptedTextField(_("telephone"))
    reason = EncryptedTextField(_("Reason"))
    made_at = models.DateTimeField(_("filled in at"))
    id_digest = models.CharField(max_length=64, editable=False, blank=True)
    once = models.CharField(max_length=64, editable=False, null=True)  # noqa: DJ001
    needs_region = models.BooleanField(default=False)
    proof = models.FileField(upload_to="identity", blank=True)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    # What staff noted among themselves, and the reason that the applicant reads when it is refused.
    remark = EncryptedTextField(blank=True)
    refusal = EncryptedTextField(blank=True)

    # What was applied for is never altered; these are what deciding writes.
    DECISION = (
        "state",
        "candidate",
        "needs_region",
        "proof",
        "checked_by",
        "checked_at",
        "decided_by",
        "decided_at",
        "remark",
        "refusal",
    )

    class Meta:
        ordering = ["-made_at", "-pk"]
        verbose_name = _("application about an identity")
        verbose_name_plural = _("applications about identities")
        constraints = [
            models.CheckConstraint(
                name="identity_request_kind_known", condition=Q(kind__in=["change", "delete", "taken"])
            ),
            models.CheckConstraint(
                name="identity_request_state_known", condition=Q(state__in=["made", "checked", "done", "refused"])
            ),
            models.CheckConstraint(
                name="identity_request_checked_on_proof",
                condition=Q(state__in=["made", "refused"])
                | (Q(candidate__isnull=False, checked_by__isnull=False, checked_at__isnull=False) & ~Q(proof="")),
            ),
            models.CheckConstraint(
                name="identity_request_decided_by_somebody",
                condition=Q(state__in=["made", "checked"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
            # An ID, or an account that another made: these the region decides.
            models.CheckConstraint(
                name="identity_request_region_where_needed",
                condition=Q(state__in=["made", "refused"])
                | Q(needs_region=True)
                | Q(kind="delete")
                | (Q(kind="change") & ~Q(changes__overlap=["id_type", "id_number"])),
            ),
            models.CheckConstraint(
                name="identity_request_two_persons",
                condition=~Q(state="done", needs_region=True) | ~Q(decided_by=F("checked_by")),
            ),
            models.UniqueConstraint(
                name="identity_request_one_waiting", fields=["candidate"], condition=Q(state="checked")
            ),
            models.UniqueConstraint(name="identity_request_made_once", fields=["once"], condition=Q(state="made")),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="identity_request_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.state <> 'made' THEN
                            RAISE EXCEPTION 'pgtrigger: a request about an identity begins as made';
                        END IF;
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'UPDATE' AND {ROTATING}
                        AND to_jsonb(NEW) - {_ENCRYPTED_COLUMNS} = to_jsonb(OLD) - {_ENCRYPTED_COLUMNS}
                    THEN
                        RETURN NEW;
                    END IF;
                    IF OLD.state IN ('done', 'refused') THEN
                        RAISE EXCEPTION 'pgtrigger: what was decided about an identity is never altered';
                    END IF;
                    IF TG_OP = 'DELETE' THEN
                        IF OLD.state <> 'made' THEN
                            RAISE EXCEPTION 'pgtrigger: what was checked about an identity is never deleted';
                        END IF;
                        RETURN OLD;
                    END IF;
                    IF to_jsonb(NEW) - {_DECISION_COLUMNS} <> to_jsonb(OLD) - {_DECISION_COLUMNS} THEN
                        RAISE EXCEPTION 'pgtrigger: what was applied for is never altered';
                    END IF;
                    IF OLD.state = 'checked'
                        AND ROW(NEW.candidate_id, NEW.needs_region, NEW.proof, NEW.checked_by_id, NEW.checked_at)
                            IS DISTINCT FROM ROW(OLD.candidate_id, OLD.needs_region, OLD.proof, OLD.checked_by_id,
                                OLD.checked_at)
                    THEN
                        RAISE EXCEPTION 'pgtrigger: what was checked is never altered';
                    END IF;
                    IF NEW.state = 'done' AND pg_trigger_depth() < 2 THEN
                        RAISE EXCEPTION 'pgtrigger: done is set by the trigger of the account that it changes';
                    END IF;
                    IF OLD.state = 'checked' AND NEW.state = 'made' THEN
                        RAISE EXCEPTION 'pgtrigger: what was checked waits for the region';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="identity_requests_are_kept",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: requests about identities are never emptied';",
            ),
        ]
        indexes = [
            # The order of the staff's list, which goes by key.
            models.Index(fields=["made_at", "id"], name="identity_request_by_time"),
            models.Index(
                fields=["point", "made_at"], name="identity_request_open", condition=Q(state__in=["made", "checked"])
            ),
            models.Index(
                fields=["id_digest"], name="identity_request_reports", condition=Q(kind="taken", state="made")
            ),
        ]

    def __str__(self) -> str:
        return self.number

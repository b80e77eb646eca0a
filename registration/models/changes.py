"""What staff change of an exam year: who proposed it and why, who decided, what it was before and what it is now."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, User

_DECISION_COLUMNS = "ARRAY['state', 'decided_by_id', 'decided_at', 'refusal']"

# Whether candidates are registering or being confirmed where the row is used, at the moment of deciding: as things
# stand, and as they will stand. Mirrors `registration.services.exam_year.editable.is_open`.
_OPEN = """
    EXISTS (
        SELECT FROM registration_exam e
        LEFT JOIN registration_examregion r ON r.exam_id = e.id
        WHERE CASE NEW.kind
            WHEN 'exam' THEN e.code = NEW.key
            WHEN 'region' THEN e.code = split_part(NEW.key, '/', 1) AND r.region_id = split_part(NEW.key, '/', 2)
            ELSE EXISTS (
                SELECT FROM registration_examsite x JOIN accounts_site s ON s.code = x.site_id
                WHERE x.exam_region_id = r.id AND NEW.key = CASE NEW.kind WHEN 'point' THEN s.point_id ELSE s.code END
            )
        END
        AND (
            tstzrange(e.opens_at, e.closes_at) @> NEW.decided_at
            OR tstzrange(r.confirmation_opens_at, r.confirmation_closes_at) @> NEW.decided_at
            OR NEW.kind = 'exam' AND tstzrange(
                coalesce((NEW.new->>'opens_at')::timestamptz, e.opens_at),
                coalesce((NEW.new->>'closes_at')::timestamptz, e.closes_at)
            ) @> NEW.decided_at
            OR NEW.kind = 'region' AND tstzrange(
                coalesce((NEW.new->>'confirmation_opens_at')::timestamptz, r.confirmation_opens_at),
                coalesce((NEW.new->>'confirmation_closes_at')::timestamptz, r.confirmation_closes_at)
            ) @> NEW.decided_at
        )
    )
"""


class ExamYearChange(models.Model):
    """A change of one row of an exam year: proposed, then live, refused or withdrawn.

    `kind` and `key` name the row and outlive it: an exam by its code, a region in an exam as `2024-health/43`, points
    and sites by theirs. `old` and `new` hold the values that change, by field, as an exam-year file is compared
    (`registration.services.exam_year.document.plain`). `region` is None for an exam, which is of the whole nation.

    What was proposed is never altered, nor what was decided. While candidates register or are confirmed where the row
    is used, somebody else than who proposed it decides: the trigger looks itself.
    """

    class Kind(models.TextChoices):
        EXAM = "exam", _("Exam")
        REGION = "region", _("Exam region in an exam")
        POINT = "point", _("Exam point")
        SITE = "site", _("Registration site")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waits for a second person")
        LIVE = "live", _("In force")
        REFUSED = "refused", _("Not approved")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    kind = models.CharField(_("what is changed"), max_length=8, choices=Kind)
    key = models.CharField(_("code"), max_length=60)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="exam_year_changes", verbose_name=_("exam region")
    )
    title = models.CharField(_("name"), max_length=120)
    old = models.JSONField()
    new = models.JSONField()
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PROPOSED)
    reason = models.TextField(_("Reason for the change"))
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("proposed at"))
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True)

    class Meta:
        ordering = ["-proposed_at", "-pk"]
        verbose_name = _("change of the exam year")
        verbose_name_plural = _("changes of the exam year")
        constraints = [
            models.CheckConstraint(
                name="exam_year_change_kind_known", condition=Q(kind__in=["exam", "region", "point", "site"])
            ),
            models.CheckConstraint(
                name="exam_year_change_state_known",
                condition=Q(state__in=["proposed", "live", "refused", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="exam_year_change_decided_by_somebody",
                condition=Q(state="proposed", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="exam_year_change_has_reasons",
                condition=~Q(reason="") & (Q(state="refused") & ~Q(refusal="") | ~Q(state="refused") & Q(refusal="")),
            ),
            models.CheckConstraint(
                name="exam_year_change_of_a_region",
                condition=Q(kind="exam", region__isnull=True) | ~Q(kind="exam") & Q(region__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="exam_year_change_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP = 'DELETE' THEN
                        RAISE EXCEPTION 'pgtrigger: changes of an exam year are never deleted';
                    END IF;
                    IF OLD.state <> 'proposed' THEN
                        RAISE EXCEPTION 'pgtrigger: what was decided about an exam year is never altered';
                    END IF;
                    IF to_jsonb(NEW) - {_DECISION_COLUMNS} <> to_jsonb(OLD) - {_DECISION_COLUMNS} THEN
                        RAISE EXCEPTION 'pgtrigger: what was proposed is never altered';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="exam_year_change_two_persons",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF NEW.state = 'live' AND NEW.decided_by_id = NEW.proposed_by_id AND {_OPEN} THEN
                        RAISE EXCEPTION 'pgtrigger: two persons change an exam year in an open window'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="exam_year_changes_are_kept",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: changes of an exam year are never emptied';",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "key", "-proposed_at"], name="exam_year_change_of_row"),
            models.Index(fields=["region", "proposed_at"], name="exam_year_change_open", condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return self.title

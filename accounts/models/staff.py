"""Staff: who works in which role for which institution, and when (R28, R32)."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models.institutions import Point, Region, Site
from accounts.models.users import User

_LEVELS = {level: [code for code, role in roles.ROLES.items() if role.level == level] for level in roles.Level}
_PLACE = {
    roles.Level.SITE: {"region": False, "point": False, "site": False},
    roles.Level.POINT: {"region": False, "point": False, "site": True},
    roles.Level.REGION: {"region": False, "point": True, "site": True},
    roles.Level.NATION: {"region": True, "point": True, "site": True},
}


def _institution_fits() -> Q:
    """Each role with exactly the institutions that it has: a clerk's site with its point and region, and so on."""
    fits = Q(pk__in=[])
    for level, empty in _PLACE.items():
        fits |= Q(role__in=_LEVELS[level], **{f"{name}__isnull": null for name, null in empty.items()})
    return fits


class StaffAssignments(models.QuerySet["StaffAssignment"]):
    """Roles of staff, also those that have ended."""

    def lasting(self, at: datetime) -> "StaffAssignments":
        """Those in force at `at` or later: not ended by then."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=at))


class StaffAssignment(models.Model):
    """Somebody of staff in a role, for an institution, within `[valid_from, valid_until)`. One at a time for each;
    changed by ending it and in no other way.

    `point` and `region` are those of the site, or of the point; a region's staff have no point, the nation's no region.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="assignments", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=50)
    role = models.CharField(_("role"), max_length=20, choices=roles.choices())
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True, related_name="staff")
    point = models.ForeignKey(Point, models.PROTECT, null=True, blank=True, related_name="staff")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="staff")
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    objects = StaffAssignments.as_manager()

    class Meta:
        ordering = ["-valid_from", "-pk"]
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(name="staff_role_known", condition=Q(role__in=list(roles.ROLES))),
            models.CheckConstraint(name="staff_institution_fits", condition=_institution_fits()),
            models.CheckConstraint(
                name="staff_valid_from_until",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="one_role_at_a_time",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF NEW.valid_until < NEW.valid_from THEN
                        RETURN NEW;  -- refused by the constraint, in its own words
                    END IF;
                    PERFORM FROM accounts_user WHERE id = NEW.user_id FOR UPDATE;
                    IF EXISTS (
                        SELECT FROM accounts_staffassignment other
                        WHERE other.user_id = NEW.user_id AND other.id <> NEW.id
                            AND tstzrange(other.valid_from, other.valid_until)
                                && tstzrange(NEW.valid_from, NEW.valid_until)
                    ) THEN
                        RAISE EXCEPTION 'pgtrigger: one role at a time' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # By who had which role when the ledger is read. A role comes to an end, or to an earlier one.
            pgtrigger.Trigger(
                name="role_is_only_ended",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF to_jsonb(NEW) - 'valid_until' <> to_jsonb(OLD) - 'valid_until'
                        OR NEW.valid_until IS NULL OR NEW.valid_until > OLD.valid_until
                    THEN
                        RAISE EXCEPTION 'pgtrigger: a role is not changed, only ended';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="staff_assignment_is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="staff_assignments_are_kept",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: roles of staff are never emptied';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_role_display()})"

    def is_valid(self, at: datetime) -> bool:
        """Whether it is in force at `at`."""
        return self.valid_from <= at and self.lasts(at)

    def lasts(self, at: datetime) -> bool:
        """Whether it is in force at `at` or later: has not ended by then."""
        return self.valid_until is None or at < self.valid_until

    @property
    def institution(self) -> str:
        """The name of the institution: of the site, else of the point, else of the region; "" for the nation's."""
        place = self.site or self.point or self.region
        return str(place) if place else ""

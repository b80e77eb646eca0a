"""Photos: what was uploaded, what the checks found, what the candidate and staff decided (R03)."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Candidate, Channel, User
from accounts.photos.report import Frame, Item, Verdict, items_from, worst
from accounts.photos.rules import PhotoRules
from exam_portal.kit.fields import BitsField


class PhotoRuleSet(models.Model):
    """A version of what exams ask of photos, as it was when photos were checked by it. Never changed."""

    version = models.CharField(max_length=16, primary_key=True)
    table = models.JSONField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.version

    @property
    def rules(self) -> PhotoRules:
        """The rules that this version says."""
        return PhotoRules.from_table(self.table)


class Photos(models.QuerySet["Photo"]):
    """Photos of candidates."""

    def pending(self) -> "Photos":
        """Uploaded and not yet chosen; a candidate has one at most."""
        return self.filter(state__in=Photo.PENDING)

    def standing(self) -> "Photos":
        """Chosen, whether or not staff refused it; a candidate has one at most."""
        return self.filter(state__in=Photo.STANDING)


class Photo(models.Model):
    """One upload and what became of it.

    It is checked by the worker, which finds it unreadable, or offers frames. The candidate chooses one of them, and it
    stands: accepted, or doubtful until staff decide. Another one then takes its place. What a submission shows is kept.

    `original` is as it was uploaded, and never served; `preview` is a small copy of it; `kept` is the JPEG for the
    exam, `digest` its SHA-256. `report` holds of accounts.photos.report.Report what is not in the frames: width,
    height, items, head, and where no frame can help `beside`, items of what is around the head; and once one was
    chosen `chosen`: number, kind, frame, items. `attempts` counts how often a worker began to check it, `again_at`
    is when the sweeper rings for it again. `asked_rule_set` are other rules by which it is to be checked too.
    `used_at` is when a submission first took it. `alike` are photos of other candidates that look the same, a hint
    to staff.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("Being checked")
        UNREADABLE = "unreadable", _("Cannot be used")
        CHECKED = "checked", _("Checked")
        ACCEPTED = "accepted", _("Accepted")
        DOUBTFUL = "doubtful", _("Waiting for staff to look at it (待审核)")
        REFUSED = "refused", _("Refused by staff (审核不通过)")
        REPLACED = "replaced", _("Replaced")

    PENDING = (State.RECEIVED, State.UNREADABLE, State.CHECKED)
    USABLE = (State.ACCEPTED, State.DOUBTFUL)
    STANDING = (*USABLE, State.REFUSED)

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="photos")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    channel = models.CharField(max_length=8, choices=Channel)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    rule_set = models.ForeignKey(PhotoRuleSet, models.PROTECT, related_name="+")
    asked_rule_set = models.ForeignKey(PhotoRuleSet, models.PROTECT, null=True, blank=True, related_name="+")
    original = models.FileField(max_length=80)
    preview = models.FileField(max_length=80, blank=True)
    kept = models.FileField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=24, blank=True)
    report = models.JSONField(default=dict, blank=True)
    fingerprint = BitsField(max_length=256, null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    again_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    chosen_at = models.DateTimeField(_("chosen at"), null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    refusal = models.TextField(blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    alike = models.ManyToManyField("self", blank=True)

    objects = Photos.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="photo_state_known",
                condition=Q(
                    state__in=[
                        *("received", "unreadable", "checked", "accepted", "doubtful", "refused", "replaced"),
                    ]
                ),
            ),
            models.UniqueConstraint(
                name="photo_pending_once",
                fields=["candidate"],
                condition=Q(state__in=["received", "unreadable", "checked"]),
            ),
            models.UniqueConstraint(
                name="photo_standing_once",
                fields=["candidate"],
                condition=Q(state__in=["accepted", "doubtful", "refused"]),
            ),
            models.CheckConstraint(name="photo_refused_with_reason", condition=~Q(state="refused") | ~Q(refusal="")),
            models.CheckConstraint(
                name="photo_chosen",
                condition=Q(state__in=["received", "unreadable", "checked"], chosen_at=None, kept="", digest="")
                | Q(state__in=["accepted", "doubtful", "refused", "replaced"], chosen_at__isnull=False)
                & ~Q(kept="")
                & ~Q(digest=""),
            ),
            # What is kept for no candidate's choice any more is kept for a submission.
            models.CheckConstraint(
                name="photo_replaced_was_used", condition=~Q(state="replaced") | Q(used_at__isnull=False)
            ),
        ]
        triggers = [
            # What a submission shows is neither removed nor another picture.
            pgtrigger.Protect(
                name="photo_used_is_kept", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__used_at__isnull=False)
            ),
            pgtrigger.Protect(
                name="photo_used_is_fixed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__used_at__isnull=False)
                & (
                    pgtrigger.Q(old__kept__df=pgtrigger.F("new__kept"))
                    | pgtrigger.Q(old__digest__df=pgtrigger.F("new__digest"))
                    | pgtrigger.Q(old__used_at__df=pgtrigger.F("new__used_at"))
                ),
            ),
        ]
        indexes = [
            # What waits for the worker, and for staff.
            models.Index(
                fields=["again_at"],
                name="photo_waits",
                condition=Q(state="received") | Q(asked_rule_set__isnull=False),
            ),
            models.Index(fields=["chosen_at", "id"], name="photo_doubtful", condition=Q(state="doubtful")),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def items(self) -> list[Item]:
        """What the checks found of the whole picture, and of what is around the head where no frame can help."""
        return items_from(self.report.get("items", []) + self.report.get("beside", []))

    @property
    def hopeless(self) -> bool:
        """Whether no frame can help: another picture is needed."""
        return worst(self.items) == Verdict.FAIL

    @property
    def chosen_frame(self) -> Frame:
        """The frame that was chosen, of a photo that stands."""
        return Frame(**self.report["chosen"]["frame"])

    @property
    def frame_items(self) -> list[Item]:
        """What the checks found of the frame that was chosen; none before."""
        return items_from(self.report.get("chosen", {}).get("items", []))


class PhotoFrame(models.Model):
    """A frame that may be cut from a photo, or was: geometry (accounts.photos.report.Frame), findings, the cut JPEG.

    One that the candidate moved (`own`) waits for the worker while `checked_at` is None; moved again, it is another
    row with another number.
    """

    class Kind(models.TextChoices):
        SUGGESTED = "suggested", _("Suggested")
        WIDER = "wider", _("Wider")
        CLOSER = "closer", _("Closer")
        OWN = "own", _("Your own")

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="frames")
    kind = models.CharField(max_length=9, choices=Kind)
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    angle = models.FloatField()
    report = models.JSONField(default=list, blank=True)
    picture = models.FileField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    again_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="photo_frame_once", fields=["photo", "kind"]),
            models.CheckConstraint(
                name="photo_frame_known", condition=Q(kind__in=["suggested", "wider", "closer", "own"])
            ),
            models.CheckConstraint(
                name="photo_frame_cut",
                condition=Q(checked_at=None) | (~Q(checked_at=None) & ~Q(picture="") & ~Q(digest="")),
            ),
        ]
        indexes = [models.Index(fields=["again_at"], name="photo_frame_asked", condition=Q(checked_at=None))]

    def __str__(self) -> str:
        return f"{self.photo_id}/{self.kind}"

    @property
    def items(self) -> list[Item]:
        """What the checks found of this frame."""
        return items_from(self.report)

    @property
    def verdict(self) -> Verdict:
        """The gravest finding of this frame."""
        return worst(self.items)

    @property
    def geometry(self) -> Frame:
        """Where it lies in the picture."""
        return Frame(self.x, self.y, self.width, self.angle)

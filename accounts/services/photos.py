"""What a candidate does with photos: uploading one, moving a frame, choosing one, taking an upload back (R03).

What the checks find comes from the worker (accounts.services.photo_checks). The photo that stands changes by `choose`
alone, and not while an application needs it as it is (`ACCOUNTS_GUARDS`).
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, check_acts_for
from accounts.models import Candidate, Channel, Photo, PhotoFrame, PhotoRuleSet
from accounts.photos import intake
from accounts.photos.report import Frame, Verdict, worst
from accounts.photos.rules import PhotoRules
from accounts.photos.words import CONFIRMED
from accounts.services import files, ledger, reminders
from accounts.services.candidates import hold
from exam_portal.kit import hooks
from exam_portal.kit.bell import ring
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

FOLDER = "photos"
# When the sweeper rings for what the worker was told of, and again for what a worker has begun.
RING_AGAIN = timedelta(minutes=1)
# An upload that was never chosen is removed after so long.
FORGOTTEN_AFTER = timedelta(days=30)


def rules_at(at: datetime) -> PhotoRules | None:
    """What the exam that candidates register for now, or next, asks of a photo; None while none does."""
    return next((rules for hook in hooks.load("PHOTO_RULES") if (rules := hook(at=at))), None)


def rule_set_of(rules: PhotoRules, at: datetime) -> PhotoRuleSet:
    """The row that keeps this version of the rules."""
    rule_set, _created = PhotoRuleSet.objects.get_or_create(
        version=rules.version, defaults={"table": rules.as_table(), "since": at}
    )
    return rule_set


def guarded(candidate: Candidate, at: datetime) -> str | None:
    """Why the photo that stands may not be replaced now, or None. One that staff refused always may."""
    if not candidate.photos.filter(state__in=Photo.USABLE).exists():
        return None
    answers = (hook(candidate=candidate, change=hooks.Change.PHOTO, at=at) for hook in hooks.load("ACCOUNTS_GUARDS"))
    return next((answer for answer in answers if answer), None)


def _check_unguarded(candidate: Candidate, at: datetime) -> None:
    if answer := guarded(candidate, at):
        raise Refused(answer, code="photo_needed")


def upload(
    *, candidate: Candidate, source: UploadedFile, actor: Actor, at: datetime, channel: Channel = Channel.WEB
) -> Photo:
    """Take in a file, to be checked by the worker; what was uploaded before and not chosen gives way to it.

    Raises:
        Refused: by its first bytes it is no picture that is taken in, or too big (codes of accounts.photos.intake); the
            photo may not be replaced now (`photo_needed`); no exam says yet what it asks of photos (`no_rules`).
    """
    check_acts_for(actor, candidate)
    rules = rules_at(at)
    if rules is None:
        raise Refused(_("No exam says yet what it asks of photos. Come back when one is announced."), code="no_rules")
    _check_unguarded(candidate, at)
    header = intake.read_header(source)
    source.seek(0)
    name = files.keep(source, folder=FOLDER, extension=header.extension)
    with transaction.atomic():
        hold(candidate)
        _check_unguarded(candidate, at)
        for earlier in locked(candidate.photos.pending()):
            remove(earlier)
        photo = Photo.objects.create(
            candidate=candidate,
            channel=channel,
            uploaded_at=at,
            rule_set=rule_set_of(rules, at),
            original=name,
            again_at=at + RING_AGAIN,
        )
        files.adopt(name)
        _record(photo, actor, "photo.uploaded", at)
        transaction.on_commit(lambda: ring_for(photo))
    return photo


@transaction.atomic
def take_back(*, photo: Photo, actor: Actor, at: datetime) -> None:
    """Remove an upload that was not chosen; the photo that stands stays. Twice is once."""
    check_acts_for(actor, photo.candidate)
    hold(photo.candidate)
    for pending in locked(photo.candidate.photos.pending().filter(pk=photo.pk)):
        remove(pending)
        _record(pending, actor, "photo.taken_back", at)


@transaction.atomic
def move_frame(*, photo: Photo, frame: Frame, actor: Actor, at: datetime) -> PhotoFrame:
    """Ask the worker about a frame that the candidate moved; it takes the place of one moved before.

    Raises:
        Refused: the photo cannot be chosen from (see `choose`), or the frame is not within it (`outside`).
    """
    photo = _held(photo, actor)
    if not fits(photo, frame):
        raise Refused(_("The frame must lie inside the picture."), code="outside")
    _discard_frames(list(photo.frames.filter(kind=PhotoFrame.Kind.OWN)))
    own = PhotoFrame.objects.create(
        photo=photo,
        kind=PhotoFrame.Kind.OWN,
        x=frame.x,
        y=frame.y,
        width=frame.width,
        angle=frame.angle,
        again_at=at + RING_AGAIN,
    )
    transaction.on_commit(lambda: ring_for_frame(own))
    return own


def fits(photo: Photo, frame: Frame) -> bool:
    """Whether the middle of a frame lies in the picture, and its size and turn are such that something can be cut."""
    width, height = photo.report.get("width", 0), photo.report.get("height", 0)
    return 0 <= frame.x <= width and 0 <= frame.y <= height and 1 <= frame.width <= width and abs(frame.angle) <= 45


@transaction.atomic
def choose(*, photo: Photo, frame: PhotoFrame, confirmed: Collection[str], actor: Actor, at: datetime) -> Photo:
    """Make the cut of a frame the candidate's photo: accepted, or doubtful until staff have looked at it.

    `confirmed` are the keys of accounts.photos.words.CONFIRMED, what no machine can judge; all of them are needed.
    Choosing again what stands already is once.

    Raises:
        Refused: another upload came since (`outdated`), it is not checked yet (`not_checked`), it or the frame fails a
            check (`fails`), not everything is confirmed (`not_confirmed`), or the photo that stands may not be
            replaced now (`photo_needed`).
    """
    standing = Photo.objects.standing().filter(pk=photo.pk, report__chosen__number=frame.pk).first()
    if standing and standing.candidate_id == photo.candidate_id:
        check_acts_for(actor, photo.candidate)
        return standing
    photo = _held(photo, actor)
    _check_unguarded(photo.candidate, at)
    chosen = photo.frames.filter(pk=frame.pk).exclude(checked_at=None).first()
    if chosen is None:
        raise Refused(_("This frame is being checked. Wait a moment, then look again."), code="not_checked")
    if Verdict.FAIL in (worst(photo.items), chosen.verdict):
        raise Refused(_("The photo does not pass with this frame. Choose another frame."), code="fails")
    if {key for key, _sentence in CONFIRMED} - set(confirmed):
        raise Refused(_("Confirm each of the points that no machine can judge."), code="not_confirmed")
    for former in locked(photo.candidate.photos.standing()):
        _give_way(former)
    doubtful = worst(photo.items + chosen.items) == Verdict.WARN
    photo.state = Photo.State.DOUBTFUL if doubtful else Photo.State.ACCEPTED
    photo.kept, photo.digest, photo.chosen_at = chosen.picture.name, chosen.digest, at
    photo.report["chosen"] = {
        "number": chosen.pk,
        "kind": chosen.kind,
        "frame": vars(chosen.geometry),
        "items": chosen.report,
    }
    photo.save(update_fields=["state", "kept", "digest", "chosen_at", "report"])
    _discard_frames([other for other in photo.frames.all() if other != chosen])
    photo.frames.all().delete()
    _record(photo, actor, "photo.chosen", at, state=photo.state, digest=photo.digest, rules=photo.rule_set_id)
    transaction.on_commit(lambda: ring_for_alike(photo))
    reminders.remind(candidate=photo.candidate, at=at)
    return photo


def ask_again(*, photo: Photo, rules: PhotoRules, at: datetime) -> None:
    """Let the worker check a photo that stands by these rules, where others were used."""
    if photo.rule_set_id != rules.version:
        photo.asked_rule_set, photo.attempts, photo.again_at = rule_set_of(rules, at), 0, at + RING_AGAIN
        photo.save(update_fields=["asked_rule_set", "attempts", "again_at"])
        transaction.on_commit(lambda: ring_for(photo))


def use(*, candidate: Candidate, digest: str, at: datetime) -> None:
    """A submission of this candidate, who is held, shows the photo with this digest: from now on it is kept."""
    candidate.photos.filter(digest=digest, used_at=None).update(used_at=at)


def remove(photo: Photo) -> None:
    """Remove a photo that no submission shows, with its files, in the caller's transaction."""
    _discard_frames(list(photo.frames.all()))
    files.discard(photo.original.name, photo.preview.name, photo.kept.name)
    photo.delete()


def forget(*, candidate: Candidate) -> None:
    """Remove what the candidate uploaded, but for photos that submissions show: the account is deleted (R07)."""
    for photo in candidate.photos.all():
        _give_way(photo)


def _give_way(photo: Photo) -> None:
    """Remove a photo, or keep it for the submissions that show it, with nothing else of it."""
    if photo.used_at is None:
        remove(photo)
        return
    files.discard(photo.original.name, photo.preview.name)
    photo.state, photo.original, photo.preview = Photo.State.REPLACED, "", ""
    photo.report, photo.fingerprint, photo.asked_rule_set = {}, None, None
    photo.save(update_fields=["state", "original", "preview", "report", "fingerprint", "asked_rule_set"])
    photo.alike.clear()


def _held(photo: Photo, actor: Actor) -> Photo:
    """The photo, its candidate and its row kept from being changed, if a frame of it can be chosen."""
    check_acts_for(actor, photo.candidate)
    hold(photo.candidate)
    found = locked(photo.candidate.photos.pending().filter(pk=photo.pk)).first()
    if found is None:
        raise Refused(_("There is another picture since, perhaps from another window."), code="outdated")
    if found.state != Photo.State.CHECKED:
        raise Refused(_("This picture is not checked yet, or cannot be used."), code="not_checked")
    return found


def _discard_frames(frames: list[PhotoFrame]) -> None:
    files.discard(*(frame.picture.name for frame in frames))
    PhotoFrame.objects.filter(pk__in=[frame.pk for frame in frames]).delete()


def _record(photo: Photo, actor: Actor, action: str, at: datetime, **payload: object) -> None:
    ledger.record(
        stream="candidate",
        stream_id=str(photo.candidate_id),
        action=action,
        actor=actor,
        payload={"photo": photo.pk, **payload},
        at=at,
    )


# --- The worker's bell ------------------------------------------------------------------------------
def ring_for(photo: Photo) -> None:
    """Tell the worker of a photo to be checked, or checked by other rules."""
    from accounts.tasks import check_photo  # the bell's clapper is a task, and tasks call services

    ring(check_photo, photo.pk)


def ring_for_frame(frame: PhotoFrame) -> None:
    """Tell the worker of a frame that was moved."""
    from accounts.tasks import check_photo_frame

    ring(check_photo_frame, frame.pk)


def ring_for_alike(photo: Photo) -> None:
    """Let the worker look for photos of others that look the same."""
    from accounts.tasks import compare_photo

    ring(compare_photo, photo.pk)


def sweep(*, at: datetime) -> None:
    """Ring for what the broker lost and dead workers left, and remove uploads that were never chosen."""
    waiting = Q(state=Photo.State.RECEIVED) | Q(asked_rule_set__isnull=False)
    for photo in Photo.objects.filter(waiting, again_at__lte=at).order_by("again_at")[:200]:
        ring_for(photo)
    for frame in PhotoFrame.objects.filter(checked_at=None, again_at__lte=at).order_by("again_at")[:200]:
        ring_for_frame(frame)
    with transaction.atomic():
        old = Photo.objects.pending().filter(uploaded_at__lt=at - FORGOTTEN_AFTER)
        for photo in old.select_for_update(skip_locked=True)[:200]:
            remove(photo)
    files.sweep()

"""What the worker does with photos: check them, check frames that were moved, look for the same photo of others.

A task may come twice, late, or die: each counts its beginning, works outside any transaction, and writes what it found
only if the row still waits for it. The row tells the sweeper when to ring again.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.actors import SYSTEM
from accounts.models import Photo, PhotoFrame
from accounts.photos.intake import Intake, Problem, Unreadable, read
from accounts.photos.report import OF_THE_LIGHT, Box, Frame, Framed, Item, Report, Verdict, as_json, worst
from accounts.photos.rules import PhotoRules
from accounts.services import files, ledger
from accounts.services.photos import FOLDER, rule_set_of
from exam_portal import clock
from exam_portal.kit.locks import locked

State = Photo.State
# Longer than checking takes; a worker that has not ended by then is dead.
CHECKED_WITHIN = timedelta(minutes=1)
MOST_ATTEMPTS = 4
MOST_ALIKE = 20

R = TypeVar("R", Photo, PhotoFrame)


def check(*, photo_id: int) -> None:
    """Check an upload that waits for it: it is unreadable, or has a report and the frames that it offers."""
    photo = _begin(Photo.objects.filter(pk=photo_id, state=State.RECEIVED))
    if photo is None:
        return
    if photo.attempts > MOST_ATTEMPTS:  # whatever it does to the worker, it does not do it for ever
        _refuse(photo, Problem.NOT_CHECKED)
        return
    try:
        found = _read(photo)
    except Unreadable as unreadable:
        _refuse(photo, unreadable.problem)
        return
    _note(photo, *_looked_at(photo, found, photo.rule_set.rules))


def check_frame(*, frame_id: int) -> None:
    """Cut and check a frame that the candidate moved."""
    from accounts.photos import checks  # loads the detector, which nobody needs but the worker

    frame = _begin(PhotoFrame.objects.filter(pk=frame_id, checked_at=None).select_related("photo__rule_set"))
    if frame is None or frame.attempts > MOST_ATTEMPTS:
        return
    rules, found = frame.photo.rule_set.rules, _read(frame.photo)
    items = checks.check_frame(found, frame.geometry, _head(frame.photo), rules)
    cut = checks.cut(_fine_enough(frame.photo, found, [frame.geometry], rules), frame.geometry, rules)
    name = files.keep(cut, folder=FOLDER, extension="jpg")
    with transaction.atomic():
        if locked(PhotoFrame.objects.filter(pk=frame.pk, checked_at=None)).exists():
            files.adopt(name)
            PhotoFrame.objects.filter(pk=frame.pk).update(
                report=as_json(items), picture=name, digest=_digest(cut), checked_at=clock.now()
            )


def check_asked(*, photo_id: int) -> None:
    """Check a photo that stands by the rules that it is to be checked by too."""
    asked = Photo.objects.standing().filter(pk=photo_id, asked_rule_set__isnull=False)
    photo = _begin(asked.select_related("asked_rule_set"))
    if photo is None or photo.asked_rule_set is None:
        return
    if photo.attempts > MOST_ATTEMPTS:
        Photo.objects.filter(pk=photo.pk).update(asked_rule_set=None)
        return
    check_again(photo=photo, rules=photo.asked_rule_set.rules)


def check_again(*, photo: Photo, rules: PhotoRules, dry_run: bool = False) -> tuple[list[Item], str]:
    """Check a photo that stands by other rules than before; what stands stays, and at worst becomes doubtful.

    Returns what was found of picture and frame, and the state that it has, or with `dry_run` would have.
    """
    from accounts.photos import checks

    found, frame = _read(photo), photo.chosen_frame
    report = checks.check(found, rules)
    items = report.items + checks.check_frame(found, frame, report.head or _head(photo), rules)
    gravest = worst(items)
    decided = photo.decided_at is not None and gravest != Verdict.FAIL
    state = photo.state if photo.state == State.REFUSED or decided else _state_by(gravest)
    if not dry_run:
        _note_again(photo, rules, report, items[len(report.items) :], state)
    return items, state


def compare(*, photo_id: int) -> None:
    """Note which photos of other candidates look the same as this one: a hint to staff, and no more."""
    from accounts.photos.likeness import SAME

    photo = Photo.objects.standing().filter(pk=photo_id).exclude(fingerprint=None).first()
    if photo is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_photo WHERE candidate_id <> %s AND bit_count(fingerprint # %s::bit(256)) <= %s"
            " ORDER BY id DESC LIMIT %s",
            [photo.candidate_id, photo.fingerprint, SAME, MOST_ALIKE],
        )
        alike = [row[0] for row in cursor.fetchall()]
    with transaction.atomic():
        if locked(Photo.objects.filter(pk=photo.pk)).exists():
            photo.alike.set(Photo.objects.filter(pk__in=alike))


# --- Steps of these ---------------------------------------------------------------------------------
def _begin(rows: "QuerySet[R]") -> R | None:
    """The row, if it waits for the worker; its attempt is counted, and the sweeper told when to ring again."""
    begun = rows.update(attempts=F("attempts") + 1, again_at=clock.now() + CHECKED_WITHIN)
    return rows.first() if begun else None


def _read(photo: Photo, *, scale: float = 0.0) -> Intake:
    with photo.original.open("rb") as source:
        return read(source, scale=scale)


def _fine_enough(photo: Photo, found: Intake, frames: Sequence[Frame], rules: PhotoRules) -> Intake:
    """The picture with as many pixels as what is cut is to have; only of heads that are small it is read again."""
    needed = max((rules.most_width / frame.width for frame in frames), default=0.0)
    return found if found.scale >= min(needed, 1.0) else _read(photo, scale=needed)


def _head(photo: Photo) -> Box:
    return Box(**photo.report["head"])


def _looked_at(photo: Photo, found: Intake, rules: PhotoRules) -> tuple[Report, bytes, list[tuple[Framed, bytes]]]:
    """The report, a small picture to show, and each offered frame with its cut; none where nothing can help."""
    from accounts.photos import checks

    report = checks.check(found, rules)
    offered = [] if report.hopeless else report.frames
    shown = checks.preview(found)
    found = _fine_enough(photo, found, [framed.frame for framed in offered], rules)
    return report, shown, [(framed, checks.cut(found, framed.frame, rules)) for framed in offered]


def _refuse(photo: Photo, problem: Problem) -> None:
    """Nothing can be done with it, and nothing of it is kept."""
    with transaction.atomic():
        if _finish(photo, state=State.UNREADABLE, problem=problem.value, original=""):
            files.discard(photo.original.name)


def _note(photo: Photo, report: Report, preview: bytes, frames: list[tuple[Framed, bytes]]) -> None:
    shown = files.keep(preview, folder=FOLDER, extension="jpg")
    cuts = [(framed, files.keep(cut, folder=FOLDER, extension="jpg"), _digest(cut)) for framed, cut in frames]
    with transaction.atomic():
        values = {"report": _plain(report), "fingerprint": report.fingerprint or None, "preview": shown}
        if not _finish(photo, state=State.CHECKED, **values):
            return  # what was written waits to be removed
        files.adopt(shown, *(name for _framed, name, _digest in cuts))
        PhotoFrame.objects.bulk_create(
            PhotoFrame(
                photo=photo,
                kind=framed.kind,
                **vars(framed.frame),
                report=as_json(framed.items),
                picture=name,
                digest=digest,
                again_at=clock.now(),
                checked_at=clock.now(),
            )
            for framed, name, digest in cuts
        )


def _finish(photo: Photo, **values: object) -> bool:
    """Write the outcome into a photo that still waits for it; False when another worker or the candidate was faster."""
    return bool(Photo.objects.filter(pk=photo.pk, state=State.RECEIVED).update(checked_at=clock.now(), **values))


@transaction.atomic
def _note_again(photo: Photo, rules: PhotoRules, report: Report, items: list[Item], state: str) -> None:
    held = locked(Photo.objects.filter(pk=photo.pk, digest=photo.digest)).first()
    if held is None or held.state != photo.state:
        return  # it was replaced or decided meanwhile, and is looked at in the next run
    at = clock.now()
    chosen = {**photo.report["chosen"], "items": as_json(items)}
    Photo.objects.filter(pk=photo.pk).update(
        state=state,
        rule_set=rule_set_of(rules, at),
        asked_rule_set=None,
        report={**_plain(report), "chosen": chosen},
        fingerprint=report.fingerprint or photo.fingerprint,
        checked_at=at,
    )
    ledger.record(
        stream="candidate",
        stream_id=str(photo.candidate_id),
        action="photo.checked_again",
        actor=SYSTEM,
        payload={"photo": photo.pk, "state": state, "rules": rules.version},
        at=at,
    )


def _plain(report: Report) -> dict[str, Any]:
    """What of a report is kept beside the frames."""
    plain: dict[str, Any] = as_json(report)
    kept = {name: plain[name] for name in ("width", "height", "items", "head")}
    if report.hopeless and report.frames:  # all that is wrong is told at once
        kept["beside"] = as_json([found for found in report.frames[0].items if found.key in OF_THE_LIGHT])
    return kept


def _state_by(gravest: Verdict) -> State:
    return State.ACCEPTED if gravest == Verdict.PASS else State.DOUBTFUL


def _digest(cut: bytes) -> str:
    return hashlib.sha256(cut).hexdigest()

"""Photos by the way that candidates and the worker go: uploaded, checked, chosen."""

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actors import acting
from accounts.models import Candidate, Photo
from accounts.photos.words import CONFIRMED
from accounts.services import photo_checks, photos
from exam_portal import clock
from tests.photos import corpus

EVERYTHING = [key for key, _sentence in CONFIRMED]


def telephone(face: str = "f_easian") -> bytes:
    """A picture as a telephone takes it, that passes."""
    return corpus.jpeg(corpus.portrait(face))


def doubtful(face: str = "f_easian") -> bytes:
    """One in front of a wall that is not quite white, for staff to look at."""
    wall = corpus.wall(corpus.TELEPHONE, (212, 212, 212))
    return corpus.jpeg(corpus.portrait(face, wall))


def uploaded(candidate: Candidate, file: bytes | None = None, name: str = "photo.jpg") -> Photo:
    source = SimpleUploadedFile(name, file or telephone())
    return photos.upload(candidate=candidate, source=source, actor=acting(candidate), at=clock.now())


def checked(candidate: Candidate, file: bytes | None = None) -> Photo:
    photo = uploaded(candidate, file)
    photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    return photo


def chosen(candidate: Candidate, file: bytes | None = None) -> Photo:
    photo = checked(candidate, file)
    return photos.choose(
        photo=photo,
        frame=photo.frames.order_by("pk")[0],
        confirmed=EVERYTHING,
        actor=acting(candidate),
        at=clock.now(),
    )

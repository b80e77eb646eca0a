"""Photos: two at once (R03)."""

from pathlib import Path
from typing import Any

import pytest

from accounts.actors import acting
from accounts.models import Candidate, LedgerEvent, LeftFile, Photo
from accounts.services import photo_checks, photo_desk, photos
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.photos import giving
from tests.races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("R03")]
State = Photo.State


@pytest.fixture(autouse=True)
def private(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_two_workers_check_the_same_picture_and_one_report_is_kept(
    exam: Exam, newcomer: Candidate, private: Path
) -> None:
    photo = giving.uploaded(newcomer)
    assert at_once(*[lambda: photo_checks.check(photo_id=photo.pk)] * 2) == [None, None]
    photo.refresh_from_db()
    assert (photo.state, photo.frames.count()) == (State.CHECKED, 3)
    referred = {photo.original.name, photo.preview.name, *photo.frames.values_list("picture", flat=True)}
    left = set(LeftFile.objects.values_list("name", flat=True))
    assert files_of(private) == referred | left and not referred & left


def test_two_uploads_at_once_leave_one(exam: Exam, newcomer: Candidate, private: Path) -> None:
    uploads = at_once(*[lambda: giving.uploaded(newcomer)] * 2)
    assert all(isinstance(upload, Photo) for upload in uploads)
    photo = Photo.objects.get()
    assert files_of(private) == {photo.original.name}


def test_choosing_twice_at_once_is_once(exam: Exam, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    frames = list(photo.frames.order_by("pk"))
    how: dict[str, Any] = {"confirmed": giving.EVERYTHING, "actor": acting(newcomer), "at": clock.now()}
    acts = [
        lambda frame=frame: photos.choose(photo=Photo.objects.get(pk=photo.pk), frame=frame, **how)
        for frame in frames[:2]
    ]
    results = at_once(*acts)
    assert sorted(type(result).__name__ for result in results) == ["Photo", "Refused"]
    assert LedgerEvent.objects.filter(action="photo.chosen").count() == 1
    assert Photo.objects.get().kept.storage.exists(Photo.objects.get().kept.name)


def test_choosing_and_uploading_another_at_once_lose_nothing(exam: Exam, newcomer: Candidate, private: Path) -> None:
    photo = giving.checked(newcomer)
    frame = photo.frames.order_by("pk")[0]
    how: dict[str, Any] = {"confirmed": giving.EVERYTHING, "actor": acting(newcomer), "at": clock.now()}
    results = at_once(
        lambda: photos.choose(photo=Photo.objects.get(pk=photo.pk), frame=frame, **how),
        lambda: giving.uploaded(newcomer, giving.telephone("m_easian")),
    )
    assert isinstance(results[1], Photo)
    states = sorted(Photo.objects.values_list("state", flat=True))
    if isinstance(results[0], Photo):
        assert states == ["accepted", "received"]
    else:
        assert (results[0].code, states) == ("outdated", ["received"])
    assert not LeftFile.objects.exists()
    for left in Photo.objects.all():
        assert left.original.name in files_of(private)


def test_submitting_and_choosing_another_photo_at_once_keeps_what_was_submitted(
    exam: Exam, newcomer: Candidate
) -> None:
    factories.give_basic_information(newcomer)
    factories.give_education(newcomer)
    factories.give_wechat(newcomer)
    first = giving.chosen(newcomer)
    draft = factories.make_draft(newcomer, exam)
    pending = giving.checked(newcomer, giving.telephone("m_easian"))
    frame = pending.frames.order_by("pk")[0]
    how: dict[str, Any] = {"actor": acting(newcomer), "at": clock.now()}
    submitted, chosen = at_once(
        lambda: applications.submit(application=Application.objects.get(pk=draft.pk), **how),
        lambda: photos.choose(photo=Photo.objects.get(pk=pending.pk), frame=frame, confirmed=giving.EVERYTHING, **how),
    )
    assert [isinstance(result, Exception) for result in (submitted, chosen)].count(True) == 1
    if isinstance(chosen, Exception):
        assert isinstance(chosen, Refused) and chosen.code == "photo_needed"
        first.refresh_from_db()
        assert (first.state, first.used_at is not None) == (State.ACCEPTED, True)
        assert submitted.content["photo"]["digest"] == first.digest
    else:
        assert not Photo.objects.filter(pk=first.pk).exists()


def test_two_of_the_staff_decide_at_once_and_one_is_told(exam: Exam, newcomer: Candidate) -> None:
    factories.give_basic_information(newcomer)
    factories.give_education(newcomer)
    factories.give_wechat(newcomer)
    photo = giving.chosen(newcomer, giving.doubtful())
    factories.make_draft(newcomer, exam)
    actor = factories.staff_of(None, "43")
    results = at_once(
        lambda: photo_desk.accept(photo=Photo.objects.get(pk=photo.pk), actor=actor, at=clock.now()),
        lambda: photo_desk.refuse(photo=Photo.objects.get(pk=photo.pk), reason="背景", actor=actor, at=clock.now()),
    )
    assert [getattr(result, "code", None) for result in results].count("wrong_state") == 1
    assert LedgerEvent.objects.filter(action__in=["photo.accepted", "photo.refused"]).count() == 1

"""The photo's page: with script and without, what is told where, and who sees which picture (R03, R32)."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import acting
from accounts.models import Candidate, Photo
from accounts.photos.report import Frame
from accounts.services import photo_checks, photos
from exam_portal import clock
from registration.models import Exam
from registration.services import applications
from tests import factories
from tests.photos import corpus, giving

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R03")]
PAGE = "/account/photo/"


@pytest.fixture(autouse=True)
def private(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def somebody(exam: Exam, newcomer: Candidate, client: Client) -> Client:
    client.force_login(newcomer.user)
    return client


def send(client: Client, file: bytes, name: str = "IMG_1.jpg") -> Any:
    return client.post(PAGE, {"picture": SimpleUploadedFile(name, file, content_type="image/jpeg")})


def answers(photo: Photo, **more: Any) -> dict[str, Any]:
    return {"frame": photo.frames.order_by("pk")[0].pk, "confirmed": giving.EVERYTHING, **more}


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (None, "请先拍摄或选择一张照片。"),
        (b"", "文件是空的。请重新选择照片。"),
        (b"%PDF-1.7", "不是 JPEG、PNG、WebP 或 HEIC 格式的照片"),
        (b"x" * (20 * 1024 * 1024 + 1), "文件超过 20 MB"),
    ],
)
def test_what_cannot_be_taken_in_is_told_beside_the_field(somebody: Client, file: bytes | None, told: str) -> None:
    answer = send(somebody, file) if file is not None else somebody.post(PAGE)
    assert answer.status_code == 200
    assert [told in error for error in answer.context["upload"].errors["picture"]] == [True]
    assert not Photo.objects.exists()


def test_the_page_waits_shows_the_result_and_takes_the_choice(somebody: Client, newcomer: Candidate) -> None:
    assert send(somebody, giving.telephone()).headers["Location"] == PAGE
    photo = Photo.objects.get()
    waiting = somebody.get(PAGE).content.decode()
    assert 'hx-trigger="every 1s"' in waiting and f'href="{PAGE}"' in waiting
    assert somebody.get(PAGE, headers={"HX-Request": "true"}).status_code == 204, "nothing new to show"
    photo_checks.check(photo_id=photo.pk)
    ready = somebody.get(PAGE, headers={"HX-Request": "true"})
    assert ready.status_code == 200 and "hx-trigger" not in ready.content.decode()
    assert ready.context["usable"] is True
    choose = reverse("accounts:photo_choose", args=[photo.pk])
    wrong = somebody.post(choose, answers(photo, confirmed=giving.EVERYTHING[:2]))
    assert list(wrong.context["choice"].errors) == ["confirmed"]
    assert wrong.context["choice"]["confirmed"].value() == giving.EVERYTHING[:2], "nothing ticked is lost"
    assert somebody.post(choose, answers(photo)).headers["Location"] == PAGE
    assert Photo.objects.get().state == "accepted"


def test_the_file_name_stands_nowhere(somebody: Client) -> None:
    send(somebody, giving.telephone(), name="../../etc/110101199003070028.php.jpg")
    photo = Photo.objects.get()
    assert photo.original.name.startswith("photos/") and "1101" not in photo.original.name


def test_where_no_frame_can_be_used_none_is_offered_and_everything_is_told(
    somebody: Client, newcomer: Candidate
) -> None:
    giving.checked(newcomer, corpus.jpeg(corpus.portrait("m_white", corpus.wall(corpus.TELEPHONE, (67, 142, 219)))))
    page = somebody.get(PAGE)
    assert page.context["usable"] is False
    text = page.content.decode()
    assert "背景不是白色" in text and 'name="confirmed"' not in text and "使用这张照片" not in text
    assert 'name="angle"' in text, "the frame may still be moved"


def test_what_comes_too_late_leads_to_how_things_stand(somebody: Client, newcomer: Candidate) -> None:
    old = giving.checked(newcomer)
    sent = answers(old)
    giving.checked(newcomer, giving.telephone("m_easian"))
    for name in ("photo_choose", "photo_move"):
        answer = somebody.post(reverse(f"accounts:{name}", args=[old.pk]), sent, follow=True)
        assert "此后又上传了另一张照片" in answer.content.decode()
    assert Photo.objects.get().state == "checked"


def test_a_frame_is_moved_and_one_outside_is_told(somebody: Client, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    move = reverse("accounts:photo_move", args=[photo.pk])
    assert somebody.post(move, {"x": "abc", "y": "", "width": "-1", "angle": "90"}).context["frame"].errors
    outside = somebody.post(move, {"x": "-5", "y": "1", "width": "100", "angle": "0"})
    assert outside.context["frame"].non_field_errors() == ["裁剪框须在照片之内。"]
    for hostile in ("nan", "inf", "1e400"):
        assert somebody.post(move, {"x": hostile, "y": "1", "width": "100", "angle": "0"}).status_code == 200
    assert not photo.frames.filter(kind="own").exists()
    assert somebody.post(move, {"x": "432", "y": "700", "width": "500", "angle": "2"}).headers["Location"] == PAGE
    assert photo.frames.get(kind="own").geometry == Frame(432, 700, 500, 2)


@pytest.mark.rule("R32")
def test_pictures_are_seen_by_whose_they_are_alone_and_kept_by_no_cache(somebody: Client, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    frame = photo.frames.first()
    assert frame is not None
    stranger = Client()
    stranger.force_login(factories.CandidateFactory().user)
    for part in ("preview", str(frame.pk)):
        address = reverse("accounts:photo_picture", args=[photo.pk, part])
        answer = somebody.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("private, no-store", "nosniff")
        assert stranger.get(address).status_code == 404
        assert Client().get(address).status_code == 302
    for part in ("original", "kept", "digest", "0", "9" * 30):
        assert somebody.get(reverse("accounts:photo_picture", args=[photo.pk, part])).status_code == 404


def test_while_it_is_submitted_the_page_says_why_no_other_is_taken(
    exam: Exam, candidate: Candidate, client: Client
) -> None:
    draft = factories.make_draft(candidate, exam)
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    client.force_login(candidate.user)
    page = client.get(PAGE).content.decode()
    assert "您的照片已随报名信息提交" in page and 'name="picture"' not in page
    answer = send(client, giving.telephone())
    assert "您的照片已随报名信息提交" in str(answer.context["upload"].errors)


@pytest.mark.parametrize("frames", [1, 3])
def test_the_page_takes_as_many_queries_for_one_frame_as_for_many(
    somebody: Client, newcomer: Candidate, frames: int
) -> None:
    photo = giving.checked(newcomer)
    extra = photo.frames.order_by("pk").values_list("pk", flat=True)[frames:]
    photo.frames.filter(pk__in=list(extra)).delete()
    somebody.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        assert somebody.get(PAGE).status_code == 200
    assert len(queries) == 11


def test_the_photo_confirmed_is_the_one_that_was_shown(exam: Exam, candidate: Candidate, client: Client) -> None:
    draft = factories.make_draft(candidate, exam)
    client.force_login(candidate.user)
    step = reverse("registration:photo", args=[exam.code])
    shown = client.get(step).content.decode()
    digest = candidate.photos.get().digest
    assert f'value="{digest}"' in shown
    photos.remove(candidate.photos.get())
    factories.give_photo(candidate, color="silver")
    client.post(step, {"digest": digest})
    draft.refresh_from_db()
    assert draft.photo_digest == digest, "nothing is confirmed but what was seen; submitting asks for the new one"
    with pytest.raises(Exception, match=r"照片|photo"):
        applications.submit(application=draft, actor=acting(candidate), at=clock.now())

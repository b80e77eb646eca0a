"""What staff do with photos in doubt: the desk that shows many, the page of one (R03, R28)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import acting
from accounts.admin.photos import NOTHING
from accounts.models import Candidate, LedgerEvent, Message, Photo, Point
from accounts.next_steps import REPLACE_PHOTO, next_step
from accounts.services import photo_desk
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Exam
from registration.next_steps import SUBMIT_WITH_ANOTHER_PHOTO
from registration.services import applications
from tests import factories
from tests.photos import giving
from tests.staff.desks import text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R03")]
DESK = "/staff/accounts/photo/"


@pytest.fixture
def desk(exam: Exam) -> Client:
    return staff_client(factories.make_staff(Point.objects.get(code="4301")))


def doubtful(exam: Exam, name: str = "王芳", region: str = "43", color: str = "white") -> Photo:
    """A photo that waits, of somebody who applies at the first point of the region."""
    candidate = factories.CandidateFactory(name=name)
    factories.give_basic_information(candidate)
    factories.give_education(candidate)
    factories.give_wechat(candidate)
    photo = factories.give_photo(candidate, state="doubtful", color=color)
    factories.make_draft(candidate, exam, region=region)
    return photo


def decide(desk: Client, **decisions: str) -> Any:
    return desk.post(
        f"{DESK}decide/", {name.replace("_", "-"): value for name, value in decisions.items()}, follow=True
    )


def test_many_are_shown_and_decided_together_each_with_its_result(exam: Exam, desk: Client) -> None:
    first, second, third, fourth, left = (doubtful(exam, name) for name in ("王芳", "李娜", "刘洋", "赵敏", "陈静"))
    page = desk.get(DESK)
    assert [card["photo"] for card in page.context["cards"]] == [first, second, third, fourth, left]
    assert "王芳" in text_of(page)
    answer = decide(
        desk,
        **{
            f"decide_{first.pk}": "accept",
            f"decide_{second.pk}": "refuse",
            f"reason_{second.pk}": "背景有阴影",
            f"decide_{third.pk}": "refuse",
            f"reason_{third.pk}": " ",
            f"reason_{fourth.pk}": "头发遮住眉毛",
            f"reason_{left.pk}": "",
        },
    )
    for photo, state in ((first, "accepted"), (second, "refused")):
        photo.refresh_from_db()
        assert photo.state == state
    told = text_of(answer)
    assert "通过 1 张，不通过 1 张。" in told and "刘洋" in told
    assert "赵敏: 要告知原因，请选择“不通过”。" in told, "nothing typed is lost"
    cards = {card["photo"].pk: card["typed"] for card in answer.context["cards"]}
    assert cards == {
        third.pk: {"decision": "refuse", "reason": " "},
        fourth.pk: {"decision": "", "reason": "头发遮住眉毛"},
        left.pk: NOTHING,
    }, "what was chosen stands there again"
    assert [card["typed"] for card in desk.get(DESK).context["cards"]] == [NOTHING] * 3, "once"


def test_the_candidate_reads_why_and_adds_another(exam: Exam, desk: Client, client: Client) -> None:
    photo = doubtful(exam)
    decide(desk, **{f"decide_{photo.pk}": "refuse", f"reason_{photo.pk}": "请摘下帽子"})
    candidate = Candidate.objects.get(pk=photo.candidate_id)
    message = Message.objects.get(kind="photo_refused")
    assert message.candidate == candidate
    step = next_step(candidate=candidate, at=clock.now())
    assert step is not None and step.todo == REPLACE_PHOTO
    client.force_login(candidate.user)
    page = client.get(reverse("accounts:photo")).content.decode()
    assert "请摘下帽子" in page and "审核不通过" in page
    event = LedgerEvent.objects.get(action="photo.refused")
    assert (event.stream, event.stream_id, event.reason) == ("candidate", str(candidate.pk), "请摘下帽子")
    giving.chosen(candidate)
    assert candidate.photos.standing().get().state == "accepted"


def test_a_refusal_after_submitting_asks_to_submit_again_with_another(exam: Exam) -> None:
    photo = doubtful(exam)
    candidate = photo.candidate
    draft = candidate.applications.get()
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    photo_desk.refuse(photo=photo, reason="背景", actor=factories.staff_of(None, "43"), at=clock.now())
    giving.chosen(candidate)
    step = next_step(candidate=Candidate.objects.get(pk=candidate.pk), at=clock.now())
    assert step is not None and step.todo == SUBMIT_WITH_ANOTHER_PHOTO
    draft.refresh_from_db()
    applications.withdraw(application=draft, actor=acting(candidate), at=clock.now())
    digest = candidate.photos.standing().get().digest
    applications.confirm_photo(application=draft, digest=digest, actor=acting(candidate), at=clock.now())
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    draft.refresh_from_db()
    assert draft.current_submission.content["photo"]["digest"] == digest


@pytest.mark.parametrize("act", ["accept", "refuse"])
def test_what_is_decided_or_replaced_is_decided_no_more(exam: Exam, act: str) -> None:
    photo, actor = doubtful(exam), factories.staff_of(None, "43")
    how: dict[str, Any] = {"photo": photo, "actor": actor, "at": clock.now()}
    photo_desk.accept(**how)
    with pytest.raises(Refused) as refused:
        getattr(photo_desk, act)(**how, **({"reason": "x"} if act == "refuse" else {}))
    assert refused.value.code == "wrong_state"


def test_photos_elsewhere_are_neither_shown_nor_decided(exam: Exam, desk: Client) -> None:
    elsewhere = doubtful(exam, region="12")
    assert desk.get(DESK).context["cards"] == []
    answer = decide(desk, **{f"decide_{elsewhere.pk}": "accept"})
    elsewhere.refresh_from_db()
    assert (answer.status_code, elsewhere.state) == (200, "doubtful")
    for path in ("change/", "kept.jpg", "preview.jpg"):
        assert desk.get(f"{DESK}{elsewhere.pk}/{path}").status_code == 404


def test_the_page_shows_head_and_cut_over_what_was_uploaded_and_the_report(exam: Exam, desk: Client) -> None:
    photo = doubtful(exam)
    page = desk.get(f"{DESK}{photo.pk}/change/")
    overlay = page.context["overlay"]
    assert (overlay["width"], overlay["head_height"], overlay["frame_left"]) == (300, 280, 0)
    assert len(page.context["picture_findings"]) + len(page.context["frame_findings"]) == 19
    assert "overlay-head" in page.content.decode()
    for part, status in (("kept", 200), ("preview", 200), ("original", 404), ("digest", 404)):
        answer = desk.get(f"{DESK}{photo.pk}/{part}.jpg")
        assert answer.status_code == status
        if status == 200:
            assert answer["Content-Type"] == "image/jpeg" and "no-store" in answer["Cache-Control"]


def test_a_photo_that_looks_the_same_is_a_hint_that_names_nobody_elsewhere(exam: Exam, desk: Client) -> None:
    photo, here, elsewhere = doubtful(exam), doubtful(exam, "李娜"), doubtful(exam, "刘洋", region="12")
    photo.alike.set([here, elsewhere])
    page = desk.get(f"{DESK}{photo.pk}/change/")
    assert [other.candidate.name for other in page.context["alike"]] == ["李娜"]
    assert "刘洋" not in text_of(page)
    assert [card["alike"] for card in desk.get(DESK).context["cards"]] == [2, 1]


@pytest.mark.parametrize("rows", [1, 12])
def test_desk_and_page_take_as_many_queries_for_one_photo_as_for_many(exam: Exam, desk: Client, rows: int) -> None:
    photos = [doubtful(exam, f"考生{number}") for number in range(rows)]
    photos[0].alike.set(photos[1:])
    counts = []
    for path in (DESK, f"{DESK}{photos[0].pk}/change/"):
        desk.get(path)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(path).status_code == 200
        counts.append(len(queries))
    assert counts == [6, 8]


def test_without_script_the_desk_decides_too(exam: Exam, desk: Client) -> None:
    photo = doubtful(exam)
    page = desk.get(DESK).content.decode()
    assert f'name="decide-{photo.pk}"' in page and 'type="submit"' in page


@pytest.mark.parametrize("name", ["decide-x", "decide-", f"decide-{'9' * 40}"])
def test_nonsense_decides_nothing(exam: Exam, desk: Client, name: str) -> None:
    photo = doubtful(exam)
    assert desk.post(f"{DESK}decide/", {name: "accept", f"decide-{photo.pk}": "whatever"}).status_code == 302
    photo.refresh_from_db()
    assert photo.state == "doubtful"

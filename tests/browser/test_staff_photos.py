"""The desk of photos in doubt: many at once, by keyboard, and without script (R03)."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Candidate, LedgerEvent, Photo
from registration.models import Exam
from tests import factories
from tests.browser.conftest import DESK, Walker
from tests.browser.test_staff_desks import sit_down
from tests.photos import corpus, giving
from tests.staff.desks import clerk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("R03")]
PHOTOS = "/staff/accounts/photo/"
NAMES = ("王芳", "欧阳𠮷·努尔", "李娜", "刘洋", "阿依古丽", "陈静")


@pytest.fixture(autouse=True)
def private_files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def waiting(transactional_db: None) -> list[Photo]:
    """Photos that the checks doubt, of people who apply at the point 4301, the longest waiting first."""
    exam: Exam = factories.make_exam()
    faces = (*corpus.HELD_BACK, "f_white")
    return [_doubtful(exam, name, face) for name, face in zip(NAMES, faces, strict=True)]


def _doubtful(exam: Exam, name: str, face: str) -> Photo:
    candidate: Candidate = factories.CandidateFactory(name=name)
    factories.give_basic_information(candidate)
    factories.give_education(candidate)
    factories.give_wechat(candidate)
    photo = giving.chosen(candidate, giving.doubtful(face))
    factories.make_draft(candidate, exam)
    assert photo.state == "doubtful"
    return photo


def states() -> list[str]:
    return list(Photo.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_clerk_decides_many_by_keyboard(walker: Callable[..., Walker], waiting: list[Photo], dark: bool) -> None:
    waiting[0].alike.add(waiting[4])
    walk = walker(DESK, dark=dark)
    sit_down(walk, clerk())
    walk.look("home")
    walk.page.locator(f"main .queues a[href='{PHOTOS}']").focus()
    with walk.page.expect_navigation():
        walk.page.keyboard.press("Enter")
    walk.look("desk")
    keys = walk.page.keyboard
    keys.press("a")  # the first; goes on to the second
    keys.press("r")
    keys.type("背景不是白色，请在白墙前重拍")
    keys.press("Escape")
    keys.press("j")
    keys.press("a")
    keys.press("k")
    keys.press("u")  # taken back
    keys.press("r")  # without a reason
    walk.look("chosen")
    with walk.page.expect_navigation():
        keys.press("Control+Enter")
    walk.look("done")
    assert states()[:2] == ["accepted", "refused"]
    assert states().count("doubtful") == 4
    assert Photo.objects.get(pk=waiting[1].pk).refusal == "背景不是白色，请在白墙前重拍"
    assert walk.page.locator(".photo-card [value=refuse]:checked").count() == 1, (
        "what lacks a reason stands there still"
    )
    walk.page.locator(f"a[href='{PHOTOS}{waiting[4].pk}/change/']").first.focus()
    with walk.page.expect_navigation():
        keys.press("Enter")
    walk.look("page")
    assert walk.page.locator(".overlay-head").count() == 1
    events = LedgerEvent.objects.filter(action__in=["photo.accepted", "photo.refused"])
    assert {event.actor_kind for event in events} == {"staff"}


def test_without_script_the_desk_is_a_form(walker: Callable[..., Walker], waiting: list[Photo]) -> None:
    walk = walker(DESK, script=False)
    sit_down(walk, clerk())
    walk.go(PHOTOS)
    walk.page.locator(f"[name=decide-{waiting[0].pk}][value=accept]").check()
    walk.page.locator(f"[name=decide-{waiting[5].pk}][value=refuse]").check()
    walk.page.locator(f"[name=reason-{waiting[5].pk}]").fill("头发遮挡眉毛")
    walk.look("chosen")
    walk.page.locator("#photo-desk button[type=submit]").click()
    walk.page.wait_for_load_state()
    walk.look("done")
    assert states() == ["accepted", *["doubtful"] * 4, "refused"]

"""A candidate and WeChat: bound, followed, reminded; unfollowed and stopped, followed again; signing in, unbinding."""

import re
import time
from collections.abc import Callable

import pytest

from accounts.models import Candidate, WeChatUser
from registration.lifecycle import State
from registration.models import Application, Submission
from tests import factories
from tests.browser.conftest import DESK, PHONE, Walker
from tests.browser.test_first_walk import bind_wechat, year_2024  # noqa: F401 - a fixture
from tests.portal.watching import until
from tests.wechat import Sandbox

EXAM = "/exams/2024-health"
PASSWORD = "moon over ward seven"
TELEPHONE = "Mozilla/5.0 (Linux; Android 8.1; M6 Note) AppleWebKit/537.36 Chrome/96.0 Mobile Safari/537.36"
INSIDE = f"{TELEPHONE} MicroMessenger/8.0.49"


@pytest.fixture
def newcomer(year_2024: None) -> Candidate:  # noqa: F811
    """Somebody whose account lacks nothing but a WeChat."""
    candidate = factories.CandidateFactory()
    candidate.user.set_password(PASSWORD)
    candidate.user.save()
    factories.give_basic_information(candidate)
    factories.give_photo(candidate)
    factories.give_education(candidate)
    return candidate


def sign_in(walk: Walker, candidate: Candidate) -> None:
    walk.go("/account/login/")
    walk.fill(login=candidate.user.username, password=PASSWORD)
    walk.press()


def follows(candidate: Candidate, *, is_so: bool) -> Callable[[], bool]:
    return lambda: WeChatUser.objects.filter(candidate=candidate, following=is_so).exists()


def follow(wechat: Sandbox, candidate: Candidate) -> None:
    time.sleep(1.1)  # WeChat's events tell whole seconds, and nobody follows twice within one
    wechat.do("/sandbox/people/2", {"act": "follow"})
    until(follows(candidate, is_so=True))


def unfollow(wechat: Sandbox, candidate: Candidate) -> None:
    wechat.do("/sandbox/people/2", {"act": "unfollow"})
    until(follows(candidate, is_so=False))


def refused(walk: Walker, draft: Application) -> None:
    """The page says why and where it is mended; nothing was submitted, and nothing lost."""
    walk.page.get_by_text("重新关注公众号").first.wait_for()
    assert walk.page.locator("main a[href='/account/wechat/']").count()
    assert walk.page.locator(f"main form[action='{EXAM}/submit/']").count() == 0
    before = Application.objects.filter(pk=draft.pk).values().get()
    assert (before["state"], before["version"]) == (State.DRAFT, 0)
    assert before["photo_digest"] and not Submission.objects.exists()


@pytest.mark.rule("R08", "R17")
def test_bind_follow_be_reminded_be_stopped_and_go_on(
    walker: Callable[..., Walker], newcomer: Candidate, wechat: Sandbox, celery_worker: None
) -> None:
    walk = walker(DESK)
    sign_in(walk, newcomer)
    walk.go("/exams/")
    walk.look("first-bind")
    walk.page.locator("main a[href='/account/wechat/']").first.click()
    bind_wechat(walk, wechat)
    # The page looks by itself, and its content is read out; what is to be done next comes as a message in WeChat.
    walk.page.wait_for_selector("text=已关注公众号")
    walk.page.wait_for_function("document.activeElement.id === 'main'")
    walk.look("followed")
    until(lambda: wechat.received())
    (reminder,) = wechat.received()
    assert reminder["person"] == 2 and "选择考试项目" in reminder["data"]["thing1"]
    walk.page.goto(f"{wechat.base}/sandbox/")
    walk.page.get_by_text("选择考试项目").first.wait_for()
    walk.page.screenshot(path=walk.album / "sandbox.png", full_page=True)
    leads = re.sub(r"^https?://[^/]+", "", reminder["url"])
    assert leads == "/exams/"
    walk.go(leads)
    walk.look("where-the-reminder-leads")
    walk.press(f"{EXAM}/start/")
    draft = Application.objects.get(candidate=newcomer)

    # Unfollowed: the draft can be filled in to the end.
    unfollow(wechat, newcomer)
    walk.go("/dashboard/")
    walk.look("unfollowed")
    walk.page.get_by_text("重新关注公众号").first.wait_for()
    walk.go(f"{EXAM}/pledge/")
    walk.fill(accept="on")
    walk.press()
    draft.refresh_from_db()
    assert draft.pledged_at
    for page, answer in (
        ("region", {"region": "43"}),
        ("point", {"place": "4301"}),
        ("specialty", {"specialty": "203"}),
    ):
        walk.go(f"{EXAM}/{page}/{'?level=2' if page == 'specialty' else ''}")
        walk.fill(**answer)
        walk.press()
    walk.go(f"{EXAM}/photo/")
    walk.press()

    # Submitting stops: before the last page, and on it, when following ended while it was open.
    walk.go(f"{EXAM}/check/")
    refused(walk, draft)
    walk.look("stopped")
    follow(wechat, newcomer)
    walk.go(f"{EXAM}/check/")
    unfollow(wechat, newcomer)
    walk.press(f"{EXAM}/submit/")
    refused(walk, draft)
    walk.page.get_by_text("请先完成：重新关注公众号").first.wait_for()
    walk.look("refused")

    # The link leads to where it is mended; then submitting goes on.
    walk.page.locator("main a[href='/account/wechat/']").first.click()
    walk.page.wait_for_url("**/account/wechat/")
    walk.look("follow-again")
    follow(wechat, newcomer)
    walk.page.wait_for_selector("text=已关注公众号")
    walk.go(f"{EXAM}/check/")
    walk.press(f"{EXAM}/submit/")
    walk.look("submitted")
    draft.refresh_from_db()
    assert (draft.state, draft.version) == (State.SUBMITTED, 1)


@pytest.mark.rule("R08")
def test_on_a_telephone_outside_wechat_and_inside(
    walker: Callable[..., Walker], newcomer: Candidate, wechat: Sandbox, celery_worker: None
) -> None:
    outside = walker(PHONE, user_agent=TELEPHONE)
    sign_in(outside, newcomer)
    outside.go("/account/wechat/")
    outside.look("open-in-wechat")
    inside = walker(PHONE, script=False, user_agent=INSIDE)
    inside.page.goto(outside.page.locator("#address").input_value())
    inside.fill(login=newcomer.user.username, password=PASSWORD)
    inside.press()
    inside.look("bind-inside")
    inside.fill(password=PASSWORD)
    inside.press()
    inside.page.get_by_role("button", name="王芳").click()
    inside.look("follow-inside")
    follow(wechat, newcomer)
    inside.page.get_by_role("button", name="我已关注，重新查看").click()
    inside.look("followed-inside")
    # Signing in by it, on the PC.
    desk = walker(DESK)
    desk.go("/account/login/")
    desk.look("sign-in")
    desk.press("/account/login/wechat/")
    desk.page.get_by_role("button", name="王芳").click()
    desk.page.wait_for_url("**/dashboard/")
    # Unbinding warns, and asks for the password.
    desk.go("/account/wechat/")
    desk.page.locator("main a[href='/account/wechat/unbind/']").click()
    desk.look("unbind")
    desk.fill(password="not the one at all")
    desk.press()
    desk.look("unbind-wrong-password")
    desk.fill(password=PASSWORD)
    desk.press()
    desk.look("unbound")
    assert not WeChatUser.objects.filter(candidate=newcomer).exists()
    stranger = walker(PHONE)
    stranger.go("/account/login/")
    stranger.press("/account/login/wechat/")
    stranger.page.get_by_role("button", name="王芳").click()
    stranger.look("not-bound-to-anybody")

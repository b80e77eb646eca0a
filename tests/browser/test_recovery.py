"""Recovering an account and looking at where one is signed in, as a person sees it."""

from collections.abc import Callable

import pytest

from accounts.models import Channel, Question
from accounts.services.registering import register_candidate
from exam_portal import clock
from registration.models import Exam
from tests.browser.conftest import DESK, PHONE, Walker
from tests.factories import make_exam, resident_id


@pytest.fixture
def exam(transactional_db: None) -> Exam:
    register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=resident_id(2),
        username="zhangsan",
        password="correct horse battery",
        question=Question.SCHOOL,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )
    return make_exam()


@pytest.mark.rule("R06")
@pytest.mark.parametrize(("screen", "script"), [(PHONE, False), (PHONE, True), (DESK, True)], ids=str)
def test_from_a_forgotten_password_to_the_list_of_sessions(
    exam: Exam, walker: Callable[..., Walker], screen: dict[str, int], script: bool
) -> None:
    walk = walker(screen, script=script, dark=screen is DESK)
    walk.go("/account/login/")
    walk.page.locator("main a[href='/account/recovery/']").click()
    walk.look("recovery")
    walk.page.locator("main a[href='/account/recovery/exam-points/']").click()
    walk.look("regions")
    walk.page.locator("main a[href='/account/recovery/exam-points/43/']").click()
    walk.look("exam-points")
    walk.go("/account/recovery/")
    walk.fill(login="zhangsan")
    walk.press()
    walk.fill(answer="别的学校")
    walk.press()
    walk.look("wrong-answer")
    walk.page.locator("main a[href='/account/recovery/code/']").click()
    walk.look("code")
    walk.press()
    walk.look("code-sent")
    walk.go("/account/recovery/question/")
    walk.fill(answer="实验小学")
    walk.press()
    walk.look("new-password")
    walk.fill(password1="moon over ward seven", password2="moon over ward seven")
    walk.press()
    walk.look("sign-in-anew")
    walk.fill(login="zhangsan", password="moon over ward seven")
    walk.press()
    walk.go("/account/security/")
    walk.look("security")
    walk.go("/account/security/email/")
    walk.fill(address="zhang@example.org", password="moon over ward seven")
    walk.press()
    walk.look("email-code")

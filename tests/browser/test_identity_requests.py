"""Applying for a change of name, and for a taken number to be freed, as a person sees it (R07)."""

from collections.abc import Callable

import pytest

from accounts.models import Candidate, Channel, IdentityRequest, Question
from accounts.services.registering import register_candidate
from exam_portal import clock
from tests.browser.conftest import DESK, PHONE, Walker
from tests.browser.test_first_walk import sign_up
from tests.factories import make_exam, resident_id


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    ("screen", "script", "language"), [(PHONE, False, "zh-hans"), (DESK, True, "zh-hant"), (PHONE, True, "en")], ids=str
)
def test_from_a_taken_number_to_the_form_on_paper(
    walker: Callable[..., Walker], transactional_db: None, screen: dict[str, int], script: bool, language: str
) -> None:
    make_exam()
    register_candidate(
        name="张三",
        id_type="resident_id",
        id_number="11010119900307002X",
        username="zhangsan",
        password="correct horse battery",
        question=Question.SCHOOL,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )
    walk = walker(screen, script=script, language=language, dark=screen is DESK)
    sign_up(walk)
    walk.look("id-taken")
    walk.page.locator("main a[href='/account/identity/']").click()
    walk.look("notice")
    walk.page.locator("main a[href='/account/identity/taken/']").click()
    walk.look("regions")
    walk.page.locator("main a[href='/account/identity/taken/43/']").click()
    walk.fill(name="欧阳𠮷·努尔", id_number="110101199003070021", telephone="138 0000 0000", reason="从未注册")
    walk.press()
    walk.look("mistake")
    walk.fill(id_number="11010119900307002x", point="4301")
    walk.press()
    walk.look("applications")
    pdf = walk.page.locator("main a[href$='.pdf']").get_attribute("href")
    response = walk.page.context.request.get(walk.base + str(pdf))
    assert response.headers["content-type"] == "application/pdf"
    assert IdentityRequest.objects.get().id_number == "11010119900307002X"


@pytest.mark.rule("R07", "R30")
def test_a_new_name_with_a_rare_character(walker: Callable[..., Walker], transactional_db: None) -> None:
    make_exam()
    register_candidate(
        name="王(zhe)",
        id_type="resident_id",
        id_number=resident_id(2),
        username="wangzhe",
        password="correct horse battery",
        question=Question.SCHOOL,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )
    walk = walker(PHONE, script=False)
    walk.go("/account/login/?next=/account/identity/change/43/")
    walk.fill(login="wangzhe", password="correct horse battery")
    walk.press()
    walk.fill(name="王?", reason="注册时无法输入生僻字", telephone="13800000000", point="4301")
    walk.page.locator("#rare-characters summary").click()
    walk.fill(picker_query="zhe2")
    walk.page.locator("button[name=search]").first.click()
    walk.look("picker")
    walk.page.locator("button[name=pick][value='喆']").click()
    walk.look("chosen")
    walk.press()
    walk.look("made")
    assert IdentityRequest.objects.get().new_name == "王喆"
    assert Candidate.objects.get().name == "王(zhe)"

"""What is pasted from elsewhere into the fields of the portal arrives whole, and is understood."""

from collections.abc import Callable

import pytest

from accounts.models import Candidate, Channel, IdentityRequest, Question
from accounts.services.registering import register_candidate
from exam_portal import clock
from tests.browser.conftest import PHONE, Walker
from tests.factories import BASIC, EDUCATION, make_exam

NUMBER, PASSWORD = "11010119900307002X", "correct horse battery"


def paste(walk: Walker, **texts: str) -> None:
    """Copy each text from a page and paste it into the field of that name."""
    for name, text in texts.items():
        source = walk.page.context.new_page()
        source.set_content("<textarea></textarea>")
        source.locator("textarea").fill(text)
        source.locator("textarea").press("Control+a")
        source.locator("textarea").press("Control+c")
        source.close()
        field = walk.page.locator(f"main [name={name}]").first
        field.fill("")
        field.press("Control+v")
        assert field.input_value() == text, name


def test_pasted_numbers_and_months_arrive_whole(walker: Callable[..., Walker], transactional_db: None) -> None:
    make_exam()
    walk = walker(PHONE)
    walk.go("/account/notice/")
    walk.fill(accept="on")
    walk.press()
    walk.fill(name="张三", name_again="张三", username="zhangsan", password1=PASSWORD, password2=PASSWORD)
    walk.fill(recovery_question="mother", recovery_answer="李家村")
    spaced = " ".join(NUMBER)
    paste(walk, id_number=spaced, id_number_again=f"  {spaced}  ")
    walk.press()
    candidate = Candidate.objects.get()
    assert candidate.id_number == NUMBER

    walk.go("/account/basic-information/")
    walk.fill(**{name: BASIC[name] for name in ("ethnicity", "address", "employer", "employer_kind", "workplace")})
    paste(walk, mobile="+86 138 0013 8000", postcode="４１ ００ ００")
    walk.press()
    assert (candidate.basic_information.mobile, candidate.basic_information.postcode) == ("13800138000", "410000")

    walk.go("/account/education/")
    walk.fill(**{name: value for name, value in EDUCATION.items() if name not in {"graduated", "certification_number"}})
    paste(walk, graduated="2013 年 7 月", certificate_number="1053 7120 1305 0000 01")
    walk.press()
    assert str(candidate.education.get().graduated) == "2013-07-01"

    walk.go("/account/identity/delete/43/")
    walk.fill(reason="不再需要", point="4301")
    paste(walk, telephone="0086 (0731) 8480 - 0000")
    walk.press()
    assert IdentityRequest.objects.get().telephone == "073184800000"


@pytest.mark.parametrize("login", [" ".join(NUMBER), "\u202d110101 1990 0307 002x\u202c"])
def test_a_pasted_id_number_signs_in(walker: Callable[..., Walker], transactional_db: None, login: str) -> None:
    register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=NUMBER,
        username="zhangsan",
        password=PASSWORD,
        question=Question.SCHOOL,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )
    walk = walker(PHONE)
    walk.go("/account/login/")
    walk.fill(password=PASSWORD)
    paste(walk, login=login)
    walk.press()
    assert walk.page.url.endswith("/dashboard/")

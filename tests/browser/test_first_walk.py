"""A candidate's first walk, from the special notice to the printed form, on the real exam-year files."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from pypdf import PdfReader

from accounts.models import Candidate, WeChatUser
from registration.models import Application
from tests.browser.conftest import DESK, PHONE, Walker
from tests.browser.photographing import READY, confirm, upload, wait_for
from tests.photos import giving
from tests.portal.watching import until
from tests.wechat import Sandbox

EXAM = "/exams/2024-health"


@pytest.fixture
def year_2024(transactional_db: None) -> None:
    folder = Path(settings.BASE_DIR, "registration", "exam_years")
    call_command("exam_year", "apply", str(folder / "2024-health.toml"), stdout=io.StringIO(), stderr=io.StringIO())


def sign_up(walk: Walker) -> None:
    walk.go("/account/notice/")
    walk.look("notice")
    walk.fill(accept="on")
    walk.press()
    # A mistake first: it is told beside its field, and nothing typed is lost.
    walk.fill(
        name="欧阳𠮷·努尔",
        name_again="欧阳𠮷·努尔",
        id_type="resident_id",
        id_number="110101199003070021",
        id_number_again="110101199003070021",
        username="night.nurse",
        password1="moon over ward seven",
        password2="moon over ward seven",
        recovery_question="mother",
        recovery_answer="李",
    )
    walk.press()
    walk.look("sign-up-mistake")
    assert walk.page.locator("[name=id_number][aria-invalid=true]").count() == 1
    assert walk.page.locator("[name=password1]").input_value() == "moon over ward seven"
    walk.fill(id_number="11010119900307002x", id_number_again="110101 19900307 002X", recovery_answer="李家村")
    walk.press()


def bind_wechat(walk: Walker, wechat: Sandbox) -> None:
    """Scan the QR code as 王芳, and follow the official account."""
    walk.fill(password="moon over ward seven")
    walk.press()
    walk.page.get_by_role("button", name="王芳").click()
    walk.page.wait_for_url("**/account/wechat/")
    walk.look("wechat-bound")
    wechat.do("/sandbox/people/2", {"act": "follow"})
    until(lambda: WeChatUser.objects.filter(candidate__isnull=False, following=True).exists())


def complete_account(walk: Walker, wechat: Sandbox) -> None:
    walk.look("dashboard-new")
    walk.page.locator("main a[href='/account/basic-information/']").first.click()
    walk.look("basic-information")
    walk.fill(
        ethnicity="维吾尔族",
        mobile="13800000000",
        address="长沙市开福区示例路1号",
        employer="长沙市某某护理院",
        workplace="湖南省长沙市开福区",
    )
    walk.press()
    # The list does not know the employer: its kind is asked for.
    walk.look("basic-information-kind")
    walk.fill(employer_kind="other")
    walk.press()
    walk.page.locator("main a[href='/account/photo/']").first.click()
    upload(walk, giving.telephone())
    wait_for(walk, READY)
    confirm(walk)
    walk.look("photo-chosen")
    walk.go("/dashboard/")
    walk.page.locator("main a[href='/account/education/']").first.click()
    walk.fill(qualification="undergraduate", degree="bachelor", school_kind="regular", major="护理学")
    walk.page.locator("#schools summary").click()
    walk.fill(picker_query="hnzyydx")
    walk.page.locator("button[name=search]").first.click()
    walk.look("education-schools")
    walk.page.locator("button[name=pick][value='湖南中医药大学']").click()
    walk.look("education")
    walk.fill(graduated="2013-07", certificate_kind="completion", certificate_number="100011201305000001")
    walk.press()
    walk.look("education-not-recognised")
    walk.fill(certificate_kind="graduation")
    walk.press()
    walk.page.locator("main a[href='/account/credentials/']").first.click()
    walk.look("credentials")
    walk.fill(kind="nurse_registration", since="2013-09")
    walk.press()
    walk.look("credentials-one")
    walk.go("/dashboard/")
    walk.page.locator("main a[href='/account/wechat/']").first.click()
    walk.look("wechat")
    bind_wechat(walk, wechat)
    walk.go("/account/education/")
    walk.look("education-saved")
    walk.page.locator("main a[href^='/account/education/']").first.click()
    walk.fill(major="中医护理学")
    walk.press()
    walk.go("/account/education/")
    walk.look("education-corrected")
    walk.go("/dashboard/")


def register(walk: Walker, *, region: str, place: str) -> None:
    walk.look("dashboard-ready")
    walk.page.locator("main a[href='/exams/']").first.click()
    walk.look("exams")
    walk.press(f"{EXAM}/start/")
    walk.look("tasks")
    walk.page.locator(f"main a[href='{EXAM}/pledge/']").first.click()
    walk.look("pledge")
    walk.fill(accept="on")
    walk.press()
    walk.look("region")
    walk.fill(region=region)
    walk.press()
    walk.look("point")
    walk.fill(place=place)
    walk.press()
    walk.page.locator("a[href='?level=2']").click()
    walk.look("specialty")
    walk.fill(specialty="203")
    walk.press()
    walk.look("photo")
    walk.press()
    walk.look("check")
    walk.press(f"{EXAM}/submit/")
    walk.look("submitted")


def form_text(walk: Walker) -> str:
    response = walk.page.context.request.get(f"{walk.base}{EXAM}/form.pdf")
    assert response.headers["content-type"] == "application/pdf"
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(response.body())).pages)


@pytest.mark.rule("R03", "R24")
@pytest.mark.parametrize(
    ("screen", "script", "language", "dark", "region", "place"),
    [
        pytest.param(PHONE, False, "zh-hans", False, "43", "4301", id="phone-noscript-zh-hans"),
        pytest.param(DESK, True, "zh-hans", False, "43", "4301", id="desk-script-zh-hans"),
        pytest.param(PHONE, True, "en", False, "31", "", id="phone-script-en-online"),
        pytest.param(DESK, True, "zh-hant", True, "33", "3301", id="desk-dark-zh-hant"),
    ],
)
def test_from_the_notice_to_the_printed_form(
    walker: Callable[..., Walker],
    year_2024: None,
    wechat: Sandbox,
    celery_worker: None,
    screen: dict[str, int],
    script: bool,
    language: str,
    dark: bool,
    region: str,
    place: str,
) -> None:
    walk = walker(screen, script=script, language=language, dark=dark)
    walk.go("/")
    walk.look("home")
    sign_up(walk)
    complete_account(walk, wechat)
    if not place:  # an online region: its first registration site
        from registration.models import ExamSite

        place = ExamSite.objects.filter(exam_region__region=region).order_by("site").values_list("site", flat=True)[0]
    register(walk, region=region, place=place)
    application = Application.objects.select_related("candidate").get()
    code = application.current_submission.form_code
    assert code.endswith("01")
    text = form_text(walk)
    assert code in text.replace(" ", "")
    assert "护理学" in text
    walk.go("/account/inbox/")
    walk.look("inbox")
    assert walk.page.locator("main", has_text=code).count() == 1
    # Withdraw and submit again: the next version.
    walk.go(f"{EXAM}/")
    walk.page.locator(f"main a[href='{EXAM}/withdraw/']").first.click()
    walk.look("withdraw")
    walk.press()
    walk.look("withdrawn")
    walk.go("/dashboard/")
    walk.look("dashboard-withdrawn")
    walk.go(f"{EXAM}/check/")
    walk.press(f"{EXAM}/submit/")
    application.refresh_from_db()
    assert application.current_submission.form_code == code[:-2] + "02"
    # Sign out, and in again by the ID number.
    walk.page.locator("header details", has=walk.page.locator("form[action='/account/logout/']")).locator(
        "summary"
    ).click()
    walk.page.locator("header form[action='/account/logout/'] button").click()
    walk.go("/account/login/")
    walk.look("sign-in")
    walk.fill(login="110101 19900307 002x", password="moon over ward seven")
    walk.press()
    walk.look("dashboard-submitted")
    assert Candidate.objects.get().name == "欧阳𠮷·努尔"


def test_public_pages(walker: Callable[..., Walker], year_2024: None) -> None:
    for screen, dark in ((PHONE, True), (DESK, False)):
        walk = walker(screen, dark=dark)
        for name, path in (
            ("regions", "/regions/2024-health/"),
            ("region-on-site", "/regions/2024-health/43/"),
            ("region-online", "/regions/2024-health/31/"),
            ("not-found", "/nowhere/"),
        ):
            walk.go(path)
            walk.look(f"{name}-{screen['width']}")

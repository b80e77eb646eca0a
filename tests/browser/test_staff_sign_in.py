"""The first days of a clerk: from the link over two-step set-up to being signed in, by app and by passkey."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator

from accounts.actors import SYSTEM
from accounts.models import SecondStep, StaffAssignment
from accounts.services import staff, two_step
from exam_portal import clock
from tests.browser.conftest import DESK, PHONE, Walker
from tests.factories import make_exam
from tests.staffing import PASSWORD

WORK, SET_UP = "/staff/", "/account/two-step/"


@pytest.fixture
def clerk(transactional_db: None) -> StaffAssignment:
    make_exam()
    return staff.add(actor=SYSTEM, username="wangfang", name="王芳", role="site_clerk", code="430101", at=clock.now())


def from_link_to_sign_in(walk: Walker, clerk: StaffAssignment) -> None:
    """Set the password by the link and sign in with it."""
    link = staff.make_link(actor=SYSTEM, user=clerk.user, at=clock.now())
    walk.go(link)
    if walk.script:
        assert walk.page.input_value("#id_code") == link.partition("#")[2]
        assert walk.page.url == f"{walk.base}/account/welcome/"
    else:
        walk.fill(code=link.partition("#")[2])
    walk.look("welcome")
    walk.fill(password1=PASSWORD, password2=PASSWORD)
    walk.press()
    walk.look("password-is-set")
    sign_in(walk)
    assert walk.page.url == walk.base + SET_UP


def sign_in(walk: Walker) -> None:
    walk.go("/account/login/")
    walk.fill(login="wangfang", password=PASSWORD)
    walk.press()


def sign_out(walk: Walker) -> None:
    walk.go("/account/logout/")
    walk.press()


@pytest.mark.rule("R32")
@pytest.mark.parametrize(("screen", "script"), [(DESK, True), (PHONE, False)], ids=str)
def test_a_new_clerk_sets_up_an_app_and_signs_in_by_it(
    clerk: StaffAssignment, walker: Callable[..., Walker], screen: dict[str, int], script: bool
) -> None:
    walk = walker(screen, script=script, dark=screen is PHONE)
    from_link_to_sign_in(walk, clerk)
    walk.look("set-up")
    walk.go("/")
    assert walk.page.url == walk.base + SET_UP  # nothing else is possible yet
    walk.page.locator("main a[href='/account/two-step/app/']").click()
    walk.look("app")
    walk.fill(code="000000")
    walk.press()
    walk.look("wrong-code")
    secret = walk.page.locator("#secret").inner_text().replace(" ", "")
    walk.fill(code=two_step.code_now(secret) or "")
    walk.press()
    walk.look("recovery-codes")
    walk.page.locator("main .actions a").click()
    walk.look("set-up-done")
    SecondStep.objects.update(last_code=0)  # half a minute later
    sign_out(walk)
    sign_in(walk)
    walk.look("second-step")
    walk.fill(code=two_step.code_now(secret) or "")
    walk.press()
    assert walk.page.url == walk.base + WORK
    walk.go("/account/staff/")
    walk.look("password-and-sign-in")
    walk.go("/account/staff/password/")
    walk.fill(password="wrong", password1=PASSWORD, password2=PASSWORD)
    walk.press()
    walk.look("wrong-password")
    walk.go("/account/confirm/?next=/account/two-step/app/")
    walk.look("confirm")
    walk.fill(password=PASSWORD)
    walk.press()
    assert walk.page.url == walk.base + SET_UP + "app/"


def test_a_clerk_sets_up_a_passkey_and_signs_in_by_it(clerk: StaffAssignment, walker: Callable[..., Walker]) -> None:
    walk = walker(DESK)
    security_key = walk.page.context.new_cdp_session(walk.page)
    security_key.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    security_key.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    from_link_to_sign_in(walk, clerk)
    walk.page.locator("main a[href='/account/two-step/passkey/']").click()
    walk.page.locator("#passkey").click()  # without a name: the browser says so, and makes none
    assert walk.page.url.endswith("/passkey/")
    walk.fill(name="办公室电脑")
    walk.look("passkey")
    walk.page.locator("#passkey").click()
    walk.page.wait_for_url("**/codes/")
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    sign_out(walk)
    sign_in(walk)
    walk.look("second-step-by-passkey")
    walk.page.locator("#passkey").click()
    walk.page.wait_for_url(f"**{WORK}")
    walk.look("signed-in-by-passkey")
    walk.go("/account/confirm/passkey/?next=/account/two-step/app/")
    walk.look("confirm-by-passkey")
    walk.page.locator("#passkey").click()
    walk.page.wait_for_url(f"**{SET_UP}app/")

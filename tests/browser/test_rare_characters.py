"""生僻字输入 on a telephone: a character is found and chosen, and Enter does what one expects."""

from collections.abc import Callable

import pytest

from accounts.models import Candidate
from tests.accounts.test_registering import FORM
from tests.browser.conftest import PHONE, Walker


@pytest.mark.rule("R30")
@pytest.mark.parametrize("script", [False, True], ids=["noscript", "script"])
def test_a_rare_character_is_chosen_and_nothing_typed_is_lost(walker: Callable[..., Walker], script: bool) -> None:
    walk = walker(PHONE, script=script)
    walk.go("/account/notice/")
    walk.fill(accept="on")
    walk.press()
    walk.fill(**{**FORM, "name": "王?", "name_again": "王?"})
    walk.page.locator("#rare-characters summary").click()
    walk.fill(picker_query="zhe2")
    walk.page.locator("[name=picker_query]").press("Enter")
    walk.look("found")
    walk.page.locator("[name=pick][value=喆]").click()
    walk.look("chosen")
    values = {name: walk.page.locator(f"[name={name}]").input_value() for name in FORM}
    assert values == {**FORM, "name": "王喆", "name_again": "王喆"}
    walk.page.locator("[name=recovery_answer]").press("Enter")
    walk.page.wait_for_url("**/dashboard/")
    walk.look("signed-up")
    assert Candidate.objects.get().name == "王喆"

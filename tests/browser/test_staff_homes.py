"""The home page of each role, as it is seen at a desk; its pictures are looked at."""

from collections.abc import Callable

import pytest
from django.conf import settings

from accounts.models import IdentityRequest, Point, StaffAssignment
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.browser.conftest import DESK, Walker
from tests.staffing import staff_client


@pytest.mark.rule("R28")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("role", "point", "region", "site"),
    [
        ("site_clerk", "4301", "43", "430101"),
        ("point_reviewer", "4301", "43", ""),
        ("region_reviewer", "", "43", ""),
        ("region_admin", "", "43", ""),
        ("national_admin", "", "", ""),
        ("auditor", "", "", ""),
    ],
)
def test_the_home_of_each_role(
    walker: Callable[..., Walker], transactional_db: None, role: str, point: str, region: str, site: str, dark: bool
) -> None:
    factories.make_exam()
    ask_deletion(factories.make_candidate(), Point.objects.get(code="4301"))
    assert IdentityRequest.objects.count() == 1
    staff = factories.make_staff(Point.objects.filter(code=point).first(), region, role=role, site=site)
    walk = walker(DESK, dark=dark)
    sign_in(walk, staff)
    walk.go("/staff/")
    walk.look(f"home-{role}")
    walk.go("/staff/accounts/identityrequest/")
    walk.look(f"list-{role}")


def sign_in(walk: Walker, assignment: StaffAssignment) -> None:
    cookie = staff_client(assignment).cookies[settings.SESSION_COOKIE_NAME]
    walk.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": walk.base}])

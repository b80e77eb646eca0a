"""The people of the demo, and the codes by which its staff sign in."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from accounts import roles
from accounts.models import StaffAssignment, User
from accounts.services import two_step
from exam_portal.portal.demo_people import PASSWORD
from tests.staffing import is_in

pytestmark = pytest.mark.django_db

YEARS = Path(django_settings.BASE_DIR) / "registration" / "exam_years"


@pytest.fixture
def people() -> list[dict[str, str]]:
    for file in sorted(YEARS.glob("*.toml")):
        call_command("exam_year", "apply", str(file), stdout=StringIO(), stderr=StringIO(), verbosity=0)
    return made()


def made() -> list[dict[str, str]]:
    out = StringIO()
    call_command("demo_people", "--json", stdout=out)
    return json.loads(out.getvalue())


def code(username: str) -> str:
    out = StringIO()
    call_command("demo_code", username, stdout=out)
    return out.getvalue().strip()


def test_each_role_has_somebody_who_signs_in_by_the_code_that_is_printed(
    people: list[dict[str, str]], settings: Any, client: Any
) -> None:
    assert made() == people
    assert set(StaffAssignment.objects.filter(valid_until=None).values_list("role", flat=True)) == set(roles.ROLES)
    of_now = StaffAssignment.objects.filter(valid_until=None)
    assert set(of_now.exclude(region=None).values_list("region", flat=True)) == {"43"}
    staff = {row["username"] for row in people if not row["id_number"]}
    assert {row.username for row in User.objects.filter(kind="staff") if two_step.steps_of(row)} == staff - {"newclerk"}
    settings.PORTAL_ENV = "demo"
    answer = client.post("/account/login/", {"login": "clerk", "password": PASSWORD})
    assert client.post(answer.headers["Location"], {"code": code("clerk")}).headers["Location"] == "/staff/"
    assert is_in(client)
    assert client.post("/account/login/", {"login": "newclerk", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("environment", ["test", "production"])
def test_codes_are_printed_in_a_demo_only(people: object, settings: Any, environment: str) -> None:
    settings.PORTAL_ENV = environment
    with pytest.raises(CommandError) as refused:
        code("clerk")
    assert (refused.value.returncode, str(refused.value)) == (1, "Codes are printed in a demo only.")


@pytest.mark.parametrize("username", ["newclerk", "fresh", "nobody99"])
def test_who_has_no_app_has_no_code(people: object, settings: Any, username: str) -> None:
    settings.PORTAL_ENV = "demo"
    with pytest.raises(CommandError):
        code(username)


def test_a_code_that_was_used_is_not_printed_again(people: object, settings: Any) -> None:
    settings.PORTAL_ENV = "demo"
    user = User.objects.get(username="clerk")
    printed = []
    for _time in range(2):
        try:
            printed.append(code("clerk"))
        except CommandError as refused:
            assert "half a minute" in str(refused)  # noqa: PT017 - the set-up itself may have used the present one
            break
        two_step.use_code(user=user, typed=printed[-1])
    assert len(set(printed)) == len(printed) > 0

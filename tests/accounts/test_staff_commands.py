"""`manage.py staff_add | staff_list | staff_end | staff_link`."""

import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import LedgerEvent, StaffAssignment, User
from exam_portal import clock
from tests.staffing import PASSWORD, Telephone, give_password, is_in, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("exam")]

CLERK = ["wangfang", "--name=王芳", "--role=site_clerk", "--institution=430101"]


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def refused(command: str, *arguments: str) -> list[str]:
    before = list(StaffAssignment.objects.values()), LedgerEvent.objects.count(), User.objects.count()
    with pytest.raises(CommandError) as error:
        call_command(command, *arguments)
    assert error.value.returncode == 1
    assert (list(StaffAssignment.objects.values()), LedgerEvent.objects.count(), User.objects.count()) == before
    return str(error.value).splitlines()


def test_a_new_person_gets_a_role_and_an_address() -> None:
    said, address = run("staff_add", *CLERK).splitlines()
    assert said == "wangfang is site_clerk of 430101"
    assert address.startswith("to set a password, once, within three days: http://localhost:8000/account/welcome/#")
    assert StaffAssignment.objects.get().valid_until is None


def test_days_are_whole_days_in_beijing() -> None:
    run("staff_add", *CLERK, "--from=2023-12-01", "--until=2024-01-01")
    assignment = StaffAssignment.objects.get()
    assert assignment.valid_from == datetime(2023, 12, 1, tzinfo=clock.BEIJING)
    assert assignment.valid_until == datetime(2024, 1, 1, tzinfo=clock.BEIJING)


def test_who_has_a_password_gets_no_address() -> None:
    run("staff_add", *CLERK, "--until=2024-01-01")
    give_password(User.objects.get(username="wangfang"))
    told = json.loads(run("staff_add", "wangfang", "--name=王芳", "--role=auditor", "--from=2024-01-01", "--json"))
    assert told == {
        "ok": True,
        "dry_run": False,
        "username": "wangfang",
        "role": "auditor",
        "institution": "",
        "address": "",
    }


def test_a_dry_run_adds_nothing() -> None:
    assert run("staff_add", *CLERK, "--dry-run") == "wangfang would be site_clerk of 430101\n"
    assert json.loads(run("staff_add", *CLERK, "--dry-run", "--json"))["dry_run"] is True
    assert not User.objects.filter(username="wangfang").exists()
    assert not LedgerEvent.objects.exists()


def test_all_mistakes_are_told_at_once() -> None:
    lines = refused("staff_add", "x", "--name=", "--role=king", "--from=tomorrow", "--until=2023-02-30")
    assert len(lines) == 6
    assert lines[0] == "“tomorrow” is no day, such as 2023-12-01."
    assert lines[-1] == "Nothing was changed."


@pytest.mark.parametrize("option", ["--from", "--until"])
@pytest.mark.parametrize("day", ["soon", "0001-01-01", "9999-12-31"])
def test_a_wrong_day_alone_changes_nothing(option: str, day: str) -> None:
    assert refused("staff_add", *CLERK, f"{option}={day}")[0] == f"“{day}” is no day, such as 2023-12-01."


def test_a_second_role_at_the_same_time_is_refused() -> None:
    run("staff_add", *CLERK)
    assert len(refused("staff_add", *CLERK)) == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_has_who_works_now_or_everybody(rows: int, django_assert_num_queries: Callable[..., Any]) -> None:
    for number in range(rows):
        run("staff_add", f"clerk{number}", *CLERK[1:], "--from=2023-12-01")
    run("staff_add", "auditor", "--name=卫平", "--role=auditor", "--from=2024-02-01")
    with django_assert_num_queries(1):
        listed = json.loads(run("staff_list", "--json"))
    assert [row["username"] for row in listed] == [f"clerk{number}" for number in range(rows)]
    assert listed[0] == {
        "username": "clerk0",
        "name": "王芳",
        "role": "site_clerk",
        "institution": "430101",
        "from": "2023-12-01 00:00",
        "until": "",
    }
    assert len(json.loads(run("staff_list", "--all", "--json"))) == rows + 1
    assert json.loads(run("staff_list", "--region=11", "--json")) == []
    assert run("staff_list").splitlines()[0] == "clerk0\t王芳\tsite_clerk\t430101\t2023-12-01 00:00\t"


def test_a_role_ends_by_the_command_and_so_do_the_sessions() -> None:
    run("staff_add", *CLERK, "--from=2023-12-01")
    user = give_password(User.objects.get(username="wangfang"))
    client = sign_in(user, Telephone(user))
    assert is_in(client)
    assert run("staff_end", "wangfang", "--dry-run") == "wangfang: site_clerk would end\n"
    assert is_in(client)
    told = json.loads(run("staff_end", "WangFang", "--json"))
    assert (told["ok"], told["ended"]) == (True, ["site_clerk"])
    assert not is_in(client)
    assert refused("staff_end", "wangfang") == ["wangfang has no role that could end."]
    assert refused("staff_end", "nobody99") == ["nobody99 has no role that could end."]


def test_a_link_lets_somebody_in_again_and_resets_what_is_lost() -> None:
    run("staff_add", *CLERK, "--from=2023-12-01")
    user = give_password(User.objects.get(username="wangfang"))
    client = sign_in(user, Telephone(user))
    assert run("staff_link", "wangfang", "--dry-run") == "wangfang: an address would be made\n"
    told = json.loads(run("staff_link", "wangfang", "--json"))
    assert told["address"].startswith("http://localhost:8000/account/welcome/#")
    assert is_in(client)
    assert len(run("staff_link", "wangfang", "--reset-two-step=手机丢失").splitlines()) == 2
    assert not is_in(client)
    assert not Authenticator.objects.exists()
    assert LedgerEvent.objects.get(action="two_step.reset").reason == "手机丢失"
    assert Client().post("/account/login/", {"login": "wangfang", "password": PASSWORD}).status_code == 302


def test_a_link_for_nobody_is_refused() -> None:
    run("staff_add", *CLERK)
    assert refused("staff_link", "nobody99") == ["Nobody of staff is called nobody99."]
    assert refused("staff_link", "wangfang", "--reset-two-step= ")[-1] == "Nothing was changed."
    run("staff_end", "wangfang")
    assert refused("staff_link", "wangfang")[-1] == "Nothing was changed."

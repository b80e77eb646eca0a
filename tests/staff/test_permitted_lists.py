"""What each role finds in lists and by searching is of its own territory, and all of that (R28)."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import ROLES
from tests.staff.test_permissions import EXPECTED, address, allowed
from tests.staff.world import OWN, PLACES, World, staff_in, within, world
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]
__all__ = ["world"]

# What each list is of.
LISTS = {
    "admin:accounts_candidate_changelist": "candidate",
    "admin:accounts_identityrequest_changelist": "identity_request",
    "admin:accounts_photo_changelist": "photo",
    "admin:accounts_staffassignment_changelist": "staff",
    "admin:accounts_ledgerevent_changelist": "event",
    "admin:registration_exam_changelist": "exam",
    "admin:accounts_point_changelist": "point",
    "admin:registration_examyearchange_changelist": "exam_year_change",
}
# What each search is of, what is typed there, and the address to which that leads.
Search = tuple[str, Callable[[World, str], dict[str, str]], Callable[[World, str], str]]
SEARCHES: dict[str, Search] = {
    "admin:accounts_candidate_search": (
        "candidate",
        lambda world, place: {"typed": world.row("candidate", place).id_number},
        lambda world, place: address(world, "admin:accounts_candidate_change", place),
    ),
    "admin:accounts_identityrequest_search": (
        "identity_request",
        lambda world, place: {"typed": world.row("identity_request", place).number},
        lambda world, place: address(world, "admin:accounts_identityrequest_change", place),
    ),
    "admin:accounts_staffassignment_search": (
        "staff",
        lambda world, place: {"typed": world.row("staff", place).user.username},
        lambda world, place: address(world, "admin:accounts_staffassignment_change", place),
    ),
    "admin:accounts_ledgerevent_search": (
        "event",
        lambda world, place: {"subject": world.row("event", place).stream_id},
        lambda world, place: (
            f"{reverse('admin:accounts_ledgerevent_changelist')}?subject={world.row('event', place).stream_id}"
        ),
    ),
}


def test_every_list_and_search_is_tried() -> None:
    assert {name for name in EXPECTED if name.endswith("_changelist")} == set(LISTS)
    assert {name for name in EXPECTED if name.endswith("_search")} == set(SEARCHES)


def listed(client: Client, url: str) -> set[object]:
    return {row.pk for row in client.get(url).context["cl"].result_list}


def test_a_list_shows_what_is_of_ones_territory(world: World) -> None:
    for role in ROLES:
        client = staff_client(staff_in(role))
        for name, kind in LISTS.items():
            if allowed(name, role, OWN):
                here = {world.rows[place][kind] for place in PLACES if within(role, kind, place)}
                everywhere = {world.rows[place][kind] for place in PLACES}
                assert listed(client, reverse(name)) & everywhere == here, (role, name)


def test_a_search_leads_to_what_is_of_ones_territory(world: World) -> None:
    for role in ROLES:
        client = staff_client(staff_in(role))
        for name, (kind, typed, found) in SEARCHES.items():
            for place in PLACES:
                answer, where = client.post(reverse(name), typed(world, place)), (role, name, place)
                if not allowed(name, role, OWN):
                    assert answer.status_code == 403, where
                elif within(role, kind, place):
                    assert (answer.status_code, answer.headers["Location"]) == (302, found(world, place)), where
                else:
                    told = answer.context.get("not_found") or "subject" in answer.context["cl"].form.errors
                    assert (answer.status_code, told) == (200, True), where

"""Staff reach their candidates by indexes, however many others there are (R28)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.actors import VISITOR, Actor, working_as
from accounts.candidate_search import SoughtCandidates
from accounts.models import Candidate, Point, StaffAssignment
from accounts.roles import ROLES, Level
from accounts.territory import candidates_by_reason, visible_to
from registration.models import Exam
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.filling import fill
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]


@pytest.fixture
def clerk(exam: Exam) -> Actor:
    """Somebody who sees few among many: twenty who apply, one asks to be deleted too, and one only asks."""
    fill(exam, {"4301": 20, "4302": 6_000, "1101": 6_000})
    point = Point.objects.get(code="4301")
    ask_deletion(factories.CandidateFactory(), point)
    ask_deletion(Candidate.objects.get(name="考生七"), point)
    return working_as(factories.make_staff(point, role="site_clerk", site="430101"))


def plans(rows: QuerySet[Any]) -> Iterator[dict[str, Any]]:
    """Every step of the plan."""
    waiting = [json.loads(rows.explain(format="json"))[0]["Plan"]]
    while waiting:
        plan = waiting.pop()
        yield plan
        waiting += plan.get("Plans", [])


def check_reads_no_table(rows: QuerySet[Any]) -> None:
    steps = list(plans(rows))
    read = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
    assert read.isdisjoint({"accounts_candidate", "registration_application", "accounts_user"})
    assert steps[0]["Plan Rows"] < 100, "PostgreSQL knows how few they are"


@pytest.mark.parametrize("look", ["list", "page", "count", "name", "beginning"])
def test_few_are_listed_without_reading_all_candidates(clerk: Actor, look: str) -> None:
    for rows in candidates_by_reason(clerk):
        ordered = rows.order_by("-pk")
        check_reads_no_table(
            {
                "list": lambda rows=ordered: rows.select_related("user", "basic_information")[:51],
                "page": lambda rows=ordered: rows.filter(pk__lt=6_000)[:51],
                "count": lambda rows=rows: rows,
                "name": lambda rows=ordered: SoughtCandidates(name="考生七").among(rows),
                "beginning": lambda rows=ordered: SoughtCandidates(name="考生一", beginning=True).among(rows),
            }[look]()
        )


def test_one_is_found_without_reading_all_candidates(clerk: Actor) -> None:
    seen = visible_to(clerk, Candidate)
    check_reads_no_table(seen.filter(pk=7))
    check_reads_no_table(seen.filter(basic_information__mobile="13900000007"))
    check_reads_no_table(SoughtCandidates(name="考生七").among(seen))


@pytest.mark.parametrize("role", list(ROLES))
def test_the_reasons_together_are_what_is_visible(clerk: Actor, role: str) -> None:
    level = ROLES[role].level
    actor = replace(
        clerk,
        role=role,
        region="" if level == Level.NATION else clerk.region,
        point=clerk.point if level in {Level.POINT, Level.SITE} else "",
        site=clerk.site if level == Level.SITE else "",
    )
    together = {pk for rows in candidates_by_reason(actor) for pk in rows.values_list("pk", flat=True)}
    assert together == set(visible_to(actor, Candidate).values_list("pk", flat=True))
    for nobody in (VISITOR, replace(actor, role=""), replace(actor, kind="candidate")):
        assert [rows.count() for rows in candidates_by_reason(nobody)] == [0]


def test_the_list_shows_whoever_is_visible_for_two_reasons_once(clerk: Actor) -> None:
    client = staff_client(StaffAssignment.objects.get(user=int(clerk.id)))
    listed = client.get("/staff/accounts/candidate/").context["cl"]
    keys = [row.pk for row in listed.result_list]
    assert keys == sorted(visible_to(clerk, Candidate).values_list("pk", flat=True), reverse=True)
    assert (len(keys), listed.count) == (21, (21, True))

"""Hard names go the whole way unharmed (R30): sign-up, sign-in, search, the dashboard. Printing: test_printed_form."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts import queries
from accounts.models import Candidate
from tests.accounts.test_registering import PASSWORD, sign_up
from tests.data.hard_names import HARD_NAMES
from tests.factories import CandidateFactory

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R30")]


def test_there_are_enough_of_them() -> None:
    assert len({kept for _typed, kept in HARD_NAMES}) >= 60


@pytest.mark.parametrize(("typed", "kept"), HARD_NAMES, ids=ascii)
def test_a_hard_name_signs_up_signs_in_is_found_and_shown(client: Client, typed: str, kept: str) -> None:
    assert sign_up(Client(), name=typed, name_again=typed).status_code == 302
    candidate = Candidate.objects.get()
    assert candidate.name == kept
    client.post(reverse("account_login"), {"login": "11010119900307002x", "password": PASSWORD})
    page = client.get(reverse("portal:dashboard"))
    assert f"<strong>{escape(kept)}</strong>" in page.content.decode()
    CandidateFactory(name="张三")
    for search in (typed, kept):
        assert queries.candidates_named(search).get() == candidate
        assert queries.candidates_named(search[:3], beginning=True).get() == candidate


def found(typed: str, **how: bool) -> list[str]:
    return list(queries.candidates_named(typed, **how).values_list("name", flat=True))


def test_search_is_exact_unless_a_beginning_is_asked_for() -> None:
    for name in ("买买提·吐尔逊", "买买提", "王𠮷", "王𠮷祥", "王吉", "王昇", "王升"):
        CandidateFactory(name=name)
    assert found("买买提") == ["买买提"]
    assert found("买买提．吐尔逊") == ["买买提·吐尔逊"]
    assert sorted(found("买买提", beginning=True)) == ["买买提", "买买提·吐尔逊"]
    assert found("买买提•", beginning=True) == ["买买提·吐尔逊"]
    assert found("王𠮷") == ["王𠮷"]
    assert sorted(found("王𠮷", beginning=True)) == ["王𠮷", "王𠮷祥"]
    assert found("王昇") == ["王昇"]


def test_search_knows_compatibility_forms_and_case_and_takes_nothing_for_a_pattern() -> None:
    CandidateFactory(name="\uf9f4龙")
    CandidateFactory(name="John Smith")
    assert found("林龙") == ["\uf9f4龙"]
    assert found("JOHN smith") == ["John Smith"]
    for typed in ("", "  ", "%", "_", "\\", "\0", "_ohn"):
        assert found(typed, beginning=True) == []


@pytest.mark.parametrize("beginning", [False, True])
def test_search_goes_by_the_index(beginning: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan: Any = queries.candidates_named("王𠮷", beginning=beginning).explain()
    assert "candidate_by_name" in plan

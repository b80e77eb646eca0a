"""The lifecycle table, the database guard made from it, and the diagram in the docs."""

from itertools import product
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.actors import SYSTEM, Actor, acting
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration import lifecycle
from registration.lifecycle import ALLOWED_PAIRS, TRANSITIONS, State, Transition
from registration.models import Application, Exam
from registration.services import applications
from tests import factories

pytestmark = pytest.mark.django_db


def force(application: Application, state: str) -> None:
    """Bring an application to any state along allowed transitions only."""
    paths: dict[str, list[str]] = {"draft": []}
    while state not in paths:
        paths |= {
            target: [*paths[source], target]
            for source, target in ALLOWED_PAIRS
            if source in paths and target not in paths
        }
    for step in paths[state]:
        Application.objects.filter(pk=application.pk).update(state=step)


def test_the_database_allows_exactly_the_transitions_of_the_table(draft: Application) -> None:
    allowed = set(ALLOWED_PAIRS)
    for source, target in product(State.values, State.values):
        with transaction.atomic():
            force(draft, source)
            row = Application.objects.filter(pk=draft.pk)
            if source == target or (source, target) in allowed:
                assert row.update(state=target) == 1
            else:
                with (
                    pytest.raises(IntegrityError, match=f"no transition from {source} to {target}"),
                    transaction.atomic(),
                ):
                    row.update(state=target)
            transaction.set_rollback(True)


@pytest.mark.parametrize("state", [state for state in State.values if state != "draft"])
def test_a_new_application_is_a_draft(exam: Exam, state: str) -> None:
    candidate = factories.make_candidate()
    with pytest.raises(IntegrityError, match="a new application is a draft"), transaction.atomic():
        Application.objects.create(candidate=candidate, exam=exam, number="1", channel="web", state=state)


def test_moving_along_a_transition_that_does_not_begin_here_is_refused(draft: Application) -> None:
    with pytest.raises(Refused) as refused:
        applications.move(application=draft, name="confirm_automatically", actor=SYSTEM, at=clock.now())
    assert refused.value.code == "wrong_state"
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_every_state_but_the_draft_is_reached_and_names_are_unique() -> None:
    assert {t.target for t in TRANSITIONS} == set(State)
    assert len(lifecycle.BY_NAME) == len(TRANSITIONS)


def test_what_the_candidate_reads_hangs_on_the_transition(draft: Application) -> None:
    from django.utils.translation import override

    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    draft.refresh_from_db()
    applications.move(application=draft, name="confirm_automatically", actor=SYSTEM, at=clock.now())
    with override("zh-hans"):
        assert str(draft.status_at(clock.now())) == "您已完成报名确认，请等待考点和考区考试管理机构进行资格审查"


def test_the_diagram_in_the_docs_is_the_table() -> None:
    assert lifecycle.diagram() in Path(settings.BASE_DIR, "docs", "lifecycle.md").read_text(encoding="utf-8"), (
        "docs/lifecycle.md is not what registration.lifecycle.diagram() draws"
    )


@pytest.mark.parametrize("transition", [t for t in TRANSITIONS if t.source == State.SUBMITTED], ids=lambda t: t.name)
@pytest.mark.parametrize("kind", ["candidate", "staff", "system"])
def test_a_transition_is_only_for_its_kind_of_actor(draft: Application, transition: Transition, kind: str) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    draft.refresh_from_db()
    actor = factories.staff_of(None, "43") if kind == "staff" else Actor(kind=kind, id=str(draft.candidate.pk))
    if kind == transition.who.actor_kind:
        applications.move(application=draft, name=transition.name, actor=actor, at=clock.now())
        assert draft.state == transition.target
    else:
        with pytest.raises(Refused) as refused:
            applications.move(application=draft, name=transition.name, actor=actor, at=clock.now())
        assert refused.value.code == "forbidden"
        draft.refresh_from_db()
        assert draft.state == State.SUBMITTED

"""`manage.py check_photos`: photos checked again after the rules changed (R03)."""

import json
from typing import Any

import pgtrigger
import pytest
from django.core.management import CommandError, call_command

from accounts.models import Candidate, LedgerEvent, Photo, PhotoRuleSet
from registration.models import Application, Exam, PhotoLimit
from tests import factories
from tests.photos import giving

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R03")]


@pytest.fixture
def applying(exam: Exam, newcomer: Candidate) -> Photo:
    """A photo that passed, of somebody who applies."""
    factories.give_basic_information(newcomer)
    photo = giving.chosen(newcomer)
    factories.give_education(newcomer)
    factories.give_wechat(newcomer)
    factories.make_draft(newcomer, exam)
    assert photo.state == Photo.State.ACCEPTED
    return photo


def change_rules(exam: Exam) -> None:
    """The background has to be whiter than any wall is."""
    PhotoLimit.objects.filter(exam=exam, item="white").update(low=1.01, doubtful_low=0.5)


def run(*arguments: str) -> tuple[int, str]:
    from io import StringIO

    out = StringIO()
    try:
        call_command("check_photos", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_what_was_checked_by_these_rules_is_left_out_unless_asked_for(exam: Exam, applying: Photo) -> None:
    code, told = run("--exam", exam.code)
    assert (code, told.startswith("0 checked by the rules")) == (0, True)
    code, told = run("--exam", exam.code, "--rerun", "--json")
    outcome = json.loads(told)
    assert (code, outcome["checked"], outcome["changes"]) == (0, 1, [])
    applying.refresh_from_db()
    assert applying.state == "accepted"


def test_a_dry_run_tells_what_would_change_and_changes_nothing(exam: Exam, applying: Photo) -> None:
    change_rules(exam)
    before = Photo.objects.values().get()
    code, told = run("--exam", exam.code, "--dry-run")
    assert code == 2
    assert f"photo {applying.pk} of candidate {applying.candidate_id}: accepted → doubtful; white pass → warn" in told
    assert told.splitlines()[-1].endswith("1 would change")
    assert Photo.objects.values().get() == before and PhotoRuleSet.objects.count() == 1


def test_a_photo_that_no_longer_passes_is_for_staff_to_look_at(exam: Exam, applying: Photo) -> None:
    change_rules(exam)
    code, told = run("--exam", exam.code, "--json")
    outcome = json.loads(told)
    change = {"photo": applying.pk, "candidate": applying.candidate_id, "before": "accepted", "now": "doubtful"}
    assert (code, outcome["ok"]) == (0, True)
    assert outcome["changes"] == [{**change, "items": {"white": ["pass", "warn"]}}]
    kept = applying.kept.name
    applying.refresh_from_db()
    assert (applying.state, applying.kept.name, applying.rule_set_id) == ("doubtful", kept, outcome["rules"])
    event = LedgerEvent.objects.get(action="photo.checked_again")
    assert (event.actor_kind, event.payload["state"]) == ("system", "doubtful")
    code, told = run("--exam", exam.code)
    assert (code, told.startswith("0 checked")) == (0, True), "run again it does nothing"


def test_what_staff_accepted_stays_accepted_and_what_they_refused_refused(exam: Exam, applying: Photo) -> None:
    change_rules(exam)
    staff = factories.make_staff().user
    for state in ("accepted", "refused"):
        Photo.objects.update(state=state, decided_by=staff, decided_at=applying.chosen_at, refusal="x")
        run("--exam", exam.code, "--rerun")
        applying.refresh_from_db()
        assert applying.state == state


def test_a_file_that_is_gone_is_told_with_the_rest_done(exam: Exam, applying: Photo) -> None:
    other = giving.chosen(factories.CandidateFactory())
    Application.objects.create(candidate=other.candidate, exam=exam, number="000000000018", channel="web")
    applying.original.storage.delete(applying.original.name)
    code, told = run("--exam", exam.code, "--rerun", "--json")
    outcome = json.loads(told)
    assert (code, outcome["ok"], outcome["checked"]) == (1, False, 2)
    (problem,) = outcome["problems"]
    assert problem.startswith(f"photo {applying.pk} of candidate {applying.candidate_id}: ")


def test_whoever_does_not_apply_and_whoever_gave_up_are_left_out(exam: Exam, applying: Photo) -> None:
    giving.chosen(factories.CandidateFactory())
    assert run("--exam", exam.code, "--rerun")[1].startswith("1 checked")
    with pgtrigger.ignore():
        Application.objects.update(state="abandoned")
    assert run("--exam", exam.code, "--rerun")[1].startswith("0 checked")


@pytest.mark.parametrize("known", [True, False])
def test_an_exam_without_rules_is_refused_with_the_reason(exam: Exam, known: bool) -> None:
    exam.photo.delete()
    with pytest.raises(CommandError, match="says nothing of photos" if known else "there are: 2024-health") as refused:
        call_command("check_photos", "--exam", exam.code if known else "2031-health")
    assert refused.value.returncode == 1


def test_a_bar_tells_how_far_it_has_come(exam: Exam, applying: Photo, capsys: Any) -> None:
    run("--exam", exam.code, "--rerun")
    assert "1/1" in capsys.readouterr().err
    run("--exam", exam.code, "--rerun", "--json")
    assert capsys.readouterr().err == ""

"""What a candidate is asked to do next."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.translation import override

from accounts.actors import acting
from accounts.models import Candidate
from accounts.next_steps import FOLLOW, FOLLOW_AGAIN, next_step, next_steps
from exam_portal import clock
from exam_portal.kit.next_steps import TODOS, NextStep, Todo
from registration.models import Application, Exam
from registration.next_steps import SUBMIT
from registration.services import applications
from tests import factories
from tests.conftest import CLOSES

pytestmark = pytest.mark.django_db


def asked(candidate: Candidate, **later: int) -> NextStep | None:
    candidate = Candidate.objects.get(pk=candidate.pk)
    return next_step(candidate=candidate, at=clock.now() + timedelta(**later))


def walk(application: Application, *names: str) -> None:
    application.refresh_from_db()
    actor = factories.staff_of(None, "43")
    for name in names:
        applications.move(application=application, name=name, actor=actor, at=clock.now())


@pytest.mark.rule("R03")
def test_the_account_comes_before_the_exam(exam: Exam, newcomer: Candidate) -> None:
    for name, give in (
        ("accounts:basic_information", factories.give_basic_information),
        ("accounts:photo", factories.give_photo),
        ("accounts:education", factories.give_education),
        ("accounts:wechat", factories.give_wechat),
    ):
        step = asked(newcomer)
        assert step is not None
        assert step.url == reverse(name)
        give(newcomer)
    step = asked(newcomer)
    assert step is not None
    assert step.url == reverse("registration:exams")


@pytest.mark.rule("R08")
def test_following_again_is_urgent_and_the_first_time_is_not(candidate: Candidate) -> None:
    candidate.wechat.following = False
    candidate.wechat.save()
    first = asked(candidate)
    assert first is not None and first.todo == FOLLOW
    assert (first.urgent, first.url) == (False, reverse("accounts:wechat"))
    candidate.wechat.turned_at = clock.now()
    candidate.wechat.save()
    step = asked(candidate)
    assert step is not None and step.todo == FOLLOW_AGAIN
    assert (step.urgent, step.url) == (True, reverse("accounts:wechat"))


def test_nothing_is_asked_while_no_exam_is_open(exam: Exam, candidate: Candidate) -> None:
    step = asked(candidate, days=100)
    assert step is not None
    assert (step.url, step.deadline) == ("", None)


def test_a_draft_goes_on_where_it_stopped_until_the_window_closes(exam: Exam, candidate: Candidate) -> None:
    factories.begin(candidate, exam)
    step = asked(candidate)
    assert step is not None
    assert (step.url, step.deadline) == (reverse("registration:pledge", args=[exam.code]), CLOSES)


def test_on_site_the_stamped_form_is_brought_by_the_regions_deadline(draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    step = asked(draft.candidate)
    assert step is not None
    assert step.deadline == draft.exam_region.confirmation_closes_at


def test_online_nothing_is_left_to_the_candidate_while_staff_check(exam: Exam, candidate: Candidate) -> None:
    draft = factories.make_draft(candidate, exam, region="12")
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    step = asked(candidate)
    assert step is not None
    assert (step.url, step.action) == ("", "")


@pytest.mark.rule("R29")
def test_confirmed_does_not_read_as_accepted(draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    walk(draft, "confirm_on_site")
    step = asked(draft.candidate)
    assert step is not None
    assert (step.url, str(step.title)) == ("", str(draft.status_at(clock.now())))
    assert "通过" not in str(draft.status_at(clock.now()))


def test_another_open_exam_is_offered_but_not_the_one_applied_for(exam: Exam, draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    walk(draft, "confirm_on_site", "approve_by_point", "approve_by_region")
    step = asked(draft.candidate)
    assert step is not None
    assert step.url == ""
    factories.make_exam("2024-nurse", prefix="24H")
    step = asked(draft.candidate)
    assert step is not None
    assert step.url == reverse("registration:exams")


def test_the_nearer_deadline_comes_first_and_is_urgent_in_its_last_day(exam: Exam, candidate: Candidate) -> None:
    sooner = factories.make_exam("sooner", prefix="24H", day=6)
    factories.begin(candidate, sooner)
    factories.begin(candidate, exam)
    step = asked(candidate)
    assert step is not None
    assert (step.deadline, step.urgent) == (sooner.closes_at, True)
    step = asked(candidate, days=2)
    assert step is not None
    assert (step.deadline, step.urgent) == (exam.closes_at, False)


@pytest.mark.rule("R09")
def test_a_draft_reads_as_not_submitted_once_the_window_has_closed(draft: Application) -> None:
    with override("zh-hans"):
        assert str(draft.status_at(CLOSES)) == "未提交，报名已截止"
        assert str(draft.status_at(CLOSES - timedelta(seconds=1))) == "未提交报考信息"


def test_a_form_nobody_confirmed_is_no_longer_to_be_brought(draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    step = asked(draft.candidate, days=30)
    assert step is not None
    assert (step.url, step.deadline) == ("", None)


# --- To-dos ---------------------------------------------------------------------------------------
def steps(candidate: Candidate, **later: int) -> list[NextStep]:
    candidate = Candidate.objects.get(pk=candidate.pk)
    return next_steps(candidate=candidate, at=clock.now() + timedelta(**later))


def names(found: list[NextStep]) -> list[str | None]:
    return [step.todo and step.todo.key for step in found]


def test_no_two_to_dos_have_one_name() -> None:
    assert {"bind_wechat", "submit_again", "confirm_on_site"} <= set(TODOS)
    with pytest.raises(ValueError, match="submit_again"):
        Todo("submit_again", title="x", text="x", action="x")


@pytest.mark.rule("R17")
def test_all_pages_of_a_draft_are_one_thing_to_do(draft: Application, candidate: Candidate) -> None:
    complete = asked(candidate)
    draft.subjects, draft.photo_digest = [], ""
    draft.save()
    begun = asked(candidate)
    assert complete is not None and begun is not None
    assert complete.title != begun.title
    assert (complete.todo, complete.about) == (begun.todo, begun.about) == (SUBMIT, f"{draft.number}/1")


@pytest.mark.rule("R17")
def test_what_the_account_lacks_ends_with_the_window_in_which_it_is_needed(exam: Exam, newcomer: Candidate) -> None:
    sooner = factories.make_exam("sooner", prefix="24H", day=10)
    account, choice = steps(newcomer)
    assert (names([account, choice]), choice.about) == (["enter_basic_information", "choose_exam"], "sooner")
    assert account.deadline == choice.deadline == sooner.closes_at
    assert [step.deadline for step in steps(newcomer, days=6)] == [exam.closes_at] * 2
    assert [step.deadline for step in steps(newcomer, days=30)] == [None] * 2
    begun = factories.make_candidate()
    factories.begin(begun, exam)
    begun.wechat.following = False
    begun.wechat.save()
    assert [(step.todo and step.todo.key, step.deadline) for step in steps(begun)] == [
        ("follow", exam.closes_at),
        ("submit", exam.closes_at),
    ]


def test_what_needs_no_account_comes_before_it(draft: Application, candidate: Candidate) -> None:
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    candidate.wechat.following = False
    candidate.wechat.save()
    assert names(steps(candidate)) == ["confirm_on_site", "follow"]


@pytest.mark.rule("R09")
def test_withdrawn_comes_first_also_before_what_ends_sooner(draft: Application, candidate: Candidate) -> None:
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    applications.withdraw(application=draft, actor=acting(candidate), at=clock.now())
    factories.begin(candidate, factories.make_exam("sooner", prefix="24H", day=6))
    found = steps(candidate)
    assert names(found) == ["submit_again", "submit"]
    assert (found[0].about, found[1].urgent) == (f"{draft.number}/2", True)


def test_where_to_go_is_said_with_a_mark_on_invented_places(draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    with override("en"):
        (step,) = steps(draft.candidate)
        assert (step.place, step.exam) == ("湖南第01考点, 湖南示例路01号 (example data)", draft.exam.title)
        draft.point.source = "S"
        draft.point.save()
        assert steps(draft.candidate)[0].place == "湖南第01考点, 湖南示例路01号"


def test_another_exam_beside_one_applied_for_is_offered_and_no_to_do(draft: Application) -> None:
    draft_of = draft.candidate
    applications.submit(application=draft, actor=acting(draft_of), at=clock.now())
    walk(draft, "confirm_on_site")
    factories.make_exam("2024-nurse", prefix="24H")
    step = steps(draft_of)[0]
    assert (step.url, step.todo, step.deadline) == (reverse("registration:exams"), None, None)

"""Filling in, submitting and withdrawing an application."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors import SYSTEM, VISITOR, acting
from accounts.models import Candidate, LedgerEvent, Message
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.lifecycle import State
from registration.models import Application, Exam, Submission
from registration.services import applications
from registration.services.applications import Closed, NotReady, Submitted
from tests import factories
from tests.conftest import CLOSES, OPENS, TICK

pytestmark = pytest.mark.django_db


def how(application: Application, **changes: Any) -> dict[str, Any]:
    return {
        "application": application,
        "actor": acting(application.candidate),
        "at": clock.now(),
        **changes,
    }


def digest_of(candidate: Candidate) -> str:
    return candidate.photos.standing().get().digest


@pytest.mark.rule("R01")
@pytest.mark.parametrize(
    ("at", "allowed"),
    [(OPENS - TICK, False), (OPENS, True), (CLOSES - TICK, True), (CLOSES, False)],
)
def test_an_application_starts_only_when_the_request_arrived_inside_the_window(
    exam: Exam, candidate: Candidate, at: Any, allowed: bool
) -> None:
    if allowed:
        applications.start_application(candidate=candidate, exam=exam, actor=acting(candidate), at=at)
    else:
        with pytest.raises(Closed):
            applications.start_application(candidate=candidate, exam=exam, actor=acting(candidate), at=at)
    assert Application.objects.count() == allowed


@pytest.mark.rule("R01")
@pytest.mark.parametrize(
    ("at", "allowed"),
    [(OPENS - TICK, False), (OPENS, True), (CLOSES - TICK, True), (CLOSES, False)],
)
def test_a_draft_is_submitted_only_when_the_request_arrived_inside_the_window(
    draft: Application, at: Any, allowed: bool
) -> None:
    if allowed:
        applications.submit(**how(draft, at=at))
    else:
        with pytest.raises(Closed):
            applications.submit(**how(draft, at=at))
    draft.refresh_from_db()
    assert (draft.state == State.SUBMITTED) is allowed
    assert Submission.objects.count() == allowed


@pytest.mark.rule("R01")
def test_an_exam_with_invented_data_never_opens_in_production(exam: Exam, settings: Any) -> None:
    exam.example = True
    assert exam.is_open(clock.now())
    settings.PORTAL_ENV = "production"
    assert not exam.is_open(OPENS)


@pytest.mark.rule("R03")
def test_an_exam_cannot_be_chosen_before_the_account_is_complete(exam: Exam, newcomer: Candidate) -> None:
    with pytest.raises(NotReady, match=r"基本信息|basic information"):
        factories.begin(newcomer, exam)
    assert not Application.objects.exists()


@pytest.mark.rule("R03")
@pytest.mark.parametrize("missing", ["pledge", "region", "point", "specialty", "photo"])
def test_a_draft_with_a_missing_step_is_not_submitted(draft: Application, missing: str) -> None:
    emptied = {
        "pledge": {"pledged_at": None},
        "region": {"exam_region": None},
        "point": {"point": None},
        "specialty": {"specialty": None},
        "photo": {"photo_digest": ""},
    }
    Application.objects.filter(pk=draft.pk).update(**emptied[missing])
    with pytest.raises(NotReady):
        applications.submit(**how(draft))
    draft.refresh_from_db()
    assert (draft.state, draft.version) == (State.DRAFT, 0)


@pytest.mark.rule("R08")
def test_unfollowing_wechat_stops_submitting_but_not_withdrawing(draft: Application) -> None:
    applications.submit(**how(draft))
    draft.candidate.wechat.following = False
    draft.candidate.wechat.save()
    applications.withdraw(**how(draft))
    with pytest.raises(NotReady):
        applications.submit(**how(draft))


@pytest.mark.rule("R31")
def test_starting_twice_gives_the_same_application(exam: Exam, candidate: Candidate) -> None:
    assert factories.begin(candidate, exam) == factories.begin(candidate, exam)
    assert Application.objects.count() == 1


@pytest.mark.rule("R31")
def test_the_database_refuses_a_second_application_for_an_exam(draft: Application) -> None:
    with pytest.raises(IntegrityError, match="one_application_per_candidate_and_exam"), transaction.atomic():
        Application.objects.create(candidate=draft.candidate, exam=draft.exam, number="2", channel="web")


@pytest.mark.rule("R31")
def test_one_application_in_each_of_several_open_exams(exam: Exam, candidate: Candidate) -> None:
    other = factories.make_exam("2024-nurse", prefix="24H")
    assert factories.begin(candidate, exam) != factories.begin(candidate, other)


@pytest.mark.rule("R24")
def test_the_form_code_ends_in_two_digits_that_count_the_versions(draft: Application) -> None:
    codes = []
    for _version in range(3):
        codes.append(applications.submit(**how(draft)).form_code)
        applications.withdraw(**how(draft))
    assert [code[-2:] for code in codes] == ["01", "02", "03"]
    assert {code[:-2] for code in codes} == {f"24W{draft.number}"}


@pytest.mark.rule("R24")
def test_the_hundredth_version_is_refused(draft: Application) -> None:
    Application.objects.filter(pk=draft.pk).update(version=99)
    with pytest.raises(Refused) as refused:
        applications.submit(**how(draft))
    assert refused.value.code == "too_many_versions"


@pytest.mark.rule("R24")
def test_the_version_never_goes_back_even_in_sql(draft: Application) -> None:
    applications.submit(**how(draft))
    with pytest.raises(Exception, match="version_never_goes_back"), transaction.atomic():
        Application.objects.filter(pk=draft.pk).update(version=0)


@pytest.mark.rule("R09")
def test_submitting_twice_gives_the_same_submission(draft: Application) -> None:
    assert applications.submit(**how(draft)) == applications.submit(**how(draft))
    assert Submission.objects.count() == 1


@pytest.mark.rule("R09")
def test_a_submitted_application_is_changed_only_after_withdrawing(draft: Application) -> None:
    submission = applications.submit(**how(draft))
    with pytest.raises(Submitted):
        applications.choose_specialty(specialty=draft.exam.specialties.get(code="301"), subjects=["1"], **how(draft))
    applications.withdraw(**how(draft))
    applications.choose_specialty(specialty=draft.exam.specialties.get(code="301"), subjects=["1"], **how(draft))
    again = applications.submit(**how(draft))
    submission.refresh_from_db()
    assert submission.content["specialty"]["code"] == "203"
    assert again.content["specialty"]["code"] == "301"
    assert submission.digest != again.digest


@pytest.mark.rule("R09")
def test_withdrawing_is_refused_once_submitting_again_would_be_impossible(draft: Application) -> None:
    applications.submit(**how(draft))
    with pytest.raises(Closed, match=r"考点|exam point"):
        applications.withdraw(**how(draft, at=CLOSES))
    draft.refresh_from_db()
    assert draft.state == State.SUBMITTED


@pytest.mark.rule("R25")
def test_choosing_a_region_for_the_first_time_empties_nothing(exam: Exam, candidate: Candidate) -> None:
    application = factories.begin(candidate, exam)
    applications.accept_pledge(**how(application))
    with pytest.raises(NotReady):
        applications.choose_specialty(specialty=exam.specialties.first(), subjects=["1"], **how(application))
    with pytest.raises(NotReady):
        applications.confirm_photo(digest=digest_of(candidate), **how(application))


@pytest.mark.parametrize("name", ["accept_pledge", "confirm_photo", "submit", "withdraw"])
def test_nobody_acts_on_anothers_application(draft: Application, name: str) -> None:
    stranger = acting(factories.make_candidate())
    before = Application.objects.values().get(pk=draft.pk)
    for actor in (stranger, factories.staff_of(draft.point), factories.staff_of(None, "43"), VISITOR, SYSTEM):
        with pytest.raises(Refused) as refused:
            getattr(applications, name)(**{"digest": "x"} if name == "confirm_photo" else {}, **how(draft, actor=actor))
        assert refused.value.code == "forbidden"
        assert Application.objects.values().get(pk=draft.pk) == before


def test_nobody_starts_anothers_application(candidate: Candidate, newcomer: Candidate, exam: Exam) -> None:
    for actor in (acting(newcomer), factories.staff_of(None, "43"), VISITOR, SYSTEM):
        with pytest.raises(Refused) as refused:
            applications.start_application(candidate=candidate, exam=exam, actor=actor, at=clock.now())
        assert refused.value.code == "forbidden"
    assert not Application.objects.exists()


@pytest.mark.rule("R03")
@pytest.mark.parametrize("name", ["choose_region", "confirm_photo"])
def test_services_keep_the_order_too(exam: Exam, candidate: Candidate, name: str) -> None:
    application = factories.begin(candidate, exam)
    answers = {
        "choose_region": {"exam_region": exam.regions.first()},
        "confirm_photo": {"digest": digest_of(candidate)},
    }
    with pytest.raises(NotReady):
        getattr(applications, name)(**answers[name], **how(application))


@pytest.mark.rule("R25")
def test_changing_the_region_empties_the_form_but_not_the_account(draft: Application) -> None:
    other = draft.exam.regions.get(region="12")
    with pytest.raises(Refused) as refused:
        applications.choose_region(exam_region=other, **how(draft))
    assert refused.value.code == "empties"
    draft.refresh_from_db()
    assert draft.specialty is not None
    applications.choose_region(exam_region=other, empty=True, **how(draft))
    draft.refresh_from_db()
    assert (draft.point, draft.site, draft.specialty, draft.subjects, draft.photo_digest) == (None, None, None, [], "")
    assert draft.candidate.education.count() == 1


def test_an_online_region_needs_a_site(draft: Application) -> None:
    tianjin = draft.exam.regions.get(region="12")
    applications.choose_region(exam_region=tianjin, empty=True, **how(draft))
    site = tianjin.exam_sites.first().site
    with pytest.raises(Refused) as refused:
        applications.choose_point(point=site.point, site=None, **how(draft))
    assert refused.value.code == "site_missing"


def test_a_point_of_another_region_is_refused(draft: Application) -> None:
    elsewhere = draft.exam.regions.get(region="11").exam_sites.first().site
    with pytest.raises(Refused) as refused:
        applications.choose_point(point=elsewhere.point, site=None, **how(draft))
    assert refused.value.code == "unknown_point"


def test_submitting_writes_ledger_and_message_in_the_same_transaction(draft: Application) -> None:
    submission = applications.submit(**how(draft))
    event = LedgerEvent.objects.get(action="application.submit")
    assert event.payload == {"version": 1, "digest": submission.digest}
    assert (event.stream, event.stream_id, event.channel) == ("application", draft.number, "web")
    message = Message.objects.get(kind="application_submitted")
    assert (message.kind, message.object_id, message.version) == ("application_submitted", draft.number, 1)


def test_the_snapshot_holds_no_id_number_in_the_clear(draft: Application) -> None:
    applications.submit(**how(draft))
    with connection.cursor() as cursor:
        cursor.execute("SELECT submission::text FROM registration_submission submission")
        (row,) = cursor.fetchone()
    assert draft.candidate.id_number not in row
    assert Submission.objects.get().id_number == draft.candidate.id_number


def test_a_submission_is_never_changed_nor_deleted(draft: Application) -> None:
    submission = applications.submit(**how(draft))
    with pytest.raises(Exception, match="submission_is_kept"), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(submitted_at=clock.now() + timedelta(days=1))
    with pytest.raises(Exception, match="submission_is_kept"), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).delete()

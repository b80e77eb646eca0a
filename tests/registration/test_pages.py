"""The pages of an application: order, gates, process bar, what can be lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.actors import acting
from accounts.models import Candidate
from exam_portal import clock
from registration.lifecycle import State
from registration.models import Application, Exam, Submission
from registration.services import applications, snapshot
from tests import factories
from tests.conftest import CLOSES, OPENS, TICK

pytestmark = pytest.mark.django_db

STEPS = ["pledge", "region", "point", "specialty", "photo", "check"]


def url(name: str, exam: Exam) -> str:
    return reverse(f"registration:{name}", args=[exam.code])


def seen(draft: Application) -> str:
    """The digest of the answers that the check page shows."""
    draft.refresh_from_db()
    return snapshot.digest_of(snapshot.take(draft))


def submit(draft: Application) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    draft.refresh_from_db()


@pytest.mark.rule("R03")
def test_the_whole_walk_in_its_order(signed_in: Client, exam: Exam, candidate: Candidate) -> None:
    answers: dict[str, dict[str, Any]] = {
        "pledge": {"accept": "on"},
        "region": {"region": "43"},
        "point": {"place": "4301"},
        "specialty": {"specialty": "203", "subjects": ["1", "2"]},
        "photo": {"digest": candidate.photos.get().digest},
    }
    assert signed_in.post(url("start", exam)).headers["Location"] == url("overview", exam)
    at = url("pledge", exam)
    for step, (name, answer) in zip(STEPS[1:], answers.items(), strict=True):
        assert at == url(name, exam)
        suffix = "?level=2" if name == "specialty" else ""
        at = signed_in.post(at + suffix, answer).headers["Location"]
        assert at == url(step, exam)
    assert signed_in.get(at).status_code == 200
    answers_seen = signed_in.get(at).context["seen"]
    response = signed_in.post(url("submit", exam), {"seen": answers_seen})
    assert response.headers["Location"] == url("overview", exam)
    application = Application.objects.get()
    assert (application.state, application.version, application.subjects) == (State.SUBMITTED, 1, ["1", "2"])
    overview = signed_in.get(url("overview", exam))
    assert overview.context["current"].form_code in overview.content.decode()


@pytest.mark.rule("R03")
@pytest.mark.parametrize("missing", ["basic_information", "photo", "education", "wechat"])
def test_choosing_an_exam_names_and_links_what_the_account_lacks(
    client: Client, exam: Exam, newcomer: Candidate, missing: str
) -> None:
    client.force_login(newcomer.user)
    for kind in {"basic_information", "photo", "education", "wechat"} - {missing}:
        getattr(factories, f"give_{kind}")(newcomer)
    response = client.get(reverse("registration:exams"))
    assert response.status_code == 409
    assert reverse(f"accounts:{missing}") in response.content.decode()
    client.post(url("start", exam))
    assert not Application.objects.exists()


@pytest.mark.rule("R03")
@pytest.mark.parametrize(
    ("step", "links"),
    [
        ("region", ["pledge"]),
        ("point", ["pledge", "region"]),
        ("specialty", ["pledge", "region"]),
        ("photo", ["pledge", "region"]),
        ("check", ["pledge", "region", "point", "specialty", "photo"]),
    ],
)
def test_a_step_whose_precondition_is_missing_says_which_and_links_to_it(
    signed_in: Client, candidate: Candidate, exam: Exam, step: str, links: list[str]
) -> None:
    factories.begin(candidate, exam)
    for response in (signed_in.get(url(step, exam)), signed_in.post(url(step, exam), {})):
        assert response.status_code == 409
        html = response.content.decode()
        assert [name for name in STEPS if f'href="{url(name, exam)}"' in html] == links


@pytest.mark.rule("R01")
@pytest.mark.parametrize(("at", "says"), [(OPENS - timedelta(hours=1), "1 December 2023 00:00"), (CLOSES, "closed")])
def test_outside_the_window_nothing_is_submitted_and_the_page_says_so(
    signed_in: Client, draft: Application, at_time: Any, at: Any, says: str
) -> None:
    at_time(at)
    signed_in.cookies["django_language"] = "en"
    html = signed_in.get(reverse("portal:home")).content.decode()
    assert says in html
    signed_in.post(url("submit", draft.exam), {"seen": seen(draft)})
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


@pytest.mark.rule("R01")
@pytest.mark.parametrize(
    ("at", "open_"), [(OPENS - TICK, False), (OPENS, True), (CLOSES - TICK, True), (CLOSES, False)]
)
def test_home_offers_only_what_is_open(client: Client, exam: Exam, arriving: Any, at: Any, open_: bool) -> None:
    arriving(at)
    (row,) = client.get(reverse("portal:home")).context["rows"]
    assert row["open"] is open_


@pytest.mark.rule("R01")
@pytest.mark.parametrize("at", [OPENS - TICK, CLOSES])
@pytest.mark.parametrize("step", [*STEPS, "submit", "start"])
def test_outside_the_window_no_step_opens_and_nothing_is_changed(
    signed_in: Client, draft: Application, arriving: Any, at: Any, step: str
) -> None:
    before = Application.objects.values().get()
    arriving(at)
    page = url(step, draft.exam)
    for response in (signed_in.get(page), signed_in.post(page, {"accept": "on", "region": "11", "empty": "on"})):
        assert response.status_code == 302
        assert response.headers["Location"] != page
    assert Application.objects.values().get() == before


@pytest.mark.rule("R01")
def test_the_arrival_counts_however_long_the_request_waits(
    signed_in: Client, draft: Application, arriving: Any, at_time: Any
) -> None:
    arriving(CLOSES - TICK)
    at_time(CLOSES + timedelta(minutes=1))
    signed_in.post(url("submit", draft.exam), {"seen": seen(draft)})
    assert Submission.objects.get().submitted_at == CLOSES - TICK


@pytest.mark.rule("R09")
def test_after_the_window_a_draft_reads_as_not_submitted(signed_in: Client, draft: Application, at_time: Any) -> None:
    at_time(CLOSES)
    html = signed_in.get(url("overview", draft.exam)).content.decode()
    assert "未提交，报名已截止" in html


@pytest.mark.rule("R09")
def test_a_withdrawn_application_is_the_most_urgent_thing(signed_in: Client, draft: Application) -> None:
    submit(draft)
    signed_in.post(url("withdraw", draft.exam))
    step = signed_in.get(reverse("portal:dashboard")).context["next_step"]
    assert step.urgent
    assert step.url == url("check", draft.exam)
    assert step.deadline == draft.exam.closes_at


@pytest.mark.rule("R25")
def test_changing_the_region_lists_what_it_empties_and_asks(signed_in: Client, draft: Application) -> None:
    page = url("region", draft.exam)
    response = signed_in.post(page, {"region": "11"})
    assert response.status_code == 200
    assert len(response.context["emptied"]) == 3
    draft.refresh_from_db()
    assert draft.exam_region.region_id == "43"
    assert signed_in.post(page, {"region": "11", "empty": "on"}).status_code == 302
    draft.refresh_from_db()
    assert (draft.exam_region.region_id, draft.specialty) == ("11", None)


@pytest.mark.rule("R10")
@pytest.mark.parametrize(("region", "asks"), [("43", False), ("12", True)])
def test_only_online_regions_show_the_upload(
    signed_in: Client, candidate: Candidate, exam: Exam, region: str, asks: bool
) -> None:
    draft = factories.make_draft(candidate, exam, region=region)
    submit(draft)
    with override("zh-hans"):
        response = signed_in.get(url("overview", exam))
        labels = [str(node.label) for node in response.context["nodes"]]
    assert ("上传材料" in labels) is asks
    assert ("无需上传证明材料" in response.content.decode()) is not asks


def test_the_process_bar_follows_the_application(draft: Application, signed_in: Client) -> None:
    def states() -> list[str]:
        return [node.state for node in signed_in.get(url("overview", draft.exam)).context["nodes"]]

    assert states() == ["done", "done", "current", "ahead", "ahead", "ahead"]
    submit(draft)
    assert states() == ["done", "done", "done", "current", "ahead", "ahead"]
    actor = factories.staff_of(None, "43")
    for name in ("confirm_on_site", "approve_by_point"):
        applications.move(application=draft, name=name, actor=actor, at=clock.now())
        assert states() == ["done", "done", "done", "done", "current", "ahead"]
    applications.move(application=draft, name="approve_by_region", actor=actor, at=clock.now())
    assert states() == ["done", "done", "done", "done", "done", "ahead"]


def test_a_submitted_application_shows_no_step(signed_in: Client, draft: Application) -> None:
    submit(draft)
    for step in STEPS:
        assert signed_in.get(url(step, draft.exam)).headers["Location"] == url("overview", draft.exam)


def test_bad_answers_are_told_beside_their_field(signed_in: Client, draft: Application) -> None:
    for step, answer, field in (
        ("region", {"region": "99"}, "region"),
        ("point", {"place": "1101"}, "place"),
        ("specialty", {"specialty": "999", "subjects": ["1"]}, "specialty"),
        ("specialty", {"specialty": "203"}, "subjects"),
        ("pledge", {}, "accept"),
    ):
        response = signed_in.post(url(step, draft.exam), answer)
        assert response.status_code == 200
        assert list(response.context["form"].errors) == [field]


@pytest.mark.rule("R11")
def test_anybody_can_look_up_when_where_and_how_a_region_confirms(client: Client, exam: Exam) -> None:
    html = client.get(url("regions", exam)).content.decode()
    assert all(name in html for name in ("北京", "天津", "湖南"))
    html = client.get(reverse("registration:region_notice", args=[exam.code, "43"])).content.decode()
    for text in (
        "请在规定时间内办理报名确认",
        "湖南第01考点",
        "湖南示例路02号",
        "000-00000000",
        "9:00-17:00",
        "示例数据",
    ):
        assert text in html


def test_a_notice_cannot_carry_markup(client: Client, exam: Exam) -> None:
    exam.regions.filter(region="43").update(notice="<script>x</script> [a](javascript:x) **b**")
    html = client.get(reverse("registration:region_notice", args=[exam.code, "43"])).content.decode()
    assert "<script>x" not in html
    assert 'href="javascript' not in html
    assert "<strong>b</strong>" in html


def test_the_form_is_there_only_while_a_submission_stands(signed_in: Client, draft: Application) -> None:
    assert signed_in.get(url("form_pdf", draft.exam)).status_code == 404
    submit(draft)
    response = signed_in.get(url("form_pdf", draft.exam))
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF")
    assert response.headers["Cache-Control"] == "no-store"
    signed_in.post(url("withdraw", draft.exam))
    assert signed_in.get(url("form_pdf", draft.exam)).status_code == 404


@pytest.mark.rule("R09")
def test_answers_changed_in_another_window_are_not_submitted_unseen(signed_in: Client, draft: Application) -> None:
    shown = signed_in.get(url("check", draft.exam)).context["seen"]
    signed_in.post(url("specialty", draft.exam) + "?level=2", {"specialty": "201", "subjects": ["1"]})
    response = signed_in.post(url("submit", draft.exam), {"seen": shown})
    assert response.headers["Location"] == url("check", draft.exam)
    draft.refresh_from_db()
    assert (draft.state, draft.version) == (State.DRAFT, 0)


@pytest.mark.rule("R08")
def test_submitting_stops_until_wechat_is_followed_again_and_says_so(signed_in: Client, draft: Application) -> None:
    draft.candidate.wechat.following = False
    draft.candidate.wechat.save()
    response = signed_in.get(url("check", draft.exam))
    assert response.status_code == 409
    assert reverse("accounts:wechat") in response.content.decode()
    assert signed_in.get(url("overview", draft.exam)).context["next_step"].url == reverse("accounts:wechat")


def test_signing_in_again_after_pressing_submit_leads_back_to_the_button(client: Client, draft: Application) -> None:
    wanted = client.post(url("submit", draft.exam), {"seen": "x"}).headers["Location"]
    assert wanted.startswith(reverse("account_login"))
    client.force_login(draft.candidate.user)
    assert client.get(url("submit", draft.exam)).headers["Location"] == url("check", draft.exam)
    assert client.get(url("start", draft.exam)).headers["Location"] == reverse("registration:exams")


@pytest.mark.rule("R09")
def test_changing_the_account_after_submitting_says_that_the_submission_stays(
    signed_in: Client, draft: Application
) -> None:
    submit(draft)
    signed_in.cookies["django_language"] = "en"
    answers = {**factories.BASIC, "employer": "另一家医院"}
    html = signed_in.post(reverse("accounts:basic_information"), answers, follow=True).content.decode()
    assert "What you have submitted stays as it was" in html
    assert Submission.objects.get().content["basic"]["employer"] == factories.BASIC["employer"]


def test_every_page_of_a_candidate_says_what_is_next(signed_in: Client, draft: Application) -> None:
    for page in (reverse("accounts:inbox"), url("photo", draft.exam), reverse("portal:home")):
        assert url("check", draft.exam) in signed_in.get(page).content.decode()


def test_an_exam_with_invented_data_is_shown_to_nobody_in_production(client: Client, exam: Exam, settings: Any) -> None:
    Exam.objects.update(example=True)
    settings.PORTAL_ENV = "production"
    assert client.get(url("regions", exam)).status_code == 404
    assert client.get(reverse("registration:region_notice", args=[exam.code, "43"])).status_code == 404


def test_odd_addresses_are_not_found(client: Client, exam: Exam) -> None:
    for path in ("..%2f/", "x" * 300 + "/", "9999/"):
        assert client.get(f"/regions/2024-health/{path}").status_code == 404
    assert client.get("/regions/2024-health/%00/").status_code == 400

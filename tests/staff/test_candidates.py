"""The list and the page of candidates: finding somebody, and what staff see and do there (R28, R30)."""

import re
from typing import Any
from urllib.parse import urlencode

import pgtrigger
import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import identity
from accounts.actors import acting
from accounts.models import BasicInformation, Candidate, EducationRecord, LedgerEvent, Message, Point
from exam_portal import clock
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.accounts.educating import correct
from tests.accounts.requests import ask_deletion
from tests.data.hard_names import HARD_NAMES
from tests.portal.leaks import leaked
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db

LIST, SEARCH = "/staff/accounts/candidate/", "/staff/accounts/candidate/search/"


@pytest.fixture
def clerk(exam: Exam) -> Client:
    """A browser of a reviewer of the point 4301."""
    return staff_client(factories.make_staff(Point.objects.get(code="4301")))


@pytest.fixture
def nation(exam: Exam) -> Client:
    return staff_client(factories.make_staff(role="national_admin"))


def apply_here(exam: Exam, region: str = "43", **more: Any) -> Candidate:
    """A candidate who applies at the first point of the region."""
    candidate = factories.CandidateFactory(**more)
    factories.give_basic_information(candidate)
    factories.give_photo(candidate)
    factories.give_education(candidate)
    factories.give_wechat(candidate)
    factories.make_draft(candidate, exam, region=region)
    return candidate


def page_of(candidate: Candidate) -> str:
    return reverse("admin:accounts_candidate_change", args=[candidate.pk])


def look_for(client: Client, typed: str, **more: str) -> Any:
    return client.post(SEARCH, {"typed": typed, **more})


def shown(client: Client) -> list[str]:
    """The names on the list."""
    return [str(row) for row in client.get(LIST).context["cl"].result_list]


# --- Finding somebody -------------------------------------------------------------------------------
@pytest.mark.parametrize("spelling", ["{}", " {} ", "{}".lower(), "full-width"])
def test_a_full_id_number_leads_to_the_page_and_stands_nowhere(exam: Exam, clerk: Client, spelling: str) -> None:
    candidate = apply_here(exam)
    number = candidate.id_number
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    response = look_for(clerk, wide if spelling == "full-width" else spelling.format(number))
    assert (response.status_code, response.headers["Location"]) == (302, page_of(candidate))
    assert number not in str(dict(clerk.session))


@pytest.mark.parametrize(
    ("id_type", "number"), [("passport", "G1234567"), ("officer", "军123456"), ("travel_permit_tw", "12345678")]
)
def test_a_number_of_any_type_is_found(exam: Exam, clerk: Client, id_type: str, number: str) -> None:
    candidate = apply_here(exam, id_type=id_type, id_number=number)
    assert look_for(clerk, number).headers["Location"] == page_of(candidate)


def test_the_next_look_up_key_finds_too(exam: Exam, clerk: Client, settings: Any) -> None:
    settings.PORTAL_LOOKUP_KEY_NEXT = "another"
    candidate = apply_here(exam)
    settings.PORTAL_LOOKUP_KEY, settings.PORTAL_LOOKUP_KEY_NEXT = "another", ""
    assert look_for(clerk, candidate.id_number).headers["Location"] == page_of(candidate)


def test_form_code_and_application_number_lead_to_the_page(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    application = Application.objects.get(candidate=candidate)
    first = applications.submit(application=application, actor=acting(candidate), at=clock.now())
    applications.withdraw(application=application, actor=acting(candidate), at=clock.now())
    application.refresh_from_db()
    second = applications.submit(application=application, actor=acting(candidate), at=clock.now())
    for typed in (first.form_code, f" {second.form_code.lower()} ", application.number):
        assert look_for(clerk, typed).headers["Location"] == page_of(candidate)


def test_a_telephone_number_of_one_leads_to_the_page_and_of_several_to_the_list(exam: Exam, clerk: Client) -> None:
    first, second, other = apply_here(exam), apply_here(exam), apply_here(exam)
    BasicInformation.objects.filter(candidate=other).update(mobile="13911112222")
    assert look_for(clerk, "139 1111-2222").headers["Location"] == page_of(other)
    assert look_for(clerk, "13800000000").headers["Location"] == LIST
    assert [row.pk for row in clerk.get(LIST).context["cl"].result_list] == [second.pk, first.pk]
    assert "13800000000" not in str(dict(clerk.session))
    assert look_for(clerk, "").headers["Location"] == LIST
    assert len(clerk.get(LIST).context["cl"].result_list) == 3


@pytest.mark.rule("R30")
def test_hard_names_are_found_exactly_and_by_their_beginning(exam: Exam, nation: Client) -> None:
    for typed, name in HARD_NAMES:
        factories.CandidateFactory(name=identity.normalise_name(typed))
        assert look_for(nation, typed).headers.get("Location") == LIST, name
        assert name in shown(nation), name
        assert look_for(nation, typed[:1], beginning="1").headers.get("Location") == LIST
        assert name in shown(nation), name


@pytest.mark.rule("R30")
@pytest.mark.parametrize("dot", "·•．・‧∙⋅･﹒")
def test_a_dot_of_any_kind_finds_the_name(exam: Exam, clerk: Client, dot: str) -> None:
    apply_here(exam, name="买买提·吐尔逊")
    look_for(clerk, f"买买提 {dot} 吐尔逊")
    assert shown(clerk) == ["买买提·吐尔逊"]
    look_for(clerk, f"买买提{dot}")
    assert shown(clerk) == ["买买提·吐尔逊"]


def test_the_exact_name_comes_first_and_its_beginning_on_request(exam: Exam, clerk: Client) -> None:
    for name in ("王芳", "王芳芳", "李芳"):
        apply_here(exam, name=name)
    look_for(clerk, "王芳")
    assert shown(clerk) == ["王芳"]
    look_for(clerk, "王芳", beginning="1")
    assert shown(clerk) == ["王芳芳", "王芳"]
    look_for(clerk, "王")  # nobody is called so
    assert shown(clerk) == ["王芳芳", "王芳"]


def test_what_found_nobody_stands_in_the_field_again_this_once(exam: Exam, clerk: Client) -> None:
    for typed in (factories.resident_id(7), "赵钱孙", "24W00000000001", "%", "\\", "'; --"):
        response = look_for(clerk, typed)
        assert response.status_code == 200
        assert response.context["typed"] == typed and "未找到考生" in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
    assert clerk.get(LIST).context["typed"] == ""


@pytest.mark.rule("R28")
def test_nobody_is_found_in_another_territory(exam: Exam, clerk: Client) -> None:
    stranger = apply_here(exam, region="12", name="陌生人")
    application = Application.objects.get(candidate=stranger)
    BasicInformation.objects.filter(candidate=stranger).update(mobile="13911112222")
    for typed in (stranger.id_number, application.number, "13911112222", "陌生人", "陌"):
        assert look_for(clerk, typed).status_code == 200, typed
    look_for(clerk, "陌生人", beginning="1")
    assert shown(clerk) == []


def test_a_key_that_no_row_can_have_is_not_found(exam: Exam, clerk: Client) -> None:
    for key in ("9" * 30, "x", "0"):
        assert clerk.get(f"{LIST}{key}/change/").status_code == 404
    assert clerk.get(f"{LIST}{'9' * 30}/reveal/").status_code == 404
    assert look_for(clerk, "\0\x1f9" * 300).status_code == 200


def test_an_address_searches_nothing(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    assert clerk.get(f"{LIST}?name={candidate.name}").status_code == 400
    assert clerk.get(f"{SEARCH}?typed={candidate.name}").headers["Location"] == LIST


# --- The list ---------------------------------------------------------------------------------------
def test_the_list_pages_by_key_and_shows_masked_numbers_only(exam: Exam, nation: Client) -> None:
    for _candidate in range(60):
        factories.give_basic_information(factories.CandidateFactory())
    seen: list[int] = []
    address = LIST
    while address:
        response = nation.get(address)
        page = response.content.decode()
        seen += [row.pk for row in response.context["cl"].result_list]
        assert leaked(page, {str(c.pk): c.id_number for c in response.context["cl"].result_list}) == set()
        assert "138****0000" in page and "13800000000" not in page
        following = re.search(r'rel="next"\s+href="([^"]+)"', page)
        address = LIST + following[1].replace("&amp;", "&") if following else ""
    assert seen == sorted(Candidate.objects.values_list("pk", flat=True), reverse=True)


# --- The page ---------------------------------------------------------------------------------------
def test_the_page_tells_what_is_known_and_never_the_number(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam, name="林𫖯")
    candidate.user.email = "lin@example.org"
    candidate.user.save()
    application = Application.objects.get(candidate=candidate)
    code = applications.submit(application=application, actor=acting(candidate), at=clock.now()).form_code
    request = ask_deletion(candidate, Point.objects.get(code="4301"))
    page = clerk.get(page_of(candidate)).content.decode()
    for told in ("林𫖯", candidate.masked_id_number, candidate.user.username, "13800000000", "l**@example.org", code):
        assert told in page, told
    for told in ("已提交，等待报名确认", "湖南第01考点", "湖南中医药大学", "未核验", request.number, "护理学"):
        assert told in page, told
    assert leaked(page, {"number": candidate.id_number, "address": "lin@example.org"}) == set()


@pytest.mark.rule("R28")
def test_the_page_tells_nothing_of_applications_elsewhere(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    other = factories.make_exam("other", prefix="X")
    factories.make_draft(candidate, other, region="12")
    ask_deletion(candidate, Point.objects.get(code="1201"))
    page = clerk.get(page_of(candidate)).content.decode()
    assert Application.objects.get(exam=exam).number in page
    assert Application.objects.get(exam=other).number not in page
    assert "天津" not in page


def test_the_history_is_told_in_words_with_names(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    record = candidate.education.get()
    clerk.post(
        reverse("admin:accounts_candidate_verify", args=[record.pk]), {"state": "passed", "reason": "毕业证原件"}
    )
    entries = clerk.get(page_of(candidate)).context["history"]
    first = entries[0]
    assert (first.what, first.reason, first.details, first.role) == (
        "核验教育经历",
        "毕业证原件",
        "状态 核验通过",
        "考点审核员",
    )
    assert ("开始填报", "candidate", candidate.user.username) in [(each.what, each.kind, each.who) for each in entries]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_queries_for_one_row_as_for_three(exam: Exam, clerk: Client, rows: int) -> None:
    candidate = factories.make_candidate(records=rows)
    for number in range(rows):
        factories.make_draft(candidate, exam if not number else factories.make_exam(f"x{number}", prefix=f"X{number}"))
        ask_deletion(candidate, Point.objects.get(code="4301"))
    clerk.get(page_of(candidate))
    with CaptureQueriesContext(connection) as queries:
        assert clerk.get(page_of(candidate)).status_code == 200
    assert len(queries) == 13


def test_a_deleted_account_is_shown_and_offers_nothing(exam: Exam, nation: Client) -> None:
    candidate = apply_here(exam)
    with_nothing = {
        "name": "",
        "id_number": "",
        "id_digest": None,
        "id_digest_next": None,
        "birth_date": None,
        "sex": "",
    }
    with pgtrigger.ignore():
        Candidate.objects.filter(pk=candidate.pk).update(deleted_at=clock.now(), **with_nothing)
    assert "（账户已删除）" in nation.get(LIST).content.decode()
    page = nation.get(page_of(candidate))
    assert "（账户已删除）" in page.content.decode() and page.context["helps"] == []


# --- What is done there -----------------------------------------------------------------------------
def test_the_number_is_shown_once_after_a_reason(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    reveal = reverse("admin:accounts_candidate_reveal", args=[candidate.pk])
    asked = clerk.get(reveal)
    assert candidate.id_number not in asked.content.decode()
    empty = clerk.post(reveal, {"reason": " "})
    assert "请填写" in empty.content.decode() and candidate.id_number not in empty.content.decode()
    assert not LedgerEvent.objects.filter(action="id_number.revealed").exists()
    answer = clerk.post(reveal, {"reason": "核对原件"})
    assert candidate.id_number in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert LedgerEvent.objects.get(action="id_number.revealed").reason == "核对原件"
    for again in (reveal, page_of(candidate), LIST):
        assert candidate.id_number not in clerk.get(again).content.decode()


def test_the_number_is_shown_to_nobody_who_has_not_lately_proved_who_they_are(exam: Exam) -> None:
    candidate = apply_here(exam)
    clerk = staff_client(factories.make_staff(Point.objects.get(code="4301")), proved=False)
    reveal = reverse("admin:accounts_candidate_reveal", args=[candidate.pk])
    for response in (clerk.get(reveal), clerk.post(reveal, {"reason": "核对原件"})):
        assert response.headers["Location"] == f"{reverse('account_reauthenticate')}?{urlencode({'next': reveal})}"
    assert not LedgerEvent.objects.filter(action="id_number.revealed").exists()


def test_comparing_education_keeps_what_was_typed_when_something_lacks(exam: Exam, clerk: Client) -> None:
    record = apply_here(exam).education.get()
    verify = reverse("admin:accounts_candidate_verify", args=[record.pk])
    answer = clerk.post(verify, {"state": "", "reason": "毕业证原件"})
    assert answer.status_code == 200 and "毕业证原件" in answer.content.decode()
    assert clerk.post(verify, {"state": "failed", "reason": "毕业证原件"}).status_code == 302
    assert EducationRecord.objects.get().verification == "failed"


def test_a_record_corrected_meanwhile_is_not_verified_and_the_page_says_why(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    record = candidate.education.get()
    correct(record, "2")
    page = clerk.post(f"{LIST}education/{record.pk}/", {"state": "passed", "reason": "与原件一致"})
    assert page.status_code == 200 and "与原件一致" in page.content.decode()
    (form,) = [row["form"] for row in page.context["education"] if row["record"].pk == record.pk]
    assert form.non_field_errors()
    assert clerk.get(page_of(candidate)).context["education"][-1]["form"] is None
    assert not EducationRecord.objects.exclude(verification="unverified").exists()


@pytest.mark.rule("R28")
def test_education_elsewhere_is_nobodys_here(exam: Exam, clerk: Client) -> None:
    record = apply_here(exam, region="12").education.get()
    verify = reverse("admin:accounts_candidate_verify", args=[record.pk])
    assert clerk.post(verify, {"state": "passed", "reason": "x"}).status_code == 404
    assert EducationRecord.objects.get().verification == "unverified"


def test_signing_out_everywhere_ends_the_candidates_session(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    own = Client()
    own.force_login(candidate.user)
    UserSession.objects.create(user=candidate.user, session_key=own.session.session_key, ip="127.0.0.1")
    end = reverse("admin:accounts_candidate_sessions", args=[candidate.pk])
    refused = clerk.post(end, {"reason": ""})
    assert "请填写" in refused.content.decode() and own.get("/dashboard/").status_code == 200
    answer = clerk.post(end, {"reason": "手机丢失"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["已退出 1 处登录。"]
    assert own.get("/dashboard/").status_code == 302
    assert Message.objects.filter(candidate=candidate).latest("pk").kind == "sessions_ended"


def test_unlocking_lets_somebody_sign_in_after_ten_wrong_passwords(exam: Exam, nation: Client) -> None:
    candidate = factories.CandidateFactory()
    candidate.user.set_password("a long password")
    candidate.user.save()
    stranger = Client()

    def sign_in(password: str) -> int:
        typed = {"login": candidate.user.username, "password": password}
        return stranger.post("/account/login/", typed).status_code

    assert [sign_in("wrong") for _attempt in range(10)] == [200] * 10
    assert sign_in("a long password") == 200
    unlock = reverse("admin:accounts_candidate_unlock", args=[candidate.pk])
    assert nation.post(unlock, {"reason": "本人来电"}).status_code == 302
    assert sign_in("a long password") == 302


def test_a_number_with_the_button_for_beginnings_is_a_number_and_not_kept(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    assert look_for(clerk, candidate.id_number, beginning="1").headers["Location"] == page_of(candidate)
    assert candidate.id_number not in str(dict(clerk.session))


def test_the_page_does_not_tell_the_day_that_the_number_masks(exam: Exam, clerk: Client) -> None:
    candidate = apply_here(exam)
    page = clerk.get(page_of(candidate)).content.decode()
    assert "女 · " in page and "1990年3月7日" not in page and "1990" in page

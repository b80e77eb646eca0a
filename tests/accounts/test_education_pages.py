"""The pages of education records: adding, correcting, and what they show (R27)."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Candidate, EducationRecord
from exam_portal import clock
from tests.accounts.educating import add, correct, numbers, send, typed

pytestmark = pytest.mark.django_db

LIST = "/account/education/"


@pytest.fixture
def page(client: Client, newcomer: Candidate) -> Client:
    """A browser in English, in which `newcomer` is signed in."""
    client.force_login(newcomer.user)
    client.cookies["django_language"] = "en"
    return client


def address(record: EducationRecord) -> str:
    return reverse("accounts:education_correct", args=[record.pk])


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- Adding -------------------------------------------------------------------------------------
def test_a_record_that_is_saved_leads_on_to_the_dashboard(page: Client, newcomer: Candidate) -> None:
    response = page.post(LIST, typed(), follow=True)
    assert response.redirect_chain == [("/dashboard/", 302)]
    assert "Education record saved." in told(response)
    assert newcomer.education.get().school == "湖南中医药大学"


@pytest.mark.rule("R27")
def test_with_five_records_the_page_offers_no_sixth_and_refuses_one(page: Client, newcomer: Candidate) -> None:
    for number in range(4):
        assert send(page, certificate_number=f"No. {number}").status_code == 302
    assert "Add a record" in page.get(LIST).content.decode()
    assert send(page, certificate_number="No. 4").status_code == 302
    shown = page.get(LIST).content.decode()
    assert "Add a record" not in shown
    assert "You have saved five records, the most there can be. If one is wrong, correct it." in shown
    response = send(page, certificate_number="No. 5")
    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == [
        "You have five education records already. You can correct one, but not add another."
    ]
    assert numbers(newcomer) == ["No. 0", "No. 1", "No. 2", "No. 3", "No. 4"]


@pytest.mark.rule("R27")
@pytest.mark.parametrize("more", [{}, {"graduated": "2013-13"}, {"picker_query": "hnzyydx", "search": "1"}])
def test_a_sixth_record_from_an_old_tab_stands_there_as_typed_with_the_reason(
    page: Client, newcomer: Candidate, more: dict[str, str]
) -> None:
    for number in range(5):
        add(newcomer, f"No. {number}")
    sent = typed(certificate_number="No. 5", major="护理学特别") | more
    shown = page.post(LIST, sent).content.decode()
    for value in (sent["certificate_number"], sent["major"], sent["graduated"], sent["school"]):
        assert f'value="{value}"' in shown
    assert "You have saved five records, the most there can be. If one is wrong, correct it." in shown
    assert ("but not add another" in shown) == (not more)
    assert "Add a record" not in page.get(LIST).content.decode()


def test_pressing_save_twice_is_saving_once_and_answered_alike(page: Client, newcomer: Candidate) -> None:
    first, second = (page.post(LIST, typed(), follow=True) for _press in range(2))
    assert told(first) == told(second)
    assert newcomer.education.count() == 1


@pytest.mark.parametrize("month", ["2013-07", "2013/7", "2013.07", "2013年7月", " 201307 ", "２０１３－０７"])
def test_a_month_is_understood_however_it_is_typed(page: Client, newcomer: Candidate, month: str) -> None:
    assert send(page, graduated=month).status_code == 302
    assert newcomer.education.get().graduated == date(2013, 7, 1)


@pytest.mark.parametrize("month", ["", "2013", "13-07", "2013-13", "2024-01", "1949-12", "2013-07-01"])
def test_a_wrong_month_is_told_beside_its_field_and_all_is_kept(page: Client, month: str) -> None:
    response = send(page, graduated=month, major="护理")
    assert list(response.context["form"].errors) == ["graduated"]
    shown = response.content.decode()
    assert 'value="湖南中医药大学"' in shown
    assert 'value="护理"' in shown
    assert '<option value="regular" selected>' in shown
    assert not EducationRecord.objects.exists()


@pytest.mark.parametrize("month", ["1950-01", "2023-12"])
def test_the_first_and_the_last_month_that_can_be(page: Client, newcomer: Candidate, month: str) -> None:
    assert send(page, graduated=month).status_code == 302
    assert f"{newcomer.education.get().graduated:%Y-%m}" == month


@pytest.mark.parametrize(
    "missing",
    ["qualification", "degree", "school_kind", "school", "major", "certificate_kind", "certificate_number"],
)
def test_what_is_missing_is_told_beside_its_field(page: Client, missing: str) -> None:
    response = send(page, **{missing: " "})
    assert list(response.context["form"].errors) == [missing]
    assert not EducationRecord.objects.exists()


@pytest.mark.parametrize("field", ["qualification", "degree", "school_kind", "certificate_kind"])
def test_what_is_not_in_a_list_is_refused(page: Client, field: str) -> None:
    assert list(send(page, **{field: "x"}).context["form"].errors) == [field]
    assert not EducationRecord.objects.exists()


def test_nothing_else_can_be_sent_along(page: Client, newcomer: Candidate, candidate: Candidate) -> None:
    send(
        page,
        position="5",
        school_code="1",
        verification="passed",
        candidate=str(candidate.pk),
        supersedes=str(candidate.education.get().pk),
    )
    record = newcomer.education.get()
    assert (record.position, record.school_code, record.verification, record.supersedes) == (
        1,
        "4143010541",
        "unverified",
        None,
    )
    assert candidate.education.count() == 1


# --- Correcting ---------------------------------------------------------------------------------
@pytest.mark.rule("R27")
def test_the_form_begins_with_what_the_record_says_and_saves_a_new_one(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer, "1", certification_number="9")
    form = page.get(address(record)).context["form"]
    assert {name: form[name].value() for name in form.fields} == record.content
    response = page.post(address(record), typed(major="药学"), follow=True)
    assert response.redirect_chain == [("/dashboard/", 302)]
    assert "Corrected. The old record is kept, and no longer counts." in told(response)
    assert [(r.major, r.certification_number) for r in newcomer.education.standing()] == [("药学", "")]


@pytest.mark.rule("R27")
def test_a_sixth_time_a_record_of_five_is_corrected_through_its_page(page: Client, newcomer: Candidate) -> None:
    records = [add(newcomer, str(number)) for number in range(1, 6)]
    for turn, record in enumerate(records):
        assert page.post(address(record), typed(certificate_number=f"{turn}a")).status_code == 302
    again = newcomer.education.standing().first()
    assert page.post(address(again), typed(certificate_number="b")).status_code == 302
    assert numbers(newcomer) == ["b", "1a", "2a", "3a", "4a"]
    assert newcomer.education.count() == 11


def test_correcting_nothing_is_told_and_nothing_saved(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer)
    response = page.post(address(record), typed())
    assert response.context["form"].non_field_errors() == ["Nothing was changed, so nothing was saved."]
    assert newcomer.education.get() == record


def test_pressing_correct_twice_is_correcting_once_and_answered_alike(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer)
    first, second = (page.post(address(record), typed(major="药学"), follow=True) for _press in range(2))
    assert (first.redirect_chain, told(first)) == (second.redirect_chain, told(second))
    assert newcomer.education.count() == 2


@pytest.mark.rule("R27")
def test_a_corrected_record_is_not_corrected_otherwise_and_what_was_typed_is_kept(
    page: Client, newcomer: Candidate
) -> None:
    record = add(newcomer, "1")
    correct(record, "2")
    response = page.post(address(record), typed(certificate_number="3"))
    assert response.context["form"].non_field_errors() == [
        "This record has been corrected meanwhile, perhaps in another window. Look at the corrected one."
    ]
    assert 'value="3"' in response.content.decode()
    assert numbers(newcomer) == ["2"]


def test_opening_a_corrected_record_leads_back_to_the_list(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    correct(record, "2")
    response = page.get(address(record), follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert told(response) == ["This record has been corrected. The corrected one stands in the list."]


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_candidates_record_is_not_there(
    page: Client, newcomer: Candidate, candidate: Candidate, method: str
) -> None:
    record = candidate.education.get()
    for pk in (record.pk, 0, 10**18):
        sent = getattr(page, method)(f"{LIST}{pk}/", typed() if method == "post" else {})
        assert sent.status_code == 404
    assert (candidate.education.get(), newcomer.education.count()) == (record, 0)


@pytest.mark.rule("R27")
@pytest.mark.parametrize("method", ["delete", "put", "patch"])
def test_no_method_deletes_a_record(page: Client, newcomer: Candidate, method: str) -> None:
    record = add(newcomer)
    getattr(page, method)(address(record))
    getattr(page, method)(LIST)
    assert newcomer.education.get() == record


@pytest.mark.rule("R27")
def test_no_page_offers_to_delete_a_record(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer)
    for url in (LIST, address(record)):
        shown = page.get(url).content.decode()
        assert ">Delete" not in shown
        assert ">Remove" not in shown


# --- What is shown ------------------------------------------------------------------------------
@pytest.mark.rule("R27")
def test_standing_records_stand_first_and_corrected_ones_say_so(page: Client, newcomer: Candidate) -> None:
    first, second = add(newcomer, "1"), add(newcomer, "2")
    corrected = correct(first, "3")
    response = page.get(LIST)
    assert response.context["records"] == [corrected, second]
    assert response.context["corrected"] == [first]
    shown = response.content.decode()
    assert address(corrected) in shown
    assert address(first) not in shown
    assert "Corrected on" in shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("unverified", "Not verified (未核验)"),
        ("passed", "Verified (核验通过)"),
        ("failed", "Verification failed (核验未通过)"),
    ],
)
def test_the_state_of_verification_is_shown_with_what_to_do(
    page: Client, newcomer: Candidate, state: str, words: str
) -> None:
    record = add(newcomer)
    if state != "unverified":
        EducationRecord.objects.filter(pk=record.pk).update(verification=state, verified_at=clock.now(), ask_at=None)
    shown = page.get(LIST).content.decode()
    assert words in shown
    assert ("bring the certificate when your registration is confirmed" in shown) is (state == "failed")


def test_what_was_typed_is_shown_as_text(page: Client, newcomer: Candidate) -> None:
    add(newcomer, major="<script>alert(1)</script>", school="<b>某校</b>", school_note="<i>某市</i>")
    shown = page.get(LIST).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<b>某校</b>" not in shown
    assert "<i>某市</i>" not in shown

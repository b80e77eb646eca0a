"""Basic information and WeChat."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.translation import override

from accounts.actors import acting
from accounts.models import BasicInformation, Candidate, LedgerEvent
from accounts.next_steps import account_lacks
from accounts.services import profile
from exam_portal import clock
from tests import factories
from tests.accounts.requests import refusal

pytestmark = pytest.mark.django_db

PAGE = "/account/basic-information/"


def save(candidate: Candidate, **more: Any) -> BasicInformation:
    values = {**factories.BASIC, **more}
    return profile.save_basic_information(candidate=candidate, actor=acting(candidate), values=values)


def passport_holder() -> Candidate:
    return factories.CandidateFactory(id_type="passport", id_number="E12345678", sex="", birth_date=None)


# --- Basic information --------------------------------------------------------------------------
def test_basic_information_is_saved_once_and_changed_in_place(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    assert client.post(PAGE, factories.BASIC).status_code == 302
    assert client.post(PAGE, {**factories.BASIC, "workplace": "湖南省株洲市"}).status_code == 302
    kept = BasicInformation.objects.values(*factories.BASIC).get(candidate=newcomer)
    assert kept == {**factories.BASIC, "workplace": "湖南省株洲市"}
    events = LedgerEvent.objects.filter(action="basic_information.saved")
    assert [(event.actor_id, event.payload) for event in events] == 2 * [
        (str(newcomer.pk), {"fields": sorted(factories.BASIC)})
    ]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("mobile", "12345678901"),
        ("mobile", "1380000000"),
        ("mobile", ""),
        ("postcode", "41000"),
        ("employer", " "),
        ("employer_kind", ""),
        ("employer_kind", "x"),
        ("workplace", " "),
        ("workplace", "某" * 61),
        ("address", ""),
    ],
)
def test_wrong_basic_information_is_told_beside_its_field_and_kept(
    client: Client, newcomer: Candidate, field: str, typed: str
) -> None:
    client.force_login(newcomer.user)
    response = client.post(PAGE, {**factories.BASIC, "ethnicity": "回族", field: typed})
    assert list(response.context["form"].errors) == [field]
    assert 'value="回族"' in response.content.decode()
    assert not BasicInformation.objects.exists()


def test_the_postcode_may_be_left_out(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    assert client.post(PAGE, {**factories.BASIC, "postcode": ""}).status_code == 302
    assert newcomer.basic_information.postcode == ""


def test_the_form_begins_with_what_was_saved(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    save(newcomer)
    form = client.get(PAGE).context["form"]
    assert {name: form[name].value() for name in form.fields} == factories.BASIC


def test_sex_and_birth_date_are_asked_only_where_the_id_does_not_tell_them(client: Client) -> None:
    passport = passport_holder()
    client.force_login(passport.user)
    assert sorted(client.post(PAGE, factories.BASIC).context["form"].errors) == ["birth_date", "sex"]
    assert client.post(PAGE, {**factories.BASIC, "sex": "M", "birth_date": "1985-02-28"}).status_code == 302
    passport.refresh_from_db()
    assert (passport.sex, passport.birth_date) == ("M", date(1985, 2, 28))
    client.force_login(factories.CandidateFactory().user)
    assert list(client.get(PAGE).context["form"].fields) == list(factories.BASIC)


def test_sex_and_birth_date_that_the_id_tells_are_not_changed(newcomer: Candidate) -> None:
    assert refusal(lambda: save(newcomer, sex="M", birth_date=date(1985, 2, 28))) == "fixed"
    assert not BasicInformation.objects.exists()


@pytest.mark.parametrize("typed", ["1899-12-31", "2023-12-05", "1985-02-29", "", "x"])
def test_a_birth_date_that_cannot_be_is_told_beside_its_field(client: Client, typed: str) -> None:
    passport = passport_holder()
    client.force_login(passport.user)
    response = client.post(PAGE, {**factories.BASIC, "sex": "M", "birth_date": typed})
    assert list(response.context["form"].errors) == ["birth_date"]
    passport.refresh_from_db()
    assert passport.birth_date is None


def test_somebody_else_cannot_change_basic_information(candidate: Candidate, newcomer: Candidate) -> None:
    assert (
        refusal(
            lambda: profile.save_basic_information(
                candidate=candidate, actor=acting(newcomer), values={**factories.BASIC, "ethnicity": "回族"}
            )
        )
        == "forbidden"
    )
    assert BasicInformation.objects.get().ethnicity == "汉族"


# --- What is asked for now, and was not at first ---------------------------------------------------
@pytest.mark.rule("R03")
@pytest.mark.parametrize("missing", ["employer_kind", "workplace"])
def test_basic_information_of_earlier_days_is_to_be_completed_first(
    client: Client, candidate: Candidate, missing: str
) -> None:
    BasicInformation.objects.update(**{missing: ""})
    candidate = Candidate.objects.get(pk=candidate.pk)
    assert not candidate.basic_information.complete
    step = account_lacks(candidate, clock.now())
    assert step is not None
    with override("en"):
        assert (step.url, str(step.title)) == (PAGE, "Complete your basic information")
    client.force_login(candidate.user)
    assert client.post(PAGE, factories.BASIC).status_code == 302
    assert account_lacks(Candidate.objects.get(pk=candidate.pk), clock.now()) is None


def test_the_database_knows_the_kinds_of_employers(candidate: Candidate) -> None:
    with pytest.raises(IntegrityError, match="employer_kind_known"), transaction.atomic():
        BasicInformation.objects.update(employer_kind="x")

"""Basic information, education and WeChat."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.actors import acting
from accounts.models import Candidate, EducationRecord, WeChatBinding
from accounts.services import profile
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories

pytestmark = pytest.mark.django_db

RECORD = {
    "qualification": "undergraduate",
    "degree": "bachelor",
    "school": "示例医科大学",
    "major": "护理学",
    "graduated": "2013-07",
    "certificate_number": "1",
}


@pytest.mark.rule("R27")
def test_at_most_five_education_records(signed_in: Client, candidate: Candidate) -> None:
    page = reverse("accounts:education")
    for number in range(4):
        assert signed_in.post(page, {**RECORD, "certificate_number": f"No. {number}"}).status_code == 302
    response = signed_in.post(page, RECORD)
    assert response.status_code == 200
    assert candidate.education.count() == 5
    with pytest.raises(IntegrityError, match="education_at_most_five"), transaction.atomic():
        EducationRecord.objects.create(
            candidate=candidate, position=6, created_at=clock.now(), **{**RECORD, "graduated": date(2013, 7, 1)}
        )


@pytest.mark.rule("R27")
def test_a_saved_education_record_is_never_deleted(candidate: Candidate) -> None:
    with pytest.raises(Exception, match="education_is_kept"), transaction.atomic():
        candidate.education.all().delete()


@pytest.mark.parametrize("typed", ["2013-07", "2013/7", "2013.07", "2013年7月", " 201307 "])
def test_a_month_is_understood_however_it_is_typed(signed_in: Client, candidate: Candidate, typed: str) -> None:
    signed_in.post(reverse("accounts:education"), {**RECORD, "graduated": typed})
    assert candidate.education.last().graduated == date(2013, 7, 1)


@pytest.mark.parametrize("typed", ["", "2013", "13-07", "2013-13", "2024-01", "1949-12"])
def test_a_wrong_month_is_told_beside_its_field_and_kept(signed_in: Client, typed: str) -> None:
    response = signed_in.post(reverse("accounts:education"), {**RECORD, "graduated": typed})
    assert list(response.context["form"].errors) == ["graduated"]
    assert RECORD["school"] in response.content.decode()


@pytest.mark.parametrize(
    ("field", "typed"), [("mobile", "12345678901"), ("mobile", "1380000000"), ("postcode", "41000"), ("employer", " ")]
)
def test_wrong_basic_information_is_told_beside_its_field_and_kept(signed_in: Client, field: str, typed: str) -> None:
    answers = {
        "ethnicity": "回族",
        "mobile": "13900000000",
        "address": "某市某路",
        "postcode": "",
        "employer": "某医院",
        field: typed,
    }
    response = signed_in.post(reverse("accounts:basic_information"), answers)
    assert list(response.context["form"].errors) == [field]
    assert 'value="回族"' in response.content.decode()


def test_sex_and_birth_date_are_asked_only_where_the_id_does_not_tell_them(client: Client) -> None:
    page = reverse("accounts:basic_information")
    passport = factories.CandidateFactory(id_type="passport", id_number="E12345678", sex="", birth_date=None)
    answers = {"ethnicity": "无", "mobile": "13900000000", "address": "某市某路", "employer": "某医院"}
    client.force_login(passport.user)
    assert sorted(client.post(page, answers).context["form"].errors) == ["birth_date", "sex"]
    assert client.post(page, {**answers, "sex": "M", "birth_date": "1985-02-28"}).status_code == 302
    passport.refresh_from_db()
    assert (passport.sex, passport.birth_date) == ("M", date(1985, 2, 28))
    client.force_login(factories.CandidateFactory().user)
    assert "sex" not in client.get(page).context["form"].fields


@pytest.mark.rule("R08")
def test_one_wechat_belongs_to_one_candidate(candidate: Candidate, newcomer: Candidate) -> None:
    with pytest.raises(Refused) as refused:
        profile.bind_wechat(
            candidate=newcomer, actor=acting(newcomer), unionid=candidate.wechat.unionid, following=True
        )
    assert refused.value.code == "wechat_taken"
    assert WeChatBinding.objects.get().candidate == candidate


def test_the_stand_in_for_wechat_is_not_there_in_production(
    client: Client, newcomer: Candidate, settings: object
) -> None:
    client.force_login(newcomer.user)
    settings.PORTAL_ENV = "production"  # type: ignore[attr-defined]
    client.post(reverse("accounts:wechat"))
    assert not WeChatBinding.objects.exists()

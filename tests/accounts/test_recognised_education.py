"""Which educations count, by kinds of school and of certificate (R21): what is refused, and that nothing is saved."""

from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.translation import override

from accounts import education
from accounts.models import Candidate, EducationRecord
from tests.accounts.educating import add, in_language_of, said, send

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R21")]

COUNTING_SCHOOLS = ("regular", "adult", "self_study", "online", "open")
CERTIFIED = ("military", "abroad")
COUNTING_CERTIFICATES = ("graduation", "degree")
REFUSED_SCHOOLS = ("party", "unapproved")
REFUSED_CERTIFICATES = ("completion", "attendance", "training")
CERTIFICATE_SENTENCES = {
    "completion": "A certificate of completion is not one of graduation, and does not count. Where your school lets "
    "you make up for it, add the record once you hold the certificate of graduation.",
    "attendance": "Studies that were not completed do not count. Add the education that you completed before.",
    "training": "Training and further study are no degree, and do not count. Add the education that you completed.",
}
SCHOOL_SENTENCES = {
    "party": "A certificate of a Party school is not part of the national education series, and does not count here. "
    "Add the education that you completed before it.",
    "unapproved": "Only education at institutions that the education authorities approved counts. Add another "
    "completed education; if you think that yours is approved, ask your exam point.",
}


def in_language(client: Client, language: str) -> Client:
    client.cookies["django_language"] = language
    return client


def test_every_kind_either_counts_counts_certified_or_is_refused() -> None:
    assert sorted(education.SCHOOL_KINDS) == sorted([*COUNTING_SCHOOLS, *CERTIFIED, "secondary", *REFUSED_SCHOOLS])
    assert sorted(education.CERTIFICATE_KINDS) == sorted([*COUNTING_CERTIFICATES, *REFUSED_CERTIFICATES])
    assert sorted(education.RECOGNISED_SCHOOL_KINDS) == sorted([*COUNTING_SCHOOLS, *CERTIFIED, "secondary"])
    assert sorted(education.RECOGNISED_CERTIFICATE_KINDS) == sorted(COUNTING_CERTIFICATES)
    assert sorted(education.CERTIFIED_SCHOOL_KINDS) == sorted(CERTIFIED)


@pytest.mark.parametrize(("school", "certificate"), list(product(COUNTING_SCHOOLS, COUNTING_CERTIFICATES)))
def test_what_is_recognised_is_saved(client: Client, newcomer: Candidate, school: str, certificate: str) -> None:
    client.force_login(newcomer.user)
    assert send(client, school_kind=school, certificate_kind=certificate).status_code == 302
    record = newcomer.education.get()
    assert (record.school_kind, record.certificate_kind) == (school, certificate)


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
@pytest.mark.parametrize("kind", REFUSED_SCHOOLS)
def test_a_school_that_does_not_count_is_refused_beside_its_field(
    client: Client, newcomer: Candidate, kind: str, language: str
) -> None:
    client.force_login(newcomer.user)
    response = send(in_language(client, language), school_kind=kind, certification_number="X1")
    assert list(response.context["form"].errors) == ["school_kind"]
    assert said(response, "school_kind") == [in_language_of(response, education.SCHOOL_KINDS[kind].refusal)]
    if language == "en":
        assert said(response, "school_kind") == [SCHOOL_SENTENCES[kind]]
    assert not EducationRecord.objects.exists()


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
@pytest.mark.parametrize("kind", REFUSED_CERTIFICATES)
def test_a_certificate_that_does_not_count_is_refused_beside_its_field(
    client: Client, newcomer: Candidate, kind: str, language: str
) -> None:
    client.force_login(newcomer.user)
    response = send(in_language(client, language), certificate_kind=kind)
    assert list(response.context["form"].errors) == ["certificate_kind"]
    assert said(response, "certificate_kind") == [in_language_of(response, education.CERTIFICATE_KINDS[kind].refusal)]
    if language == "en":
        assert said(response, "certificate_kind") == [CERTIFICATE_SENTENCES[kind]]
    assert not EducationRecord.objects.exists()


NO_DEGREE = "No degree goes with this qualification: correct one of both."


@pytest.mark.parametrize(
    ("school", "certificate"),
    [
        *product(REFUSED_SCHOOLS, education.CERTIFICATE_KINDS),
        *product(education.SCHOOL_KINDS, REFUSED_CERTIFICATES),
    ],
)
def test_the_service_refuses_whatever_does_not_count(newcomer: Candidate, school: str, certificate: str) -> None:
    with override("en"):
        with pytest.raises(ValidationError) as refused:
            add(
                newcomer,
                school_kind=school,
                certificate_kind=certificate,
                qualification="secondary",
                degree="none" if certificate != "degree" else "bachelor",
                certification_number="X1",
            )
        expected = {
            **({"school_kind": [str(education.SCHOOL_KINDS[school].refusal)]} if school in REFUSED_SCHOOLS else {}),
            **(
                {"certificate_kind": [str(education.CERTIFICATE_KINDS[certificate].refusal)]}
                if certificate in REFUSED_CERTIFICATES
                else {}
            ),
            **(
                {"degree": ["No degree goes with this qualification: correct one of both."]}
                if certificate == "degree"
                else {}
            ),
        }
        assert refused.value.message_dict == expected
        assert not EducationRecord.objects.exists()


@pytest.mark.parametrize("kind", CERTIFIED)
@pytest.mark.parametrize("typed", ["", "  ", "\u3000", "\u200b"])
def test_a_degree_of_abroad_or_of_the_military_needs_its_certification(
    client: Client, newcomer: Candidate, kind: str, typed: str
) -> None:
    client.force_login(newcomer.user)
    response = send(client, school_kind=kind, certification_number=typed)
    assert list(response.context["form"].errors) == ["certification_number"]
    assert said(response, "certification_number") == [
        in_language_of(response, education.SCHOOL_KINDS[kind].certification)
    ]
    assert not EducationRecord.objects.exists()


@pytest.mark.parametrize("kind", CERTIFIED)
@pytest.mark.parametrize("certificate", COUNTING_CERTIFICATES)
def test_with_its_certification_it_counts(client: Client, newcomer: Candidate, kind: str, certificate: str) -> None:
    client.force_login(newcomer.user)
    sent = send(client, school_kind=kind, certificate_kind=certificate, certification_number=" 教留服认英[2013]1 ")
    assert sent.status_code == 302
    record = newcomer.education.get()
    assert (record.school_kind, record.certification_number) == (kind, "教留服认英[2013]1")


@pytest.mark.parametrize("kind", COUNTING_SCHOOLS)
def test_other_schools_need_no_certification(newcomer: Candidate, kind: str) -> None:
    assert add(newcomer, school_kind=kind).certification_number == ""


@pytest.mark.parametrize("qualification", ["college", "undergraduate", "master", "doctor"])
def test_secondary_education_leads_to_no_higher_qualification(
    client: Client, newcomer: Candidate, qualification: str
) -> None:
    client.force_login(newcomer.user)
    response = send(in_language(client, "en"), school_kind="secondary", qualification=qualification, degree="none")
    assert said(response, "school_kind") == [
        "Secondary vocational education leads to no higher qualification: correct one of both."
    ]
    assert not EducationRecord.objects.exists()
    assert send(client, school_kind="secondary", qualification="secondary", degree="none").status_code == 302


def test_a_degree_certificate_names_its_degree(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    response = send(in_language(client, "en"), certificate_kind="degree", degree="none")
    assert list(response.context["form"].errors) == ["degree"]
    assert said(response, "degree") == ["Choose the degree that your certificate names."]
    assert not EducationRecord.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    response = send(client, school_kind="party", certificate_kind="training", school="某校", graduated="x", major="")
    assert sorted(response.context["form"].errors) == [
        "certificate_kind",
        "graduated",
        "major",
        "school_kind",
        "school_note",
    ]
    assert not EducationRecord.objects.exists()


@pytest.mark.parametrize(
    ("field", "kinds"), [("school_kind", REFUSED_SCHOOLS), ("certificate_kind", REFUSED_CERTIFICATES)]
)
def test_who_holds_what_does_not_count_finds_it_in_the_list_and_keeps_what_was_typed(
    client: Client, newcomer: Candidate, field: str, kinds: tuple[str, ...]
) -> None:
    client.force_login(newcomer.user)
    for kind in kinds:
        response = send(client, **{field: kind, "major": "护理 & 助产"})
        page = response.content.decode()
        assert f'<option value="{kind}" selected>' in page
        assert 'value="护理 &amp; 助产"' in page


@pytest.mark.parametrize("qualification", ["secondary", "college"])
def test_no_degree_goes_with_less_than_undergraduate_studies(newcomer: Candidate, qualification: str) -> None:
    with override("en"), pytest.raises(ValidationError) as refused:
        add(newcomer, qualification=qualification, degree="bachelor")
    assert refused.value.message_dict == {"degree": [NO_DEGREE]}
    assert add(newcomer, qualification=qualification, degree="none").pk


@pytest.mark.rule("R21")
def test_a_military_school_of_the_list_is_told_as_one_and_certified(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    response = send(in_language(client, "en"), school="空军军医大学")
    assert said(response, "school_kind") == ["空军军医大学 is of another kind: Military school (军队院校)."]
    assert list(send(client, school="空军军医大学", school_kind="military").context["form"].errors) == [
        "certification_number"
    ]
    assert not EducationRecord.objects.exists()
    send(client, school="空军军医大学", school_kind="military", certification_number="X1")
    assert newcomer.education.get().school_code == "91025"

"""Employers: the list gives the kind; who works elsewhere names it."""

from pathlib import Path
from time import perf_counter

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.translation import override

from accounts import employers
from accounts.actors import acting
from accounts.employers import EmployerKind
from accounts.models import BasicInformation, Candidate
from accounts.services import profile
from tests import factories

PAGE = "/account/basic-information/"
FILE = Path(employers.__file__).parent / "data" / "employers.tsv"
UNLISTED = "长沙市某某医院"


# --- The list -----------------------------------------------------------------------------------
def test_every_line_of_the_list_is_a_name_a_kind_and_a_source() -> None:
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert {len(row) for row in rows} == {3}
    assert [row for row in rows if row[1] not in EmployerKind.values or row[2] not in {"U", "example"}] == []
    assert [row[0] for row in rows if row[0] != row[0].strip() or not 2 <= len(row[0]) <= 80] == []
    assert employers.names() == [row[0] for row in rows]


def test_no_employer_stands_in_the_list_twice_however_it_is_written() -> None:
    plain = ["".join(name.replace("（", "(").replace("）", ")").split()) for name in employers.names()]
    assert len(plain) == len(set(plain))


def test_every_employer_of_the_list_has_its_kind() -> None:
    assert [name for name in employers.names() if employers.kind_of(name) not in EmployerKind.values] == []


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("北京协和医院", "public_hospital"),
        (" 北京 协和医院\u3000", "public_hospital"),
        ("北京协和医院分院", ""),
        ("北京协和", ""),
        (UNLISTED, ""),
        ("", ""),
    ],
)
def test_an_employer_is_known_by_its_whole_name(typed: str, kind: str) -> None:
    assert employers.kind_of(typed) == kind


def test_brackets_of_either_width_make_no_difference() -> None:
    with_brackets = [name for name in employers.names() if "（" in name or "(" in name]
    for name in with_brackets:
        narrow = name.replace("（", "(").replace("）", ")")
        wide = name.replace("(", "（").replace(")", "）")
        assert employers.kind_of(narrow) == employers.kind_of(wide) != ""


@pytest.mark.parametrize("told", ["", "clinic"])
def test_the_list_comes_before_what_is_told(told: str) -> None:
    assert employers.resolve_kind(employer="北京协和医院", told=told) == "public_hospital"


def test_of_an_unlisted_employer_the_kind_is_as_told() -> None:
    assert employers.resolve_kind(employer=UNLISTED, told="clinic") == "clinic"
    with override("en"), pytest.raises(ValidationError) as refused:
        employers.resolve_kind(employer=UNLISTED, told="")
    with override("en"):
        assert refused.value.messages == ["This employer is not in the list: choose its kind."]


def test_a_kind_is_found_at_once() -> None:
    employers.kind_of("")
    begun = perf_counter()
    for _turn in range(1000):
        employers.kind_of(UNLISTED)
    assert perf_counter() - begun < 0.5


# --- Saving and the page ------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("employer", "told", "kind"),
    [
        ("北京协和医院", "", "public_hospital"),
        ("北京协和医院", "clinic", "public_hospital"),
        (UNLISTED, "clinic", "clinic"),
        *[(UNLISTED, kind, kind) for kind in EmployerKind.values],
    ],
)
def test_the_page_saves_the_kind_of_the_list_else_the_one_told(
    client: Client, newcomer: Candidate, employer: str, told: str, kind: str
) -> None:
    client.force_login(newcomer.user)
    sent = client.post(PAGE, {**factories.BASIC, "employer": employer, "employer_kind": told})
    assert sent.status_code == 302
    saved = BasicInformation.objects.get()
    assert (saved.employer, saved.employer_kind) == (employer, kind)


@pytest.mark.django_db
def test_an_unlisted_employer_without_a_kind_is_refused_and_what_was_typed_kept(
    client: Client, newcomer: Candidate
) -> None:
    client.force_login(newcomer.user)
    client.cookies["django_language"] = "en"
    response = client.post(PAGE, {**factories.BASIC, "employer_kind": ""})
    assert response.context["form"].errors == {"employer_kind": ["This employer is not in the list: choose its kind."]}
    page = response.content.decode()
    for field in ("employer", "workplace", "address", "mobile", "ethnicity"):
        assert f'value="{factories.BASIC[field]}"' in page
    assert not BasicInformation.objects.exists()


@pytest.mark.django_db
def test_moving_to_an_employer_of_the_list_takes_its_kind(newcomer: Candidate) -> None:
    values = dict(factories.BASIC)
    save = {"candidate": newcomer, "actor": acting(newcomer)}
    profile.save_basic_information(**save, values=values)
    profile.save_basic_information(**save, values={**values, "employer": "北京协和医院"})
    assert BasicInformation.objects.get().employer_kind == "public_hospital"


@pytest.mark.django_db
def test_the_service_asks_for_the_kind_of_an_unlisted_employer_too(newcomer: Candidate) -> None:
    with pytest.raises(ValidationError):
        profile.save_basic_information(
            candidate=newcomer, actor=acting(newcomer), values={**factories.BASIC, "employer_kind": ""}
        )
    assert not BasicInformation.objects.exists()


@pytest.mark.django_db
def test_the_page_suggests_the_employers_of_the_list(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    page = client.get(PAGE).content.decode()
    suggested = page.split('<datalist id="id_employer_suggestions">', 1)[1].split("</datalist>", 1)[0]
    assert suggested.count("<option") == len(employers.names())
    assert 'list="id_employer_suggestions"' in page

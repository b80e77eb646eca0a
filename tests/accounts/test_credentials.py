"""Practice registrations, the residency certificate and titles: one of each kind, changed in place (R22)."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.translation import override

from accounts import credentials
from accounts.actors import acting
from accounts.credentials import CREDENTIAL_KINDS, WITH_CATEGORY, PracticeCategory
from accounts.models import Candidate, Credential, LedgerEvent
from accounts.services import credentials as service
from registration.models import Application
from registration.services import snapshot
from tests import factories
from tests.accounts.requests import refusal
from tests.races import at_once, meet, take_locks_out

pytestmark = pytest.mark.django_db

LIST = "/account/credentials/"
WITHOUT_CATEGORY = [kind for kind in CREDENTIAL_KINDS if kind not in WITH_CATEGORY]


def save(candidate: Candidate, kind: str, since: str = "2015-03-01", category: str = "") -> Credential:
    return service.save_credential(
        candidate=candidate,
        actor=acting(candidate),
        kind=kind,
        since=date.fromisoformat(since),
        category=category,
    )


def held(candidate: Candidate) -> list[tuple[str, str, str]]:
    return [(c.kind, c.category, f"{c.since:%Y-%m-%d}") for c in candidate.credentials.all()]


def told(candidate: Candidate) -> list[tuple[str, str]]:
    events = LedgerEvent.objects.filter(stream_id=str(candidate.pk), action__startswith="credential.")
    return [(event.action, event.payload["kind"]) for event in events.order_by("position")]


@pytest.fixture
def page(client: Client, newcomer: Candidate) -> Client:
    """A browser in English, in which `newcomer` is signed in."""
    client.force_login(newcomer.user)
    client.cookies["django_language"] = "en"
    return client


# --- Kinds --------------------------------------------------------------------------------------
def test_every_kind_is_of_one_group_and_fits_its_column() -> None:
    assert {kind.group for kind in CREDENTIAL_KINDS.values()} == set(credentials.GROUPS) == set(credentials.MONTHS)
    assert max(map(len, CREDENTIAL_KINDS)) <= 40
    assert WITH_CATEGORY == ["physician_registration", "assistant_physician_registration"]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("nurse_registration", "First registered in (首次注册年月)"),
        ("residency", "Signed in (发证年月)"),
        ("senior_nurse", "Obtained in (取得年月)"),
    ],
)
def test_the_month_is_called_as_it_counts(kind: str, label: str) -> None:
    with override("en"):
        assert str(credentials.month_label(kind)) == label


def test_a_group_in_which_no_kind_is_left_is_not_offered() -> None:
    left = credentials.choices(without={"residency"})
    assert [label for label, _kinds in left] == [credentials.GROUPS["registration"], credentials.GROUPS["title"]]
    assert sum(len(kinds) for _label, kinds in left) == len(CREDENTIAL_KINDS) - 1


# --- Saving -------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", WITHOUT_CATEGORY)
def test_a_kind_without_category_keeps_none_also_when_one_is_told(newcomer: Candidate, kind: str) -> None:
    save(newcomer, kind, category="dental")
    assert held(newcomer) == [(kind, "", "2015-03-01")]


@pytest.mark.parametrize("kind", WITH_CATEGORY)
@pytest.mark.parametrize("category", PracticeCategory.values)
def test_a_physicians_registration_keeps_its_category(newcomer: Candidate, kind: str, category: str) -> None:
    save(newcomer, kind, category=category)
    assert held(newcomer) == [(kind, category, "2015-03-01")]


@pytest.mark.parametrize("kind", WITH_CATEGORY)
@pytest.mark.parametrize("category", ["", "x"])
def test_a_physicians_registration_without_a_category_is_refused(newcomer: Candidate, kind: str, category: str) -> None:
    with pytest.raises(ValidationError):
        save(newcomer, kind, category=category)
    assert (held(newcomer), told(newcomer)) == ([], [])


@pytest.mark.parametrize(("kind", "since"), [("x", "2015-03-01"), ("nurse", "2024-01-01"), ("nurse", "1949-12-01")])
def test_what_cannot_be_right_is_refused_and_nothing_saved(newcomer: Candidate, kind: str, since: str) -> None:
    with pytest.raises(ValidationError):
        save(newcomer, kind, since)
    assert (held(newcomer), told(newcomer)) == ([], [])


def test_there_is_one_of_each_kind_and_it_is_changed_in_place(newcomer: Candidate) -> None:
    first = save(newcomer, "nurse", "2015-03-31")
    assert save(newcomer, "nurse", "2014-07-15") == first
    save(newcomer, "senior_nurse", "2020-01-01")
    assert held(newcomer) == [("nurse", "", "2014-07-01"), ("senior_nurse", "", "2020-01-01")]
    assert told(newcomer) == [
        ("credential.saved", "nurse"),
        ("credential.saved", "nurse"),
        ("credential.saved", "senior_nurse"),
    ]


def test_the_same_twice_is_once(newcomer: Candidate) -> None:
    assert save(newcomer, "nurse", "2015-03-01") == save(newcomer, "nurse", "2015-03-09")
    assert told(newcomer) == [("credential.saved", "nurse")]


def test_removing_twice_is_removing_once(newcomer: Candidate) -> None:
    save(newcomer, "nurse")
    save(newcomer, "senior_nurse")
    for _press in range(2):
        service.remove_credential(candidate=newcomer, actor=acting(newcomer), kind="nurse")
    assert held(newcomer) == [("senior_nurse", "", "2015-03-01")]
    assert told(newcomer)[2:] == [("credential.removed", "nurse")]


def test_somebody_else_can_neither_save_nor_remove(candidate: Candidate, newcomer: Candidate) -> None:
    how: dict[str, Any] = {"candidate": candidate, "actor": acting(newcomer)}
    before = held(candidate)
    since = date(2000, 1, 1)
    for kind in ("nurse_registration", "residency"):
        assert refusal(lambda kind=kind: service.save_credential(**how, kind=kind, since=since)) == "forbidden"
        assert refusal(lambda kind=kind: service.remove_credential(**how, kind=kind)) == "forbidden"
    assert held(candidate) == before


@pytest.mark.parametrize(
    ("more", "constraint"),
    [
        ({"kind": "nurse"}, "credential_one_of_a_kind"),
        ({"kind": "x"}, "credential_kind_known"),
        ({"kind": "residency", "category": "dental"}, "credential_category"),
        ({"kind": "physician_registration"}, "credential_category"),
        ({"kind": "physician_registration", "category": "x"}, "credential_category"),
        ({"kind": "residency", "since": date(2015, 3, 2)}, "credential_month"),
    ],
)
def test_the_database_refuses_what_cannot_be(newcomer: Candidate, more: dict[str, Any], constraint: str) -> None:
    save(newcomer, "nurse")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Credential.objects.create(**{"candidate": newcomer, "since": date(2015, 3, 1), **more})
    assert held(newcomer) == [("nurse", "", "2015-03-01")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_lock", [False, True])
def test_one_kind_saved_twice_at_once(newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, Credential, "clean_fields")
    results = at_once(lambda: save(newcomer, "nurse", "2015-03-01"), lambda: save(newcomer, "nurse", "2016-03-01"))
    failed = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in failed] == ([] if with_lock else [IntegrityError])
    assert len(held(newcomer)) == 1


def test_a_snapshot_has_all_of_them_and_a_later_change_leaves_it_alone(draft: Application) -> None:
    save(draft.candidate, "physician_registration", "2016-05-01", category="dental")
    taken = snapshot.take(draft)["credentials"]
    service.remove_credential(candidate=draft.candidate, actor=acting(draft.candidate), kind="nurse_registration")
    assert taken == [
        {"kind": "nurse_registration", "category": "", "since": "2014-03"},
        {"kind": "physician_registration", "category": "dental", "since": "2016-05"},
    ]


# --- Pages --------------------------------------------------------------------------------------
def test_a_credential_is_added_and_its_kind_offered_no_more(page: Client, newcomer: Candidate) -> None:
    response = page.post(LIST, {"kind": "nurse", "category": "", "since": "2015年3月"}, follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert held(newcomer) == [("nurse", "", "2015-03-01")]
    offered = [code for _group, kinds in response.context["form"]["kind"].field.choices[1:] for code, _label in kinds]
    assert offered == [kind for kind in CREDENTIAL_KINDS if kind != "nurse"]
    assert "Obtained in (取得年月)" in response.content.decode()
    assert "2015-03" in response.content.decode()


def test_pressing_save_twice_is_saving_once_and_answered_alike(page: Client, newcomer: Candidate) -> None:
    typed = {"kind": "nurse", "category": "", "since": "2015-03"}
    first, second = (page.post(LIST, typed, follow=True) for _press in range(2))
    assert first.redirect_chain == second.redirect_chain == [(LIST, 302)]
    assert (len(held(newcomer)), len(told(newcomer))) == (1, 1)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "x"}, "kind"),
        ({"kind": "physician_registration"}, "category"),
        ({"kind": "physician_registration", "category": "x"}, "category"),
        ({"since": ""}, "since"),
        ({"since": "2015-13"}, "since"),
        ({"since": "2024-01"}, "since"),
        ({"since": "1949-12"}, "since"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_saved(
    page: Client, newcomer: Candidate, typed: dict[str, str], field: str
) -> None:
    response = page.post(LIST, {"kind": "nurse", "category": "", "since": "2015-03", **typed})
    assert list(response.context["form"].errors) == [field]
    assert held(newcomer) == []


def test_what_was_typed_is_kept_when_something_is_wrong(page: Client) -> None:
    shown = page.post(LIST, {"kind": "physician_registration", "category": "", "since": "2015.3"}).content.decode()
    assert '<option value="physician_registration" selected>' in shown
    assert 'value="2015.3"' in shown


def test_month_and_category_are_changed_on_a_page_of_its_own(page: Client, newcomer: Candidate) -> None:
    save(newcomer, "physician_registration", category="dental")
    address = f"{LIST}physician_registration/"
    form = page.get(address).context["form"]
    assert {name: form[name].value() for name in form.fields} == {"category": "dental", "since": date(2015, 3, 1)}
    assert page.post(address, {"category": "clinical", "since": "2016-04"}, follow=True).redirect_chain == [(LIST, 302)]
    assert held(newcomer) == [("physician_registration", "clinical", "2016-04-01")]


def test_a_kind_without_category_is_asked_for_none(page: Client, newcomer: Candidate) -> None:
    save(newcomer, "nurse")
    address = f"{LIST}nurse/"
    assert list(page.get(address).context["form"].fields) == ["since"]
    assert page.post(address, {"since": "2016-04", "category": "dental", "kind": "residency"}).status_code == 302
    assert held(newcomer) == [("nurse", "", "2016-04-01")]


def test_a_wrong_change_is_told_and_nothing_changed(page: Client, newcomer: Candidate) -> None:
    save(newcomer, "physician_registration", category="dental")
    response = page.post(f"{LIST}physician_registration/", {"category": "", "since": "2024-01"})
    assert sorted(response.context["form"].errors) == ["category", "since"]
    assert 'value="2024-01"' in response.content.decode()
    assert held(newcomer) == [("physician_registration", "dental", "2015-03-01")]


def test_pressing_remove_twice_is_removing_once_and_answered_alike(page: Client, newcomer: Candidate) -> None:
    save(newcomer, "nurse")
    first, second = (page.post(f"{LIST}nurse/", {"remove": "1"}, follow=True) for _press in range(2))
    assert first.redirect_chain == second.redirect_chain == [(LIST, 302)]
    assert (held(newcomer), told(newcomer)) == ([], [("credential.saved", "nurse"), ("credential.removed", "nurse")])


@pytest.mark.parametrize("kind", ["nurse_registration", "x"])
def test_what_only_another_candidate_has_is_not_there(page: Client, candidate: Candidate, kind: str) -> None:
    before = held(candidate)
    assert page.get(f"{LIST}{kind}/").status_code == 404
    assert page.post(f"{LIST}{kind}/", {"since": "2016-04"}).status_code == 404
    page.post(f"{LIST}{kind}/", {"remove": "1"})
    assert held(candidate) == before == [("nurse_registration", "", "2014-03-01")]


def test_who_has_every_kind_is_offered_none(page: Client, newcomer: Candidate) -> None:
    for kind, known in CREDENTIAL_KINDS.items():
        save(newcomer, kind, category="clinical" if known.has_category else "")
    assert len(held(newcomer)) == len(CREDENTIAL_KINDS)
    assert page.get(LIST).context["form"]["kind"].field.choices == [("", "Please choose")]


def test_a_candidate_of_another_name_may_have_the_same(newcomer: Candidate) -> None:
    other = factories.CandidateFactory()
    save(newcomer, "nurse")
    save(other, "nurse")
    assert held(newcomer) == held(other)

"""Applying for a change or a deletion: the pages, and the form on paper (R07)."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from accounts.actors import Actor
from accounts.models import Candidate, IdentityRequest, Point
from accounts.services import identity_desk, identity_form
from exam_portal import clock
from tests import factories
from tests.accounts.requests import ask_change, ask_deletion, check, report
from tests.accounts.test_registering import FORM, accept
from tests.data.hard_names import HARD_NAMES
from tests.factories import resident_id
from tests.registration.test_printed_form import glyphs_missing, pages

pytestmark = pytest.mark.django_db

PAPER = {"telephone": "138-0000 0000", "reason": "输错了", "point": "4301"}
TAKEN = {**PAPER, "name": "李四", "id_type": "resident_id", "id_number": "１１０１０１１９９００３０７００２ｘ"}


def apply(kind: str) -> str:
    return reverse("accounts:identity_apply", args=[kind, "43"])


@pytest.mark.rule("R07")
def test_without_an_account_the_form_is_made_and_printed_in_this_browser_only(client: Client, point: Point) -> None:
    response = client.post(apply("taken"), TAKEN)
    assert response.headers["Location"] == reverse("accounts:identity_applications")
    made = IdentityRequest.objects.get()
    assert (made.kind, made.name, made.id_number, made.candidate) == ("taken", "李四", "11010119900307002X", None)
    listed = client.get(reverse("accounts:identity_applications"))
    assert point.address in listed.content.decode()
    pdf = reverse("accounts:identity_form", args=[made.number])
    assert client.get(pdf).headers["Content-Type"] == "application/pdf"
    assert "no-store" in client.get(pdf).headers["Cache-Control"]
    assert Client().get(pdf).status_code == 302
    assert Client().get(reverse("accounts:identity_applications")).status_code == 302


@pytest.mark.rule("R07")
def test_who_signs_in_next_at_the_same_browser_does_not_see_it(
    client: Client, candidate: Candidate, point: Point
) -> None:
    client.post(apply("taken"), TAKEN)
    number = IdentityRequest.objects.get().number
    candidate.user.set_password("correct horse battery")
    candidate.user.save()
    client.post(reverse("account_login"), {"login": candidate.user.username, "password": "correct horse battery"})
    assert number not in client.get(reverse("accounts:identity_applications")).content.decode()
    assert client.get(reverse("accounts:identity_form", args=[number])).status_code == 404


def test_a_button_pressed_twice_makes_one_application(client: Client, point: Point) -> None:
    client.get(apply("taken"))
    for _press in range(2):
        assert client.post(apply("taken"), TAKEN).status_code == 302
    made = IdentityRequest.objects.get()
    assert client.get(reverse("accounts:identity_applications")).content.decode().count(f"{made.number}.pdf") == 1
    other = Client()
    other.get(apply("taken"))
    other.post(apply("taken"), TAKEN)
    assert IdentityRequest.objects.count() == 2


def test_it_can_be_removed_from_the_browser(client: Client, point: Point) -> None:
    client.post(apply("taken"), TAKEN)
    page = reverse("accounts:identity_applications")
    assert client.post(page).headers["Location"] == reverse("accounts:identity_notice")
    assert client.get(page).status_code == 302
    assert IdentityRequest.objects.count() == 1


@pytest.mark.rule("R07")
def test_a_refusal_is_told_with_its_reason_and_without_what_staff_noted(
    signed_in: Client, candidate: Candidate, point: Point, clerk: Actor, region: Actor
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    identity_desk.refuse(request=request, actor=region, reason="证明不足", at=clock.now())
    page = signed_in.get(reverse("accounts:identity_applications")).content.decode()
    assert "证明不足" in page
    assert "原件相符" not in page


@pytest.mark.rule("R07")
def test_the_page_reads_the_same_whether_the_number_has_an_account(client: Client, point: Point) -> None:
    known, unknown = factories.CandidateFactory().id_number, resident_id(9)
    answers = [client.post(apply("taken"), {**TAKEN, "id_number": number}) for number in (known, unknown)]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (302, reverse("accounts:identity_applications"))
    }


@pytest.mark.rule("R07")
def test_a_candidate_applies_for_a_change_and_never_sees_the_present_number_in_full(
    signed_in: Client, candidate: Candidate, point: Point
) -> None:
    page = signed_in.get(apply("change")).content.decode()
    assert candidate.id_number not in page
    assert candidate.masked_id_number in page
    answers = {**PAPER, "name": "张珊", "id_type": "resident_id", "id_number": ""}
    assert signed_in.post(apply("change"), answers).status_code == 302
    made = IdentityRequest.objects.get()
    assert (made.changes, made.new_name, made.candidate) == (["name"], "张珊", candidate)


@pytest.mark.rule("R07")
def test_a_candidate_applies_for_the_deletion_of_the_own_account(
    signed_in: Client, candidate: Candidate, point: Point
) -> None:
    assert signed_in.post(apply("delete"), PAPER).status_code == 302
    made = IdentityRequest.objects.get()
    assert (made.kind, made.candidate, made.telephone) == ("delete", candidate, "13800000000")
    assert Candidate.objects.get(pk=candidate.pk).deleted_at is None


@pytest.mark.parametrize("kind", ["change", "delete"])
def test_changing_or_deleting_an_account_asks_to_sign_in(client: Client, point: Point, kind: str) -> None:
    for answer in (client.get(apply(kind)), client.post(apply(kind), PAPER)):
        assert answer.headers["Location"] == f"{reverse('account_login')}?next={apply(kind)}"
    assert not IdentityRequest.objects.exists()


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("taken", {"id_number": "110101199003070021"}, "id_number"),
        ("taken", {"name": "李4"}, "name"),
        ("taken", {"telephone": "电话"}, "telephone"),
        ("taken", {"telephone": "123"}, "telephone"),
        ("taken", {"reason": " "}, "reason"),
        ("taken", {"point": "1101"}, "point"),
        ("change", {"id_type": "passport", "id_number": ""}, "id_number"),
        ("change", {"id_number": "taken"}, "id_number"),
        ("delete", {"point": ""}, "point"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    signed_in: Client, newcomer: Candidate, point: Point, kind: str, changes: dict[str, str], field: str
) -> None:
    if changes.get("id_number") == "taken":
        changes = {"id_number": newcomer.id_number}
    answers = {**(PAPER if kind == "delete" else TAKEN), **changes}
    response = signed_in.post(apply(kind), answers)
    assert list(response.context["form"].errors) == [field]
    html = response.content.decode()
    for name, value in answers.items():
        assert value.strip() in html, name
    assert not IdentityRequest.objects.exists()


def test_nothing_to_change_is_told_above_the_form(signed_in: Client, candidate: Candidate, point: Point) -> None:
    answers = {**PAPER, "name": candidate.name, "id_type": candidate.id_type, "id_number": candidate.id_number}
    assert list(signed_in.post(apply("change"), answers).context["form"].errors) == ["__all__"]


@pytest.mark.rule("R30")
@pytest.mark.parametrize("kind", ["change", "taken"])
def test_a_rare_character_is_found_for_the_name_and_nothing_is_lost(
    signed_in: Client, candidate: Candidate, point: Point, kind: str
) -> None:
    typed = {**PAPER, "name": "王?", "id_type": "resident_id", "id_number": "", "picker_query": "zhe2"}
    searched = signed_in.post(apply(kind), {**typed, "search": "1"})
    assert "喆" in [rare.character for rare in searched.context["picker"]["found"]]
    chosen = signed_in.post(apply(kind), {**typed, "pick": "喆"})
    form = chosen.context["form"]
    assert (form["name"].value(), form["reason"].value(), form["point"].value()) == ("王喆", "输错了", "4301")
    assert not IdentityRequest.objects.exists()


def test_what_was_typed_comes_back_after_signing_in_again(client: Client, candidate: Candidate, point: Point) -> None:
    client.force_login(candidate.user)
    mark = str(client.get(apply("delete")).context["owner_mark"])
    client.logout()
    client.post(apply("delete"), {**PAPER, "whose": mark})
    client.force_login(candidate.user)
    form = client.get(apply("delete")).context["form"]
    assert {name: form[name].value() for name in PAPER} == PAPER


def test_an_unknown_kind_or_region_is_not_found(client: Client, point: Point) -> None:
    for page in (
        reverse("accounts:identity_regions", args=["other"]),
        reverse("accounts:identity_apply", args=["other", "43"]),
        reverse("accounts:identity_apply", args=["taken", "99"]),
    ):
        assert client.get(page).status_code == 404


def test_one_address_makes_no_flood_of_applications(
    client: Client, point: Point, settings: Any, one_minute: None
) -> None:
    settings.PORTAL_SIGN_UPS_PER_ADDRESS = 2
    names = ("李四", "李五", "李六")
    assert [client.post(apply("taken"), {**TAKEN, "name": name}).status_code for name in names] == [302, 302, 429]
    assert IdentityRequest.objects.count() == 2


@pytest.mark.rule("R04", "R07")
def test_a_taken_number_leads_to_signing_in_to_recovery_and_to_the_notice(client: Client) -> None:
    factories.CandidateFactory(id_number="11010119900307002X")
    accept(client)
    page = client.post(reverse("account_signup"), FORM).content.decode()
    panel = page[page.index("<main") :]
    for name in ("account_login", "accounts:recovery", "accounts:identity_notice"):
        assert f'href="{reverse(name)}"' in panel
    other = client.post(reverse("account_signup"), {**FORM, "username": "1"}).content.decode()
    assert reverse("accounts:identity_notice") not in other


# --- On paper -----------------------------------------------------------------------------------
@pytest.mark.rule("R07")
def test_the_form_says_who_applies_for_what_and_has_room_for_both_opinions(candidate: Candidate, point: Point) -> None:
    request = ask_change(candidate, point, name="张珊", id_number=resident_id(7))
    with translation.override("en"):
        (text,) = pages(identity_form.render(request))
    for shown in (
        "考生注册信息修改/删除申请表",
        "修改姓名、证件类型或证件号码",
        candidate.id_number,
        resident_id(7),
        "张珊",
        "居民身份证",
        "13800000000",
        request.number,
        "湖南湖南第01考点",
        "考点审核意见",
        "考区审核意见",
        "申请人签名",
    ):
        assert shown in text
    assert "不是本人注册" not in text


@pytest.mark.rule("R07")
def test_the_form_for_a_taken_number_pledges_that_the_account_is_not_ones_own(point: Point) -> None:
    (text,) = pages(identity_form.render(report(resident_id(7), point)))
    assert "账户不是本人注册" in text
    assert "现注册信息" not in text


@pytest.mark.rule("R30")
def test_hard_names_print_on_it_without_a_missing_glyph(candidate: Candidate, point: Point) -> None:
    request = ask_deletion(candidate, point)
    request.changes = ["name"]
    for _typed, name in HARD_NAMES[::5]:
        request.new_name = request.reason = name
        pdf = identity_form.render(request)
        assert not glyphs_missing(pdf), ascii(name)
        assert len(PdfReader(io.BytesIO(pdf)).pages) == 1


def test_the_longest_application_fits_on_one_page(candidate: Candidate, point: Point) -> None:
    request = ask_change(candidate, point, name="努" * 50, id_type="officer", id_number="文" * 10 + "ABC0123456789")
    request.reason = "原因" * 150
    assert len(pages(identity_form.render(request))) == 1

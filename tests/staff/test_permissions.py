"""One walk over every URL of the staff site × every role × own place, the next one and another region's (R28).

`EXPECTED` says what each takes; a URL without an expectation fails. The table goes to docs/permissions.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from accounts.models import Candidate
from accounts.roles import ROLES, Level, Right
from tests import factories
from tests.staff.world import NUMBERS, OWN, PLACES, TYPED, World, bare, staff_in, within, world
from tests.staffing import LOGIN, SET_UP, Telephone, staff_client

pytestmark = pytest.mark.django_db
__all__ = ["world"]

TABLE = Path(settings.BASE_DIR) / "docs/permissions.md"
ANYBODY, NOBODY = "anybody", "nobody"
EXAMS = "admin:registration_exam_changelist"  # which are of no territory


@dataclass(frozen=True)
class Expect:
    """What a URL takes.

    Attributes:
        takes: a right, one of several, ANYBODY of staff, or NOBODY.
        row: which row of a territory the URL names, if it does; then another's is refused.
        level: the only level whose staff may, where the right alone does not say it.
        more: what the URL takes besides the row.
    """

    takes: Right | tuple[Right, ...] | str
    row: str = ""
    level: Level | None = None
    more: tuple[str, ...] = ()


EXPECTED: dict[str, Expect] = {
    "admin:index": Expect(ANYBODY),
    "admin:login": Expect(ANYBODY),
    "admin:logout": Expect(NOBODY),
    "admin:accounts_candidate_changelist": Expect(Right.SEE_CANDIDATES),
    "admin:accounts_candidate_change": Expect(Right.SEE_CANDIDATES, row="candidate"),
    "admin:accounts_candidate_search": Expect(Right.SEE_CANDIDATES),
    "admin:accounts_candidate_reveal": Expect(Right.REVEAL_ID, row="candidate"),
    "admin:accounts_candidate_verify": Expect(Right.VERIFY_EDUCATION, row="education"),
    "admin:accounts_candidate_sessions": Expect(Right.HELP_ACCOUNTS, row="candidate"),
    "admin:accounts_candidate_unlock": Expect(Right.HELP_ACCOUNTS, row="candidate"),
    "admin:accounts_candidate_look": Expect(Right.HELP_ACCOUNTS, row="candidate"),
    "admin:accounts_candidate_look_end": Expect(ANYBODY),
    "admin:accounts_identityrequest_changelist": Expect(Right.SEE_CANDIDATES),
    "admin:accounts_identityrequest_change": Expect(Right.SEE_CANDIDATES, row="identity_request"),
    "admin:accounts_identityrequest_search": Expect(Right.SEE_CANDIDATES),
    "admin:accounts_identityrequest_check": Expect(Right.CHECK_IDENTITY, row="identity_request"),
    "admin:accounts_identityrequest_approve": Expect(Right.DECIDE_IDENTITY, row="identity_request"),
    "admin:accounts_identityrequest_refuse": Expect(
        (Right.CHECK_IDENTITY, Right.DECIDE_IDENTITY), row="identity_request"
    ),
    "admin:accounts_identityrequest_reveal": Expect(Right.REVEAL_ID, row="identity_request"),
    "admin:accounts_identityrequest_proof": Expect(
        (Right.CHECK_IDENTITY, Right.DECIDE_IDENTITY), row="identity_request"
    ),
    "admin:accounts_photo_changelist": Expect(Right.SEE_CANDIDATES),
    "admin:accounts_photo_change": Expect(Right.SEE_CANDIDATES, row="photo"),
    "admin:accounts_photo_picture": Expect(Right.SEE_CANDIDATES, row="photo", more=("kept",)),
    "admin:accounts_photo_decide": Expect(Right.DECIDE_PHOTO),
    "admin:registration_application_close": Expect(Right.CLOSE_APPLICATION, row="application"),
    "admin:accounts_staffassignment_changelist": Expect(Right.SEE_STAFF),
    "admin:accounts_staffassignment_search": Expect(Right.SEE_STAFF),
    "admin:accounts_staffassignment_add": Expect(Right.MANAGE_STAFF),
    "admin:accounts_staffassignment_change": Expect(Right.SEE_STAFF, row="staff"),
    "admin:accounts_staffassignment_end": Expect(Right.MANAGE_STAFF, row="staff"),
    "admin:accounts_staffassignment_link": Expect(Right.MANAGE_STAFF, row="staff"),
    "admin:accounts_staffassignment_two_step": Expect(Right.MANAGE_STAFF, row="staff"),
    "admin:accounts_ledgerevent_changelist": Expect(Right.SEE_LEDGER),
    "admin:accounts_ledgerevent_search": Expect(Right.SEE_LEDGER),
    EXAMS: Expect(Right.SEE_EXAM_YEARS),
    "admin:registration_exam_change": Expect(Right.SEE_EXAM_YEARS, row="exam"),
    "admin:registration_exam_edit": Expect(Right.EDIT_EXAM_YEAR, row="exam", level=Level.NATION),
    "admin:registration_examregion_change": Expect(Right.SEE_EXAM_YEARS, row="exam_region"),
    "admin:registration_examregion_edit": Expect(Right.EDIT_EXAM_YEAR, row="exam_region"),
    "admin:accounts_point_changelist": Expect(Right.SEE_EXAM_YEARS),
    "admin:accounts_point_change": Expect(Right.SEE_EXAM_YEARS, row="point"),
    "admin:accounts_point_edit": Expect(Right.EDIT_EXAM_YEAR, row="point"),
    "admin:accounts_site_change": Expect(Right.SEE_EXAM_YEARS, row="site"),
    "admin:accounts_site_edit": Expect(Right.EDIT_EXAM_YEAR, row="site"),
    "admin:registration_examyearchange_changelist": Expect(Right.SEE_EXAM_YEARS),
    "admin:registration_examyearchange_change": Expect(Right.SEE_EXAM_YEARS, row="exam_year_change"),
    "admin:registration_examyearchange_decide": Expect(Right.APPROVE_EXAM_YEAR, row="exam_year_change"),
    "admin:registration_examyearchange_withdraw": Expect(Right.EDIT_EXAM_YEAR, row="exam_year_change"),
}


# Pages about one's own account, the same for every role, with what a GET answers once a second step is set up.
ABOUT_ONESELF = {
    "accounts:staff_security": 200,
    "accounts:staff_password": 200,
    "accounts:two_step": 200,
    "accounts:two_step_app": 200,
    "accounts:two_step_passkey": 200,
    "accounts:two_step_codes": 200,
    "account_reauthenticate": 302,
    "mfa_reauthenticate": 200,
    "mfa_reauthenticate_webauthn": 302,
}


# Those that lead to a second step; where there is none, recovery codes are of no use yet.
TO_SET_UP = {"accounts:two_step", "accounts:two_step_app", "accounts:two_step_passkey", "account_reauthenticate"}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, prefix + (f"{pattern.namespace}:" if pattern.namespace else ""))
        else:
            yield f"{prefix}{pattern.name or ''}", pattern


ROUTES = [(name, url) for name, url in routes(get_resolver()) if name.startswith("admin:")]


def test_every_staff_url_has_an_expectation() -> None:
    assert {name for name, _url in ROUTES if name != "admin:"} == set(EXPECTED)
    # One route has no name: Django's, for whatever is none of the others.
    assert [str(url.pattern) for name, url in ROUTES if name == "admin:"] == ["(?P<url>.*)$"]


NOTHING_THERE = ("autocomplete/", "jsi18n/", "password_change/", "r/1/1/", "accounts/", "nothing/", "auth/user/")


@pytest.mark.parametrize("role", list(ROLES))
def test_what_is_no_page_is_not_found_by_any_role(exam: object, role: str) -> None:
    client = staff_client(staff_in(role))
    for path in NOTHING_THERE:
        assert client.get(f"/staff/{path}").status_code == client.post(f"/staff/{path}").status_code == 404, path
        assert Client().get(f"/staff/{path}").status_code == 302, path


def address(world: World, name: str, place: str = OWN) -> str:
    expect = EXPECTED[name]
    return reverse(name, args=[world.rows[place][expect.row], *expect.more] if expect.row else [])


def allowed(name: str, role: str, place: str) -> bool:
    """Whether the role may open this, with a row of this place where the address names one."""
    expect = EXPECTED[name]
    if expect.takes in {ANYBODY, NOBODY}:
        return expect.takes == ANYBODY
    rights = expect.takes if isinstance(expect.takes, tuple) else (expect.takes,)
    has = not ROLES[role].rights.isdisjoint(rights) and expect.level in {None, ROLES[role].level}
    return has and (not expect.row or within(role, expect.row, place))


def refusals(name: str, role: str, place: str) -> set[int]:
    """How what is not allowed is answered: not found in another territory, forbidden to a role without the right."""
    if allowed(name, role, OWN):
        return {404}
    return {403} if not EXPECTED[name].row or within(role, EXPECTED[name].row, place) else {403, 404}


def stored() -> str:
    """What all tables hold, but those of signing in."""
    tables = [
        name
        for name in connection.introspection.table_names()
        if not name.startswith(("django_session", "usersessions_"))
    ]
    with connection.cursor() as cursor:
        digests = []
        for name in sorted(tables):
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t")  # noqa: S608
            digests.append(f"{name} {cursor.fetchone()[0]}")
    return "\n".join(digests)


@pytest.mark.rule("R28", "R32")
@pytest.mark.parametrize("role", list(ROLES))
def test_who_may_open_what(world: World, role: str) -> None:
    client = staff_client(staff_in(role))
    numbers = [*NUMBERS, *(row.id_number for row in Candidate.objects.all())]
    shown = set()
    before = stored()
    for name in EXPECTED:
        for place in PLACES if EXPECTED[name].row else (OWN,):
            url, where = address(world, name, place), (role, name, place)
            response = client.get(url)
            if allowed(name, role, place):
                assert response.status_code in {200, 302}, where
                text = response.content.decode(errors="replace")
                page = bare(text)
                assert [number for number in numbers if number in page] == [], where
                if TYPED[:3] in text:
                    shown.add(name)
            else:
                assert {response.status_code, client.post(url).status_code} <= refusals(name, role, place), where
    assert stored() == before, "looking at a page, or being refused, changes nothing"
    assert shown >= {name for name in SHOWS_TYPED if allowed(name, role, OWN)}


# Where staff read what people typed, ID numbers and all.
SHOWS_TYPED = {
    "admin:accounts_candidate_change",
    "admin:accounts_identityrequest_change",
    "admin:accounts_staffassignment_change",
    "admin:accounts_ledgerevent_changelist",
    "admin:accounts_site_change",
    "admin:registration_examyearchange_change",
}


@pytest.mark.rule("R28")
@pytest.mark.parametrize("role", list(ROLES))
def test_without_a_second_step_no_role_opens_anything_but_its_own_two_step_pages(world: World, role: str) -> None:
    member = staff_in(role)
    client = Client()
    client.force_login(member.user)
    before = stored()
    for name in sorted(set(EXPECTED) - {"admin:login"}):
        for send in (client.get, client.post):
            answer = send(address(world, name))
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SET_UP), (role, name)
    assert stored() == before
    answers = {name: client.get(reverse(name)) for name in ABOUT_ONESELF}
    opened = {name for name, answer in answers.items() if not answer.headers.get("Location", "").startswith(SET_UP)}
    assert opened == TO_SET_UP
    assert stored() == before


@pytest.mark.rule("R32")
@pytest.mark.parametrize("role", list(ROLES))
def test_every_role_opens_the_pages_about_oneself(exam: object, role: str) -> None:
    member = staff_in(role)
    Telephone(member.user)
    client = staff_client(member)
    assert {name: client.get(reverse(name)).status_code for name in ABOUT_ONESELF} == ABOUT_ONESELF


@pytest.mark.rule("R32")
def test_nobody_else_opens_the_pages_of_staff_about_oneself(
    exam: object, staff_user_without_role: Callable[[], Client]
) -> None:
    candidate = Client()
    candidate.force_login(factories.make_candidate().user)
    retired = {(name, send): staff_user_without_role() for name in ABOUT_ONESELF for send in ("get", "post")}
    before = stored()
    for (name, send), ended in retired.items():
        for client, expected in ((Client(), LOGIN), (candidate, 403), (ended, LOGIN)):
            answer = getattr(client, send)(reverse(name))
            told = answer.headers.get("Location", "").partition("?")[0] or answer.status_code
            assert told == expected, (name, send)
    assert stored() == before


@pytest.mark.rule("R28", "R32")
def test_nobody_else_opens_anything(world: World, staff_user_without_role: Callable[[], Client]) -> None:
    candidate = Client()
    candidate.force_login(factories.make_candidate().user)
    names = sorted(set(EXPECTED) - {"admin:login"})
    # Whoever has no role any more is signed out by the first request.
    retired = {(name, send): staff_user_without_role() for name in names for send in ("get", "post")}
    before = stored()
    for name in names:
        url = address(world, name)
        for send in ("get", "post"):
            assert getattr(Client(), send)(url).status_code == 302, name
            assert getattr(candidate, send)(url).status_code == 403, name
            assert getattr(retired[name, send], send)(url).headers["Location"].startswith("/account/login/"), name
    assert stored() == before


def test_the_table_of_permissions_is_what_was_walked() -> None:
    """Written anew where it differs: look at it, and commit it."""
    with translation.override("en"):
        text = _table()
    before = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    TABLE.write_text(text, encoding="utf-8")
    assert before == text, f"{TABLE.name} was written anew"


def _table() -> str:
    lines = [
        "# Permissions",
        "",
        "Who of staff may open what. Written by `tests/staff/test_permissions.py`, which walks it; a role's rights",
        "are a table in [roles.py](../accounts/roles.py). *own*: rows of one's own institution; *all*: the nation's.",
        "What lists and searches show, and what becomes of what is sent, `tests/staff/test_permitted_*.py` prove.",
        "",
        "| Address | " + " | ".join(str(role.label) for role in ROLES.values()) + " |",
        "|---" * (len(ROLES) + 1) + "|",
    ]
    for name, expect in EXPECTED.items():
        cells = []
        for code, role in ROLES.items():
            reach = "all" if expect.row == "exam" or name == EXAMS or role.level == Level.NATION else "own"
            may = allowed(name, code, OWN)
            cells.append(("yes" if expect.takes == ANYBODY else reach) if may else "–")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    lines += [f"| `{name}` | " + " | ".join(["yes"] * len(ROLES)) + " |" for name in ABOUT_ONESELF]
    return "\n".join(lines) + "\n"

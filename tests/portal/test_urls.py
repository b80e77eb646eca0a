"""One walk over all URLs × all roles: who may open what. A new URL without an expectation fails."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.actors import acting
from accounts.models import Credential, Point
from exam_portal import clock
from registration.models import Application
from registration.services import applications
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.staffing import Telephone, staff_client

pytestmark = pytest.mark.django_db

# What a GET answers for: anonymous, the candidate whose application it is, another candidate, staff.
SIGN_IN = "sign in"
EXPECTED: dict[str, tuple[int | str, int | str, int | str, int | str]] = {
    "portal:home": (200, 200, 200, 200),
    "portal:healthz": (200, 200, 200, 200),
    "portal:dashboard": (SIGN_IN, 200, 200, 403),
    "accounts:notice": (200, 200, 200, 200),
    "accounts:basic_information": (SIGN_IN, 200, 200, 403),
    "accounts:photo": (SIGN_IN, 200, 200, 403),
    "accounts:photo_choose": (SIGN_IN, 302, 302, 403),
    "accounts:photo_move": (SIGN_IN, 302, 302, 403),
    "accounts:photo_take_back": (SIGN_IN, 302, 302, 403),
    "accounts:photo_picture": (SIGN_IN, 200, 404, 403),
    "accounts:education": (SIGN_IN, 200, 200, 403),
    "accounts:education_correct": (SIGN_IN, 200, 404, 403),
    "accounts:credentials": (SIGN_IN, 200, 200, 403),
    "accounts:credential": (SIGN_IN, 200, 404, 403),
    "accounts:wechat": (SIGN_IN, 200, 200, 403),
    "accounts:wechat_unbind": (SIGN_IN, 200, 200, 403),
    "accounts:wechat_sign_in": (405, 405, 405, 405),
    "accounts:inbox": (SIGN_IN, 200, 200, 403),
    "accounts:calendar": (SIGN_IN, 200, 200, 403),
    "accounts:security": (SIGN_IN, 200, 200, 403),
    "accounts:email": (SIGN_IN, 200, 200, 403),
    "accounts:email_code": (SIGN_IN, 302, 302, 403),
    "accounts:staff_security": (SIGN_IN, 403, 403, 200),
    "accounts:staff_password": (SIGN_IN, 403, 403, 200),
    "accounts:two_step": (SIGN_IN, 403, 403, 200),
    "accounts:two_step_app": (SIGN_IN, 403, 403, 200),
    "accounts:two_step_passkey": (SIGN_IN, 403, 403, 200),
    "accounts:two_step_codes": (SIGN_IN, 403, 403, 200),
    "accounts:welcome": (200, 200, 200, 200),
    "accounts:recovery": (200, 200, 200, 200),
    "accounts:recovery_question": (302, 302, 302, 302),
    "accounts:recovery_code": (302, 302, 302, 302),
    "accounts:recovery_password": (302, 302, 302, 302),
    "accounts:recovery_exam_points": (200, 200, 200, 200),
    "accounts:recovery_exam_points_of": (200, 200, 200, 200),
    "accounts:identity_notice": (200, 200, 200, 200),
    "accounts:identity_applications": (302, 200, 200, 200),
    "accounts:identity_form": (SIGN_IN, 200, 404, 404),
    "accounts:identity_regions": (200, 200, 200, 200),
    "accounts:identity_apply": (SIGN_IN, 200, 200, 403),
    "account_signup": (302, 302, 302, 302),
    "account_login": (200, 302, 302, 302),
    "mfa_authenticate": (302, 302, 302, 302),
    "account_reauthenticate": (SIGN_IN, 403, 403, 302),
    "mfa_reauthenticate": (SIGN_IN, 403, 403, 200),
    "mfa_reauthenticate_webauthn": (SIGN_IN, 403, 403, 302),
    "account_logout": (302, 200, 200, 200),
    "account_inactive": (200, 200, 200, 200),
    # Not there where no WeChat is set up; where one is, tests/accounts/test_wechat_binding.py comes by them.
    "wechat_website_callback": (404, 404, 404, 404),
    "wechat_account_callback": (404, 404, 404, 404),
    "calendar_feed": (404, 404, 404, 404),
    "wechat_events": (404, 404, 404, 404),
    "set_language": (302, 302, 302, 302),
    "registration:regions": (200, 200, 200, 200),
    "registration:region_notice": (200, 200, 200, 200),
    "registration:exams": (SIGN_IN, 200, 200, 403),
    "registration:start": (SIGN_IN, 302, 302, 403),
    "registration:overview": (SIGN_IN, 200, 409, 403),
    "registration:pledge": (SIGN_IN, 302, 409, 403),
    "registration:region": (SIGN_IN, 302, 409, 403),
    "registration:point": (SIGN_IN, 302, 409, 403),
    "registration:specialty": (SIGN_IN, 302, 409, 403),
    "registration:photo": (SIGN_IN, 302, 409, 403),
    "registration:check": (SIGN_IN, 302, 409, 403),
    "registration:submit": (SIGN_IN, 302, 409, 403),
    "registration:withdraw": (SIGN_IN, 200, 409, 403),
    "registration:form_pdf": (SIGN_IN, 200, 409, 403),
}
ARGUMENTS = {
    "code": "2024-health",
    "region_code": "43",
    "kind": "change",
    "number": "000000000000",
    "record": "0",
    "pk": "0",
    "part": "kept",
    "credential": "senior_nurse",
    "token": "unknown",
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from routes(pattern, prefix + space)
        else:
            yield f"{prefix}{pattern.name}", pattern


# The staff site has a walk of its own: tests/staff/test_permissions.py.
ROUTES = {name: url for name, url in routes(get_resolver()) if not name.startswith("admin:")}


def address(name: str, **given: str) -> str:
    arguments = {**ARGUMENTS, **given}
    return reverse(name, kwargs={key: arguments[key] for key in ROUTES[name].pattern.converters})


def test_every_url_has_an_expectation() -> None:
    assert set(ROUTES) == set(EXPECTED)


def answer(client: Client, url: str, method: str) -> int | str:
    response = getattr(client, method)(url)
    assert b" maxlength=" not in response.content  # a browser would cut off what is pasted (exam_portal.kit.forms)
    to_sign_in = response.headers.get("Location", "").startswith(f"/account/login/?next={url}")
    return SIGN_IN if to_sign_in else response.status_code


@pytest.mark.rule("R32")
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_open_what(draft: Application, method: str) -> None:
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    request = ask_deletion(draft.candidate, Point.objects.get(code="4301"))
    Credential.objects.create(candidate=draft.candidate, kind="senior_nurse", since=date(2018, 7, 1))
    photo = draft.candidate.photos.standing().get()
    given = {"number": request.number, "record": str(draft.candidate.education.get().pk), "pk": str(photo.pk)}
    staff = factories.make_staff(Point.objects.get(code="4301"))
    Telephone(staff.user)
    clients = [*(Client() for _role in range(3)), staff_client(staff)]
    for client, user in zip(clients[1:3], (draft.candidate.user, factories.make_candidate().user), strict=True):
        client.force_login(user)
    names = sorted(name for name in ROUTES if method == "get" or ":" in name)
    names.sort(key=lambda name: name == "registration:start")  # begins the other candidate's own
    found = {name: tuple(answer(client, address(name, **given), method) for client in clients) for name in names}
    if method == "get":
        assert found == {name: EXPECTED[name] for name in names}
    else:  # who may not open a page may not send it anything either, and is told the same
        for name in names:
            for got, expected in zip(found[name], EXPECTED[name], strict=True):
                assert (got in {SIGN_IN, 403, 404, 409}) == (expected in {SIGN_IN, 403, 404, 409}), name


def test_nobody_changes_anothers_application(draft: Application) -> None:
    stranger = Client()
    stranger.force_login(factories.make_candidate().user)
    before = Application.objects.values().get(pk=draft.pk)
    for name in ROUTES:
        if name.startswith("registration:") and name != "registration:start":
            assert stranger.post(address(name), {"accept": "on"}).status_code in {409, 200, 302}, name
    assert Application.objects.values().get(pk=draft.pk) == before


def test_forms_are_guarded_against_other_sites(draft: Application) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(draft.candidate.user)
    response = client.post(reverse("registration:submit", args=["2024-health"]))
    assert response.status_code == 403
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_private_pages_are_kept_by_no_cache(signed_in: Client, exam: object) -> None:
    assert "no-store" in signed_in.get(reverse("portal:dashboard")).headers["Cache-Control"]


def test_no_page_allows_inline_script_or_another_host(client: Client, exam: object) -> None:
    policy = client.get(reverse("portal:home")).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy

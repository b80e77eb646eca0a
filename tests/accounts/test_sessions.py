"""Where somebody is signed in, and signing out there."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.actors import acting
from accounts.devices import device
from accounts.models import Candidate, Channel, LedgerEvent, Question, User
from accounts.services import sessions
from accounts.services.registering import register_candidate
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
URL = reverse("accounts:security")
DASHBOARD = reverse("portal:dashboard")
WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/111.0 Mobile Safari/537.36 MicroMessenger/8.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"


def make(username: str = "zhangsan", number: int = 2) -> User:
    return register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=factories.resident_id(number),
        username=username,
        password=PASSWORD,
        question=Question.TOWN,
        answer="长沙",
        channel=Channel.WEB,
        at=clock.now(),
    )


def browser(username: str = "zhangsan", agent: str = EDGE) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    assert client.post(reverse("account_login"), {"login": username, "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(DASHBOARD).status_code == 200


def test_the_list_names_devices_this_one_first_and_nobody_elses() -> None:
    make()
    make("lisi", 3)
    here, _phone, _other = browser(), browser(agent=WECHAT), browser("lisi")
    listed = here.get(URL).context["sessions"]
    assert [(row.device.browser, row.device.system, row.here) for row in listed] == [
        ("Edge", "Windows", True),
        ("WeChat", "Android", False),
    ]
    # On the portal's clock, though sessions live by real time.
    assert abs((listed[0].since - clock.now()).total_seconds()) < 60


def test_signing_out_everywhere_else_leaves_this_browser_in() -> None:
    user = make()
    make("lisi", 3)
    here, phone, tablet, other = browser(), browser(agent=WECHAT), browser(), browser("lisi")
    assert here.post(URL, {"end": "others"}).headers["Location"] == URL
    assert [is_in(client) for client in (here, phone, tablet, other)] == [True, False, False, True]
    event = LedgerEvent.objects.get(action="sessions.ended")
    assert (event.stream_id, event.payload) == (str(user.candidate.pk), {"count": 2})


def test_signing_out_everywhere_ends_this_session_too() -> None:
    make()
    here, phone = browser(), browser(agent=WECHAT)
    assert here.post(URL, {"end": "all"}).headers["Location"] == reverse("account_login")
    assert [is_in(here), is_in(phone)] == [False, False]
    assert not UserSession.objects.exists()


def test_one_session_ends_and_anothers_does_not() -> None:
    make()
    make("lisi", 3)
    here, phone, other = browser(), browser(agent=WECHAT), browser("lisi")
    for number in UserSession.objects.values_list("pk", flat=True).exclude(session_key=here.session.session_key):
        here.post(URL, {"end": str(number)})
    assert [is_in(here), is_in(phone), is_in(other)] == [True, False, True]
    assert LedgerEvent.objects.filter(action="sessions.ended").count() == 1


def test_a_session_that_has_ended_is_not_listed() -> None:
    make()
    here, phone = browser(), browser(agent=WECHAT)
    phone.post(reverse("account_logout"))
    assert [row.here for row in here.get(URL).context["sessions"]] == [True]


def test_nobody_signs_another_out(candidate: Candidate) -> None:
    with pytest.raises(Refused):
        sessions.sign_out(user=candidate.user, actor=acting(factories.make_candidate()))


def test_a_session_keeps_no_id_number(client: Client) -> None:
    make()
    client.post(reverse("account_login"), {"login": factories.resident_id(2), "password": PASSWORD})
    assert is_in(client)
    assert factories.resident_id(2) not in str(dict(client.session))


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (WECHAT, ("WeChat", "Android")),
        (EDGE, ("Edge", "Windows")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Version/17.0 Mobile Safari/604.1", ("Safari", "iPhone")),
        ("curl/8", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_device_is_named_as_people_know_it(agent: str, names: tuple[str, str]) -> None:
    found = device(agent)
    assert (found.browser, found.system) == names

"""Recovering an account by a code to its verified e-mail address (R06)."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.actors import acting
from accounts.models import Candidate, EmailCode, LedgerEvent, Message, User
from accounts.services import email_codes, recovery
from exam_portal.kit.errors import Refused
from tests.accounts.recovering import CODE, LOGIN, NEW, OLD, PASSWORD, begin, signed_in

pytestmark = pytest.mark.django_db


def sent_code() -> str:
    for pk in EmailCode.objects.filter(sent_at=None).values_list("pk", flat=True):
        email_codes.send(code_id=pk)
    found = re.search(r"[0-9]{6}", mail.outbox[-1].body)
    assert found
    return found[0]


@pytest.mark.rule("R06")
def test_a_code_to_the_verified_address_leads_to_a_new_password(somebody: Candidate) -> None:
    client = Client()
    begin(client)
    client.post(CODE, {"send": "1"})
    code = sent_code()
    assert mail.outbox[-1].to == ["zhang@example.org"]
    assert list(client.post(CODE, {"code": "nothing"}).context["form"].errors) == ["code"]
    assert client.post(CODE, {"code": f" {code[:3]} {code[3:]} "}).headers["Location"] == PASSWORD
    assert client.post(PASSWORD, {"password1": NEW, "password2": NEW}).headers["Location"] == LOGIN
    assert LedgerEvent.objects.get(action="password.recovered").payload == {"by": "email"}
    signed_in(NEW)


@pytest.mark.rule("R06")
def test_nothing_is_sent_where_there_is_no_account_or_no_address(somebody: Candidate) -> None:
    User.objects.update(email="")
    for login in ("nobody", "zhangsan"):
        client = Client()
        begin(client, login)
        client.post(CODE, {"send": "1"})
        code = EmailCode.objects.latest("pk")
        assert email_codes.send(code_id=code.pk)
        assert list(client.post(CODE, {"code": code.code}).context["form"].errors) == ["code"]
    assert mail.outbox == []


def test_a_code_works_for_one_password_fifteen_minutes_and_five_tries(somebody: Candidate) -> None:
    def issued() -> EmailCode:
        return EmailCode.objects.get(
            pk=email_codes.issue(purpose="recover", candidate=somebody.pk, address="zhang@example.org")
        )

    used, old, tried = issued(), issued(), issued()
    EmailCode.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(minutes=15, seconds=1))
    for _number in range(5):
        with pytest.raises(email_codes.WrongCode):
            email_codes.use(code_id=tried.pk, purpose="recover", typed="x")
    for _press in range(2):  # a button pressed twice
        proof = recovery.use_code(code_id=used.pk, typed=used.code)
    recovery.set_password(proof=proof, password=NEW)
    for code in (used, old, tried):
        with pytest.raises(email_codes.WrongCode):
            email_codes.use(code_id=code.pk, purpose="recover", typed=code.code)
    verifying = issued()
    with pytest.raises(email_codes.WrongCode):
        email_codes.use(code_id=verifying.pk, purpose="verify", typed=verifying.code)


def test_a_code_waits_while_the_mail_server_does_not_answer_and_no_log_line_holds_the_address(
    somebody: Candidate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError("zhang@example.org")

    code = email_codes.issue(purpose="recover", candidate=somebody.pk, address="zhang@example.org")
    with monkeypatch.context() as patched, caplog.at_level(logging.DEBUG):
        patched.setattr(email_codes, "send_mail", fail)
        assert not email_codes.send(code_id=code)
    assert "could not be sent" in caplog.text
    assert "zhang@" not in caplog.text
    EmailCode.objects.update(created_at=EmailCode.objects.get().created_at - timedelta(minutes=2))
    assert email_codes.sweep() == 1
    assert len(mail.outbox) == 1
    assert not email_codes.send(code_id=code)


def test_a_code_for_an_address_that_was_changed_meanwhile_is_refused(somebody: Candidate) -> None:
    code_id = recovery.send_code(asked=recovery.ask(login="zhangsan"))
    recovery.remove_email(candidate=somebody, actor=acting(somebody), password=OLD)
    with pytest.raises(email_codes.WrongCode):
        recovery.use_code(code_id=code_id, typed=EmailCode.objects.get().code)


@pytest.mark.rule("R06")
def test_an_address_counts_once_its_code_was_entered(somebody: Candidate) -> None:
    client = signed_in()
    url = reverse("accounts:email")
    wrong = client.post(url, {"address": "new@example.org", "password": "moon over ward"})
    assert (list(wrong.context["form"].errors), EmailCode.objects.count()) == (["password"], 0)
    right = client.post(url, {"address": "new@example.org", "password": OLD})
    assert right.headers["Location"] == reverse("accounts:email_code")
    somebody.user.refresh_from_db()
    assert somebody.user.email == "zhang@example.org"
    assert list(client.post(reverse("accounts:email_code"), {"code": "x"}).context["form"].errors) == ["code"]
    assert client.post(reverse("accounts:email_code"), {"code": sent_code()}).status_code == 302
    assert mail.outbox[-1].to == ["new@example.org"]
    somebody.user.refresh_from_db()
    assert somebody.user.email == "new@example.org"
    wrong = client.post(url, {"remove": "1", "password": "moon over ward"})
    assert (list(wrong.context["removal"].errors), wrong.context["form"].errors) == (["password"], {})
    client.post(url, {"remove": "1", "password": OLD})
    somebody.user.refresh_from_db()
    assert somebody.user.email == ""
    actions = LedgerEvent.objects.filter(action__startswith="email.").values_list("action", "payload")
    assert list(actions) == [("email.verified", {}), ("email.removed", {})]
    told = Message.objects.filter(kind="email_changed").order_by("version").values_list("candidate", "facts")
    assert list(told) == [(somebody.pk, {"removed": False}), (somebody.pk, {"removed": True})]


def test_the_password_is_tried_five_times_a_day_by_whoever_got_at_a_session(somebody: Candidate) -> None:
    client, url = signed_in(), reverse("accounts:email")
    for _number in range(5):
        client.post(url, {"address": "new@example.org", "password": "moon over ward"})
    response = client.post(url, {"address": "new@example.org", "password": OLD})
    assert "24" in response.context["form"].non_field_errors()[0]
    assert EmailCode.objects.count() == 0


def test_the_sixth_code_of_a_day_is_not_sent(somebody: Candidate) -> None:
    asked = recovery.ask(login="zhangsan")
    for _number in range(5):
        recovery.send_code(asked=asked)
    with pytest.raises(Refused, match="24"):
        recovery.send_code(asked=asked)
    assert EmailCode.objects.count() == 5


def test_without_a_mail_server_recovery_by_email_is_not_offered(somebody: Candidate, settings: Any) -> None:
    settings.PORTAL_EMAIL = False
    client = Client()
    assert CODE not in begin(client).content.decode()
    assert client.get(CODE).status_code == 404
    assert signed_in().get(reverse("accounts:email")).status_code == 404

"""The carriers by which messages leave the portal: what each needs of a candidate, and how it sends.

A carrier raises `NotSent` with what that means; the outbox (accounts.services.outbox) does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from accounts.models import Candidate, Carrier, Message
from accounts.next_steps import next_steps, told_of
from accounts.wechat.client import Verdict, WeChatFailed, official_account
from exam_portal import clock
from exam_portal.kit import hooks, moments

NOT_FOLLOWING = "not bound or not following"
LONGEST_THING = 20  # characters that WeChat lets stand in a place `thing` of a template


class NotSent(Exception):
    """A message did not go out; `verdict` says whether to try again."""

    def __init__(self, words: str, verdict: Verdict) -> None:
        super().__init__(words)
        self.verdict = verdict


@dataclass(frozen=True)
class Way:
    """A carrier: whether a candidate can be reached by it, and sending, which returns the carrier's own number."""

    reaches: Callable[[Candidate], bool]
    send: Callable[[Message], str]


@dataclass(frozen=True)
class Letter:
    """A message as it goes out: until when there is something to do, and the address of the page where."""

    title: str
    body: str
    until: datetime | None
    url: str


def letter(message: Message) -> Letter:
    """What a message says now; of something to do, as it is now (R17).

    Raises:
        NotSent: it was done meanwhile, or its time is over.
    """
    until, page, step = moments.kept(message.facts.get("deadline")), reverse("accounts:inbox"), None
    if message.kind == Message.TODO:
        step = told_of(message, next_steps(candidate=message.candidate, at=clock.now()))
        if step is None:
            raise NotSent("done meanwhile", Verdict.DROP)
        until, page = step.deadline, step.url
    title, body = message.parts(step)
    return Letter(title, body, until, settings.PORTAL_ORIGIN + page)


def send_wechat(message: Message) -> str:
    """By the template 「待办事项提醒」: what, until when, and where it stands.

    Raises:
        NotSent
    """
    wechat = getattr(message.candidate, "wechat", None)
    if wechat is None or not wechat.openid or not wechat.following:
        raise NotSent(NOT_FOLLOWING, Verdict.DROP)
    said = letter(message)
    values = {
        "thing1": _cut(said.title),
        "time2": moments.last_minute(said.until) if said.until else moments.moment(message.created_at),
        "thing3": _cut(said.body.splitlines()[0] if said.body else said.title),
    }
    try:
        return official_account().send_template(
            openid=wechat.openid,
            template=settings.WECHAT_REMINDER_TEMPLATE,
            url=said.url,
            key=message.key,
            values=values,
        )
    except WeChatFailed as failed:
        raise NotSent(str(failed), failed.verdict) from None


def send_email(message: Message) -> str:
    """To the verified address.

    Raises:
        NotSent
    """
    address = message.candidate.user.email
    if not address:
        raise NotSent("no address", Verdict.DROP)
    said = letter(message)
    try:
        EmailMessage(subject=" ".join(said.title.split()), body=f"{said.body}\n\n{said.url}", to=[address]).send()
    except OSError as error:
        raise NotSent(type(error).__name__, Verdict.RETRY) from None
    return ""


def send_sms(message: Message) -> str:
    """By the function that the setting PORTAL_SMS names (`SmsPort` in exam_portal.kit.hooks).

    Raises:
        NotSent, or whatever the function does: it is tried again.
    """
    basic = getattr(message.candidate, "basic_information", None)
    if basic is None:
        raise NotSent("no number", Verdict.DROP)
    (send,) = hooks.load("PORTAL_SMS")
    return str(send(number=basic.mobile, text=letter(message).title) or "")


WAYS = {
    Carrier.WECHAT: Way(
        reaches=lambda candidate: hasattr(candidate, "wechat") and bool(candidate.wechat.openid), send=send_wechat
    ),
    Carrier.EMAIL: Way(reaches=lambda candidate: settings.PORTAL_EMAIL and bool(candidate.user.email), send=send_email),
    Carrier.SMS: Way(
        reaches=lambda candidate: bool(settings.PORTAL_SMS) and hasattr(candidate, "basic_information"), send=send_sms
    ),
}


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_THING else text[: LONGEST_THING - 1] + "…"

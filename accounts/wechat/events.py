"""What WeChat pushes to the portal, as it comes: the signature looked at, the body decrypted and read.

Only in safe mode, where the signature covers the body: nothing that strangers send is given to the XML parser.
"""

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from django.conf import settings

from exam_portal.kit.wechat_crypt import Envelope, Forged

# WeChat sends at once, and twice more within seconds; what is older was kept by somebody.
FRESH = 5 * 60
LONGEST = 64 * 1024  # bytes; an event has one or two thousand
SEALED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


class Stale(Forged):
    """Signed rightly, but not now."""


@dataclass(frozen=True)
class Event:
    """What happened: to whom, what, when by WeChat's clock (Unix time), and what goes with it."""

    openid: str
    name: str
    at: int
    fields: dict[str, str]

    @property
    def key(self) -> str:
        """By which the same event is known again: the id of its message, or whose it is and when, as WeChat advises."""
        message = self.fields.get("MsgID") or self.fields.get("MsgId")
        return f"{self.name}:{message}" if message else f"{self.name}:{self.openid}:{self.at}"


def envelope() -> Envelope:
    """What the settings agreed with WeChat."""
    return Envelope(
        token=settings.WECHAT_EVENT_TOKEN, aes_key=settings.WECHAT_EVENT_AES_KEY, app_id=settings.WECHAT_ACCOUNT_APP_ID
    )


def greeting(query: Mapping[str, str]) -> str:
    """What WeChat wants to read when somebody enters the portal's address in its settings.

    Raises:
        Forged: the signature is not WeChat's, or it is not of now.
    """
    _check(query, query.get("signature", ""))
    return query.get("echostr", "")


def read(query: Mapping[str, str], body: bytes) -> Event:
    """The event of a push.

    Raises:
        Forged: the signature is not WeChat's, or the body is not for this account, or no event.
        Stale: the signature is WeChat's, but not of now.
    """
    found = SEALED.search(body) if len(body) <= LONGEST else None
    sealed = found[1].decode() if found else ""
    _check(query, query.get("msg_signature", ""), sealed)
    fields = _fields(envelope().open(sealed).encode())
    if fields.get("MsgType") != "event":
        return Event(fields.get("FromUserName", ""), f"message.{fields.get('MsgType', '')}", _number(fields), fields)
    return Event(fields.get("FromUserName", ""), fields.get("Event", ""), _number(fields), fields)


def _number(fields: Mapping[str, str]) -> int:
    created = fields.get("CreateTime", "")
    if not created.isascii() or not created.isdigit() or len(created) > 11:
        raise Forged("no time")
    return int(created)


def _check(query: Mapping[str, str], signature: str, *signed: str) -> None:
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    expected = envelope().signature(timestamp, nonce, *signed)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Forged("the signature is not WeChat's")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > FRESH:
        raise Stale("not of now")


def _fields(body: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - WeChat's own, by signature and encryption
    except (ElementTree.ParseError, ValueError) as error:
        raise Forged("no XML") from error
    return {child.tag: child.text or "" for child in root}

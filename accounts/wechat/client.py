"""The endpoints of WeChat that the portal uses, at the addresses that the settings name (public documentation:
developers.weixin.qq.com). The demo and the tests speak with a sandbox by the same client; nothing else differs.
"""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

TIMEOUT = (3.05, 10)  # seconds to connect, and to wait for an answer
LONGEST_ANSWER = 4_000_000  # bytes; 10,000 openids are a tenth of it
LONGEST_ID = 64  # characters
BATCH = 100  # openids in one call of user/info/batchget


class Verdict(StrEnum):
    """What a failure means for whoever called."""

    RETRY = "retry"  # the same may go well later
    DROP = "drop"  # it never will
    STOP = "stop"  # nothing will for now: the whole channel pauses
    REFRESH = "refresh"  # the token is not accepted any more


UNKNOWN_OPENID = 40003  # nobody here is called so, or no longer
# What is not named here is tried again, a limited number of times.
VERDICTS = {
    -1: Verdict.RETRY,
    40001: Verdict.REFRESH,
    40014: Verdict.REFRESH,
    42001: Verdict.REFRESH,
    UNKNOWN_OPENID: Verdict.DROP,
    40037: Verdict.STOP,  # no such template: a setting is wrong
    40013: Verdict.STOP,
    40125: Verdict.STOP,
    40164: Verdict.STOP,  # this host is not on the list of addresses
    43004: Verdict.DROP,  # does not follow
    43101: Verdict.DROP,  # refuses messages
    43116: Verdict.STOP,  # the template was switched off
    45009: Verdict.STOP,  # the quota of the day
    45011: Verdict.STOP,  # the quota of the minute
    47003: Verdict.RETRY,  # a value is not as the template wants it: a template that is set right lets all through
    48001: Verdict.STOP,  # the account may not use this endpoint
    50002: Verdict.STOP,  # the account is restricted
}


class WeChatFailed(Exception):
    """WeChat did not do what was asked.

    Attributes:
        errcode: WeChat's, or 0 where it was not reached or answered with no sense.
        verdict: what to do.
    """

    def __init__(self, errcode: int, words: str, verdict: Verdict) -> None:
        super().__init__(errcode, words, verdict)  # all of it, so that Celery can hand it on
        self.errcode, self.words, self.verdict = errcode, words, verdict

    def __str__(self) -> str:
        return f"{self.errcode}: {self.words}" if self.errcode else self.words


@dataclass(frozen=True)
class Follower:
    """What the official account knows of somebody; `unionid` is "" where WeChat does not tell it."""

    openid: str
    following: bool
    unionid: str = ""


class OfficialAccount:
    """The official account: one token for all calls of a process, a connection that is kept open."""

    def __init__(self, *, app_id: str, secret: str, base: str) -> None:
        self._app_id, self._secret, self._base = app_id, secret, base.rstrip("/")
        self._session = requests.Session()
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def follower(self, openid: str) -> Follower:
        """Whether somebody follows, and their unionid.

        Raises:
            WeChatFailed
        """
        query = {"openid": openid, "lang": "zh_CN"}
        found = _followers([self._call("GET", "/cgi-bin/user/info", params=query)])
        if not found:
            raise WeChatFailed(0, "/cgi-bin/user/info: not said whether", Verdict.RETRY)
        return found[0]

    def followers(self, openids: Sequence[str]) -> list[Follower]:
        """The same of at most 100 at once.

        Raises:
            WeChatFailed
        """
        body = {"user_list": [{"openid": openid, "lang": "zh_CN"} for openid in openids]}
        answer = self._call("POST", "/cgi-bin/user/info/batchget", body=body)
        return _followers(answer.get("user_info_list"))

    def openids(self, *, after: str = "") -> list[str]:
        """The openids of those who follow, up to 10,000 after this one.

        Raises:
            WeChatFailed
        """
        answer = self._call("GET", "/cgi-bin/user/get", params={"next_openid": after})
        data = answer.get("data")
        found = data.get("openid") if isinstance(data, dict) else None
        return [str(openid) for openid in found] if isinstance(found, list) else []

    def send_template(self, *, openid: str, template: str, url: str, key: str, values: dict[str, str]) -> str:
        """Send a template message; the same `key` within ten minutes is sent once. Returns WeChat's message id.

        Raises:
            WeChatFailed
        """
        body = {
            "touser": openid,
            "template_id": template,
            "url": url,
            "client_msg_id": key,
            "data": {name: {"value": value} for name, value in values.items()},
        }
        return str(self._call("POST", "/cgi-bin/message/template/send", body=body, needed="msgid")["msgid"])

    # --- Calling --------------------------------------------------------------------------------
    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        needed: str = "",
    ) -> dict[str, Any]:
        """Call with the token of now; a token that is not accepted is fetched anew, once."""
        token = self._token_of_now()
        try:
            return self._ask(method, path, {"access_token": token, **(params or {})}, body, needed)
        except WeChatFailed as failed:
            if failed.verdict != Verdict.REFRESH:
                raise
        token = self._token_of_now(instead_of=token)
        return self._ask(method, path, {"access_token": token, **(params or {})}, body, needed)

    def _token_of_now(self, *, instead_of: str = "") -> str:
        """The token; fetched by the "stable" endpoint, which leaves the one that other processes hold in force.

        One that was refused is made anew only when WeChat goes on giving out the same.
        """
        with self._lock:
            if self._token and self._token != instead_of and time.monotonic() < self._until:
                return self._token
            for force in (False, True):
                body = {
                    "grant_type": "client_credential",
                    "appid": self._app_id,
                    "secret": self._secret,
                    "force_refresh": force,
                }
                answer = self._ask("POST", "/cgi-bin/stable_token", {}, body, "access_token")
                self._token = str(answer["access_token"])
                lasts = answer.get("expires_in")
                self._until = time.monotonic() + max(60, (lasts if isinstance(lasts, int) else 0) - 300)
                if self._token != instead_of:
                    break
            return self._token

    def _ask(
        self, method: str, path: str, params: dict[str, str], body: dict[str, Any] | None, needed: str
    ) -> dict[str, Any]:
        return ask(self._session, method, self._base, path, params, body, needed=needed)


def ask(
    session: requests.Session,
    method: str,
    base: str,
    path: str,
    params: dict[str, str],
    body: dict[str, Any] | None = None,
    *,
    needed: str = "",
) -> dict[str, Any]:
    """What an endpoint answers, with the field `needed`.

    Raises:
        WeChatFailed: it was not reached, or answered with an `errcode`, which comes inside HTTP 200.
    """
    try:
        # As UTF-8: some endpoints show the escapes of ASCII as they stand.
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        answer = session.request(
            method,
            base + path,
            params=params,
            data=content,
            timeout=TIMEOUT,
            allow_redirects=False,  # the address holds the token
            stream=True,
        )
        with answer:
            found = json.loads(_read(answer)) if answer.status_code == requests.codes.ok else None
    except (requests.RequestException, HTTPError, ValueError, RecursionError) as error:
        # Its text would hold the address, and with it the token.
        raise WeChatFailed(0, f"{path}: {type(error).__name__}", Verdict.RETRY) from None
    if not isinstance(found, dict):
        raise WeChatFailed(0, f"{path}: HTTP {answer.status_code}", Verdict.RETRY)
    errcode = found.get("errcode") or 0
    if not isinstance(errcode, int):
        raise WeChatFailed(0, f"{path}: no errcode", Verdict.RETRY)
    if errcode:
        verdict = VERDICTS.get(errcode, Verdict.RETRY)
        raise WeChatFailed(errcode, plain(str(found.get("errmsg", "")))[:200], verdict)
    if needed and not found.get(needed):
        raise WeChatFailed(0, f"{path}: no {needed}", Verdict.RETRY)
    return found


def _read(answer: requests.Response) -> bytes:
    """The body of an answer, that is neither endless nor without end.

    Raises:
        ValueError: it is too long, or takes too long.
    """
    until, body = time.monotonic() + sum(TIMEOUT), b""
    while part := answer.raw.read1(LONGEST_ANSWER, decode_content=True):
        body += part
        if len(body) > LONGEST_ANSWER or time.monotonic() > until:
            raise ValueError("an endless answer")
    return body


def plain(text: str) -> str:
    """Without what a database does not keep: NUL, and halves of pairs."""
    return text.encode(errors="ignore").decode().replace("\0", "")


@cache
def official_account() -> OfficialAccount:
    """The one that the settings name."""
    return OfficialAccount(
        app_id=settings.WECHAT_ACCOUNT_APP_ID, secret=settings.WECHAT_ACCOUNT_SECRET, base=settings.WECHAT_API
    )


def _followers(told: Any) -> list[Follower]:
    """Of what was answered those of whom it is said whether they follow: no answer is not “no” (R08)."""
    return [
        Follower(
            openid=str(each["openid"]), following=each["subscribe"] == 1, unionid=plain(str(each.get("unionid") or ""))
        )
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict) and each.get("openid") and each.get("subscribe") in {0, 1}
    ]

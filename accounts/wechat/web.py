"""Who has scanned, or consented inside WeChat: the two calls of web sign-in, for the website and the official account.

They are made by the web server while the person waits, since the code that came with the person lasts minutes. Should
WeChat be slow, only so many of a process's threads wait for it: the others go on serving who does not need it.
"""

import threading
from typing import Any

import requests
from django.conf import settings

from accounts.wechat.client import LONGEST_ID, Verdict, WeChatFailed, ask, plain

MOST_WAITING = threading.BoundedSemaphore(2)  # of the four threads of each process that the demo starts
PATIENCE = 1.0  # seconds to wait for one of these places


def token_of(*, app_id: str, secret: str, code: str) -> dict[str, str]:
    """What a code is exchanged for, once: `access_token` and `openid`.

    Raises:
        WeChatFailed
    """
    query = {"appid": app_id, "secret": secret, "code": code, "grant_type": "authorization_code"}
    found = _get("/sns/oauth2/access_token", query, needed="access_token")
    return {name: str(found.get(name) or "") for name in ("access_token", "openid")}


def person_of(*, token: str, openid: str) -> dict[str, str]:
    """`openid`, `unionid` ("" where WeChat does not tell it) and `nickname` of whoever the token is about.

    Raises:
        WeChatFailed
    """
    found = _get("/sns/userinfo", {"access_token": token, "openid": openid, "lang": "zh_CN"}, needed="openid")
    told = {name: plain(str(found.get(name) or "")) for name in ("openid", "unionid", "nickname")}
    if max(len(told["openid"]), len(told["unionid"])) > LONGEST_ID:
        raise WeChatFailed(0, "/sns/userinfo: an id that is too long", Verdict.RETRY)
    return told


def _get(path: str, query: dict[str, str], *, needed: str) -> dict[str, Any]:
    if not MOST_WAITING.acquire(timeout=PATIENCE):
        raise WeChatFailed(0, f"{path}: too many wait for WeChat", Verdict.RETRY)
    try:
        with requests.Session() as session:
            return ask(session, "GET", settings.WECHAT_API.rstrip("/"), path, query, needed=needed)
    finally:
        MOST_WAITING.release()

"""What a browser sees, in Chinese only: the page to sign in by QR, the one inside WeChat, and the sandbox's own."""

import json
import time
from html import escape
from urllib.parse import urlencode, urlsplit

from .people import Person, Received, World

STYLE = """
body { max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a2325; line-height: 1.6;
  font-family: system-ui, "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.25rem; }
h2 { margin-top: 2rem; font-size: 1rem; }
table { width: 100%; border-collapse: collapse; }
td { padding: .375rem .5rem; border-bottom: 1px solid #d3dbdb; }
form { display: inline; }
button { min-height: 2.5rem; padding: 0 1rem; margin: .125rem; font: inherit; }
.people { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
.people button { width: 100%; }
.quiet { color: #566365; }
article { padding: .75rem 1rem; border: 1px solid #d3dbdb; border-radius: 4px; margin: .5rem 0; }
"""
PRESETS = {
    "": "一切正常",
    "slow": "缓慢（3 秒）",
    "timeout": "超时",
    "busy": "系统繁忙（-1）",
    "quota": "超过限额（45009）",
    "http": "HTTP 502",
}
# As many people and messages are shown; tests make thousands.
SHOWN, SHOWN_MESSAGES = 20, 100


def page(title: str, body: str) -> str:
    """A whole page; `body` is markup."""
    return (
        '<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'<p class="quiet">微信沙箱：演示和测试用，不是真正的微信。</p>{body}</body></html>'
    )


def choose(world: World, path: str, query: dict[str, str]) -> str:
    """Who scans the QR code, or opens the page in WeChat: one button a person, and one to refuse."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
        for name in ("appid", "redirect_uri", "state", "scope")
    )

    def button(number: int, label: str) -> str:
        inside = f'{hidden}<button name="person" value="{number}">{label}</button>'
        return f'<form method="post" action="{path}">{inside}</form>'

    scans = "扫码登录：由谁的微信扫码？" if path.endswith("qrconnect") else "在微信中打开：这是谁的微信？"
    people = "".join(button(each.number, _name(each)) for each in world.people[:SHOWN])
    return page(scans, f'<div class="people">{people}</div><p>{button(0, "拒绝授权")}</p>')


def back(redirect_uri: str, *, code: str, state: str) -> str:
    """Where the browser goes next; without a code when it was refused."""
    parts = urlsplit(redirect_uri)
    answer = urlencode({**({"code": code} if code else {}), "state": state})
    return parts._replace(query="&".join(filter(None, [parts.query, answer]))).geturl()


def home(world: World) -> str:
    """Everybody with what can be done, the faults, and what was received, the newest first."""
    people = "".join(_row(each) for each in world.people[:SHOWN])
    presets = "".join(f'<button name="preset" value="{name}">{label}</button>' for name, label in PRESETS.items())
    faults = "".join(f"<li><code>{escape(json.dumps(vars(fault)))}</code></li>" for fault in world.faults)
    names = {each.number: each.nickname for each in world.people}
    messages = "".join(_message(each, names[each.person]) for each in reversed(world.received[-SHOWN_MESSAGES:]))
    return page(
        "微信沙箱",
        f"<h2>用户</h2><table>{people}</table>"
        f'<h2>故障</h2><form method="post" action="/sandbox/faults">{presets}</form><ul>{faults}</ul>'
        f"<h2>收到的消息（{len(world.received)}）</h2>{messages}",
    )


def _row(person: Person) -> str:
    follows, refuses = bool(person.followed_at), person.refuses
    state = ("已关注" if follows else "未关注") + ("，拒收消息" if refuses else "")
    acts = [("unfollow", "取消关注") if follows else ("follow", "关注")]
    acts.append(("accept", "接收消息") if refuses else ("refuse", "拒收消息"))
    buttons = "".join(f'<button name="act" value="{act}">{label}</button>' for act, label in acts)
    form = f'<form method="post" action="/sandbox/people/{person.number}">{buttons}</form>'
    return f"<tr><td>{_name(person)}</td><td>{state}</td><td>{form}</td></tr>"


def _message(message: Received, nickname: str) -> str:
    at = time.strftime("%m-%d %H:%M:%S", time.localtime(message.at))
    lines = [
        f'<strong>{escape(nickname)}</strong> <span class="quiet">{at} · {message.msgid}</span>',
        *(escape(str(value)) for value in message.data.values()),
    ]
    if message.url:
        lines.append(f'<a href="{escape(message.url)}">查看详情</a>')
    return f"<article>{'<br>'.join(lines)}</article>"


def _name(person: Person) -> str:
    return escape(person.nickname) + ("（无 unionid）" if person.without_unionid else "")

"""What a browser sees: the page to sign in by QR, the one inside WeChat, and the sandbox's own page. In Chinese only."""

import json
import time
from html import escape
from urllib.parse import urlencode, urlsplit

from .people import Person, World

STYLE = """
body { max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a2325; font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.25rem; } h2 { margin-top: 2rem; font-size: 1rem; }
table { width: 100%; border-collapse: collapse; } td, th { padding: .375rem .5rem; border-bottom: 1px solid #d3dbdb; text-align: left; }
form { display: inline; } button { min-height: 2.5rem; padding: 0 1rem; margin: .125rem; font: inherit; }
.people { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); } .people button { width: 100%; }
.quiet { color: #566365; } article { padding: .75rem 1rem; border: 1px solid #d3dbdb; border-radius: 4px; margin: .5rem 0; }
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    return (
        f'<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1><p class=quiet>微信沙箱：演示和测试用，不是真正的微信。</p>{body}</body></html>"
    )


def choose(world: World, path: str, query: dict[str, str]) -> str:
    """Who scans the QR code, or opens the page in WeChat: one button a person, and one to refuse."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">'
        for name in ("appid", "redirect_uri", "state", "scope")
    )
    buttons = "".join(
        f'<form method="post" action="{path}">{hidden}<button name="person" value="{each.number}">{_name(each)}</button></form>'
        for each in world.people[:20]
    )
    refuse = f'<form method="post" action="{path}">{hidden}<button name="person" value="0">拒绝授权</button></form>'
    scans = "扫码登录：由谁的微信扫码？" if path.endswith("qrconnect") else "在微信中打开：这是谁的微信？"
    return page(scans, f'<div class="people">{buttons}</div><p>{refuse}</p>')


def back(redirect_uri: str, *, code: str, state: str) -> str:
    """Where the browser goes next; without a code when it was refused."""
    parts = urlsplit(redirect_uri)
    answer = urlencode({**({"code": code} if code else {}), "state": state})
    return parts._replace(query="&".join(filter(None, [parts.query, answer]))).geturl()


def home(world: World) -> str:
    """Everybody with what can be done, the faults, and what was received, the newest first."""
    rows = "".join(
        f"<tr><td>{_name(each)}</td><td>{'已关注' if each.followed_at else '未关注'}{'，拒收消息' if each.refuses else ''}</td>"
        f"<td>{_button(each, 'unfollow' if each.followed_at else 'follow', '取消关注' if each.followed_at else '关注')}"
        f"{_button(each, 'accept' if each.refuses else 'refuse', '接收消息' if each.refuses else '拒收消息')}</td></tr>"
        for each in world.people[:20]
    )
    names = {each.number: each.nickname for each in world.people}
    received = "".join(
        f"<article><strong>{escape(names[message.person])}</strong> "
        f"<span class=quiet>{time.strftime('%m-%d %H:%M:%S', time.localtime(message.at))} · {message.msgid}</span><br>"
        + "<br>".join(escape(str(value)) for value in message.data.values())
        + (f'<br><a href="{escape(message.url)}">查看详情</a>' if message.url else "")
        + "</article>"
        for message in reversed(world.received[-100:])
    )
    faults = "".join(f"<li><code>{escape(json.dumps(fault.__dict__))}</code></li>" for fault in world.faults)
    return page(
        "微信沙箱",
        f"<h2>用户</h2><table>{rows}</table>"
        '<h2>故障</h2><form method="post" action="/sandbox/faults">'
        '<button name="preset" value="">一切正常</button><button name="preset" value="slow">缓慢（3 秒）</button>'
        '<button name="preset" value="timeout">超时</button><button name="preset" value="busy">系统繁忙（-1）</button>'
        '<button name="preset" value="quota">超过限额（45009）</button><button name="preset" value="http">HTTP 502</button>'
        f"</form><ul>{faults}</ul><h2>收到的消息（{len(world.received)}）</h2>{received}",
    )


def _name(person: Person) -> str:
    return escape(person.nickname) + ("（无 unionid）" if person.without_unionid else "")


def _button(person: Person, act: str, label: str) -> str:
    return (
        f'<form method="post" action="/sandbox/people/{person.number}">'
        f'<button name="act" value="{act}">{label}</button></form>'
    )

"""A WeChat of our own on this machine: what the portal uses of the real one, as its public documentation describes it.

`people.py` is who there is and what they received, `api.py` the endpoints, `push.py` what WeChat tells the portal of
itself, `pages.py` what a browser sees, `server.py` the process.
"""

import sys
from pathlib import Path

APP_ID, SECRET = "wx0000000sandbox01", "sandbox-secret-of-the-account"
WEBSITE_ID, WEBSITE_SECRET = "wx0000000sandbox02", "sandbox-secret-of-the-website"
TOKEN, AES_KEY = "sandbox-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
EVENTS = "/wechat/events/"
# Whose WeChat the demo's people use, by the numbers of the sandbox.
OF_THE_DEMO = {"halfway": 1, "repeater": 3}


def settings_of(port: int) -> dict[str, str]:
    """The portal's settings by which it speaks with the sandbox at this port."""
    return {
        "PORTAL_WECHAT_API": f"http://127.0.0.1:{port}",
        "PORTAL_WECHAT_OPEN": f"http://127.0.0.1:{port}",
        "PORTAL_WECHAT_WEBSITE_APP_ID": WEBSITE_ID,
        "PORTAL_WECHAT_WEBSITE_SECRET": WEBSITE_SECRET,
        "PORTAL_WECHAT_ACCOUNT_NAME": "考试报名（沙箱）",
        "PORTAL_WECHAT_FOLLOW_URL": f"http://127.0.0.1:{port}/sandbox/",
        "PORTAL_WECHAT_ACCOUNT_APP_ID": APP_ID,
        "PORTAL_WECHAT_ACCOUNT_SECRET": SECRET,
        "PORTAL_WECHAT_REMINDER_TEMPLATE": "sandbox-reminder",
        "PORTAL_WECHAT_EVENT_TOKEN": TOKEN,
        "PORTAL_WECHAT_EVENT_AES_KEY": AES_KEY,
    }


def command(port: int, *, portal_port: int, folder: Path) -> list[str]:
    """How the sandbox is started beside a portal."""
    portal = f"http://localhost:{portal_port}{EVENTS}"
    run = [sys.executable, "-m", "exam_portal.local.wechat.server", "--port", str(port), "--portal", portal]
    return [*run, "--file", str(folder / "wechat.json")]

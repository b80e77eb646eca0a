"""The sandbox of WeChat in tests: a real server on loopback, in a thread."""

import http.client
import json
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from accounts.wechat.client import official_account
from exam_portal.local.wechat import AES_KEY, APP_ID, SECRET, TOKEN, WEBSITE_ID, WEBSITE_SECRET
from exam_portal.local.wechat.people import World
from exam_portal.local.wechat.server import Server, make_server


@dataclass
class Sandbox:
    """A running sandbox, asked as a browser or a portal would."""

    server: Server

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def world(self) -> World:
        return self.server.world

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What an endpoint answers, by POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.base + path, data=data, timeout=10) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def do(self, path: str, body: dict[str, Any]) -> None:
        """Change something at the sandbox, as its page does."""
        data = json.dumps(body).encode()
        urllib.request.urlopen(self.base + path, data=data, timeout=10).close()

    def fail(self, *faults: dict[str, Any]) -> None:
        """Let calls fail: `path`, and `errcode`, `status`, `delay`, `times`; without any all goes well again."""
        self.do("/sandbox/faults", {"faults": list(faults)})

    def openid(self, number: int) -> str:
        person = self.world.person(number)
        assert person is not None
        return person.openid(self.world.account.app_id)

    def allow(self, address: str, number: int) -> str:
        """The address to which the browser comes back when this person scans and allows it; 0 is to refuse."""
        page = urllib.parse.urlsplit(address)
        assert page.fragment == "wechat_redirect"
        given = dict(urllib.parse.parse_qsl(page.query))
        connection = http.client.HTTPConnection(page.netloc, timeout=10)
        body = urllib.parse.urlencode({**given, "person": number})
        connection.request("POST", page.path, body=body)
        location = connection.getresponse().headers["Location"]
        connection.close()
        assert location.startswith(given["redirect_uri"])
        return location

    def received(self) -> list[dict[str, Any]]:
        """Every message that arrived, in order."""
        return list(self.ask("/sandbox/state")["received"])


@contextmanager
def sandbox(portal: str = "") -> Iterator[Sandbox]:
    """A sandbox as long as this lasts; events are pushed to the address `portal`."""
    server = make_server(port=0, portal=portal)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Sandbox(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def reachable(running: Sandbox, settings: Any) -> None:
    """Let the portal of this process speak with a sandbox."""
    settings.WECHAT_API = settings.WECHAT_OPEN = running.base
    settings.WECHAT_WEBSITE_APP_ID, settings.WECHAT_WEBSITE_SECRET = WEBSITE_ID, WEBSITE_SECRET
    settings.WECHAT_ACCOUNT_APP_ID, settings.WECHAT_FOLLOW_URL = APP_ID, f"{running.base}/sandbox/"
    settings.WECHAT_ACCOUNT_SECRET, settings.WECHAT_REMINDER_TEMPLATE = SECRET, "reminder"
    settings.WECHAT_EVENT_TOKEN, settings.WECHAT_EVENT_AES_KEY = TOKEN, AES_KEY
    official_account.cache_clear()

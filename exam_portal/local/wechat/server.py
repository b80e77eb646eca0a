"""The process: `python -m exam_portal.local.wechat.server --port 9000`."""

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from exam_portal.kit.wechat_crypt import Envelope

from . import AES_KEY, APP_ID, SECRET, TOKEN, WEBSITE_ID, WEBSITE_SECRET, api, pages
from .people import App, Fault, World
from .push import Pusher

CONNECT = {"/connect/qrconnect", "/connect/oauth2/authorize"}
PRESETS = {
    "slow": [Fault("/", delay=3)],
    "timeout": [Fault("/", delay=60)],
    "busy": [Fault("/cgi-bin/", errcode=-1)],
    "quota": [Fault("/cgi-bin/message/", errcode=45009)],
    "http": [Fault("/", status=502)],
}


class Handler(BaseHTTPRequestHandler):
    """Endpoints of WeChat, pages of the sandbox under /sandbox/."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: ClassVar[World]
    pusher: ClassVar[Pusher]

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if address.path.startswith("/sandbox/"):
            self._sandbox(method, address.path, content)
            return
        with self.world.lock:
            fault = self.world.fault_for(address.path)
        if fault:
            time.sleep(fault.delay)
            if fault.status != 200:
                self._send(
                    fault.status, "text/html", b"<html><body>Bad Gateway</body></html>", Location="/sandbox/state"
                )
                return
            if fault.errcode:
                self._json(api.Failed(fault.errcode).body)
                return
        if address.path in CONNECT:
            self._connect(method, address.path, query if method == "GET" else dict(parse_qsl(content.decode())))
            return
        with self.world.lock:
            before = len(self.world.received)
            answer = api.call(self.world, method, address.path, query, content)
            delivered = self.world.received[before:]
        if answer is None:
            self._send(404, "text/plain", b"not found")
            return
        self._json(answer)
        for message in delivered:
            person = self.world.person(message.person)
            if person and message.kind == "template":
                status = "failed:user block" if person.refuses else "success"
                self.pusher.event(
                    person.openid(self.world.account.app_id),
                    "TEMPLATESENDJOBFINISH",
                    MsgID=message.msgid,
                    Status=status,
                )

    def _connect(self, method: str, path: str, given: dict[str, str]) -> None:
        """Choose who scans, then send the browser back with a code, or without one when it was refused."""
        app = self.world.website if path.endswith("qrconnect") else self.world.account
        if given.get("appid") != app.app_id or not given.get("redirect_uri"):
            self._page(pages.page("Oops! Something went wrong:(", "<p>appid 参数错误 / redirect_uri 参数错误</p>"))
            return
        if method == "GET":
            self._page(pages.choose(self.world, path, given))
            return
        with self.world.lock:
            person = self.world.person(int(given.get("person") or 0))
            code = self.world.new_code(app.app_id, person) if person else ""
        self._redirect(pages.back(given["redirect_uri"], code=code, state=given.get("state", "")))

    def _sandbox(self, method: str, path: str, content: bytes) -> None:
        """The sandbox's own page, and the same by JSON for tests."""
        given: dict[str, Any] = dict(parse_qsl(content.decode())) if content[:1] != b"{" else json.loads(content)
        if method == "GET" and path == "/sandbox/state":
            with self.world.lock:
                self._json({**self.world.report(), "pushed": list(self.pusher.answers)})
            return
        if method == "POST":
            with self.world.lock:
                if path == "/sandbox/faults":
                    preset = [Fault(**vars(fault)) for fault in PRESETS.get(given.get("preset", ""), [])]
                    self.world.faults = preset or [Fault(**each) for each in given.get("faults", [])]
                elif path == "/sandbox/world":
                    self.world.add_people(int(given.get("people", 0)))
                    self.world.limits.a_minute = int(given.get("a_minute", self.world.limits.a_minute))
                    if given.get("expire_token"):
                        self.world.token_until = 0.0
                elif path.startswith("/sandbox/people/"):
                    self._act(int(path.rpartition("/")[2]), str(given.get("act", "")))
            self._redirect("/sandbox/")
            return
        with self.world.lock:
            body = pages.home(self.world)
        self._page(body)

    def _act(self, number: int, act: str) -> None:
        person = self.world.person(number)
        if person is None:
            return
        openid = person.openid(self.world.account.app_id)
        if act == "follow" and not person.followed_at:
            person.followed_at = int(time.time())
            self.pusher.event(openid, "subscribe", EventKey="")
        elif act == "unfollow" and person.followed_at:
            person.followed_at = 0
            self.pusher.event(openid, "unsubscribe", EventKey="")
        elif act in {"refuse", "accept"}:
            person.refuses = act == "refuse"
        elif act in {"hide_unionid", "show_unionid"}:
            person.without_unionid = act == "hide_unionid"
        self.world.save()

    # --- Answers --------------------------------------------------------------------------------
    def _json(self, body: dict[str, Any]) -> None:
        self._send(200, "application/json; encoding=utf-8", json.dumps(body, ensure_ascii=False).encode())

    def _page(self, body: str) -> None:
        self._send(200, "text/html; charset=utf-8", body.encode())

    def _redirect(self, address: str) -> None:
        self._send(302, "text/html; charset=utf-8", b"", Location=address)

    def _send(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, _format: str, *args: Any) -> None:
        """Without the query: it holds tokens."""
        print(f"{self.command} {urlsplit(self.path).path} {args[1] if len(args) > 1 else ''}", flush=True)


class Server(ThreadingHTTPServer):
    """On loopback only."""

    daemon_threads = True
    request_queue_size = 128
    world: World
    pusher: Pusher


def make_server(*, port: int, portal: str = "", file: Path | None = None) -> Server:
    """A server that is bound, not yet serving; port 0 takes a free one. Events are pushed to the address `portal`."""
    world = World(website=App(WEBSITE_ID, WEBSITE_SECRET), account=App(APP_ID, SECRET), file=file)
    pusher = Pusher(portal, Envelope(token=TOKEN, aes_key=AES_KEY, app_id=APP_ID))
    pusher.start()
    server = Server(("127.0.0.1", port), type("Bound", (Handler,), {"world": world, "pusher": pusher}))
    server.world, server.pusher = world, pusher
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--portal", default="", help="where events are pushed to")
    parser.add_argument("--file", type=Path, help="where it is kept who follows")
    given = parser.parse_args()
    server = make_server(port=given.port, portal=given.portal, file=given.file)
    print(f"ready http://127.0.0.1:{server.server_address[1]}/sandbox/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

"""What WeChat tells the portal of itself: signed, encrypted, and up to three times when nobody answers."""

import queue
import secrets
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from exam_portal.kit.wechat_crypt import Envelope

PATIENCE = 5.0  # seconds that WeChat waits for an answer
TRIES = 3
SOURCE = "gh_sandbox00000"


@dataclass
class Pusher:
    """Brings events to `url`, one after the other, from a thread of its own.

    Attributes:
        url: of the portal; "" pushes nothing.
        envelope: how it is signed and encrypted.
        answers: the HTTP status of each push, 0 where nobody answered.
    """

    url: str
    envelope: Envelope
    answers: list[int] = field(default_factory=list)
    waiting: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def start(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def event(self, openid: str, name: str, **more: object) -> None:
        """An event of somebody, such as `subscribe`; more elements as they are named there."""
        elements = {
            "ToUserName": SOURCE,
            "FromUserName": openid,
            "CreateTime": int(time.time()),
            "MsgType": "event",
            "Event": name,
            **more,
        }
        self.waiting.put("".join(["<xml>", *(_element(key, value) for key, value in elements.items()), "</xml>"]))

    def request_for(self, text: str, *, at: int | None = None) -> urllib.request.Request:
        """The request that brings this text, as it would be sent at that moment."""
        sealed = self.envelope.seal(text)
        timestamp, nonce = str(at if at is not None else int(time.time())), str(secrets.randbelow(10**9))
        query = {
            "signature": self.envelope.signature(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": self.envelope.signature(timestamp, nonce, sealed),
        }
        body = f"<xml>{_element('ToUserName', SOURCE)}{_element('Encrypt', sealed)}</xml>"
        return urllib.request.Request(  # noqa: S310 - to the portal that was named at the start
            f"{self.url}?{urllib.parse.urlencode(query)}",
            data=body.encode(),
            headers={"Content-Type": "text/xml"},
            method="POST",
        )

    def _work(self) -> None:
        while True:
            text = self.waiting.get()
            if self.url:
                self._push(self.request_for(text))
            self.waiting.task_done()

    def _push(self, request: urllib.request.Request) -> None:
        for _try in range(TRIES):
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
                    self.answers.append(answer.status)
                    return
            except urllib.error.HTTPError as error:
                self.answers.append(error.code)
            except OSError as error:
                self.answers.append(0)
                print(f"nobody takes events at {self.url}: {error}", file=sys.stderr, flush=True)


def _element(name: str, value: object) -> str:
    text = (
        str(value)
        if isinstance(value, int)
        else f"<![CDATA[{value}]]>"
        if "]]>" not in str(value)
        else escape(str(value))
    )
    return f"<{name}>{text}</{name}>"

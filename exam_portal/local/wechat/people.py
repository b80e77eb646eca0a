"""Who uses this WeChat, whom they follow, what they received; and how it is made to fail."""

import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import OF_THE_DEMO

TOKEN_LASTS = 7_200  # seconds
CODE_LASTS = 300
CLIENT_ID_LASTS = 600
NAMES = ["李建国", "王芳", "阿依古丽·买买提", "😀护士小陈", "\u00e9mile 𠮷田", "张\u0301伟"]


@dataclass
class App:
    """An app that developers have registered: a website, or an official account."""

    app_id: str
    secret: str


@dataclass
class Person:
    """Somebody's WeChat.

    Attributes:
        number: by which the pages name them.
        followed_at: since when they follow the official account, Unix time; 0 for not.
        refuses: whether they have switched off the account's messages.
        without_unionid: as where an app is bound to no open platform.
    """

    number: int
    nickname: str
    followed_at: int = 0
    refuses: bool = False
    without_unionid: bool = False

    @property
    def unionid(self) -> str:
        return "" if self.without_unionid else "o" + _digest("union", self.number)

    def openid(self, app_id: str) -> str:
        """One for each app, as WeChat does."""
        return "o" + _digest(app_id, self.number)


@dataclass
class Received:
    """A message in somebody's WeChat."""

    msgid: int
    person: int
    at: float
    kind: str
    template_id: str
    url: str
    key: str
    data: dict[str, Any]


@dataclass
class Fault:
    """What goes wrong for paths that begin so, as often as `times` says (-1: until it is taken away)."""

    path: str
    errcode: int = 0
    status: int = 200
    delay: float = 0.0
    times: int = -1


@dataclass
class Limits:
    """How often an app may call in a minute; 0 for no limit."""

    a_minute: int = 0
    used: Counter[int] = field(default_factory=Counter)


class World:
    """All of it; whoever touches it holds `lock`. Who follows is kept in `file`, so that a restart forgets nobody."""

    def __init__(self, *, website: App, account: App, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.website, self.account, self.file = website, account, file
        self.people = [Person(number, name) for number, name in enumerate(NAMES, 1)]
        self.codes: dict[str, tuple[float, str, int]] = {}
        self.user_tokens: dict[str, tuple[float, str, int]] = {}
        self.token, self.token_until = "", 0.0
        self.received: list[Received] = []
        self.calls: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self.limits = Limits()
        self.sent_keys: dict[tuple[str, str], tuple[float, int]] = {}
        self.repeated: Counter[str] = Counter()  # by key: how often it came again and was dropped
        self._numbers: dict[str, int] = {}  # by openid
        self.next_msgid = 200_000_001
        if file and file.exists():
            kept = {row["number"]: row for row in json.loads(file.read_text())}
            self.people = [Person(**kept.get(each.number, asdict(each))) for each in self.people]
        elif file:
            for number in OF_THE_DEMO.values():
                self.people[number - 1].followed_at = int(time.time())

    # --- People ---------------------------------------------------------------------------------
    def person(self, number: int) -> Person | None:
        return next((each for each in self.people if each.number == number), None)

    def by_openid(self, openid: str) -> Person | None:
        if len(self._numbers) != len(self.people):
            self._numbers = {each.openid(self.account.app_id): each.number for each in self.people}
        return self.person(self._numbers.get(openid, 0))

    def add_people(self, count: int) -> None:
        """More of them, all followers, for tests that send much."""
        first = len(self.people) + 1
        self.people += [Person(n, f"考生{n}", followed_at=int(time.time())) for n in range(first, first + count)]

    def save(self) -> None:
        if self.file:
            self.file.write_text(json.dumps([asdict(each) for each in self.people], ensure_ascii=False))

    # --- Signing in -----------------------------------------------------------------------------
    def new_code(self, app_id: str, person: Person) -> str:
        code = secrets.token_hex(16)
        self.codes[code] = (time.time() + CODE_LASTS, app_id, person.number)
        return code

    def new_user_token(self, app_id: str, person: Person) -> str:
        token = secrets.token_urlsafe(48)
        self.user_tokens[token] = (time.time() + TOKEN_LASTS, app_id, person.number)
        return token

    # --- The app's own token --------------------------------------------------------------------
    def stable_token(self, *, refresh: bool) -> tuple[str, int]:
        """The token in force, with the seconds it still lasts: the same one, until it nears its end or is refreshed."""
        left = int(self.token_until - time.time())
        if refresh or left <= 300:
            self.token, self.token_until = secrets.token_urlsafe(64), time.time() + TOKEN_LASTS
            left = TOKEN_LASTS
        return self.token, left

    # --- Faults ---------------------------------------------------------------------------------
    def fault_for(self, path: str) -> Fault | None:
        """The fault that this call meets, counted down."""
        for fault in self.faults:
            if path.startswith(fault.path) and fault.times:
                fault.times -= fault.times > 0
                return fault
        return None

    def over_limit(self) -> bool:
        minute = int(time.time() // 60)
        self.limits.used[minute] += 1
        return bool(self.limits.a_minute) and self.limits.used[minute] > self.limits.a_minute

    def report(self) -> dict[str, Any]:
        """Everything that a test may want to know."""
        return {
            "people": [
                {**asdict(each), "unionid": each.unionid, "openid": each.openid(self.account.app_id)}
                for each in self.people
            ],
            "received": [asdict(each) for each in self.received],
            "calls": dict(self.calls),
            "repeated": dict(self.repeated),
            "faults": [asdict(each) for each in self.faults],
        }


def _digest(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:27]

"""A real Chromium before a real server, with a real Celery worker behind it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from csp.constants import SELF
from django.conf import settings
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from exam_portal.local.demo import ALONE, celery
from exam_portal.local.wechat import settings_of
from tests.processes import running
from tests.wechat import Sandbox, reachable, sandbox

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = settings.BASE_DIR / ".local" / "screenshots"
AXE = settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1366, "height": 768}

# Playwright's loop runs in the thread of the test, where Django would refuse to touch the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium. Without it browser tests are skipped, loudly; in CI its absence fails."""
    if not CHROMIUM.exists():
        message = f"BROWSER TESTS NOT RUN: {CHROMIUM} is missing (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    browser = playwright.chromium.launch(
        executable_path=str(CHROMIUM),
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    )
    yield browser
    browser.close()


@dataclass
class Walker:
    """A person before a browser: goes to addresses, and keeps a picture of every page seen."""

    page: Page
    base: str
    album: Path
    script: bool
    seen: int = 0

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def look(self, name: str) -> None:
        """Keep a picture, and hold the page to what every page owes."""
        self.seen += 1
        self.page.screenshot(path=self.album / f"{self.seen:02d}-{name}.png", full_page=True)
        width = self.page.viewport_size["width"]  # type: ignore[index]
        overflow = self.page.evaluate("document.documentElement.scrollWidth")
        assert overflow <= width, f"{name}: {overflow} px wide on a screen of {width} px"
        if self.script:
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
            found = self.page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
            assert found == [], f"{name}: {found}"

    def fill(self, **values: str) -> None:
        """Fill fields by their names; a list is chosen from, a radio or box is ticked."""
        for name, value in values.items():
            field = self.page.locator(f"main [name={name}]").first
            if field.evaluate("e => e.tagName") == "SELECT":
                field.select_option(value)
            elif field.get_attribute("type") == "radio":
                self.page.locator(f"main [name={name}][value='{value}']").check()
            elif field.get_attribute("type") == "checkbox":
                field.check()
            else:
                field.fill(value)

    def press(self, action: str | None = None) -> None:
        """Press the one button of the page's form, or of the form with this action, that carries it out."""
        form = f"main form[action='{action}']" if action else "main form"
        self.page.locator(f"{form} button[type=submit]:not([aria-hidden], [formaction])").first.click()
        self.page.wait_for_load_state()


@pytest.fixture
def walker(chromium: Browser, live_server: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Walker]]:
    """`walker(PHONE, script=False, language="en", dark=False)`: a new person; errors of the page fail the test."""
    contexts: list[Any] = []
    errors: list[str] = []
    # WeChat's own pages are another site, to which a candidate goes; none of ours asks it for anything.
    allowed = [request.getfixturevalue("wechat").base] if "wechat" in request.fixturenames else []

    def begin(
        screen: dict[str, int],
        *,
        script: bool = True,
        language: str = "zh-hans",
        dark: bool = False,
        user_agent: str = "",
    ) -> Walker:
        context = chromium.new_context(
            viewport=screen,  # type: ignore[arg-type]
            user_agent=user_agent,
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            device_scale_factor=1,
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 500 else None)
        page.on(
            "request",
            lambda r: (
                errors.append(f"another host: {r.url}")
                if not r.url.startswith((live_server.url, "data:", "about:", *allowed))
                else None
            ),
        )
        contexts.append(context)
        album = SCREENSHOTS / request.node.name.replace("/", "-")
        album.mkdir(parents=True, exist_ok=True)
        return Walker(page, live_server.url, album, script)

    yield begin
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def wechat(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A WeChat of our own, for the portal of this process and for its worker."""
    with sandbox(f"{live_server.url}/wechat/events/") as running:
        reachable(running, settings)
        policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**policy, "form-action": [SELF, running.base]}}
        for name, value in settings_of(running.server.server_address[1]).items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def celery_worker(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A Celery worker process on the database and broker of this test; ask for `wechat` before it."""
    with running([*celery("worker", "--pool=solo", *ALONE), "--loglevel=WARNING"], log=tmp_path / "worker.log"):
        yield

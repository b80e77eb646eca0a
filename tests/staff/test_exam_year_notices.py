"""What becomes of a changed exam year where candidates read it: at once, to the instant, and harmless (R01, R11)."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Site
from registration.models import Application, Exam
from registration.services import snapshot
from tests.conftest import CLOSES, TICK
from tests.registration.changing import administrator, approve, beijing, hunan, propose
from tests.staff.exam_year import Tags, browser, change_url, preview

pytestmark = pytest.mark.django_db


# --- What candidates read -------------------------------------------------------------------------
def submits(client: Client, draft: Application) -> bool:
    """Whether the candidate could submit now."""
    seen = snapshot.digest_of(snapshot.take(Application.objects.get(pk=draft.pk)))
    client.post(reverse("registration:submit", args=[draft.exam.code]), {"seen": seen})
    return Application.objects.get(pk=draft.pk).state == "submitted"


@pytest.mark.rule("R01")
def test_a_moved_deadline_holds_for_candidates_at_once_and_to_the_instant(
    exam: Exam, draft: Application, signed_in: Client, arriving: Any
) -> None:
    later = beijing(2023, 12, 17)
    arriving(CLOSES)
    assert not submits(signed_in, draft), "the window has closed"
    approve(propose(exam, administrator(""), at=CLOSES, closes_at=later), administrator(""), at=CLOSES)
    for url in (reverse("portal:home"), reverse("registration:overview", args=[exam.code])):
        assert "2023年12月16日 24:00" in signed_in.get(url).content.decode(), url
    arriving(later)
    assert not submits(signed_in, draft), "half-open: the end is outside"
    arriving(later - TICK)
    assert submits(signed_in, draft)


@pytest.mark.rule("R01")
def test_a_deadline_moved_forward_closes_at_once(exam: Exam, draft: Application, signed_in: Client) -> None:
    approve(propose(exam, administrator(""), closes_at=beijing(2023, 12, 5, 8)), administrator(""))
    assert not submits(signed_in, draft)
    assert "2023年12月5日 08:00" in signed_in.get(reverse("portal:home")).content.decode()


@pytest.mark.rule("R11")
def test_a_new_address_stands_wherever_candidates_look(exam: Exam, client: Client) -> None:
    site = Site.objects.get(pk="430101")
    approve(propose(site, administrator(), address="长沙市新址1号", hours="8:30-17:30"), administrator())
    page = client.get(reverse("registration:region_notice", args=[exam.code, "43"])).content.decode()
    assert "长沙市新址1号" in page and "8:30-17:30" in page


# --- Notices are written by many hands ------------------------------------------------------------
EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<iframe src='https://evil.example/'></iframe>",
    "<style>body{display:none}</style>",
    "<a href='javascript:alert(1)'>点我</a>",
    "[点我](javascript:alert(1))",
    "[点我](JaVaScRiPt&colon;alert(1))",
    "[点我](&#106;avascript:alert(1))",
    "[点我](vbscript:x)",
    "[点我](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)>",
    "![图](https://evil.example/x.png)",
    "![图](javascript:alert(1))",
    "![图][1]\n\n[1]: https://evil.example/x.png",
    '[点我](https://ok.example/ "x\\" onmouseover=\\"alert(1)")',
    "</section></main></body></html><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "```html\n<script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
]


@pytest.mark.rule("R11")
@pytest.mark.parametrize("evil", EVIL)
def test_a_notice_can_do_nothing_on_any_page_that_shows_it(exam: Exam, client: Client, evil: str) -> None:
    staff = browser()
    harmless, shown = (Tags(preview(staff, hunan(exam), notice=text).content.decode()) for text in ("字", evil))
    assert around(shown) == around(harmless), "the page around the frame is the same"
    change = propose(hunan(exam), administrator(), notice=evil)
    waiting = Tags(staff.get(change_url(change)).content.decode())
    approve(change, administrator())
    public = client.get(reverse("registration:region_notice", args=[exam.code, "43"])).content.decode()
    live = staff.get(change_url(hunan(exam))).content.decode()
    for page in (Tags(shown.frame), Tags(waiting.frame), Tags(public), Tags(live)):
        for tag, attributes in page.tags:
            ours = tag == "script" and (attributes.get("src") or "").startswith("/static/")
            assert ours or tag not in {"script", "img", "style", "iframe", "object", "embed", "base"}, evil
            assert not [name for name in attributes if name.startswith("on")], (evil, tag)
            for name in ("href", "src", "action"):
                address = unescape(attributes.get(name) or "").strip().lower()
                assert not address.startswith(("javascript:", "vbscript:", "data:")), (evil, tag)
                assert tag == "a" or "evil.example" not in address, (evil, tag)


def around(page: Tags) -> list[str]:
    """The tags of a preview but for the lines that are compared."""
    return [tag for tag, _attributes in page.tags if tag not in {"ins", "del", "li", "span"}]


def test_the_preview_is_held_by_the_same_policy_as_every_page(exam: Exam) -> None:
    policy = preview(browser(), hunan(exam), notice="x").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy

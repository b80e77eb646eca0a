"""Adding a photo, as a candidate with a telephone does."""

import time

from playwright.sync_api import expect

from tests.browser.conftest import Walker

PHOTO = "/account/photo/"
READY = "main form[action$='/choose/'] button[type=submit]"


def upload(walk: Walker, file: bytes, name: str = "IMG_20231205.jpg", kind: str = "image/jpeg") -> None:
    walk.page.set_input_files("main [name=picture]", {"name": name, "mimeType": kind, "buffer": file})
    walk.press(PHOTO)


def wait_for(walk: Walker, selector: str) -> None:
    """Wait until the page shows the result: by itself with script, by looking again without."""
    if walk.script:
        expect(walk.page.locator(selector).first).to_be_visible(timeout=20_000)
        return
    until = time.monotonic() + 20
    while not walk.page.locator(selector).count():
        assert time.monotonic() < until, f"{selector} did not come"
        time.sleep(0.3)
        walk.page.locator(f"main a[href='{PHOTO}']").first.click()
        walk.page.wait_for_load_state()


def confirm(walk: Walker) -> None:
    """Tick what no machine can judge, and use the photo."""
    boxes = walk.page.locator("main [name=confirmed]")
    for number in range(boxes.count()):
        boxes.nth(number).check()
    walk.page.locator(READY).click()
    walk.page.wait_for_load_state()

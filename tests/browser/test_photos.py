"""From a crooked picture of a telephone to an accepted photo, with script and without (R03)."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from accounts.models import Candidate, Photo
from tests import factories
from tests.browser.conftest import DESK, PHONE, Walker
from tests.browser.photographing import PHOTO, READY, confirm, upload, wait_for
from tests.photos import corpus, giving

PASSWORD = "moon over ward seven"


@pytest.fixture
def candidate(transactional_db: None) -> Candidate:
    factories.make_exam()
    candidate = factories.CandidateFactory()
    candidate.user.set_password(PASSWORD)
    candidate.user.save()
    factories.give_basic_information(candidate)
    return candidate


def sign_in(walk: Walker, candidate: Candidate) -> None:
    walk.go("/account/login/")
    walk.fill(login=candidate.user.username, password=PASSWORD)
    walk.press()


def crooked() -> bytes:
    """As somebody took it with a telephone in the hand: leaning, to one side, and noted to lie by the camera."""
    picture = corpus.before("f_wasian", corpus.wall((1500, 2000)), width=1100, x=0.45)
    lying = corpus.leaning(picture, 8).transpose(Image.Transpose.ROTATE_90)
    noted = Image.Exif()
    noted[0x0112] = 6  # to be turned clockwise
    noted[0x0110] = "M6 Note"
    file = io.BytesIO()
    lying.save(file, "JPEG", quality=92, exif=noted)
    return file.getvalue()


@pytest.mark.rule("R03")
@pytest.mark.parametrize(
    ("screen", "script", "language", "dark"),
    [
        pytest.param(PHONE, True, "zh-hans", False, id="phone-script"),
        pytest.param(PHONE, False, "zh-hans", False, id="phone-noscript"),
        pytest.param(DESK, True, "en", True, id="desk-dark-en"),
    ],
)
def test_from_a_crooked_picture_to_an_accepted_photo(
    walker: Callable[..., Walker],
    candidate: Candidate,
    celery_worker: None,
    screen: dict[str, int],
    script: bool,
    language: str,
    dark: bool,
) -> None:
    walk = walker(screen, script=script, language=language, dark=dark)
    sign_in(walk, candidate)
    walk.page.locator(f"main a[href='{PHOTO}']").first.click()
    walk.look("empty")
    # What cannot be used is told beside the field, or with what to do about it.
    upload(walk, b"%PDF-1.7 not a picture", "photo.jpg")
    walk.look("no-picture")
    assert walk.page.locator("[name=picture][aria-invalid=true]").count() == 1
    upload(
        walk, corpus.jpeg(corpus.stops(corpus.portrait("m_white", corpus.wall(corpus.TELEPHONE, (67, 142, 219))), -2))
    )
    wait_for(walk, "main .notice-error, main .state-urgent")
    walk.look("will-not-do")
    upload(walk, crooked())
    if not script:
        walk.look("being-checked")
    wait_for(walk, READY)
    walk.look("checked")
    # Something is not confirmed: told there, and the choice is kept.
    walk.page.locator("main [name=frame]").nth(1).check()
    walk.page.locator(READY).click()
    walk.page.wait_for_load_state()
    walk.look("not-confirmed")
    assert walk.page.locator("main [name=frame]").nth(1).is_checked()
    confirm(walk)
    walk.look("accepted")
    photo = Photo.objects.get()
    assert (photo.state, photo.candidate_id) == ("accepted", candidate.pk)
    assert photo.report["chosen"]["kind"] == "wider"
    with photo.kept.open("rb") as file, Image.open(file) as kept:
        assert abs(kept.width * 7 - kept.height * 5) < 7 and kept.width > 295 and not kept.getexif()
    walk.go("/dashboard/")
    walk.look("dashboard")


@pytest.mark.rule("R03")
def test_the_frame_is_moved_with_a_finger_and_checked_anew(
    walker: Callable[..., Walker], candidate: Candidate, celery_worker: None
) -> None:
    walk = walker(PHONE)
    sign_in(walk, candidate)
    walk.go(PHOTO)
    upload(walk, giving.telephone())
    wait_for(walk, READY)
    # What is to be done next came with the result.
    told = walk.page.locator("main .guide strong").inner_text()
    assert told == "您的照片已检查完毕", told
    walk.page.locator("#frame summary").click()
    box = walk.page.locator(".frame-box")
    box.scroll_into_view_if_needed()
    ends = box.bounding_box()
    assert ends
    x, y = ends["x"] + ends["width"] / 2, ends["y"] + ends["height"] / 2
    before = float(walk.page.locator("main [name=y]").input_value())
    walk.page.mouse.move(x, y)
    walk.page.mouse.down()
    walk.page.mouse.move(x, y - 4, steps=3)
    walk.page.mouse.up()
    assert float(walk.page.locator("main [name=y]").input_value()) < before
    walk.look("moved")
    walk.page.locator("#frame button[type=submit]").click()
    expect(walk.page.locator("main [name=frame]")).to_have_count(4, timeout=20_000)
    walk.look("moved-and-checked")
    confirm(walk)
    walk.look("accepted")
    assert Photo.objects.get().report["chosen"]["kind"] == "own"

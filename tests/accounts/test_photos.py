"""Photos from upload to choice, and what the worker does with them (R03)."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from PIL import Image

from accounts.actors import VISITOR, acting
from accounts.models import Candidate, LedgerEvent, LeftFile, Photo, PhotoFrame
from accounts.photos import checks
from accounts.photos.report import Frame
from accounts.services import files, photo_checks, photos
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Application, Exam
from registration.services import applications, printed_form
from tests import factories
from tests.photos import corpus, giving

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R03")]
State = Photo.State


@pytest.fixture(autouse=True)
def private(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def stored(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


@pytest.fixture
def at_commit(django_capture_on_commit_callbacks: Any) -> Callable[[], Any]:
    """`with at_commit():` what is done when a transaction ends is done."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def choose(photo: Photo, frame: PhotoFrame | None = None, **changes: Any) -> Photo:
    how: dict[str, Any] = {"confirmed": giving.EVERYTHING, "actor": acting(photo.candidate), "at": clock.now()}
    return photos.choose(photo=photo, frame=frame or photo.frames.order_by("pk")[0], **{**how, **changes})


# --- Uploading and checking -------------------------------------------------------------------------
def test_from_upload_to_an_accepted_photo(exam: Exam, newcomer: Candidate, private: Path, at_commit: Any) -> None:
    photo = giving.uploaded(newcomer)
    assert (photo.state, photo.rule_set.rules) == (State.RECEIVED, factories.photo_rules())
    photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    assert photo.state == State.CHECKED and not photo.hopeless
    frames = list(photo.frames.order_by("pk"))
    assert [frame.kind for frame in frames] == ["suggested", "wider", "closer"]
    assert {frame.verdict for frame in frames} == {"pass"}
    assert len(stored(private)) == 5, "original, preview, three cuts"
    with at_commit():
        chosen = choose(photo, frames[1])
    assert (chosen.state, chosen.report["chosen"]["kind"]) == (State.ACCEPTED, "wider")
    assert stored(private) == {chosen.original.name, chosen.preview.name, chosen.kept.name}
    assert not LeftFile.objects.exists() and not PhotoFrame.objects.exists()
    actions = LedgerEvent.objects.filter(stream="candidate").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["photo.uploaded", "photo.chosen"]


def test_what_is_kept_has_the_exams_measures_and_nothing_that_the_camera_noted(exam: Exam, newcomer: Candidate) -> None:
    noted = Image.Exif()
    noted[0x010F] = "A camera"
    noted.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    corpus.portrait("m_easian").save(file, "JPEG", quality=95, exif=noted, comment=b"somebody")
    photo = giving.chosen(newcomer, file.getvalue())
    rules = photo.rule_set.rules
    with photo.kept.open("rb") as kept, Image.open(kept) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert picture.width <= rules.most_width and abs(picture.width * 7 - picture.height * 5) < 7
        assert picture.width > rules.more_than_width and not picture.getexif() and "comment" not in picture.info
    assert photo.kept.size > rules.more_than_bytes


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF"])
def test_other_kinds_of_file_are_taken_too(exam: Exam, newcomer: Candidate, kind: str) -> None:
    assert giving.chosen(newcomer, corpus.saved(corpus.portrait("m_easian"), kind)).state == State.ACCEPTED


def test_a_doubtful_photo_can_be_used_and_waits_for_staff(exam: Exam, newcomer: Candidate) -> None:
    assert giving.chosen(newcomer, giving.doubtful()).state == State.DOUBTFUL


def test_what_cannot_be_read_is_told_and_nothing_of_it_is_kept(
    exam: Exam, newcomer: Candidate, private: Path, at_commit: Any
) -> None:
    cut_off = giving.telephone()[:9000]
    with at_commit():
        photo = giving.checked(newcomer, cut_off)
    assert (photo.state, photo.problem) == (State.UNREADABLE, "damaged")
    assert stored(private) == set() and not LeftFile.objects.exists()


def test_a_picture_in_which_nothing_can_help_offers_no_frame_and_tells_all_that_is_wrong(
    exam: Exam, newcomer: Candidate
) -> None:
    wall = corpus.wall(corpus.TELEPHONE, (67, 142, 219))
    photo = giving.checked(newcomer, corpus.jpeg(corpus.blurred(corpus.portrait("m_white", wall), 9)))
    assert photo.hopeless and not photo.frames.exists()
    assert {"sharp", "white"} <= {item.key for item in photo.items if item.verdict == "fail"}


def test_no_exam_that_says_what_it_asks_takes_no_photo(newcomer: Candidate) -> None:
    assert code_of(lambda: giving.uploaded(newcomer)) == "no_rules"


def test_nobody_else_uploads_moves_chooses_or_takes_back(exam: Exam, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    stranger = acting(factories.CandidateFactory())
    how: dict[str, Any] = {"at": clock.now()}
    for actor in (stranger, factories.staff_of(None, "43"), VISITOR):
        how["actor"] = actor
        assert code_of(lambda: photos.take_back(photo=photo, **how)) == "forbidden"
        assert code_of(lambda: photos.move_frame(photo=photo, frame=Frame(1, 1, 1, 0), **how)) == "forbidden"
        assert code_of(lambda: choose(photo, **how)) == "forbidden"
    assert Photo.objects.get().state == State.CHECKED


# --- Later ones, and workers that die ---------------------------------------------------------------
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_uploads_the_later_counts_whatever_order_the_checks_end_in(
    exam: Exam, newcomer: Candidate, order: tuple[int, int], private: Path, at_commit: Any
) -> None:
    with at_commit():
        uploads = [giving.uploaded(newcomer, giving.telephone(face)) for face in ("f_easian", "m_easian")]
        for number in order:
            photo_checks.check(photo_id=uploads[number].pk)
    photo = Photo.objects.get()
    assert (photo.pk, photo.state, photo.frames.count()) == (uploads[1].pk, State.CHECKED, 3)
    assert len(stored(private)) == 5


def test_a_check_that_ends_after_the_upload_was_replaced_writes_nothing(
    exam: Exam,
    newcomer: Candidate,
    private: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_commit: Any,
) -> None:
    first = giving.uploaded(newcomer)
    real, second = checks.preview, []

    def replaced_meanwhile(*given: Any) -> bytes:
        if not second:
            with at_commit():
                second.append(giving.uploaded(newcomer))
        return real(*given)

    monkeypatch.setattr(checks, "preview", replaced_meanwhile)
    photo_checks.check(photo_id=first.pk)
    photo = Photo.objects.get()
    assert (photo.pk, photo.state) == (second[0].pk, State.RECEIVED)
    with clock.shifted_to(clock.now() + files.ADOPTED_WITHIN):
        assert files.sweep() == 4, "what the first check had written is removed in time"
    assert stored(private) == {photo.original.name}


def test_a_worker_that_dies_in_the_middle_is_followed_by_one_check_more(
    exam: Exam, newcomer: Candidate, private: Path, monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    class Killed(BaseException):
        pass

    def die(*_given: Any) -> bytes:
        raise Killed

    photo = giving.uploaded(newcomer)
    with monkeypatch.context() as patched:
        patched.setattr(checks, "cut", die)
        with pytest.raises(Killed):
            photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts) == (State.RECEIVED, 1)
    rung.clear()
    photos.sweep(at=clock.now())
    assert rung == [], "it may still be at work"
    photos.sweep(at=clock.now() + photo_checks.CHECKED_WITHIN + timedelta(seconds=1))
    assert rung == [("check_photo", photo.pk)]
    for _twice in range(2):
        photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts, photo.frames.count()) == (State.CHECKED, 2, 3)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the worker was told of."""
    told: list[Any] = []
    monkeypatch.setattr(photos, "ring", lambda task, *args: told.append((task.__name__, *args)))
    return told


def test_a_picture_that_kills_every_worker_is_given_up(exam: Exam, newcomer: Candidate) -> None:
    photo = giving.uploaded(newcomer)
    Photo.objects.update(attempts=photo_checks.MOST_ATTEMPTS)
    photo_checks.check(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.problem) == (State.UNREADABLE, "not_checked")


def test_an_upload_that_is_never_chosen_is_removed_after_a_month(
    exam: Exam, newcomer: Candidate, private: Path, at_commit: Any
) -> None:
    giving.checked(newcomer)
    for days, left in ((29, 5), (31, 0)):
        with at_commit():
            photos.sweep(at=clock.now() + timedelta(days=days))
        assert len(stored(private)) == left
    assert not Photo.objects.exists()


# --- Choosing ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("missing", giving.EVERYTHING)
def test_everything_that_no_machine_can_judge_is_confirmed(exam: Exam, newcomer: Candidate, missing: str) -> None:
    photo = giving.checked(newcomer)
    confirmed = [key for key in giving.EVERYTHING if key != missing]
    assert code_of(lambda: choose(photo, confirmed=confirmed)) == "not_confirmed"


def test_a_frame_that_fails_is_not_chosen_nor_one_of_somebody_else(exam: Exam, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    other = giving.checked(factories.CandidateFactory())
    assert code_of(lambda: choose(photo, other.frames.first())) == "not_checked"
    frame = photo.frames.order_by("pk")[0]
    frame.report = [{**item, "verdict": "fail"} for item in frame.report]
    frame.save()
    assert code_of(lambda: choose(photo, frame)) == "fails"


def test_choosing_twice_is_once(exam: Exam, newcomer: Candidate) -> None:
    photo = giving.checked(newcomer)
    frame = photo.frames.order_by("pk")[0]
    first = choose(photo, frame)
    assert choose(photo, frame) == first
    assert LedgerEvent.objects.filter(action="photo.chosen").count() == 1


def test_a_moved_frame_is_cut_and_checked_and_takes_the_place_of_one_moved_before(
    exam: Exam, newcomer: Candidate
) -> None:
    photo = giving.checked(newcomer)
    suggested = photo.frames.order_by("pk")[0].geometry
    how: dict[str, Any] = {"actor": acting(newcomer), "at": clock.now()}
    for moved in (Frame(suggested.x, suggested.y, suggested.width * 1.05, 1.0), Frame(200, 400, 300, 0)):
        own = photos.move_frame(photo=photo, frame=moved, **how)
        assert code_of(lambda own=own: choose(photo, own)) == "not_checked"
        photo_checks.check_frame(frame_id=own.pk)
        own.refresh_from_db()
        assert photo.frames.filter(kind="own").get() == own
        with own.picture.open("rb") as cut, Image.open(cut) as picture:
            assert picture.width * 7 == pytest.approx(picture.height * 5, abs=7)
    assert own.verdict == "fail", "the head is not in it"
    for outside in (Frame(-1, 400, 300, 0), Frame(200, 4000, 300, 0), Frame(200, 400, 300, 50), Frame(9, 9, 0, 0)):
        assert code_of(lambda o=outside: photos.move_frame(photo=photo, frame=o, **how)) == "outside"


def test_taking_back_leaves_what_stood(exam: Exam, newcomer: Candidate) -> None:
    standing = giving.chosen(newcomer)
    pending = giving.checked(newcomer, giving.telephone("m_easian"))
    for _twice in range(2):
        photos.take_back(photo=pending, actor=acting(newcomer), at=clock.now())
    assert Photo.objects.get() == standing


# --- While an application needs it ------------------------------------------------------------------
@pytest.fixture
def submitted(exam: Exam, newcomer: Candidate) -> Application:
    factories.give_basic_information(newcomer)
    giving.chosen(newcomer)
    factories.give_education(newcomer)
    factories.give_wechat(newcomer)
    draft = factories.make_draft(newcomer, exam)
    applications.submit(application=draft, actor=acting(newcomer), at=clock.now())
    draft.refresh_from_db()
    return draft


def test_no_photo_is_replaced_while_an_application_is_submitted_or_confirmed(
    submitted: Application, at_time: Callable[[datetime], None]
) -> None:
    candidate = submitted.candidate
    clerk = factories.staff_of(None, "43")
    assert code_of(lambda: giving.uploaded(candidate)) == "photo_needed"
    applications.move(application=submitted, name="confirm_on_site", actor=clerk, at=clock.now())
    assert code_of(lambda: giving.uploaded(candidate)) == "photo_needed"


def test_what_was_uploaded_before_submitting_is_not_chosen_afterwards(exam: Exam, newcomer: Candidate) -> None:
    factories.give_basic_information(newcomer)
    factories.give_education(newcomer)
    factories.give_wechat(newcomer)
    giving.chosen(newcomer)
    pending = giving.checked(newcomer, giving.telephone("m_easian"))
    draft = factories.make_draft(newcomer, exam)
    applications.submit(application=draft, actor=acting(newcomer), at=clock.now())
    assert code_of(lambda: choose(pending)) == "photo_needed"


def test_a_photo_that_staff_refused_may_be_replaced_though_submitted(submitted: Application) -> None:
    Photo.objects.update(state=State.REFUSED, refusal="背景", decided_by=factories.make_staff().user)
    assert giving.uploaded(submitted.candidate).state == State.RECEIVED


def test_after_withdrawing_it_is_replaced_and_kept_for_what_was_submitted(
    submitted: Application, private: Path, at_commit: Any
) -> None:
    candidate = submitted.candidate
    first = submitted.current_submission
    before = printed_form.render(first)
    applications.withdraw(application=submitted, actor=acting(candidate), at=clock.now())
    old = candidate.photos.standing().get()
    with at_commit():
        new = giving.chosen(candidate, giving.telephone("m_easian"))
    files.sweep()
    old.refresh_from_db()
    assert (old.state, old.original.name, old.preview.name, old.report) == (State.REPLACED, "", "", {})
    assert stored(private) == {old.kept.name, new.kept.name, new.original.name, new.preview.name}
    assert printed_form.render(first) == before, "the form of that version is as it was"
    applications.confirm_photo(application=submitted, digest=new.digest, actor=acting(candidate), at=clock.now())
    applications.submit(application=submitted, actor=acting(candidate), at=clock.now())
    submitted.refresh_from_db()
    assert submitted.current_submission.content["photo"]["digest"] == new.digest


def test_what_a_submission_shows_is_not_removed_from_the_database(submitted: Application) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Photo.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Photo.objects.update(kept="photos/other.jpg")


def test_next_year_it_is_only_confirmed_and_checked_by_the_rules_of_then(
    submitted: Application, rung: list[Any]
) -> None:
    candidate = submitted.candidate
    applications.withdraw(application=submitted, actor=acting(candidate), at=clock.now())
    later = factories.make_exam("2025-health", prefix="25W")
    later.photo_limits.filter(item="white").update(low=1.01, doubtful_low=0.5)
    rung.clear()
    draft = factories.make_draft(candidate, later)
    assert draft.photo_digest == candidate.photos.standing().get().digest
    photo = candidate.photos.get()
    assert photo.asked_rule_set is not None and photo.asked_rule_set != photo.rule_set
    photo_checks.check_asked(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.asked_rule_set) == (State.DOUBTFUL, None)


# --- The same photo of others -----------------------------------------------------------------------
def test_the_same_photo_of_another_candidate_is_noted_as_a_hint(exam: Exam, newcomer: Candidate) -> None:
    mine = giving.chosen(newcomer, giving.telephone("m_white"))
    again = corpus.jpeg(corpus.resaved(corpus.stops(corpus.portrait("m_white"), 0.1), 85))
    same = giving.chosen(factories.CandidateFactory(), again)
    other = giving.chosen(factories.CandidateFactory(), giving.telephone("m_african"))
    for photo in (same, other, mine):
        photo_checks.compare(photo_id=photo.pk)
    assert list(same.alike.all()) == [mine] and list(mine.alike.all()) == [same]
    assert not other.alike.exists()
    assert same.state == State.ACCEPTED, "a hint, and no more"


# --- Files ------------------------------------------------------------------------------------------
def test_a_file_whose_row_was_never_written_is_removed_in_time(private: Path) -> None:
    name = files.keep(b"x", folder="photos", extension="jpg")
    assert files.sweep() == 0 and default_storage.exists(name)
    with clock.shifted_to(clock.now() + files.ADOPTED_WITHIN):
        assert files.sweep() == 1
    assert stored(private) == set()


def test_a_file_is_removed_only_when_the_row_is_gone_for_good(private: Path, transactional_db: None) -> None:
    name = files.keep(b"x", folder="photos", extension="jpg")
    files.adopt(name)
    with transaction.atomic():
        files.discard(name)
        transaction.set_rollback(True)
    assert files.sweep() == 0 and default_storage.exists(name)
    with transaction.atomic():
        files.discard(name, name, "", None)
    assert stored(private) == set()

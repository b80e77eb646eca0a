"""What the account asks of a candidate before an exam can be chosen (R03, R08), and what all apps ask together."""

from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Message, Photo
from exam_portal.kit import hooks
from exam_portal.kit.next_steps import NextStep, Todo

ENTER_BASIC_INFORMATION = Todo(
    "enter_basic_information",
    title=_("Enter your basic information"),
    text=_("Contact data and employer are kept in your account and used again every year."),
    action=_("Enter basic information"),
)
COMPLETE_BASIC_INFORMATION = Todo(
    "complete_basic_information",
    title=_("Complete your basic information"),
    text=_("Workplace and kind of employer are asked for now. Add them; all else stands as you entered it."),
    action=_("Complete it"),
)
ADD_PHOTO = Todo(
    "add_photo",
    title=_("Add your photo"),
    text=_("Take or choose a picture; the portal tells at once whether it will do, and cuts it for you."),
    action=_("Add a photo"),
)
CHOOSE_PHOTO = Todo(
    "choose_photo",
    title=_("Your picture has been checked"),
    text=_("Look at what was found: choose how it is cut, or take another one."),
    action=_("Look at it"),
)
REPLACE_PHOTO = Todo(
    "replace_photo",
    title=_("Your photo was refused: add another one"),
    text=_("Staff have looked at your photo and refused it. The reason stands on the page of your photo."),
    action=_("Read why, and add another"),
)
ADD_EDUCATION = Todo(
    "add_education",
    title=_("Add your education"),
    text=_("At least one completed education is needed to register for an exam."),
    action=_("Add education"),
)
COMPLETE_EDUCATION = Todo(
    "complete_education",
    title=_("Complete your education"),
    text=_("Kinds of school and certificate are asked for now. Correct each record that does not have them."),
    action=_("Go to education"),
)
BIND_WECHAT = Todo(
    "bind_wechat",
    title=_("Bind your WeChat"),
    text=_("An exam can be chosen only with your own WeChat bound and the official account followed."),
    action=_("Bind WeChat"),
)
FOLLOW = Todo(
    "follow",
    title=_("Follow the official account"),
    text=_("Your WeChat is bound. An exam can be chosen once it follows the official account too."),
    action=_("Follow"),
)
FOLLOW_AGAIN = Todo(
    "follow_again",
    title=_("Follow the official account again"),
    text=_("Your WeChat no longer follows the official account. Follow it again to go on."),
    action=_("Follow again"),
)


def of_account(*, candidate: Candidate, at: datetime) -> list[NextStep]:
    """The first of basic information, photo, education and WeChat that is missing or not complete, or nothing."""
    step = _of_account(candidate)
    return [step] if step else []


def account_lacks(candidate: Candidate, at: datetime) -> NextStep | None:
    """What the account lacks before an exam can be chosen or submitted, or None."""
    return next(iter(of_account(candidate=candidate, at=at)), None)


def _of_account(candidate: Candidate) -> NextStep | None:
    if not hasattr(candidate, "basic_information"):
        return ENTER_BASIC_INFORMATION.step(url=reverse("accounts:basic_information"))
    if not candidate.basic_information.complete:
        return COMPLETE_BASIC_INFORMATION.step(url=reverse("accounts:basic_information"))
    if step := _of_photo(candidate):
        return step
    # Not `standing()`, which would ask the database again for each of many candidates.
    education = [record for record in candidate.education.all() if record.superseded_at is None]
    if not all(record.complete for record in education):
        return COMPLETE_EDUCATION.step(url=reverse("accounts:education"))
    if not education:
        return ADD_EDUCATION.step(url=reverse("accounts:education"))
    if not hasattr(candidate, "wechat"):
        return BIND_WECHAT.step(url=reverse("accounts:wechat"))
    if not candidate.wechat.following:
        since = candidate.wechat.turned_at
        # Each binding, and each time that following ends, is another thing.
        if since is None:  # nobody has told yet of following, or of its end
            bound = candidate.wechat.bound_at
            return FOLLOW.step(url=reverse("accounts:wechat"), about=f"{bound:%Y%m%dT%H%M%S}")
        return FOLLOW_AGAIN.step(url=reverse("accounts:wechat"), about=f"{since:%Y%m%dT%H%M%S}", urgent=True)
    return None


def _of_photo(candidate: Candidate) -> NextStep | None:
    """What is to be done until a photo stands that can be used."""
    photos = list(candidate.photos.all())
    if any(photo.state in Photo.USABLE for photo in photos):
        return None
    url = reverse("accounts:photo")
    pending = next((photo for photo in photos if photo.state in Photo.PENDING), None)
    if pending and pending.state == Photo.State.CHECKED and not pending.hopeless:
        return CHOOSE_PHOTO.step(url=url, about=str(pending.pk))
    refused = next((photo for photo in photos if photo.state == Photo.State.REFUSED), None)
    if refused:
        return REPLACE_PHOTO.step(url=url, about=str(refused.pk), urgent=True)
    return ADD_PHOTO.step(url=url)


# --- All apps together ------------------------------------------------------------------------------
def next_steps(*, candidate: Candidate, at: datetime) -> list[NextStep]:
    """What all apps ask of a candidate, what comes first first; each app's in the order of `NEXT_STEPS`.

    What the account lacks comes before what needs a complete account, and ends with it.
    """
    steps = _of_all_apps(candidate, at)
    waiting = [(step.deadline, step) for step in steps if step.todo and step.todo.needs_account and step.deadline]
    if not waiting:
        return sorted(steps, key=lambda step: step.deadline is None)
    end, soonest = min(waiting, key=lambda pair: pair[0])
    return [
        replace(step, deadline=end, urgent=step.urgent or soonest.urgent) if step.todo and not step.deadline else step
        for step in steps
    ]


def next_step(*, candidate: Candidate, at: datetime) -> NextStep | None:
    """The one thing the candidate does next, for the dashboard and every page; None when there is nothing to say."""
    return next(iter(next_steps(candidate=candidate, at=at)), None)


def told_of(message: Message, steps: list[NextStep]) -> NextStep | None:
    """Of these steps the one of which a message of the kind `TODO` tells; None when it is done or past."""
    thing = (message.facts.get("todo"), message.facts.get("about"))
    return next((step for step in steps if step.todo and (step.todo.key, step.about) == thing), None)


def own_deadlines(*, candidate: Candidate, at: datetime) -> list[NextStep]:
    """The to-dos that have a deadline of their own, the soonest first."""
    steps = [step for step in _of_all_apps(candidate, at) if step.todo and step.deadline]
    return sorted(steps, key=lambda step: step.deadline or at)


def _of_all_apps(candidate: Candidate, at: datetime) -> list[NextStep]:
    return [step for hook in hooks.load("NEXT_STEPS") for step in hook(candidate=candidate, at=at)]

"""What applying for exams says to changes of the account, and where a candidate belongs (hooks of accounts)."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import Candidate
from accounts.territory import visible_to
from exam_portal.kit.hooks import Change
from exam_portal.kit.staff_work import Obstacle
from registration import queries
from registration.lifecycle import State
from registration.models import Application
from registration.services.applications import may_close


def no_live_application(*, candidate: Candidate, change: Change, at: datetime) -> str | None:
    """What is still on its way keeps its identity and account (R07), and the photo submitted with it (R03)."""
    live = queries.live_applications(candidate, at=at)
    if change == Change.PHOTO:
        # What failed to be confirmed is mended, perhaps by another photo.
        live = [application for application in live if application.state != State.CONFIRMATION_FAILED]
    if not live:
        return None
    exams = "、".join(application.exam.title for application in live)
    if change == Change.PHOTO:
        return _(
            "Your photo was submitted with your registration: %(exams)s. It can be replaced after you have withdrawn "
            "the registration, while that is possible."
        ) % {"exams": exams}
    return _(
        "There is a live registration: %(exams)s. The candidate withdraws it while that is possible; else the exam "
        "region closes it first."
    ) % {"exams": exams}


def applies_there(*, actor: Actor) -> QuerySet[Any, Any]:
    """Keys of the candidates with an application that this member of staff sees (R28)."""
    return visible_to(actor, Application).values("candidate")


def obstacles(*, candidate: Candidate, actor: Actor, at: datetime) -> list[Obstacle]:
    """The live applications of a candidate, each with whose it is; its own region is led to where it is closed."""
    return [
        Obstacle(
            label=application.exam.title,
            where=" ".join(
                place.name
                for place in (application.exam_region and application.exam_region.region, application.point)
                if place
            ),
            state=application.status_at(at),
            url=reverse("admin:registration_application_close", args=[application.pk])
            if may_close(application=application, actor=actor)
            else "",
        )
        for application in queries.live_applications(candidate, at=at)
    ]


def streams_of(*, candidate: Candidate) -> list[tuple[str, str]]:
    """The streams of the candidate's applications."""
    return [("application", number) for number in candidate.applications.values_list("number", flat=True)]

"""What the account asks of a candidate before an exam can be chosen (R03, R08)."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate
from exam_portal.kit.next_steps import NextStep

YOU = _("You")


def next_step(*, candidate: Candidate, at: datetime) -> NextStep | None:
    """The first of basic information, education and WeChat that is missing or not complete, or None."""
    if not hasattr(candidate, "basic_information"):
        return NextStep(
            title=_("Enter your basic information"),
            text=_("Contact data and employer are kept in your account and used again every year."),
            action=_("Enter basic information"),
            url=reverse("accounts:basic_information"),
            holder=YOU,
        )
    if not candidate.basic_information.complete:
        return NextStep(
            title=_("Complete your basic information"),
            text=_("Workplace and kind of employer are asked for now. Add them; all else stands as you entered it."),
            action=_("Complete it"),
            url=reverse("accounts:basic_information"),
            holder=YOU,
        )
    education = list(candidate.education.standing())
    if not all(record.complete for record in education):
        return NextStep(
            title=_("Complete your education"),
            text=_("Kinds of school and certificate are asked for now. Correct each record that does not have them."),
            action=_("Go to education"),
            url=reverse("accounts:education"),
            holder=YOU,
        )
    if not education:
        return NextStep(
            title=_("Add your education"),
            text=_("At least one completed education is needed to register for an exam."),
            action=_("Add education"),
            url=reverse("accounts:education"),
            holder=YOU,
        )
    if not hasattr(candidate, "wechat"):
        return NextStep(
            title=_("Bind your WeChat"),
            text=_("An exam can be chosen only with your own WeChat bound and the official account followed."),
            action=_("Bind WeChat"),
            url=reverse("accounts:wechat"),
            holder=YOU,
        )
    if not candidate.wechat.following:
        return NextStep(
            title=_("Follow the official account"),
            text=_("Your WeChat no longer follows the official account. Follow it again to go on."),
            action=_("Follow again"),
            url=reverse("accounts:wechat"),
            holder=YOU,
            urgent=True,
        )
    return None

"""What staff find candidates by, and see of them, in this app (hooks of accounts)."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q

from accounts.actors import Actor
from accounts.models import Candidate
from accounts.territory import visible_to
from exam_portal.kit.staff_work import Panel
from registration.models import Application, Submission


def by_code(*, actor: Actor, number: str) -> list[int]:
    """Candidates by the code of any version of their form, or by their application's number."""
    mine = visible_to(actor, Application)
    ways = (Q(number=number), Q(submissions__form_code=number))
    return [pk for way in ways for pk in mine.filter(way).values_list("candidate", flat=True)]


def applications(*, actor: Actor, candidate: Candidate, at: datetime) -> Panel:
    """The candidate's applications that this member of staff sees, the newest first."""
    rows = visible_to(actor, Application).filter(candidate=candidate)
    rows = rows.select_related("exam", "exam_region__region", "point", "site", "specialty__level")
    found: list[dict[str, Any]] = []
    codes = Submission.objects.only("application", "version", "form_code", "submitted_at")
    for application in rows.prefetch_related(Prefetch("submissions", queryset=codes)):
        submissions = list(application.submissions.all())
        found.append(
            {
                "application": application,
                "status": application.status_at(at),
                "submission": submissions[-1] if submissions else None,
            }
        )
    return Panel(
        template="admin/accounts/candidate/applications.html",
        context={"rows": found},
        streams=tuple(("application", row["application"].number) for row in found),
    )

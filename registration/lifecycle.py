"""The lifecycle of an application, as one table.

Services, the database guard, the diagram in docs/ and the tests all come from `TRANSITIONS`; nothing else says what may
follow what. Texts are what the candidate reads afterwards: they hang on the transition, not on the state (R12, R15).
"""

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """Where an application stands."""

    DRAFT = "draft", _("Registration not submitted")  # 未提交报考信息
    SUBMITTED = "submitted", _("Submitted, waiting for confirmation")  # 已提交，等待报名确认
    CONFIRMATION_FAILED = "confirmation_failed", _("Confirmation failed")  # 确认失败
    CONFIRMED = "confirmed", _("Registration confirmed")  # 报名确认完成
    POINT_APPROVED = "point_approved", _("Passed the exam point's review")  # 考点初审通过
    QUALIFIED = "qualified", _("Qualification review passed")  # 资格审查通过
    REJECTED = "rejected", _("Qualification review not passed")  # 资格审查不通过
    ABANDONED = "abandoned", _("Deemed given up")  # 视为自动放弃


class Who(models.TextChoices):
    """Who may carry out a transition."""

    CANDIDATE = "candidate", _("the candidate")
    SITE = "site", _("staff of the exam point")
    POINT = "point", _("the exam point's reviewer")
    REGION = "region", _("the region")
    SYSTEM = "system", _("the portal itself")

    @property
    def actor_kind(self) -> str:
        """The kind of actor (accounts.actors) that this is."""
        return self.value if self in {Who.CANDIDATE, Who.SYSTEM} else "staff"


@dataclass(frozen=True)
class Transition:
    """One arrow of the lifecycle.

    Attributes:
        name: what services, staff buttons and the ledger call it.
        source, target: the states.
        who: who may do it.
        guard: under which condition, in a few words; the service of this name checks it.
        reads: what the candidate reads once it has happened.
    """

    name: str
    source: State
    target: State
    who: Who
    guard: str
    reads: str | Promise


_S = State
_AWAIT_REVIEW = _(
    "You have completed the confirmation of your registration. Please wait for the qualification review "
    "by the exam point and the exam region."
)  # 您已完成报名确认，请等待考点和考区考试管理机构进行资格审查
_CLOSED = _("Closed by the exam region, so that the identity can be corrected")
CLOSABLE = (_S.SUBMITTED, _S.CONFIRMATION_FAILED, _S.CONFIRMED, _S.POINT_APPROVED, _S.QUALIFIED)

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        "submit",
        _S.DRAFT,
        _S.SUBMITTED,
        Who.CANDIDATE,
        "window open, every step complete",
        _S.SUBMITTED.label,
    ),
    Transition(
        "withdraw",
        _S.SUBMITTED,
        _S.DRAFT,
        Who.CANDIDATE,
        "submitting again is still possible",
        _S.DRAFT.label,
    ),
    Transition(
        "confirm_automatically",
        _S.SUBMITTED,
        _S.CONFIRMED,
        Who.SYSTEM,
        "repeat candidate of an automatic region, nothing compared has changed",
        _AWAIT_REVIEW,
    ),
    Transition(
        "confirm_on_site",
        _S.SUBMITTED,
        _S.CONFIRMED,
        Who.SITE,
        "on-site region, its window open, stamped form of the final submission",
        _S.CONFIRMED.label,
    ),
    Transition("confirm_online", _S.SUBMITTED, _S.CONFIRMED, Who.SITE, "online region", _S.CONFIRMED.label),
    Transition(
        "fail_confirmation",
        _S.SUBMITTED,
        _S.CONFIRMATION_FAILED,
        Who.SITE,
        "online region, with reasons",
        _S.CONFIRMATION_FAILED.label,
    ),
    Transition(
        "abandon",
        _S.SUBMITTED,
        _S.ABANDONED,
        Who.SYSTEM,
        "on-site region, its deadline passed",
        _S.ABANDONED.label,
    ),
    Transition(
        "resubmit",
        _S.CONFIRMATION_FAILED,
        _S.SUBMITTED,
        Who.CANDIDATE,
        "before its deadline, same region and point",
        _S.SUBMITTED.label,
    ),
    Transition(
        "abandon_failed",
        _S.CONFIRMATION_FAILED,
        _S.ABANDONED,
        Who.SYSTEM,
        "its deadline passed",
        _S.ABANDONED.label,
    ),
    Transition(
        "approve_by_point",
        _S.CONFIRMED,
        _S.POINT_APPROVED,
        Who.POINT,
        "own territory",
        _S.POINT_APPROVED.label,
    ),
    Transition(
        "refuse_by_point",
        _S.CONFIRMED,
        _S.REJECTED,
        Who.POINT,
        "own territory, with reasons",
        _S.REJECTED.label,
    ),
    Transition(
        "undo_confirmation",
        _S.CONFIRMED,
        _S.SUBMITTED,
        Who.SITE,
        "with reason and an own deadline",
        _S.SUBMITTED.label,
    ),
    Transition(
        "approve_by_region",
        _S.POINT_APPROVED,
        _S.QUALIFIED,
        Who.REGION,
        "not by whoever did the point review",
        _S.QUALIFIED.label,
    ),
    Transition(
        "refuse_by_region",
        _S.POINT_APPROVED,
        _S.REJECTED,
        Who.REGION,
        "not by whoever did the point review, with reasons",
        _S.REJECTED.label,
    ),
    Transition(
        "send_back_to_point",
        _S.POINT_APPROVED,
        _S.CONFIRMED,
        Who.REGION,
        "with reason",
        _S.CONFIRMED.label,
    ),
    Transition(
        "undo_region_batch",
        _S.QUALIFIED,
        _S.POINT_APPROVED,
        Who.REGION,
        "batch undone, with reason",
        _S.POINT_APPROVED.label,
    ),
    Transition(
        "reopen",
        _S.REJECTED,
        _S.CONFIRMED,
        Who.REGION,
        "appeal upheld, or with reason",
        _S.CONFIRMED.label,
    ),
    *(
        Transition(
            f"close_{source.value}",
            source,
            _S.ABANDONED,
            Who.REGION,
            "an identity has to be corrected, with reason",
            _CLOSED,
        )
        for source in CLOSABLE
    ),
    Transition(
        "reinstate",
        _S.ABANDONED,
        _S.SUBMITTED,
        Who.REGION,
        "came from submitted or later; reason, document, own new deadline",
        _S.SUBMITTED.label,
    ),
    Transition(
        "reinstate_failed",
        _S.ABANDONED,
        _S.CONFIRMATION_FAILED,
        Who.REGION,
        "came from confirmation_failed; reason, document, own new deadline",
        _S.CONFIRMATION_FAILED.label,
    ),
)

# What a draft reads once the window has closed (R09): 未提交，报名已截止
NEVER_SUBMITTED = _("Not submitted; registration has closed")

BY_NAME = {transition.name: transition for transition in TRANSITIONS}
ALLOWED_PAIRS = sorted({(transition.source.value, transition.target.value) for transition in TRANSITIONS})
MOST_VERSIONS = 99  # the form code ends in two digits that count the versions (R24)


def guard_sql() -> str:
    """The body of the database guard: a state changes only along the table, and a new application is a draft."""
    pairs = ", ".join(f"('{source}', '{target}')" for source, target in ALLOWED_PAIRS)
    return f"""
        IF TG_OP = 'INSERT' AND NEW.state = '{State.DRAFT.value}' THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'UPDATE' THEN
            IF OLD.state = NEW.state OR (OLD.state, NEW.state) IN ({pairs}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'no transition from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RAISE EXCEPTION 'a new application is a draft, not %', NEW.state USING ERRCODE = 'check_violation';
    """


def diagram() -> str:
    """The lifecycle as a Mermaid state diagram; docs/lifecycle.md holds it and a test keeps it true."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DRAFT.value}"]
    lines += [f"    {state.value}: {state.value}" for state in State]
    lines += [f"    {arrow.source.value} --> {arrow.target.value}: {arrow.name}" for arrow in TRANSITIONS]
    return "\n".join(lines)

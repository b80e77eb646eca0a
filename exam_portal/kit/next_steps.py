"""What a candidate must do next, as values that every app can return."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

YOU = _("You")
TODOS: dict[str, "Todo"] = {}


@dataclass(frozen=True)
class Todo:
    """A thing that candidates have to do: its words stand here once, for pages, messages and the calendar.

    Attributes:
        key: its name in messages and calendars, for good; no two have the same.
        title, text, action: what to do, why, and the words of the button.
        needs_account: cannot be done before the account is complete, whose own to-dos therefore end with it.
    """

    key: str
    title: str | Promise
    text: str | Promise
    action: str | Promise
    needs_account: bool = False

    def __post_init__(self) -> None:
        if self.key in TODOS:
            raise ValueError(f"two to-dos are called {self.key}")
        TODOS[self.key] = self

    def step(self, *, url: str, title: str | Promise = "", **more: Any) -> "NextStep":
        """The candidate's next step that is this to-do; `more` are further attributes of the step."""
        title = title or self.title
        return NextStep(todo=self, title=title, text=self.text, action=self.action, url=url, holder=YOU, **more)


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The next act of a candidate, or whose turn it is.

    Attributes:
        title, text: what to do, and why.
        action, url: the words and target of the button; both empty while somebody else holds the file.
        holder: whose turn it is.
        todo: what the candidate has to do; None for what is only offered, and while it is somebody else's turn.
        about: what it is about, such as number and version of an application: with the to-do it names one thing.
        exam: the title of the exam that it belongs to, if it does to one.
        place: where it is done, if not here.
        deadline: until when, if there is an end.
        urgent: withdrawn and not submitted again, or little time left.
    """

    title: str | Promise
    text: str | Promise
    holder: str | Promise
    action: str | Promise = ""
    url: str = ""
    todo: Todo | None = None
    about: str = ""
    exam: str = ""
    place: str = ""
    deadline: datetime | None = None
    urgent: bool = False

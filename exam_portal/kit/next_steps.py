"""What a candidate must do next, as a value that every app can return."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The next act of a candidate, or whose turn it is.

    Attributes:
        title, text: what to do, and why.
        action, url: the words and target of the button; both empty while somebody else holds the file.
        holder: whose turn it is.
        deadline: until when, if there is an end.
        urgent: withdrawn and not submitted again, or little time left.
    """

    title: str | Promise
    text: str | Promise
    holder: str | Promise
    action: str | Promise = ""
    url: str = ""
    deadline: datetime | None = None
    urgent: bool = False

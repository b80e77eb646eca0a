"""What a list of the staff site shows after a search, as the session keeps it.

Searching is a POST, because what is typed may be an ID number and addresses are logged: so it stands in no address, and
of a number the session keeps only which rows it found.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

MOST = 50


@dataclass(frozen=True)
class Sought:
    """The rows with these keys."""

    keys: list[int] = field(default_factory=list)

    @property
    def typed(self) -> str:
        """What stands in the field of the search again; nothing of a number."""
        return ""

    def among(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of these rows."""
        return rows.filter(pk__in=self.keys)


Kept = TypeVar("Kept", bound=Sought)


def keep(request: HttpRequest, model: type[Model], sought: Sought | None) -> None:
    """Let the list of a model show these from now on; with None all."""
    if sought is None:
        request.session.pop(_key(model), None)
    else:
        request.session[_key(model)] = asdict(sought)


def kept(request: HttpRequest, model: type[Model], kind: type[Kept]) -> Kept | None:
    """What the list of a model is to show, or None for all."""
    state: dict[str, Any] | None = request.session.get(_key(model))
    return kind(**state) if state else None


def _key(model: type[Model]) -> str:
    return f"sought:{model._meta.label_lower}"

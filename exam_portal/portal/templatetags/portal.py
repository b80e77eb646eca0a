"""Template tags and filters used everywhere."""

import json
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import formats
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from exam_portal.clock import BEIJING

register = template.Library()
# Raw HTML, links to scripts and pictures from elsewhere stay text: notices are written by many hands.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@register.filter
def markdown(text: str) -> SafeString:
    """A notice written in Markdown, as safe HTML."""
    return mark_safe(_markdown.render(text))  # noqa: S308 - the renderer escapes raw HTML


@register.filter
def as_json(value: Any) -> str:
    """A value for scripts, in an attribute of an element: never in the page's own text."""
    return json.dumps(value)


@register.filter
def moment(value: datetime) -> str:
    """A moment in Beijing time, to the minute."""
    return formats.date_format(value.astimezone(BEIJING), "DATETIME_FORMAT")


@register.filter
def end(value: datetime) -> str:
    """The end of a half-open window as people write it: midnight belongs to the day before, as 24:00."""
    value = value.astimezone(BEIJING)
    if (value.hour, value.minute, value.second) != (0, 0, 0):
        return moment(value)
    return f"{formats.date_format(value - timedelta(days=1), 'DATE_FORMAT')} 24:00"

"""Template tags and filters used everywhere."""

import json
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from exam_portal.kit import moments
from exam_portal.kit.discreet import without_numbers

register = template.Library()
register.filter(moments.moment)
register.filter(moments.end)
# What people typed: the ID number of somebody often stands in it.
register.filter(without_numbers)
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

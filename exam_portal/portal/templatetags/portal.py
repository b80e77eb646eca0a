"""Template tags and filters used everywhere."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from exam_portal.kit import moments

register = template.Library()
register.filter(moments.moment)
register.filter(moments.end)
# Raw HTML, links to scripts and pictures from elsewhere stay text: notices are written by many hands.
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@register.filter
def markdown(text: str) -> SafeString:
    """A notice written in Markdown, as safe HTML."""
    return mark_safe(_markdown.render(text))  # noqa: S308 - the renderer escapes raw HTML

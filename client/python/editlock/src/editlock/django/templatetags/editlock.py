"""``{% load editlock %}`` and then ``{% editlock_token %}``, or ``{% editlock_part contract "address" %}``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from ...types import ID
from ..names import mutex_id
from ..page import part
from ..tokens import page_token

register = template.Library()


@register.simple_tag(takes_context=True)
def editlock_token(context: Any) -> str:
    """The token of who sees the page; empty for a visitor who is not logged in."""
    return page_token(context["request"])


class PartNode(template.Node):
    """A part of a form, within the element that locks it."""

    def __init__(self, object: Any, name: Any, content: Any) -> None:
        self._object, self._name, self.nodelist = object, name, content

    def render(self, context: Any) -> SafeString:
        object, name = self._object.resolve(context), str(self._name.resolve(context))
        if not name:
            raise template.TemplateSyntaxError("editlock_part: the name of the part is empty")
        id = replace(object if isinstance(object, ID) else mutex_id(object), part=name)
        first = context.render_context.setdefault("editlock_parts", True)
        context.render_context["editlock_parts"] = False
        begin = part(context["request"], id, first=first)
        return mark_safe(f"{begin}{self.nodelist.render(context)}</edit-lock>")


@register.tag
def editlock_part(parser: Any, token: Any) -> PartNode:
    """A part of a form that people edit beside those who edit other parts: of an object, or an ID, and by name."""
    bits = token.split_contents()
    if len(bits) != 3:
        raise template.TemplateSyntaxError(
            'editlock_part takes an object and a name: {% editlock_part contract "address" %}'
        )
    content = parser.parse(("endeditlock_part",))
    parser.delete_first_token()
    return PartNode(parser.compile_filter(bits[1]), parser.compile_filter(bits[2]), content)

"""``{% load editlock %}`` and then ``{% editlock_token %}``."""

from __future__ import annotations

from typing import Any

from django import template

from ..tokens import page_token

register = template.Library()


@register.simple_tag(takes_context=True)
def editlock_token(context: Any) -> str:
    """The token of who sees the page; empty for a visitor who is not logged in."""
    return page_token(context["request"])

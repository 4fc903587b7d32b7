"""What was typed into forms that are not saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.forms import CheckboxInput, PasswordInput


def typed(request: Any, forms: Iterable[Any]) -> list[tuple[str, str, str]]:
    """The names, labels and texts of the fields that differ from what is stored, without passwords and files."""
    found = []
    for form in forms:
        for name in form.changed_data:
            field = form[name]
            if isinstance(field.field.widget, PasswordInput):
                continue
            names = [key for key in request.POST if key == field.html_name or _part_of(key, field.html_name)]
            if not names and isinstance(field.field.widget, CheckboxInput):
                found.append((field.html_name, str(field.label), ""))
            found += [(key, str(field.label), ", ".join(request.POST.getlist(key))) for key in names]
    return found


def _part_of(key: str, name: str) -> bool:
    """Whether a key is that of one widget of several, such as a date and a time."""
    return key.startswith(f"{name}_") and key[len(name) + 1 :].isdigit()


def values(found: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The texts by the names of their fields."""
    return {name: value for name, _, value in found}

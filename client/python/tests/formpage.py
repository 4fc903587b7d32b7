"""A form on a page, read and sent as a browser without scripts does it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any, Optional


class FormPage(HTMLParser):
    """The controls of the form that has a field of some name, with what they say: ``fields`` is ready to be posted."""

    def __init__(self, html: str, has: str) -> None:
        super().__init__()
        self._forms: list[list[tuple[str, str]]] = []
        self._area: Optional[str] = None
        self._select: Optional[tuple[str, bool]] = None
        self._options: list[tuple[str, bool]] = []
        self._text = ""
        self.radios: dict[str, list[str]] = {}
        self.feed(html)
        pairs = next(form for form in self._forms if any(name == has for name, _ in form))
        self.fields: dict[str, Any] = {}
        for name, value in pairs:
            self.fields.setdefault(name, []).append(value)

    def _add(self, name: Optional[str], value: str) -> None:
        if name and self._forms:
            self._forms[-1].append((name, value))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self._forms.append([])
        elif tag == "input":
            kind, name = at.get("type", "text"), at.get("name")
            if kind == "radio":
                self.radios.setdefault(name or "", []).append(at.get("value") or "")
            if kind in ("submit", "button", "file") or (kind in ("checkbox", "radio") and "checked" not in at):
                return
            self._add(name, at.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "textarea":
            self._area, self._text = at.get("name"), ""
        elif tag == "select":
            self._select, self._options = (at.get("name") or "", "multiple" in at), []
        elif tag == "option" and self._select:
            self._options.append((at.get("value") or "", "selected" in at))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # Browsers leave out the first line break, which Django writes.
            self._add(self._area, self._text[1:] if self._text[:1] == "\n" else self._text.removeprefix("\r\n"))
        elif tag == "select" and self._select:
            name, many = self._select
            chosen = [value for value, selected in self._options if selected]
            if not many:
                chosen = chosen[-1:] or [value for value, _ in self._options[:1]]
            for value in chosen:
                self._add(name, value)
            self._select = None

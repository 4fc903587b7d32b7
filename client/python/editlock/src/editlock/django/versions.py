"""Refuses to save an object that was changed past its lock, and lets the editor decide what becomes of both texts.

A version is a text that is another after each write: a field such as
``updated_at`` or ``revision``, a method's, or a digest of the form's fields. A form
carries the version it was made of; a save compares it with that of the row, locked,
in the transaction that writes.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Callable, Optional, Union
from urllib.parse import quote, unquote

from django.db import router, transaction
from django.forms import FileInput, PasswordInput
from django.forms.models import model_to_dict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from ..errors import EditlockError
from ..words import isolated
from .said import Malformed, save_number, token_of
from .texts import text

#: True: a digest of the form's fields. A text: the field of the object. A function: of the object.
Version = Union[bool, str, Callable[[Any], Any]]

VERSION_FIELD = "editlock_version"
#: A form that shows what changed has the first one, and for each field a choice under the second one and its name.
CHOOSE_FIELD = "editlock_choose"
TAKE_FIELD = "editlock_take-"
_MAX = 200
_SHOWN = 2000


class Changed(EditlockError):
    """The object is not at the version that was seen: somebody wrote it past the lock.

    ``current`` is the version it has now, None if it is gone.
    """

    code = "changed"

    def __init__(self, seen: str, current: Optional[str]) -> None:
        super().__init__("the object changed" if current is not None else "the object is gone")
        self.seen = seen
        self.current = current


def etag(version: str) -> str:
    """A version as the header ETag carries it."""
    return '"' + quote(version, safe="!#$&'()*+,-./:;<=>?@[\\]^_`{|}~") + '"'


def version_of_tag(tag: str) -> str:
    """The version in a header If-Match; Malformed if it names none that somebody saw."""
    tag = tag.strip(" \t")
    tag = tag[2:] if tag.startswith("W/") else tag  # proxies that compress make tags weak
    if len(tag) < 3 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        raise Malformed("If-Match", "must be one entity tag in quotes: the version of the record that you saw")
    return unquote(tag[1:-1])


def seen_version(request: Any) -> str:
    """The version that a request saw, by If-Match or the form; empty if it says none, Malformed if it is none."""
    tag = request.headers.get("If-Match")
    where = VERSION_FIELD if tag is None else "If-Match"
    version: str = request.POST.get(VERSION_FIELD, "") if tag is None else version_of_tag(tag)
    if len(version) > _MAX:
        raise Malformed(where, f"is {len(version)} characters long; at most {_MAX} are allowed")
    return version


def version_of(obj: Any, version: Version = True, fields: Optional[Iterable[str]] = None) -> str:
    """The version of an object; of a digest, of these fields, by default of all that are editable."""
    if callable(version):
        found = version(obj)
    elif version is True:
        values = model_to_dict(obj, None if fields is None else list(fields))
        found = _digest(
            json.dumps({name: _plain(value) for name, value in values.items()}, sort_keys=True, default=str)
        )
    else:
        found = getattr(obj, str(version))
    name = found.isoformat() if isinstance(found, (datetime.datetime, datetime.date)) else str(found)
    return name if 0 < len(name) <= _MAX and name.isprintable() else _digest(name)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set)):
        return sorted(str(getattr(one, "pk", one)) for one in value)
    return value


def stored(obj: Any, pk: Any = None) -> Any:
    """The object as it is stored now, None if it is gone; nobody else writes it until the transaction ends."""
    alias = router.db_for_write(type(obj), instance=obj)
    rows = type(obj)._base_manager.using(alias)
    if transaction.get_connection(alias).in_atomic_block:
        rows = rows.select_for_update()
    return rows.filter(pk=obj.pk if pk is None else pk).first()


class Save:
    """What a request says of its save, and what is remembered of the one before."""

    def __init__(self, token: Optional[int] = None, seen: str = "", number: int = 0) -> None:
        self.token = token
        self.seen = seen
        self.number = number
        self.field = ""
        self.changed: Optional[Changed] = None

    def is_own(self, now: Any, current: str) -> bool:
        """Whether nothing but this editor's own earlier saves lies between the version seen and the one there is."""
        try:
            last = json.loads(getattr(now, self.field)) if self.field else None
        except ValueError:
            return False
        return (
            isinstance(last, dict)
            and self.number > 0
            and self.token is not None
            and (last.get("token"), last.get("seen"), last.get("version")) == (self.token, self.seen, current)
            and last.get("number", self.number) < self.number
        )

    def done(self, obj: Any, version: Callable[[Any], str]) -> str:
        """The version of an object that was saved; it is remembered whose save made it."""
        now = stored(obj)
        if now is None:
            return ""
        current = version(now)
        if self.field and self.number:
            told = {"token": self.token, "seen": self.seen, "number": self.number, "version": current}
            type(now)._base_manager.using(now._state.db).filter(pk=now.pk).update(**{self.field: json.dumps(told)})
        return current


def saying(request: Any, field: str = "") -> Save:
    """What a request says of its save. The field of the object remembers it."""
    save = Save(token_of(request), seen_version(request), save_number(request))
    save.field = field
    return save


def check(request: Any, obj: Any, version: Version = True, field: str = "") -> Save:
    """Raises Changed unless the version that the request saw is that of the object, for views of one's own.

    Call it in the transaction that writes, and ``done`` of the answer behind the write.
    """
    save, now = saying(request, field), stored(obj)
    current = None if now is None else version_of(now, version)
    if current != save.seen and (current is None or not save.is_own(now, current)):
        raise Changed(save.seen, current)
    return save


class VersionedForm:
    """A ModelForm of one object whose save is refused if the object changed; put it before the form's class.

    It is checked as the form is: do that in the transaction that saves. Rendered by
    Django it carries all it needs; ``changed`` is the refusal, if there was one. What
    was typed then stays in the fields, and the form's errors ask, field by field, what is to be saved.
    """

    editlock_version: Version = True
    #: What the request says, where that is not in the form's data.
    editlock_save: Optional[Save] = None
    changed: Optional[Changed] = None

    data: Any
    fields: Any
    instance: Any
    _errors: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._versioned = self.instance.pk is not None and not self.instance._state.adding
        if not self._versioned:
            return
        self._pk = self.instance.pk
        self._bases: dict[str, Any] = {}
        self._version = self._said() if self.is_bound else version_of(self.instance, self.editlock_version, self.fields)  # type: ignore[attr-defined]
        self._compared = [name for name in model_to_dict(self.instance, list(self.fields)) if self._is_compared(name)]
        for name in self._compared:
            field = self.fields[name]
            field.show_hidden_initial = True
            field.hidden_widget = self._hidden(name, field.hidden_widget)

    def _is_compared(self, name: str) -> bool:
        field = self.fields[name]
        return not field.disabled and not isinstance(field.widget, (PasswordInput, FileInput))

    def _said(self) -> str:
        if self.editlock_save is not None:
            return self.editlock_save.seen
        version = self.data.get(VERSION_FIELD, "")
        return version if len(version) <= _MAX else ""

    # Django renders the hidden text beside each field; the version goes with the first.
    def _hidden(self, name: str, kind: Callable[[], Any]) -> Callable[[], Any]:
        def make() -> Any:
            widget = kind()
            render = widget.render

            def with_base(**values: Any) -> SafeString:
                html = render(**{**values, "value": self._bases.get(name, values["value"])})
                if name == self._compared[0]:
                    html += format_html('<input type="hidden" name="{}" value="{}">', VERSION_FIELD, self._version)
                return SafeString(html)

            widget.render = with_base
            return widget

        return make

    def full_clean(self) -> None:
        if not self.is_bound or not self._versioned:  # type: ignore[attr-defined]
            super().full_clean()  # type: ignore[misc]
            return
        now = stored(self.instance, self._pk)
        for name in self._compared:  # an error must not lose them
            self._bases[name] = self._posted_base(name)
        if now is None:
            super().full_clean()  # type: ignore[misc]
            self._refuse(None, text("changed gone"))
            return
        current = version_of(now, self.editlock_version, self.fields)
        theirs = {name: self._as_initial(name, value) for name, value in model_to_dict(now, self._compared).items()}
        same = current == self._version
        own = not same and self.editlock_save is not None and self.editlock_save.is_own(now, current)
        conflicts = [] if own or (same and CHOOSE_FIELD not in self.data) else self._conflicts(theirs)
        # A second press of the button, or an edit that both made: there is nothing to decide.
        done = not same and not own and bool(self._version) and self._is_stored(theirs)
        choices = {c.name: self.data.get(TAKE_FIELD + c.name) for c in conflicts} if same else {}
        taken = [name for name, choice in choices.items() if choice == "theirs"]
        for name in taken:  # as Django takes what is stored
            self.initial[name] = theirs[name]  # type: ignore[attr-defined]
            self.fields[name].disabled = True
        self.__dict__.pop("changed_data", None)
        super().full_clean()  # type: ignore[misc]
        for name in taken:
            self.fields[name].disabled = False
        if same or own or done:
            missing = [c for c in conflicts if choices.get(c.name) not in ("mine", "theirs")]
            if conflicts and (missing or self._errors):
                self._refuse(current, self._question(text("choose"), conflicts))
            return
        self._refuse(current, self._question(text("changed" if conflicts else "changed elsewhere"), conflicts))

    def _refuse(self, current: Optional[str], said: Any) -> None:
        self.changed = Changed(self._version, current)
        if self.editlock_save is not None:
            self.editlock_save.changed = self.changed
        self._version = current or self._version
        self.add_error(None, said)  # type: ignore[attr-defined]

    # --- the three texts of a field

    def _posted_base(self, name: str) -> Any:
        bound = self[name]  # type: ignore[index]
        return self._widget_data_value(bound.field.hidden_widget(), bound.html_initial_name)  # type: ignore[attr-defined]

    def _as_initial(self, name: str, value: Any) -> Any:
        if isinstance(value, (datetime.datetime, datetime.time)) and not self.fields[name].widget.supports_microseconds:
            value = value.replace(microsecond=0)  # as Django shows it
        return value

    def _is_stored(self, theirs: dict[str, Any]) -> bool:
        return all(not self.fields[name].has_changed(value, self[name].data) for name, value in theirs.items())  # type: ignore[index]

    def _conflicts(self, theirs: dict[str, Any]) -> list[_Conflict]:
        """The fields of which there are two texts, in the form's order."""
        known = any(key.startswith(self.add_initial_prefix("")) for key in self.data)  # type: ignore[attr-defined]
        found = []
        for name in self._compared:
            bound, field = self[name], self.fields[name]  # type: ignore[index]
            if not field.has_changed(theirs[name], bound.data):
                continue
            mine = not known or bound._has_changed()
            other = not known or field.has_changed(theirs[name], self._bases[name])
            found.append(_Conflict(name, bound, theirs[name], self._bases[name] if known else None, mine, other))
        return found if any(c.other for c in found) or not known else []

    def _question(self, said: str, conflicts: list[_Conflict]) -> SafeString:
        rows = format_html_join("", "{}", ((c.html(self.data.get(TAKE_FIELD + c.name)),) for c in conflicts))
        return format_html(
            '<div class="editlock-changed" data-editlock="ignore"><p>{}</p>{}'
            '<input type="hidden" name="{}" value="1"></div>',
            said,
            rows,
            CHOOSE_FIELD,
        )


class _Conflict:
    """A field that is not as it is stored."""

    def __init__(self, name: str, bound: Any, theirs: Any, base: Any, mine: bool, other: bool) -> None:
        self.name = name
        self._bound = bound
        self._theirs = theirs
        self._base = base
        self._mine = mine
        self.other = other

    def html(self, chosen: Optional[str]) -> SafeString:
        """What was, what is typed, what is stored, and a choice; what only one side changed is proposed."""
        if chosen not in ("mine", "theirs"):
            chosen = "" if self._mine and self.other else "mine" if self._mine else "theirs"
        rows = format_html_join(
            "",
            '<p><label><input type="radio" name="{}" value="{}" required{}> {}</label><br>{}</p>',
            (
                (TAKE_FIELD + self.name, value, mark_safe(" checked" if chosen == value else ""), text(value), shown)
                for value, shown in (
                    ("mine", self._shown(self._bound.data)),
                    ("theirs", self._shown(self._bound.field.prepare_value(self._theirs))),
                )
            ),
        )
        who = "both" if self._mine and self.other else "only you" if self._mine else "only they"
        was = (
            mark_safe("")
            if self._base is None
            else format_html("<p>{}<br>{}</p>", text("was"), self._shown(self._base))
        )
        return format_html(
            "<fieldset><legend>{}</legend><p>{}</p>{}{}</fieldset>", self._bound.label, text(who), rows, was
        )

    def _shown(self, value: Any) -> SafeString:
        """A value as the form would show it, of choices their names."""
        field = self._bound.field
        values = value if isinstance(value, (list, tuple)) else [value]
        values = ["" if one is None else str(getattr(one, "pk", one)) for one in values]
        if hasattr(field, "choices") and hasattr(field, "queryset"):
            try:
                key = field.to_field_name or "pk"
                names = {
                    str(getattr(o, key)): str(o)
                    for o in field.queryset.filter(**{f"{key}__in": [v for v in values if v]})
                }
            except (TypeError, ValueError):
                names = {}
            values = [names.get(one, one) for one in values]
        elif hasattr(field, "choices"):
            names = {str(key): str(name) for key, name in field.widget.choices if not isinstance(name, (list, tuple))}
            values = [names.get(one, one) for one in values]
        elif type(field).__name__ == "BooleanField":
            values = [text("yes" if one in ("True", "true", "on", "1") else "no") for one in values]
        name = isolated(", ".join(one for one in values if one))
        if len(name) > _SHOWN:
            name = name[:_SHOWN] + "…"
        return format_html('<span class="editlock-text" style="white-space: pre-wrap">{}</span>', name or text("empty"))


def versioned(form: Any, version: Version, save: Optional[Save] = None) -> Any:
    """A form's class with VersionedForm before it; the class itself without a version."""
    if not version:
        return form
    more = {"editlock_version": staticmethod(version) if callable(version) else version, "editlock_save": save}
    if issubclass(form, VersionedForm):
        return type(form)(form.__name__, (form,), more)
    return type(form)(form.__name__, (VersionedForm, form), more)

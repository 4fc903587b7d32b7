"""EditLockAdmin, for every ModelAdmin."""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any, Callable, Optional, Union

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.forms import Media
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from ...errors import Busy, EditlockError, Unavailable
from ...types import ID
from .. import peek
from ..guard import SAFE_METHODS, status_of
from ..names import mutex_id
from ..owners import owner_of
from ..page import assets
from ..said import token_of
from ..texts import text, why
from ..tokens import token_view
from ..typed import typed, values
from ..versions import Version, saying, version_of, versioned
from ..writes import Writes, current, unreachable_is_allowed
from .column import ROWS, holder_column, present_column
from .related import changed_in, deleted_with, look

_SAVE = "_editlock_save"  # of a request: what it says of its save
_PAGE = "_editlock_page"  # of a request: what assets() is given besides


class EditLockAdmin(ModelAdmin):  # type: ignore[type-arg] # not generic at run time
    """Lets one person at a time edit an object in the admin.

    Put it before ModelAdmin; behind it, the class is a TypeError. The
    ModelAdmin of a theme may stand on either side. The change form opens with
    ``<edit-lock>``; a save needs its token, checked in the transaction that
    saves. Deletions, actions and list_editable need the lock to be free. A
    refusal is an admin message that says who edits the object and since when;
    what was typed is shown again.
    """

    #: Whether the changelist has a column that says who edits what.
    editlock_column = True
    #: Whether the change form and that column say who else looks at an object.
    editlock_presence = False
    #: Names of actions that change nothing, such as exports: they run while others edit.
    editlock_reading_actions: tuple[str, ...] = ()

    #: How a save finds out that the object was changed past its lock: True by a digest of the form's
    #: fields, a text by this field of the object, such as "updated_at"; False: not at all.
    editlock_version: Union[bool, str] = False
    #: A text field of the model that remembers whose save was the last, for pages that save by themselves.
    editlock_saves = ""

    def get_editlock_id(self, obj: Any) -> ID:
        """The name of an object's lock."""
        return mutex_id(obj)

    # --- versions

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if not change or not self.editlock_version:
            return form
        return versioned(form, self._editlock_way, getattr(request, _SAVE, None))

    @property
    def _editlock_way(self) -> Version:
        """What get_editlock_version says, if the class has one."""
        own: Any = getattr(self, "get_editlock_version", None)
        return self.editlock_version if own is None else own

    # --- the change form

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        change = kwargs.get("change", False)
        if change and obj is not None and obj.pk is not None and self.has_change_permission(request, obj):
            if unreachable_is_allowed() and not _answers():
                messages.warning(request, text("unlocked page"))
            else:
                page = dict(getattr(request, _PAGE, {}))
                if request.method not in SAFE_METHODS:  # the form has mistakes
                    form = context["adminform"].form
                    page = {"unsaved": values(typed(request, [form, *_forms(context["inline_admin_formsets"])]))}
                context["media"] = context["media"] + Media(
                    js=assets(  # type: ignore[arg-type]  # they have __html__
                        request,
                        self.get_editlock_id(obj),
                        form=f"{self.opts.model_name}_form",
                        token_url=reverse(f"{self.admin_site.name}:{self._editlock_url}"),
                        presence=self.editlock_presence,
                        **page,
                    )
                )
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(
        self, request: Any, object_id: Optional[str] = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        def view(request: Any) -> Any:
            return super(EditLockAdmin, self).changeform_view(request, object_id, form_url, extra_context)

        if request.method in SAFE_METHODS or object_id is None:
            return view(request)
        try:
            save = saying(request, self.editlock_saves) if self.editlock_version else None
            setattr(request, _SAVE, save)
            with Writes(owner_of(request)) as writes:
                with transaction.atomic(using=getattr(self, "using", None) or router.db_for_write(self.model)):
                    response = view(request)
                if writes.unlocked:
                    messages.warning(request, text("unlocked"))
                if save is not None and save.changed is not None:
                    response.status_code = 412
                return response
        except EditlockError as err:
            return self._editlock_refuse(request, object_id, err, view)

    def _editlock_refuse(self, request: Any, object_id: str, err: EditlockError, view: Callable[[Any], Any]) -> Any:
        """The page as it is stored, with what was typed beside it."""
        messages.error(request, text("not saved", why=why(err, getattr(err, "named", None))))
        unsaved = self._editlock_typed(request, object_id)
        if unsaved:
            pairs = ((label, value) for _, label, value in unsaved)
            rows = format_html_join("", "<dt>{}</dt><dd><pre>{}</pre></dd>", pairs)
            texts = "<details class=editlock-unsaved open><summary>{}</summary><dl>{}</dl></details>"
            messages.info(request, format_html(texts, text("unsaved"), rows))
        again = copy.copy(request)
        again.method = "GET"
        setattr(again, _SAVE, None)
        setattr(again, _PAGE, {"unsaved": values(unsaved), "refused": True})
        response = view(again)
        if response.status_code == 200:
            response.status_code = status_of(err)
        return response

    def _editlock_typed(self, request: Any, object_id: str) -> list[tuple[str, str, str]]:
        obj = self._editlock_object(request, object_id)
        if obj is None:
            return []
        form = self.get_form(request, obj, change=True)(request.POST, request.FILES, instance=obj)
        formsets, _ = self._create_formsets(request, obj, change=True)  # type: ignore[attr-defined]
        return typed(request, [form, *(form for formset in formsets for form in formset.forms)])

    def _editlock_object(self, request: Any, object_id: str) -> Any:
        to_field = request.POST.get(TO_FIELD_VAR, request.GET.get(TO_FIELD_VAR))
        return self.get_object(request, unquote(object_id), to_field)

    def save_form(self, request: Any, form: Any, change: bool) -> Any:
        writes, obj = current(), form.instance
        if change and writes is not None:
            # The row that the form was opened for, and the one that it writes
            # if its primary key is among the fields.
            before = copy.copy(obj)
            before.pk = form.initial.get(obj._meta.pk.name, obj.pk)
            self._editlock_check(request, before)
            if before.pk != obj.pk:
                writes.hold([self.get_editlock_id(obj)])
        return super().save_form(request, form, change)

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        if change:  # a save_form of one's own may not have asked
            self._editlock_check(request, obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        save = getattr(request, _SAVE, None)
        if change and save is not None:
            save.done(form.instance, lambda obj: version_of(obj, form.editlock_version, form.fields))

    def save_formset(self, request: Any, form: Any, formset: Any, change: bool) -> None:
        writes = current()
        named = changed_in(self.admin_site, formset)
        if writes is not None and named:
            try:
                writes.hold(named)
            except Busy as busy:
                busy.named = named  # type: ignore[attr-defined]
                raise
        super().save_formset(request, form, formset, change)

    def _editlock_check(self, request: Any, obj: Any) -> None:
        writes, id = current(), self.get_editlock_id(obj)
        if writes is not None and id not in writes.ids:
            writes.confirm(id, token_of(request))

    # --- deletion

    def delete_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        view = functools.partial(super().delete_view, request, object_id, extra_context)
        obj = self._editlock_object(request, object_id)
        if obj is None or not self.has_delete_permission(request, obj):
            return view()
        named = {self.get_editlock_id(obj): str(obj), **deleted_with(self.admin_site, [obj])}
        try:
            with Writes(owner_of(request)) as writes:
                if request.method in SAFE_METHODS:
                    look(writes, named)
                    return view()
                writes.hold(named)
                response = view()
                if writes.unlocked:
                    messages.warning(request, text("unlocked"))
                return response
        except EditlockError as err:
            messages.error(request, text("not deleted", why=why(err, named)))
            # There the element says it too, and lets the reader ask or take over.
            page = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(page, args=[object_id]))

    # --- the changelist

    def get_list_display(self, request: Any) -> Any:
        columns = super().get_list_display(request)
        if not self.editlock_column:
            return columns
        return [*columns, present_column(request, self) if self.editlock_presence else holder_column(request, self)]

    def get_changelist_instance(self, request: Any) -> Any:
        changelist = super().get_changelist_instance(request)
        setattr(request, ROWS, changelist)
        return changelist

    def get_actions(self, request: Any, action_location: Any = None) -> Any:
        where = {} if action_location is None else {"action_location": action_location}  # new in Django 6.1
        actions: dict[str, Any] = super().get_actions(request, **where)
        for name, action in actions.items():
            if name in self.editlock_reading_actions:
                continue
            if isinstance(action, tuple):  # before Django 6.1
                actions[name] = (self._editlock_action(action[0], name), *action[1:])
            else:
                actions[name] = dataclasses.replace(action, func=self._editlock_action(action.func, name))
        return actions

    def _editlock_action(self, action: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(action)
        def run(modeladmin: Any, request: Any, queryset: Any) -> Any:
            objects = list(queryset)
            named = {self.get_editlock_id(obj): str(obj) for obj in objects}
            if name == "delete_selected":
                named.update(deleted_with(self.admin_site, objects))
            try:
                with Writes(owner_of(request)) as writes:
                    if name == "delete_selected" and not request.POST.get("post"):
                        look(writes, named)  # it only asks whether to delete
                    else:
                        writes.hold(named)
                    response = action(modeladmin, request, queryset)
                    if writes.unlocked:
                        messages.warning(request, text("unlocked"))
                    return response
            except EditlockError as err:
                messages.error(request, text("not run", why=why(err, named)))
                return None

        return run

    def changelist_view(self, request: Any, extra_context: Any = None) -> Any:
        view = functools.partial(super().changelist_view, request, extra_context)
        if request.method in SAFE_METHODS or "_save" not in request.POST:
            return view()
        try:
            with Writes(owner_of(request)) as writes:
                response = view()
                if writes.unlocked:
                    messages.warning(request, text("unlocked"))
                return response
        except EditlockError as err:
            messages.error(request, text("not saved", why=why(err)))
            return HttpResponseRedirect(request.get_full_path())

    def get_changelist_formset(self, request: Any, **kwargs: Any) -> Any:
        base, name = super().get_changelist_formset(request, **kwargs), self.get_editlock_id

        class Formset(base):  # type: ignore[misc, valid-type]
            def clean(self) -> None:
                super().clean()
                writes = current()
                if writes is None or any(self._errors):
                    return
                named = {name(form.instance): str(form.instance) for form in self.forms if form.has_changed()}
                try:
                    writes.hold(named)
                except EditlockError as err:
                    said = text("not saved", why=why(err, named))
                    messages.error(request, said)
                    raise ValidationError(said)

        return Formset

    # --- addresses

    @property
    def _editlock_url(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_editlock_token"

    def get_urls(self) -> list[Any]:
        token = path("editlock/token/", self.admin_site.admin_view(token_view), name=self._editlock_url)
        return [token, *super().get_urls()]


def _answers() -> bool:
    try:
        peek(lambda client: client.list(limit=1))
    except Unavailable:
        return False
    except EditlockError:
        pass  # it answers
    return True


def _forms(inlines: Any) -> list[Any]:
    return [form for inline in inlines for form in inline.formset.forms]

"""EditLockMixin, for UpdateView and DeleteView."""

from __future__ import annotations

import copy
from typing import Any, Callable, Union

from django.contrib import messages
from django.db import transaction
from django.http import JsonResponse
from django.utils.safestring import mark_safe
from django.views.generic.edit import DeletionMixin

from ..errors import EditlockError
from ..types import ID
from .guard import problem_response, status_of
from .names import database_of, mutex_id
from .owners import owner_of
from .page import assets, named_token_url
from .said import token_of
from .texts import text, why
from .typed import typed, values
from .versions import Version, etag, saying, version_of, versioned
from .writes import Writes, current


class EditLockMixin:
    """One person at a time edits the object of an UpdateView or deletes that of a DeleteView.

    Put it before the view's own class, behind LoginRequiredMixin. In the
    template of an UpdateView, ``{{ editlock }}`` stands within the form. A
    save needs the token that the form then carries, a deletion a lock that
    nobody holds; both are checked in the transaction that writes. A refusal
    is the view's own page with status 409, an error message and
    ``editlock_refusal`` in its context.
    """

    #: Whether the page says who else looks at the object.
    editlock_presence = False
    #: How a save finds out that the object was changed past its lock: True by a digest of the form's
    #: fields, a text by this field of the object, such as "updated_at"; False: not at all.
    editlock_version: Union[bool, str] = False
    #: A text field of the model that remembers whose save was the last, for pages that save by themselves.
    editlock_saves = ""

    request: Any
    args: Any
    kwargs: Any
    _editlock_save: Any = None

    def get_editlock_id(self, obj: Any) -> ID:
        """The name of an object's lock."""
        return mutex_id(obj)

    def get_form_class(self) -> Any:
        form = super().get_form_class()  # type: ignore[misc]
        if isinstance(self, DeletionMixin) or not self.editlock_version:
            return form
        return versioned(form, self._editlock_way, self._editlock_save)

    @property
    def _editlock_way(self) -> Version:
        """What get_editlock_version says, if the class has one."""
        own: Any = getattr(self, "get_editlock_version", None)
        return self.editlock_version if own is None else own

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        obj, page = context.get("object"), getattr(self.request, "_editlock_page", {})
        context["editlock_refusal"] = page.get("refusal", "")
        if obj is None or isinstance(self, DeletionMixin):
            return context
        form = context.get("form")
        mistaken = typed(self.request, [form]) if form is not None and form.is_bound else []
        parts = assets(
            self.request,
            self.get_editlock_id(obj),
            token_url=named_token_url(),
            unsaved=page.get("unsaved") or values(mistaken),
            refused=bool(page),
            presence=self.editlock_presence,
        )
        context["editlock"] = mark_safe("".join(part.__html__() for part in parts))
        return context

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self._editlock_run(lambda: super(EditLockMixin, self).post(request, *args, **kwargs))  # type: ignore[misc]

    def delete(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, DeletionMixin):
            return self.http_method_not_allowed(request, *args, **kwargs)  # type: ignore[attr-defined]
        return self._editlock_run(lambda: super(EditLockMixin, self).delete(request, *args, **kwargs))

    def _editlock_run(self, write: Callable[[], Any]) -> Any:
        obj = self.get_object()  # type: ignore[attr-defined]
        try:
            if self.editlock_version and not isinstance(self, DeletionMixin):
                self._editlock_save = saying(self.request, self.editlock_saves)
            with Writes(owner_of(self.request)) as writes:
                if isinstance(self, DeletionMixin):
                    writes.hold([self.get_editlock_id(obj)])
                with transaction.atomic(using=database_of(obj)):
                    response = write()
                if writes.unlocked:
                    messages.warning(self.request, text("unlocked"), fail_silently=True)
                return response
        except EditlockError as err:
            return self._editlock_refuse(err)

    def form_valid(self, form: Any) -> Any:
        writes = current()
        if writes is not None and not isinstance(self, DeletionMixin):
            writes.confirm(self.get_editlock_id(form.instance), token_of(self.request))
        response = super().form_valid(form)  # type: ignore[misc]
        save = self._editlock_save
        if save is None:
            return response
        version = save.done(form.instance, lambda obj: version_of(obj, form.editlock_version, form.fields))
        if _from_script(self.request):
            response = JsonResponse({"version": version})
        response["ETag"] = etag(version)
        return response

    def form_invalid(self, form: Any) -> Any:
        changed = getattr(form, "changed", None)
        if not _from_script(self.request):
            response = super().form_invalid(form)  # type: ignore[misc]
        elif changed is not None:
            return problem_response(changed, 412)
        else:
            response = JsonResponse({"errors": form.errors.get_json_data()}, status=400)
        if changed is not None:
            response.status_code = 412
        return response

    def _editlock_refuse(self, err: EditlockError) -> Any:
        """The view's page, as it is without the write."""
        deletes = isinstance(self, DeletionMixin)
        status = status_of(err)
        if not deletes and self.editlock_version and _from_script(self.request):
            return problem_response(err, status)
        refusal = text("not deleted" if deletes else "not saved", why=why(err))
        messages.error(self.request, refusal, fail_silently=True)
        page: dict[str, Any] = {"refusal": refusal}
        if not deletes:
            self.object = self.get_object()  # type: ignore[attr-defined]
            page["unsaved"] = values(typed(self.request, [self.get_form()]))  # type: ignore[attr-defined]
        again = copy.copy(self.request)
        again.method = "GET"
        again._editlock_page = page
        self._editlock_save = None
        self.request = again
        response = self.get(again, *self.args, **self.kwargs)  # type: ignore[attr-defined]
        response.status_code = status
        return response


def _from_script(request: Any) -> bool:
    """Whether a page that saves by itself asks, and wants no page."""
    accepted = request.headers.get("Accept", "")
    return "json" in accepted and "text/html" not in accepted

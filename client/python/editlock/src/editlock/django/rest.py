"""Locks in Django REST framework: a write brings the token of the lock, as with If-Match."""

from __future__ import annotations

from typing import Any, Union

from django.db import router, transaction
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS, BasePermission

from ..errors import EditlockError, Lost, Unavailable
from ..types import Owner
from .guard import problem
from .names import mutex_id
from .owners import owner_of
from .said import TOKEN_HEADER, Malformed, token_of
from .texts import text
from .versions import Changed, Version, etag, saying, stored, version_of
from .writes import Writes, current


class Refused(APIException):  # type: ignore[misc] # untyped there
    """The answer to a write that is refused, with editlock's ``code``, and the ``holder`` if there is one."""

    def __init__(self, status: int, form: dict[str, Any]) -> None:
        super().__init__(form)
        self.status_code = status


class EditLockPermission(BasePermission):  # type: ignore[misc] # untyped there
    """Lets a write through if its header ``Editlock-Token`` is that of the object's lock, held by the caller.

    Without the header the answer is 428, with a token that is not in force
    409, and 503 if the lock server does not answer. Reading is for everybody.
    With EditLockAPIMixin the check is within the transaction that writes.
    """

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        if TOKEN_HEADER not in request.headers:
            detail = text("no token")
            raise Refused(428, {"code": "token_required", "detail": f"{detail} ({TOKEN_HEADER})", "holder": None})
        id = view.get_editlock_id(obj) if hasattr(view, "get_editlock_id") else mutex_id(obj)
        writes = current()
        try:
            if writes is None:
                writes = Writes(_owner(view, request))
            writes.confirm(id, token_of(request))
        except Malformed as err:
            raise Refused(400, problem(err)) from err
        except Unavailable as err:
            raise Refused(503, problem(err)) from err
        except Lost as err:
            raise Refused(409, problem(err)) from err
        except EditlockError as err:
            raise Refused(502, problem(err)) from err
        return True


class EditLockAPIMixin:
    """Before the view set's class: its updates and deletions, and EditLockPermission, run in one transaction.

    With ``editlock_version`` answers have the object's version in ETag, and writes must name it in If-Match:
    without it the answer is 428, and 412 with the code "changed" if it is another by now.
    """

    #: True: a digest of the object's fields; a text: this field of it; False: no versions.
    editlock_version: Union[bool, str] = False
    #: A text field of the model that remembers whose save was the last, for pages that save by themselves.
    editlock_saves = ""

    permission_classes: Any
    request: Any

    def get_editlock_owner(self, request: Any) -> Owner:
        """Who calls. For callers without sessions, make it of what names a login of theirs."""
        return owner_of(request)

    def get_permissions(self) -> Any:
        permissions = super().get_permissions()  # type: ignore[misc]
        if not any(isinstance(permission, EditLockPermission) for permission in permissions):
            permissions.append(EditLockPermission())
        return permissions

    def update(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with Writes(self.get_editlock_owner(request)), transaction.atomic(using=self._editlock_database()):
            save = self._editlock_match(request)
            response = super().update(request, *args, **kwargs)  # type: ignore[misc]
            if save is not None:
                response["ETag"] = etag(save.done(self.get_object(), self._editlock_version_of))  # type: ignore[attr-defined]
            return response

    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with Writes(self.get_editlock_owner(request)), transaction.atomic(using=self._editlock_database()):
            self._editlock_match(request)
            return super().destroy(request, *args, **kwargs)  # type: ignore[misc]

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Before the object is read for the answer: a version that is older than the text is refused, a newer one
        # would not be.
        version = self._editlock_version_of(self.get_object()) if self.editlock_version else ""  # type: ignore[attr-defined]
        response = super().retrieve(request, *args, **kwargs)  # type: ignore[misc]
        if version:
            response["ETag"] = etag(version)
        return response

    def _editlock_version_of(self, obj: Any) -> str:
        own: Any = getattr(self, "get_editlock_version", None)
        way: Version = self.editlock_version if own is None else own
        return version_of(obj, way)

    def _editlock_match(self, request: Any) -> Any:
        if not self.editlock_version:
            return None
        obj = self.get_object()  # type: ignore[attr-defined] # which asks for the token, too
        if "If-Match" not in request.headers:
            raise Refused(428, {"code": "version_required", "detail": f"{text('no version')} (If-Match)"})
        try:
            save = saying(request, self.editlock_saves)
        except Malformed as err:
            raise Refused(400, problem(err)) from err
        now = stored(obj)
        current = None if now is None else self._editlock_version_of(now)
        if current != save.seen and (current is None or not save.is_own(now, current)):
            raise Refused(412, problem(Changed(save.seen, current)))
        return save

    def _editlock_database(self) -> str:
        alias: str = router.db_for_write(self.get_queryset().model)  # type: ignore[attr-defined]
        return alias


def _owner(view: Any, request: Any) -> Owner:
    owner: Owner = view.get_editlock_owner(request) if hasattr(view, "get_editlock_owner") else owner_of(request)
    return owner

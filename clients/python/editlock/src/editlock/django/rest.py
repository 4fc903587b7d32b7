"""Locks in Django REST framework: a write brings the token of the lock, as with If-Match."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction
from rest_framework.exceptions import APIException
from rest_framework.permissions import SAFE_METHODS, BasePermission

from ..errors import EditlockError, Lost, Unavailable
from ..types import Owner
from .guard import TOKEN_HEADER, problem, token_of
from .names import mutex_id
from .owners import owner_of
from .texts import text
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
        except Unavailable as err:
            raise Refused(503, problem(err)) from err
        except Lost as err:
            raise Refused(409, problem(err)) from err
        except EditlockError as err:
            raise Refused(502, problem(err)) from err
        return True


class EditLockAPIMixin:
    """Before the view set's class: its updates and deletions, and EditLockPermission, run in one transaction."""

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
            return super().update(request, *args, **kwargs)  # type: ignore[misc]

    def destroy(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with Writes(self.get_editlock_owner(request)), transaction.atomic(using=self._editlock_database()):
            return super().destroy(request, *args, **kwargs)  # type: ignore[misc]

    def _editlock_database(self) -> str:
        alias: str = router.db_for_write(self.get_queryset().model)  # type: ignore[attr-defined]
        return alias


def _owner(view: Any, request: Any) -> Owner:
    owner: Owner = view.get_editlock_owner(request) if hasattr(view, "get_editlock_owner") else owner_of(request)
    return owner

"""Locks in Django's admin: one person at a time edits an object.

from editlock.django.admin import EditLockAdmin

@admin.register(Invoice)
class InvoiceAdmin(EditLockAdmin, admin.ModelAdmin): ...
"""

from __future__ import annotations

from django.contrib import admin

from ..models import Lock
from .index import LockAdmin
from .mixin import EditLockAdmin

__all__ = ["EditLockAdmin"]

admin.site.register(Lock, LockAdmin)

"""The entry in the admin's index that shows what is locked."""

from __future__ import annotations

from typing import Any, Optional

from django.contrib import admin

from ..views import locks


class LockAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # not generic at run time
    """Shows what is locked, to who may view locks, with the way to the lock manager."""

    def changelist_view(self, request: Any, extra_context: Optional[dict[str, Any]] = None) -> Any:
        return locks(request, self.admin_site)

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [url for url in super().get_urls() if url.name == name]  # there are no pages of single locks

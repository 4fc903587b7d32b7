"""No table: a name by which the admin's index links to what is locked."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.functional import lazystr


class _Name:
    """A text in the language of who reads it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __str__(self) -> str:
        from .texts import text

        return text(self._key)


def _lazy(key: str) -> Any:
    return lazystr(_Name(key))


class Lock(models.Model):
    """What is locked; the lock server has it, and no database of this site."""

    name: Any = models.CharField(max_length=900, primary_key=True)

    class Meta:
        app_label = "editlock"
        managed = False
        default_permissions = ("view",)
        verbose_name = _lazy("lock")
        verbose_name_plural = _lazy("title")

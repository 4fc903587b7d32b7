"""The Django application; it has no models."""

from __future__ import annotations

from django.apps import AppConfig


class EditlockConfig(AppConfig):
    name = "editlock.django"
    label = "editlock"
    verbose_name = "editlock"

"""The table that m3-mutex keeps its mutexes in. Nothing is written to it any
more; it stays for services that still use m3-mutex, and for the way back."""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from django.db import models


class MutexModel(models.Model):
    """A row of that table."""

    mutex_group: models.CharField[str, str] = models.CharField(max_length=100, blank=True, db_index=True)
    mutex_mode: models.CharField[str, str] = models.CharField(max_length=100, blank=True, db_index=True)
    mutex_id: models.CharField[str, str] = models.CharField(max_length=100, db_index=True)
    owner_session: models.CharField[str, str] = models.CharField(max_length=50)
    owner_host: models.TextField[str, str] = models.TextField(blank=True)
    owner_id: models.CharField[str, str] = models.CharField(max_length=40, default="system")
    owner_login: models.CharField[str, str] = models.CharField(max_length=40, blank=True)
    owner_name: models.CharField[str, str] = models.CharField(max_length=100, blank=True)
    auto_release_rule: models.CharField[str, str] = models.CharField(max_length=100, blank=True)
    auto_release_config: models.CharField[str, str] = models.CharField(max_length=300, blank=True)
    captured_since: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    status_data: models.TextField[Optional[str], Optional[str]] = models.TextField(null=True, blank=True)

    class Meta:
        app_label = "m3_mutex"
        db_table = "m3_mutex"

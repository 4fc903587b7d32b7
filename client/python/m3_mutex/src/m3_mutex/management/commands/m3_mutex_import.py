"""Carries what m3-mutex's table holds over to the editlock server."""

from __future__ import annotations

import re
from datetime import datetime
from importlib import import_module
from typing import Any, Optional

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

import editlock
from editlock.django.owners import session_of

from ... import _names as names
from ..._server import client
from ...domain import MutexAutoReleaseRule, MutexID, MutexOwner
from ...models import MutexModel


class Command(BaseCommand):
    """Captures every mutex of some modes that the table still holds, for its owner.

    To be run when no service locks these modes by m3-mutex any more, and
    before the first one does by editlock: the table does not know what is
    released there. What is held on the server already is left as it is. The
    table is only read.
    """

    help = "Captures on the editlock server what the table of m3-mutex holds. Run it when m3-mutex is no longer in use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mode", nargs="+", required=True, help='the modes to carry over; "" is one too')

    def handle(self, *args: Any, **options: Any) -> None:
        counts = {"captured": 0, "expired": 0, "held already": 0}
        # Of rows with one name, which m3-mutex's races leave, the latest counts.
        for row in MutexModel.objects.filter(mutex_mode__in=options["mode"]).order_by("-captured_since", "-pk"):
            rule = _rule(row)
            if rule is not None and _age(row) > rule.timeout:
                counts["expired"] += 1
                continue
            try:
                client().capture(
                    names.to_id(MutexID(row.mutex_group, row.mutex_mode, row.mutex_id)),
                    owner=names.to_owner(_owner(row)),
                    status_data=row.status_data or "",
                    auto_release=names.to_rule(rule),
                    if_free=True,
                )
                counts["captured"] += 1
            except editlock.Busy as busy:
                counts["held already"] += 1
                self.stderr.write(f"{busy}; the row {row.pk} of {row.owner_name or row.owner_session} is left out")
        self.stdout.write(", ".join(f"{name}: {count}" for name, count in counts.items()))


def _rule(row: MutexModel) -> Optional[Any]:
    kind = MutexAutoReleaseRule.get_rule_class(row.auto_release_rule)
    if kind is None:
        return None
    rule = kind()
    rule.restore(row.auto_release_config)
    rule.timeout = rule.timeout or rule.DEFAULT_TIMEOUT
    return rule


def _age(row: MutexModel) -> float:
    now = timezone.now() if timezone.is_aware(row.captured_since) else datetime.now()
    return (now - row.captured_since).total_seconds()


def _owner(row: MutexModel) -> MutexOwner:
    return MutexOwner(
        session_id=_session(row.owner_session),
        user_id=row.owner_id,
        name=row.owner_name,
        login=row.owner_login,
        host=row.owner_host,
    )


def _session(key: str) -> str:
    """A visitor's session by the name it goes by on the server; others are their own."""
    if re.fullmatch("[a-z0-9]{32}", key):
        store = import_module(settings.SESSION_ENGINE).SessionStore()
        if store.exists(key):
            return session_of(key)
    return key

"""The Python client of editlock: named locks with people's names on them."""

from ._watch import Watch
from .aio import AsyncClient
from .aioheld import AsyncHeld
from .client import Client
from .credential import AsyncCredential, Credential, credential_file
from .edit import AsyncEditLock, EditLock
from .errors import (
    Answer,
    Busy,
    Closed,
    Conflict,
    EditlockError,
    Forbidden,
    HeldByPerson,
    Invalid,
    Limited,
    Lost,
    NotHeld,
    Unauthenticated,
    Unavailable,
)
from .held import Held
from .owners import acting_as, console_owner, current_owner
from .types import (
    ID,
    NEVER,
    STRANGER,
    SYSTEM,
    AutoRelease,
    Company,
    Draining,
    Entry,
    HistoryPage,
    Look,
    Looker,
    Looking,
    Mutex,
    Owner,
    OwnerKind,
    Page,
    RefreshItem,
    Sharing,
    State,
    Waiter,
)

__version__ = "0.1.0"

__all__ = [
    "ID",
    "NEVER",
    "STRANGER",
    "SYSTEM",
    "Answer",
    "AsyncClient",
    "AsyncCredential",
    "AsyncEditLock",
    "AsyncHeld",
    "AutoRelease",
    "Busy",
    "Client",
    "Closed",
    "Company",
    "Conflict",
    "Credential",
    "Draining",
    "EditLock",
    "EditlockError",
    "Entry",
    "Forbidden",
    "Held",
    "HeldByPerson",
    "HistoryPage",
    "Invalid",
    "Limited",
    "Look",
    "Looker",
    "Looking",
    "Lost",
    "Mutex",
    "NotHeld",
    "Owner",
    "OwnerKind",
    "Page",
    "RefreshItem",
    "Sharing",
    "State",
    "Unauthenticated",
    "Unavailable",
    "Waiter",
    "Watch",
    "acting_as",
    "console_owner",
    "credential_file",
    "current_owner",
]

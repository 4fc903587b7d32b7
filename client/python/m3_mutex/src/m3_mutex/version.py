"""Names that m3-mutex has here."""

from __future__ import annotations

__version__ = "2.1.0"
__appname__ = "Семафоры и блокировки операций на сервере editlock"

__require__: dict[str, str] = {}

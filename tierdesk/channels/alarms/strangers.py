"""Who talks to a listener and is no source's: counted in memory, and written down every few seconds."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from tierdesk.channels.alarms.models import Stranger

KEPT_BYTES = 2_000
NOTE = """
INSERT INTO alarms_stranger AS s (shape, remote, count, first_at, last_at, last_raw)
SELECT %(shape)s::varchar, %(remote)s::varchar, %(count)s, %(at)s, %(at)s, %(raw)s
WHERE EXISTS (SELECT FROM alarms_stranger k WHERE k.shape = %(shape)s AND k.remote = %(remote)s)
    OR (SELECT count(*) FROM alarms_stranger) < %(most)s
ON CONFLICT (shape, remote) DO UPDATE SET
    count = s.count + excluded.count, last_at = excluded.last_at, last_raw = excluded.last_raw
"""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    count: int
    at: datetime
    raw: bytes


class Strangers:
    """Counts by listener and address; `flush` writes them. Of a flood from many addresses not all are counted."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._lock = threading.Lock()

    def note(self, shape: str, remote: str, raw: bytes, at: datetime) -> None:
        with self._lock:
            heard = self._heard.get((shape, remote))
            if heard is not None:
                heard.count, heard.at, heard.raw = heard.count + 1, at, raw[:KEPT_BYTES]
            elif len(self._heard) < Stranger.MOST:
                self._heard[shape, remote] = _Heard(1, at, raw[:KEPT_BYTES])

    def flush(self) -> None:
        """Write what was counted since; what cannot be written now is not lost."""
        with self._lock:
            heard, self._heard = self._heard, {}
        for (shape, remote), one in heard.items():
            told: dict[str, Any] = {
                "shape": shape,
                "remote": remote,
                "count": one.count,
                "at": one.at,
                "raw": one.raw,
            }
            try:
                with connection.cursor() as cursor:
                    cursor.execute(NOTE, told | {"most": Stranger.MOST})
            except (OperationalError, InterfaceError) as away:
                log.warning("what strangers said cannot be counted now: %s", away)
                with self._lock:
                    self._heard.setdefault((shape, remote), one)

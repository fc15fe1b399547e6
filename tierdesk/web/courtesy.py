"""People first: while a page is being made, machines wait a moment.

A page and an alarm are worked by the same process, which does one thing at a time. A person waits for the page and
feels each tenth of a second; what monitoring sends may wait for as long as that takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

AT_MOST_S = 0.1
"""A page that takes longer, such as a large file on a slow line, holds nobody up for more than this."""


class Courtesy:
    """Counts the pages that are being made, on one event loop."""

    def __init__(self, *, at_most_s: float = AT_MOST_S) -> None:
        self._at_most_s = at_most_s
        self._pages = 0
        self._nobody_waits = asyncio.Event()

    @contextmanager
    def page(self) -> Iterator[None]:
        """Within it a page is being made."""
        self._pages += 1
        self._nobody_waits.clear()
        try:
            yield
        finally:
            self._pages -= 1
            if not self._pages:
                self._nobody_waits.set()

    def nobody_waits(self) -> bool:
        """Whether no page is being made."""
        return not self._pages

    async def give_way(self) -> None:
        """Return once no page is being made, or after a moment."""
        if not self._pages:
            return
        try:
            await asyncio.wait_for(self._nobody_waits.wait(), self._at_most_s)
        except TimeoutError:
            return

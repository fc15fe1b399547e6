"""The collector of cyclic garbage, told how a desk lives: much that stays for ever, and batches of short-lived rows."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 50_000
"""So many more objects before the collector looks again. A batch of five hundred tickets makes about as many."""


def settle_in() -> None:
    """Call once a process has loaded what it needs: what is there by now stays, and is not looked at again.

    Rows are freed by their reference counts. Python's own threshold of 2,000 searches a batch for cycles again and
    again and finds none.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)

"""Desks: processes of their own that start the cluster of a home, so that they can be killed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

PROGRAM = """
import sys, time
from pathlib import Path
from tierdesk.ops.postgres import Cluster
print(Cluster(Path(sys.argv[1])).start(), flush=True)
time.sleep(600)
"""


@dataclass
class Desk:
    process: subprocess.Popen[str]

    def url(self) -> str:
        """Wait until its database is up."""
        assert self.process.stdout
        url = self.process.stdout.readline().strip()
        assert url, "the desk ended before its database was up"
        return url


OpenDesk = Callable[..., Desk]
"""Opens a desk on a home, with the words that come before its command if there are any."""


def until(truth: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True

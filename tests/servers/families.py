"""The processes of a running desk by what they do, found in /proc below the supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

WEB, WORKER, DATABASE = "web", "worker", "database"


def part_of(words: list[bytes]) -> str:
    """What a process with this command line is for; empty for one that is not among the three."""
    if os.path.basename(words[0]) == b"postgres" and b"-D" in words:
        return DATABASE
    if b"tierdesk.config.server" in words:
        return WEB
    return WORKER if words[-1] == b"worker" else ""


def pids_of(supervisor: int) -> dict[str, int]:
    """web, worker and the database's postmaster, as far as they run at the moment."""
    found: dict[str, int] = {}
    for pid in children_of(supervisor):
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            found[part_of(words)] = pid
    found.pop("", None)
    return found


def kill(supervisor: int, part: str) -> bool:
    """`kill -9`, if that part runs at the moment."""
    pid = pids_of(supervisor).get(part)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def children_of(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent and after_name[0] != "Z":
                yield int(stat.parent.name)

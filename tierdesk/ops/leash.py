"""Start a program so that it cannot outlive its starter, even one that was killed with `kill -9`.

This file is also the program that does it. What has to happen between fork and exec (prctl, user namespace)
is not safe in a process with threads, so a fresh interpreter does it and then becomes the program it was
given. It is run with `-I -S` and may import only the standard library.
"""

from __future__ import annotations

import os
import pwd
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

NOBODY = 65534
"""The id PostgreSQL sees instead of root: overflow uid and gid of Linux, `nobody` in every distribution."""

PR_SET_PDEATHSIG = 1  # linux/prctl.h

NO_NAMESPACE = """\
PostgreSQL refuses to run as root, and this system forbids the user namespace that would hide root from it
({why}). Run Tierdesk as a normal user (in a container: USER, or docker run --user), allow user namespaces
(sysctl user.max_user_namespaces, or a seccomp profile that permits unshare), or set DATABASE_URL to a
PostgreSQL server of your own."""


def leashed(command: Sequence[str], *, on_death: signal.Signals, as_nobody: bool = False) -> list[str]:
    """`command`, made to receive `on_death` when the thread that starts it ends for whatever reason.

    Start it from a thread that lives as long as the program should (prctl(2): the "parent" is the thread).
    `as_nobody` shows the program uid 65534 in a user namespace of its own while its files keep their real
    owner. Other systems than Linux know neither; there the command comes back as it is.
    """
    if sys.platform != "linux":
        return list(command)
    guise = "nobody" if as_nobody else "self"
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(on_death)), guise, *command]


def needs_another_name() -> bool:
    """Whether PostgreSQL's programs would refuse the present user: root, or an id without an account."""
    if os.geteuid() == 0:
        return True
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def main(starter: int, on_death: int, guise: str, command: list[str]) -> None:
    if guise == "nobody":
        _become_nobody()
    die_with_the_starter(on_death)
    if os.getppid() != starter:  # it was gone before prctl could tell the kernel
        raise SystemExit("the starter has gone")
    try:
        os.execvp(command[0], command)  # noqa: S606 - this is what the file is for
    except OSError as refusal:
        raise SystemExit(f"{command[0]}: {refusal.strerror}") from None


def _become_nobody() -> None:
    uid, gid = os.geteuid(), os.getegid()
    try:
        os.unshare(os.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")  # user_namespaces(7): required before gid_map
        Path("/proc/self/uid_map").write_text(f"{NOBODY} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{NOBODY} {gid} 1")
    except OSError as refusal:
        raise SystemExit(NO_NAMESPACE.format(why=refusal.strerror)) from None


def die_with_the_starter(on_death: int) -> None:
    """This process gets `on_death` when the thread that started it ends. For one with a single thread."""
    import ctypes  # here alone: it costs the importer of `leashed` 10 ms

    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, on_death, 0, 0, 0) != 0:
        raise SystemExit(f"prctl: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])

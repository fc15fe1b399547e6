"""The other side of `sandbox`: a process that reads mails one by one and can be killed at any moment.

Frames on standard input, a socket: the length and the seconds allowed, then the raw mail. Frames back: what
it is (`m` a pickled Mail, `u` the reason it is unreadable, `f` a fault of ours with its traceback), whether
this process leaves now, the length, the content. It never sees the environment, the database or Django.
"""

import pickle
import resource
import signal
import socket
import struct
import sys
import traceback

MEMORY_BYTES = 512 * 1024 * 1024
HEAD = struct.Struct("!Qd")
ANSWER_HEAD = struct.Struct("!c?Q")

# After a mail of this size the process is replaced: what it left behind must not fail the next one.
_LARGE_BYTES = 8 * 1024 * 1024


def serve() -> None:
    """Answers frames until the parent goes away. A mail that takes its seconds in processor time kills us."""
    _confine()
    from tierdesk.channels.email.limits import Unreadable
    from tierdesk.channels.email.message import parse

    connection = socket.socket(fileno=0)
    leaving = False
    while not leaving:
        size, seconds = HEAD.unpack(_receive(connection, HEAD.size))
        raw = _receive(connection, size)
        signal.setitimer(signal.ITIMER_PROF, seconds + 1)  # the parent is first, unless it is gone
        try:
            kind, answer = b"m", pickle.dumps(parse(bytes(raw)), protocol=5)
        except Unreadable as unreadable:
            kind, answer = b"u", unreadable.reason.encode()
        except MemoryError:
            leaving = True
            kind, answer = b"u", b"Reading it takes more memory than allowed."
        except Exception:  # a fault of ours must not look like a dead child; the parent reports it
            kind, answer = b"f", traceback.format_exc(limit=-8).encode("utf-8", "replace")
        signal.setitimer(signal.ITIMER_PROF, 0)
        leaving = leaving or size > _LARGE_BYTES
        connection.sendall(ANSWER_HEAD.pack(kind, leaving, len(answer)))
        connection.sendall(answer)
        del raw, answer


def _confine() -> None:
    """No more memory than the cap, no files written, no processes started, no core left behind."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _receive(connection: socket.socket, size: int) -> bytearray:
    """Exactly `size` bytes; fewer, and an end to this process, when the parent has gone."""
    content = bytearray(size)
    view = memoryview(content)
    got = 0
    while got < size:
        count = connection.recv_into(view[got:])
        if count == 0:
            sys.exit(0)
        got += count
    return content

"""Reads a mail in a process that may die: no input costs more than its memory cap and its deadline.

Every known bomb is refused by a limit before it is parsed. This is for the bombs nobody knows yet: a child
process with capped memory does the reading, and is killed when time is up. Children are kept, so that an
ordinary mail costs little more than its parsing. Safe to use from many threads; a forked process starts
children of its own.
"""

import atexit
import contextlib
import io
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import tierdesk
from tierdesk.channels.email import limits
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import Mail
from tierdesk.channels.email.sandbox_child import ANSWER_HEAD, HEAD

_CHILDREN = max(2, min(4, os.cpu_count() or 2))
_ANSWER_BYTES = 4 * limits.MESSAGE_BYTES
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from tierdesk.channels.email.sandbox_child import serve; serve()"
)

# All a child may make us build. Its answer is data from hostile input: a class outside this list is refused.
_WELCOME = {
    "tierdesk.channels.email.message": {"Mail", "Attachment"},
    "tierdesk.channels.email.addresses": {"Address"},
    "tierdesk.channels.email.automatic": {"AutoReply", "ListMail"},
    "tierdesk.channels.email.bounces": {"Bounce", "Report", "Outcome", "Cause"},
    "datetime": {"datetime", "timezone", "timedelta"},
}


def parse(raw: bytes, *, deadline_s: float = 10) -> Mail:
    """The mail, read in a child process within `deadline_s` seconds from when a child takes it up.

    Raises Unreadable: over a limit, out of time, out of memory, or a fault of the parser (`__cause__` tells
    which).
    """
    if len(raw) > limits.MESSAGE_BYTES:
        raise Unreadable(f"The message is larger than {limits.MESSAGE_BYTES // 2**20} MB.")
    return _pool.parse(raw, deadline_s)


class ParserFault(Exception):
    """The parser raised what it must not raise; the text is the child's traceback."""


class Pool:
    """A few children, each reading one mail at a time; the one used last goes first, the others stay cold."""

    def __init__(self, children: int = _CHILDREN, *, program: str = _BOOT) -> None:
        self._program = program  # what a child runs; tests start children that misbehave
        self._free = threading.BoundedSemaphore(children)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def parse(self, raw: bytes, deadline_s: float) -> Mail:
        with self._free:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            child = child if child and child.is_alive() else _Child(self._program)
            try:
                return child.parse(raw, deadline_s)
            finally:
                self._keep_if_sound(child)

    def _keep_if_sound(self, child: "_Child") -> None:
        if child.is_sound:
            with self._lock:
                self._idle.append(child)
        else:
            child.close()

    def close(self) -> None:
        """Ends every idle child."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()


class _Child:
    def __init__(self, program: str) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(tierdesk.__file__).parents[1])
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", program, root],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath},
                start_new_session=True,
            )
        self._socket = ours
        # False while an answer is awaited: whoever is interrupted then must not leave its rest to the next
        # mail.
        self.is_sound = True

    def is_alive(self) -> bool:
        """False for a child that something else has ended while it was idle."""
        if self._process.poll() is None and not self._has_hung_up():
            return True
        self.close()
        return False

    def _has_hung_up(self) -> bool:
        self._socket.setblocking(False)
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def parse(self, raw: bytes, deadline_s: float) -> Mail:
        until = time.monotonic() + deadline_s
        try:
            kind, answer = self._ask(raw, until, deadline_s)
            if kind == b"m":
                return _mail(answer)
        except TimeoutError:
            raise Unreadable(f"Reading it takes longer than {deadline_s:g} seconds.") from None
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self.is_sound = False
            raise Unreadable("Reading it ended the process that tried.") from error
        if kind == b"u":
            raise Unreadable(answer.decode("utf-8", "replace"))
        raise Unreadable("The parser failed on it.") from ParserFault(answer.decode("utf-8", "replace"))

    def _ask(self, raw: bytes, until: float, seconds: float) -> tuple[bytes, bytearray]:
        self.is_sound = False
        self._set_timeout(until)
        self._socket.sendall(HEAD.pack(len(raw), seconds))
        self._socket.sendall(raw)
        kind, leaving, size = ANSWER_HEAD.unpack(self._receive(ANSWER_HEAD.size, until))
        if size > _ANSWER_BYTES:
            raise EOFError("an answer larger than any mail can give")
        answer = self._receive(size, until)
        self.is_sound = not leaving
        return kind, answer

    def _receive(self, size: int, until: float) -> bytearray:
        content = bytearray(size)
        view = memoryview(content)
        got = 0
        while got < size:
            self._set_timeout(until)
            count = self._socket.recv_into(view[got:])
            if count == 0:
                raise EOFError("the child is gone")
            got += count
        return content

    def _set_timeout(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def close(self) -> None:
        self._socket.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


class _Mails(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name in _WELCOME.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a mail")


def _mail(answer: bytearray) -> Mail:
    mail = _Mails(io.BytesIO(answer)).load()
    if not isinstance(mail, Mail):
        raise pickle.UnpicklingError("the answer is no mail")
    return mail


_pool = Pool()
atexit.register(lambda: _pool.close())


def _after_fork() -> None:
    """The parent's children answer the parent, and its locks may be held by threads not here."""
    global _pool
    _pool = Pool()


os.register_at_fork(after_in_child=_after_fork)

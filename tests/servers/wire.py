"""A wire between the desk and a server that can be cut, or go dead, or tell lies, at a byte of one's choice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.desk import free_port


@dataclass
class Wire:
    """What the server says passes through here. `cut_at`: hang up once that was said (and so many bytes after it).

    `dead`: nothing comes through any more, and nobody is told. `lies`: what is said instead of what.
    """

    to_port: int
    port: int = field(default_factory=free_port)
    cut_at: bytes = b""
    cut_after: int = 0
    dead: bool = False
    lies: dict[bytes, bytes] = field(default_factory=dict)
    calls: int = 0

    def _carry(self, line: socket.socket) -> None:
        self.calls += 1
        with line, socket.create_connection(("127.0.0.1", self.to_port)) as server:
            threading.Thread(target=self._there, args=(line, server), daemon=True).start()
            with suppress(OSError):
                self._back(server, line)

    def _there(self, line: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := line.recv(65536):
                if not self.dead:
                    server.sendall(said)
            server.shutdown(socket.SHUT_WR)

    def _back(self, server: socket.socket, line: socket.socket) -> None:
        heard = b""
        while said := server.recv(65536):
            if self.dead:
                continue
            for truth, lie in self.lies.items():
                said = said.replace(truth, lie)
            heard += said
            if self.cut_at and (at := heard.find(self.cut_at)) >= 0:
                end = at + len(self.cut_at) + self.cut_after - (len(heard) - len(said))
                line.sendall(said[: max(0, end)])
                line.shutdown(socket.SHUT_RDWR)
                return
            line.sendall(said)


@contextmanager
def wired(to_port: int) -> Iterator[Wire]:
    wire = Wire(to_port)
    with socket.create_server(("127.0.0.1", wire.port)) as door:

        def take_calls() -> None:
            with suppress(OSError):
                while True:
                    line, _ = door.accept()
                    threading.Thread(target=wire._carry, args=(line,), daemon=True).start()

        threading.Thread(target=take_calls, daemon=True).start()
        yield wire

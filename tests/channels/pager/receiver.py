"""A program that takes pages by webhook, on a port of its own: it verifies each, and fails when told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Protocol


@dataclass
class Receiver:
    """`secret`: what it was given. `answers`: the next statuses; `heard`: (id, what it said) of those it believed."""

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    knocks: int = 0
    address: str = ""

    def take(self, headers: Any, body: bytes) -> int:
        self.knocks += 1
        status = self.answers.pop(0) if self.answers else 200
        if status != 200:
            return status
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        said = json.loads(body)
        if said["type"] == "page":
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
            wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            if headers["webhook-signature"] != f"v1,{wanted}":
                return 401
        self.heard.append((headers["webhook-id"], said))
        return 200

    @property
    def pages(self) -> list[list[str]]:
        """The tickets of each message."""
        return [
            [page["ticket"] for page in said["data"]["pages"]]
            for _, said in self.heard
            if said["type"] == "page"
        ]


class Listener(Protocol):
    address: str

    def take(self, headers: Any, body: bytes) -> int:
        """The status that this is answered with."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    with listening(receiver):
        yield receiver


@contextmanager
def listening(receiver: Listener) -> Iterator[None]:
    """What comes to a free port, its `address`, is its."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        receiver.address = f"127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()

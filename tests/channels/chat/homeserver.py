"""A real Matrix homeserver (Synapse) on loopback, with the desk registered as an application service."""

from __future__ import annotations

import http.server
import json
import queue
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[3] / ".tools/synapse/bin/python"
SERVER = "chat.example"
DESK = f"@desk:{SERVER}"
TO_DESK, OF_DESK = "a-token-of-the-homeserver", "a-token-of-the-desk"
STARTS_WITHIN_S = 240

CONFIG = """
server_name: {server}
report_stats: false
signing_key_path: {home}/signing.key
media_store_path: {home}/media
database: {{name: sqlite3, args: {{database: {home}/homeserver.db}}}}
listeners: [{{port: {port}, type: http, bind_addresses: ["127.0.0.1"], resources: [{{names: [client]}}]}}]
macaroon_secret_key: only-for-tests
form_secret: only-for-tests
trusted_key_servers: []
suppress_key_server_warning: true
rc_registration: {{per_second: 100, burst_count: 100}}
rc_message: {{per_second: 100, burst_count: 100}}
enable_registration: true
enable_registration_without_verification: true
app_service_config_files: [{home}/desk.yaml]
"""

SERVICE = """
id: desk
url: http://127.0.0.1:{port}
as_token: {of_desk}
hs_token: {to_desk}
sender_localpart: desk
rate_limited: false
namespaces: {{users: [{{exclusive: true, regex: "{desk}"}}], aliases: [], rooms: []}}
"""


@dataclass(frozen=True)
class Pushed:
    """A request that the homeserver sent to the desk, and that the desk has acknowledged."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Homeserver:
    url: str
    pushed: queue.Queue[Pushed]

    def call(
        self, method: str, path: str, token: str = "", words: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}/_matrix/client/v3/{path}",
            data=json.dumps(words or {}).encode() if method != "GET" else None,
            method=method,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.loads(answer.read()))

    def register(self, name: str) -> str:
        """A person; returns their access token."""
        words = {"username": name, "password": "correct-horse", "auth": {"type": "m.login.dummy"}}
        return str(self.call("POST", "register", words=words)["access_token"])

    def room_with_desk(self, token: str) -> str:
        room = str(
            self.call("POST", "createRoom", token, {"preset": "private_chat", "invite": [DESK]})["room_id"]
        )
        self.call("POST", f"rooms/{urllib.parse.quote(room)}/join", OF_DESK)
        return room

    def send(self, token: str, room: str, content: dict[str, Any], key: str) -> str:
        path = f"rooms/{urllib.parse.quote(room)}/send/m.room.message/{key}"
        return str(self.call("PUT", path, token, content)["event_id"])

    def said_in(self, token: str, room: str) -> list[dict[str, Any]]:
        path = f"rooms/{urllib.parse.quote(room)}/messages?dir=f&limit=100"
        return list(self.call("GET", path, token)["chunk"])

    def pushes(self, event: str, *, within_s: float = 180) -> Pushed:
        """The push that carries this event."""
        deadline = time.monotonic() + within_s
        while True:
            pushed = self.pushed.get(timeout=max(0.1, deadline - time.monotonic()))
            if event.encode() in pushed.body:
                return pushed


@contextmanager
def homeserver_running(home: Path) -> Iterator[Homeserver]:
    with _desks_door() as (port_of_desk, pushed):
        port = _free_port()
        (home / "homeserver.yaml").write_text(CONFIG.format(server=SERVER, home=home, port=port))
        service = SERVICE.format(port=port_of_desk, of_desk=OF_DESK, to_desk=TO_DESK, desk=DESK)
        (home / "desk.yaml").write_text(service)
        command = [PYTHON, "-m", "synapse.app.homeserver", "-c", home / "homeserver.yaml"]
        subprocess.run([*command, "--generate-keys"], check=True, capture_output=True)
        with (home / "homeserver.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home)
            try:
                server = Homeserver(f"http://127.0.0.1:{port}", pushed)
                _wait_until_it_answers(server, process, home / "homeserver.log")
                yield server
            finally:
                process.terminate()
                process.wait(timeout=60)


@contextmanager
def _desks_door() -> Iterator[tuple[int, queue.Queue[Pushed]]]:
    """Acknowledges what is pushed and keeps it, so that the test hands it to the desk in its own time."""
    pushed: queue.Queue[Pushed] = queue.Queue()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pushed.put(Pushed(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")  # without it Synapse takes the answer for cut off
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_PUT

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        yield door.server_address[1], pushed
        door.shutdown()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_until_it_answers(server: Homeserver, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_matrix/client/versions", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"the homeserver does not answer:\n{log.read_text(errors='replace')[-2000:]}")

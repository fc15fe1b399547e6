"""Slack, Teams and Mattermost on loopback, as far as the desk speaks with them: for tests, and to try a bridge out.

Each takes posts as the real one does (token, room, thread), keeps them, and refuses what the real one refuses. What
people say there is made by `event`-like methods, signed as the real one signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

type Answer = tuple[int, dict[str, Any]]


@dataclass
class Fake:
    """One platform. `people`: user → (name, address). `slow`: answer so many requests with 429 first."""

    token: str = "a-token-of-the-bot"  # noqa: S105 - opens nothing but a fake
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    slow: int = 0
    url: str = ""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1700000001))

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Listen on a free port of loopback; `url` says where."""
        fake = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if fake.slow:
                    fake.slow -= 1
                    self._send(429, {}, "7")
                    return
                shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
                self._send(*fake.answer(self.command, self.path, shown, body))

            def _send(self, status: int, words: dict[str, Any], wait: str = "") -> None:
                self.send_response(status)
                if wait:
                    self.send_header("Retry-After", wait)
                self.end_headers()
                self.wfile.write(json.dumps(words).encode())

            def log_message(self, *_: object) -> None:
                """A fake is silent."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            yield self
            server.shutdown()
            thread.join()

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        raise NotImplementedError


@dataclass
class FakeSlack(Fake):
    secret: str = "a-signing-secret"  # noqa: S105

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        if token != self.token:
            return 200, {"ok": False, "error": "invalid_auth"}
        place = urlsplit(path)
        if place.path == "/users.info":
            name, email = self.people.get(parse_qs(place.query)["user"][0], ("", ""))
            return 200, {"ok": True, "user": {"profile": {"real_name": name, "email": email}}}
        words = json.loads(body)
        if place.path == "/auth.test":
            return 200, {"ok": True, "user": "desk", "team": "Acme", "user_id": "UDESK"}
        if not words["channel"].startswith("C"):
            return 200, {"ok": False, "error": "channel_not_found"}
        self.posts.append(words)
        return 200, {"ok": True, "ts": f"{next(self.ids)}.000100"}

    def signed(self, words: dict[str, Any], at: float) -> tuple[bytes, dict[str, str]]:
        """A request as Slack sends it: body and headers."""
        body, stamp = json.dumps(words).encode(), str(int(at))
        mac = hmac.new(self.secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        return body, {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac.hexdigest()}"}


@dataclass
class FakeMattermost(Fake):
    secret: str = "a-token-of-the-webhook"  # noqa: S105
    roots: dict[str, str] = field(default_factory=dict)

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        if token != self.token:
            return 401, {"id": "api.context.session_expired.app_error"}
        kind, _, key = path.removeprefix("/api/v4/").partition("/")
        if method == "GET" and path.endswith("/users/me"):
            return 200, {"username": "desk", "id": "UDESK"}
        if method == "GET" and kind == "users":
            name, email = self.people.get(key, ("", ""))
            return 200, {"username": key, "first_name": name, "email": email}
        if method == "GET":
            return 200, {"id": key, "root_id": self.roots.get(key, "")}
        words = json.loads(body)
        known = [post for post in self.posts if post["pending_post_id"] == words["pending_post_id"]]
        if not known:
            self.posts.append(words | {"id": f"p{next(self.ids)}"})
        return 201, (known or self.posts[-1:])[0]


@dataclass
class FakeTeams(Fake):
    """Signs with an RSA key that the one who makes it brings along: (modulus, public and private exponent)."""

    app: str = "00000000-aaaa-bbbb-cccc-000000000000"
    key: tuple[int, int, int] = (0, 0, 0)
    access: str = "an-access-token"

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        if path == "/.well-known/keys":
            return 200, {
                "keys": [{"kid": "k1", "kty": "RSA", "n": _b64(self.key[0]), "e": _b64(self.key[1])}]
            }
        if path == "/oauth2/v2.0/token":
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if asked.get("client_secret") != self.token:
                return 401, {"error": "invalid_client"}
            return 200, {"access_token": self.access, "expires_in": 3600}
        if token != self.access:
            return 401, {"error": "unauthorized"}
        if "/members/" in path:
            name, email = self.people.get(path.rpartition("/")[2].replace("%3A", ":"), ("", ""))
            return 200, {"name": name, "email": email}
        self.posts.append(json.loads(body) | {"path": path})
        return 201, {"id": str(next(self.ids))}

    def signed(self, activity: dict[str, Any], at: float, **claims: Any) -> tuple[bytes, dict[str, str]]:
        """A request as the Bot Connector sends it: body and headers."""
        said = {
            "iss": "https://api.botframework.com",
            "aud": self.app,
            "nbf": at - 60,
            "exp": at + 3600,
            "serviceurl": activity.get("serviceUrl"),
        } | claims
        head = _text({"alg": "RS256", "kid": "k1", "typ": "JWT"}) + "." + _text(said)
        return json.dumps(activity).encode(), {"Authorization": f"Bearer {head}.{self._sign(head.encode())}"}

    def _sign(self, signed: bytes) -> str:
        modulus, _, private = self.key
        size = (modulus.bit_length() + 7) // 8
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signed).digest()
        block = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return _b64(pow(int.from_bytes(block), private, modulus), size)


def _b64(number: int, size: int | None = None) -> str:
    octets = number.to_bytes(size or (number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _text(words: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(words).encode()).decode().rstrip("=")

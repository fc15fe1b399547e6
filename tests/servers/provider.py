"""A small cloud of our own: lets an administrator allow us in, gives tokens that expire, and takes them back.

OAuth 2 as Microsoft and Google speak it: authorisation code with PKCE, renewal tokens that are used once, and an
address where a mail server asks whether a token is good.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "the-desk", "known-to-both"
SCOPE = "mail offline"


@dataclass
class Provider:
    """`account` is whose mailbox is allowed. `refuses`: the permission is taken back. `silent`: out of order."""

    account: str = ""
    lives_s: int = 3600
    renewal_lives_s: int = 0
    refuses: str = ""
    silent: bool = False
    port: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    renewals: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def allow(self, query: dict[str, str]) -> str:
        """The administrator says yes; where the browser is sent back to."""
        assert query["response_type"] == "code"
        assert (query["client_id"], query["code_challenge_method"]) == (CLIENT_ID, "S256")
        code = secrets.token_hex(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if self.silent:
            return 503, {"error": "temporarily_unavailable"}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if self.refuses or not self._is_good(form):
            return 400, {"error": "invalid_grant", "error_description": self.refuses or "used or unknown"}
        access, renewal = secrets.token_urlsafe(900), secrets.token_urlsafe(40)
        self.tokens[access] = self.account
        self.renewals.add(renewal)
        told = {
            "access_token": access,
            "refresh_token": renewal,
            "expires_in": self.lives_s,
            "token_type": "Bearer",
        }
        return 200, told | (
            {"refresh_token_expires_in": self.renewal_lives_s} if self.renewal_lives_s else {}
        )

    def _is_good(self, form: dict[str, str]) -> bool:
        if form["grant_type"] == "refresh_token":
            known = form["refresh_token"] in self.renewals
            self.renewals.discard(form["refresh_token"])
            return known
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        return asked is not None and (asked["code_challenge"], asked["redirect_uri"]) == (
            challenge.rstrip("="),
            form["redirect_uri"],
        )

    def known(self, token: str) -> dict[str, Any]:
        """What a mail server hears of a token."""
        account = self.tokens.get(token, "")
        return {"active": bool(account), "username": account} if account else {"active": False}


@contextmanager
def provider_running() -> Iterator[Provider]:
    provider = Provider()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.allow(query))
                self.end_headers()
                return
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._answer(200, provider.known(query.get("token", "") or bearer))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*provider.token({name: values[0] for name, values in parse_qs(body).items()}))

        def _answer(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        provider.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()

"""A provider of SMS and calls that speaks Twilio's API, on a port of its own.

It keeps what it took, fails when told to, and says to the desk what people answered, signed as the real one signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpResponse
from django.test import Client as Browser

ACCOUNT, TOKEN = "AC0123", "token-of-the-account"


class Provider:
    """`answers` are the next statuses, 201 when there are none left. `taken`: SMS as forms, `called`: calls."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.called: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.knocks = 0
        self.address = ""

    def answer(self, path: str, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.knocks += 1
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if authorization != wanted:
            return 401, {"code": 20003, "message": "Authenticate"}
        kept = {"Messages.json": self.taken, "Calls.json": self.called}
        account, _slash, resource = path.rpartition("/")
        if account != f"/2010-04-01/Accounts/{ACCOUNT}" or resource not in kept:
            return 404, {"code": 20404, "message": "not found"}
        if resource == "Calls.json" and not (form.get("Url") or form.get("Twiml")):
            return 400, {"code": 21205, "message": "Url parameter is required"}
        status = self.answers.pop(0) if self.answers else 201
        if status == 201:
            kept[resource].append(form)
        return status, {"sid": f"SM{len(kept[resource])}", "status": "queued"}


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, said = provider.answer(self.path, self.headers.get("Authorization", ""), form)
            told = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.address = f"127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def say(client: Browser, url: str, fields: dict[str, str], *, token: str = TOKEN) -> HttpResponse:
    """The provider posts this to the desk."""
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    mac = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    path = url.removeprefix("http://").partition("/")[2]
    answer: HttpResponse = client.post(
        f"/{path}", fields, headers={"X-Twilio-Signature": base64.b64encode(mac).decode()}
    )
    return answer


def connect(settings: Any, provider: Provider) -> None:
    """Let the desk use it."""
    settings.PRIVATE_HOSTS = [provider.address]
    settings.SMS_URL = f"http://{provider.address}"
    settings.SMS_FROM, settings.VOICE_FROM = "+4930999", "+4930998"
    settings.TWILIO_ACCOUNT, settings.TWILIO_AUTH_TOKEN = ACCOUNT, TOKEN

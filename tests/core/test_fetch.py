"""The one way to ask a web server: TLS that is checked, no redirect, and an end to bytes and patience."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import Certificates, Pair
from tierdesk.core import fetch
from tierdesk.core.fetch import Answer, NoAnswer, UnableToFetch, get, post_form
from tierdesk.core.reach import OffLimits

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"ok": 1}'


class Server:
    """Says one thing to everybody who calls, over TLS, and remembers what it was asked."""

    def __init__(self, pair: Pair) -> None:
        self.says: Callable[[socket.socket], None] = lambda line: line.sendall(GOOD)
        self.asked: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/token?v=2"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        try:
            with self._context.wrap_socket(line, server_side=True) as secured:
                self.asked.append(_request(secured))
                self.says(secured)
        except OSError:
            pass

    def close(self) -> None:
        self._door.close()


def _request(line: socket.socket) -> bytes:
    asked = line.recv(65536)
    head, _, body = asked.partition(b"\r\n\r\n")
    length = int([*re.findall(rb"Content-Length: (\d+)", head), 0][0])
    while len(body) < length:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    return certificates


@pytest.fixture
def server(certificates: Certificates, settings: Any) -> Iterator[Server]:
    server = Server(certificates.trusted)
    settings.PRIVATE_HOSTS = [f"localhost:{server.port}"]
    yield server
    server.close()


def test_a_form_is_sent_and_the_answer_read(server: Server) -> None:
    answer = post_form(server.url, {"a": "ä & b"})
    assert (answer.status, answer.json()) == (200, {"ok": 1})
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /token?v=2 HTTP/1.1\r\nHost: localhost")
    assert body == b"a=%C3%A4+%26+b"


@pytest.mark.parametrize("which", ["elsewhere", "expired", "unknown"])
def test_sec103_a_certificate_that_is_not_right_ends_it(
    certificates: Certificates, settings: Any, which: str
) -> None:
    server = Server(getattr(certificates, which))
    settings.PRIVATE_HOSTS = [f"localhost:{server.port}"]
    with pytest.raises(NoAnswer, match="certificate of localhost is not trusted"):
        post_form(server.url, {"secret": "s"})
    assert server.asked == []
    server.close()


def test_sec045_no_redirect_is_followed(server: Server) -> None:
    redirect = b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:5432/\r\nContent-Length: 2\r\n\r\n{}"
    server.says = lambda line: line.sendall(redirect)
    assert post_form(server.url, {}).status == 307
    assert len(server.asked) == 1


def test_sec046_an_endless_answer_is_cut_off(server: Server) -> None:
    def flood(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    server.says = flood
    with pytest.raises(NoAnswer, match="too long"):
        post_form(server.url, {})


def test_sec046_so_is_one_that_comes_byte_by_byte(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT_S", 1)

    def drip(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            line.sendall(b"x")
            time.sleep(0.2)

    server.says = drip
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="in time"):
        post_form(server.url, {})
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "])
def test_sec046_and_one_whose_head_comes_byte_by_byte(
    server: Server, monkeypatch: pytest.MonkeyPatch, begins: bytes
) -> None:
    monkeypatch.setattr(fetch, "TIMEOUT_S", 1)

    def drip(line: socket.socket) -> None:
        line.sendall(begins)
        for _ in range(50):
            line.sendall(b"x")
            time.sleep(0.2)

    server.says = drip
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="in time"):
        post_form(server.url, {})
    assert time.monotonic() - began < 3


def test_a_server_that_hangs_up_is_no_answer(server: Server) -> None:
    server.says = lambda line: None
    with pytest.raises(NoAnswer, match="could not be asked"):
        post_form(server.url, {})


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example/token",
        "ftp://mail.example/",
        "file:///etc/passwd",
        "https://user:pw@mail.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https:///token",
        "https://127.0.0.1#@mail.example/",
        "https://mail.example:99999/",
        "https://mail.example:none/",
        "https://mail.example/für-mich",
        "https://[::1",
    ],
)
def test_sec043_what_is_not_to_be_asked_is_not_asked(settings: Any, url: str) -> None:
    settings.PRIVATE_HOSTS = []
    with pytest.raises(OffLimits):
        post_form(url, {})


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b"\xff"])
def test_an_answer_that_is_no_object_is_none(body: bytes) -> None:
    with pytest.raises(NoAnswer):
        Answer(200, body).json()


# -- what a stranger named


HOSTS = re.compile(r"good\.example")


@dataclass
class Net:
    """What a name resolves to, and what was connected to."""

    addresses: list[str]
    connected: list[str] = field(default_factory=list)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    """A net in which nothing answers."""
    net = Net(["93.184.216.34"])

    def getaddrinfo(*asked: Any, **more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in net.addresses]

    def refuse(address: tuple[str, int], *rest: Any) -> Any:
        net.connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return net


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example/", "https://evil.example/", "https://good.example:8443/", "https://a@good.example/",
        "https://good.example.evil.example/", "file:///etc/passwd", "ftp://good.example/", "gopher://good.example/",
        "https://good.example/a b", "https://good.example/\r\nX: y", "https://good.example/ü", "",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_before_anything_is_connected_to(net: Net, url: str) -> None:
    with pytest.raises(UnableToFetch):
        get(url, hosts=HOSTS)
    assert net.connected == []


@pytest.mark.parametrize("others", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], []])
def test_a_name_that_leads_inwards_is_refused(net: Net, others: list[str]) -> None:
    net.addresses = others
    with pytest.raises(UnableToFetch):
        get("https://good.example/", hosts=HOSTS)
    assert net.connected == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(net: Net) -> None:
    with pytest.raises(UnableToFetch, match="does not answer"):
        get("https://good.example/x?y=1", hosts=HOSTS)
    assert net.connected == ["93.184.216.34"]


def test_only_a_plain_answer_is_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PORTS", {server.port})
    url, hosts = f"https://localhost:{server.port}/certificate.pem", re.compile("localhost")
    assert get(url, hosts=hosts) == b'{"ok": 1}'
    server.says = lambda line: line.sendall(GOOD.replace(b"200 OK", b"404 No"))
    with pytest.raises(UnableToFetch, match="as it should"):
        get(url, hosts=hosts)

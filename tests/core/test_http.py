"""Fetching an address that somebody else chose: never inwards, never elsewhere, never too much."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from tierdesk.core import http

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
    with pytest.raises(http.UnableToFetch):
        http.fetch(url, hosts=HOSTS)
    assert net.connected == []


@pytest.mark.parametrize("others", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], []])
def test_a_name_that_leads_inwards_is_refused(net: Net, others: list[str]) -> None:
    net.addresses = others
    with pytest.raises(http.UnableToFetch):
        http.fetch("https://good.example/", hosts=HOSTS)
    assert net.connected == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(net: Net) -> None:
    with pytest.raises(http.UnableToFetch, match="does not answer"):
        http.fetch("https://good.example/x?y=1", hosts=HOSTS)
    assert net.connected == ["93.184.216.34"]


class Answer:
    """An answer of a server, for the part that reads it."""

    def __init__(self, status: int, *chunks: bytes) -> None:
        self.status = status
        self._chunks = [*chunks, b""]

    def read1(self, size: int) -> bytes:
        return self._chunks.pop(0)


def test_only_a_plain_answer_of_a_sensible_size_is_read() -> None:
    assert http._read(Answer(200, b"a", b"b")) == b"ab"  # type: ignore[arg-type]
    for answer in (Answer(302, b""), Answer(404, b""), Answer(200, *[b"x" * 16_384] * 5)):
        with pytest.raises(http.UnableToFetch):
            http._read(answer)  # type: ignore[arg-type]

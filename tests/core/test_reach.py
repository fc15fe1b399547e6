"""Which servers the desk calls: none inside the network, whatever the name looks like, unless the operator says so.

The traps are SEC-043 of the security page: what `ipaddress` calls global, or wraps an address that is not.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tierdesk.core import reach
from tierdesk.core.reach import OffLimits, addresses, call, is_public

PORTS = {993}

INSIDE = """
127.0.0.1 10.0.0.5 172.16.3.4 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 192.0.0.8 255.255.255.255
::1 :: ::ffff:127.0.0.1 ::ffff:10.0.0.5 64:ff9b::7f00:1 64:ff9b::a00:5 2002:7f00:1:: ::127.0.0.1 fec0::1 fe80::1%1
fd00:ec2::254 ff02::1 2001:0:7f00:1::
""".split()


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 017700000001 localhost ::1 0".split(),
)
def test_no_spelling_of_this_machine_is_called(host: str, settings: Any) -> None:
    settings.PRIVATE_HOSTS = []
    with pytest.raises(OffLimits, match="inside the network"):
        call(host, 993, ports=PORTS, timeout=1)


@pytest.mark.parametrize(
    "host",
    [
        "a@127.0.0.1",
        "127.0.0.1#@ok",
        r"ok\@127.0.0.1",
        "file:///etc",
        "unix:/run/x",
        "a\r\nb",
        "",
        "①②⑦.⓪.⓪.①",
        "a/b",
        "a..example",
        "a" * 70 + ".example",
    ],
)
def test_what_is_no_name_is_not_looked_up(host: str, settings: Any) -> None:
    settings.PRIVATE_HOSTS = []
    with pytest.raises(OffLimits, match="no name of a server"):
        addresses(host, 993, ports=PORTS)


def test_only_the_ports_of_such_servers_are_called(settings: Any) -> None:
    settings.PRIVATE_HOSTS = ["127.0.0.1"]
    with pytest.raises(OffLimits, match="Port 5432"):
        addresses("127.0.0.1", 5432, ports=PORTS)


def test_one_address_inside_spoils_the_name(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRIVATE_HOSTS = []
    answers(monkeypatch, "93.184.216.34", "10.0.0.5")
    with pytest.raises(OffLimits):
        addresses("mail.example", 993, ports=PORTS)


def test_what_was_looked_at_is_called_and_the_name_is_not_asked_again(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC-044: a name that is public at the first question and this machine at the second."""
    settings.PRIVATE_HOSTS = []
    called: list[tuple[str, int]] = []
    answers(monkeypatch, "93.184.216.34")

    def answer(place: tuple[str, int], timeout: float) -> socket.socket:
        called.append(place)
        return socket.socket()

    monkeypatch.setattr(reach.socket, "create_connection", answer)
    call("mail.example", 993, ports=PORTS, timeout=1)
    assert called == [("93.184.216.34", 993)]


def test_the_operator_may_allow_a_server_and_another_port(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, "10.0.0.5")
    settings.PRIVATE_HOSTS = ["Mail.lan"]
    assert addresses("mail.LAN", 993, ports=PORTS) == ["10.0.0.5"]
    with pytest.raises(OffLimits, match="Port 1993"):
        addresses("mail.lan", 1993, ports=PORTS)
    settings.PRIVATE_HOSTS = ["mail.lan:1993"]
    assert addresses("mail.lan", 1993, ports=PORTS) == ["10.0.0.5"]
    with pytest.raises(OffLimits):
        addresses("other.lan", 993, ports=PORTS)


def test_a_name_with_many_addresses_that_do_not_answer_takes_no_longer_than_one(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PRIVATE_HOSTS = []
    waited: list[float] = []

    def in_vain(place: tuple[str, int], timeout: float) -> None:
        waited.append(timeout)
        raise TimeoutError

    answers(monkeypatch, *(f"93.184.216.{n}" for n in range(1, 61)))
    monkeypatch.setattr(reach.socket, "create_connection", in_vain)
    with pytest.raises(TimeoutError):
        call("mail.example", 993, ports=PORTS, timeout=9)
    assert sum(waited) <= 9


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(reach.socket, "getaddrinfo", lambda *_, **__: found)


def test_passwords_in_clear_are_said_to_servers_that_the_operator_allows_alone(settings: Any) -> None:
    settings.PRIVATE_HOSTS = []
    with pytest.raises(OffLimits, match="not called without encryption"):
        call("93.184.216.34", 143, ports={143}, timeout=1, in_clear=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings.PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        call("127.0.0.1", port, ports={143}, timeout=1, in_clear=True).close()

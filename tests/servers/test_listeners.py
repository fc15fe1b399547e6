"""The worker itself takes syslog over TLS and traps of SNMP version 3, and tells an administrator of a flood."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.channels.alarms.test_listeners import LINK_DOWN, tool
from tests.servers.certificates import Certificates
from tests.servers.desk import Desk, free_port, until
from tests.servers.routers import HIDES, SIGNS

LINE = b"<130>1 - db1 backup - DISKFULL - the disk is full"
PRIVATE = ["-l", "authPriv", "-u", "router", "-a", "SHA-256", "-A", SIGNS, "-x", "AES", "-X", HIDES]
TLS, SNMP = free_port(), free_port()
LOOKS_WITHIN_S = 90.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(Path(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="module")
def desk(certificates: Certificates) -> Iterator[Desk]:
    more = {
        "TIERDESK_SYSLOG_TLS_PORT": str(TLS),
        "TIERDESK_TLS_CERTIFICATE": str(certificates.trusted.certificate),
        "TIERDESK_TLS_KEY": str(certificates.trusted.key),
        "TIERDESK_SNMP_PORT": str(SNMP),
        "TIERDESK_FLOOD_AFTER": "5",
    }
    with Desk(more=more) as desk:
        desk.told("tests.servers.routers")
        yield desk


def heard(desk: Desk, key: str, say: Callable[[], None]) -> bool:
    """Say it again until it is an alarm: who may speak is read anew every few seconds."""

    def said() -> bool:
        say()
        return bool(desk.rows("SELECT FROM alarms_alarm WHERE key = %s", key))

    return until(said, within_s=60)


def test_a_line_over_tls_is_an_alarm(desk: Desk, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.authority))

    def say() -> None:
        with (
            socket.create_connection(("127.0.0.1", TLS), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as wire,
        ):
            wire.sendall(b"%d %s" % (len(LINE), LINE))

    assert heard(desk, "db1/backup/DISKFULL", say), desk.said()


def test_an_agent_s_trap_of_version_3_is_an_alarm(desk: Desk) -> None:
    def say() -> None:
        tool("snmptrap", "-v", "3", *PRIVATE, f"127.0.0.1:{SNMP}", *LINK_DOWN)

    assert heard(desk, "127.0.0.1/link/7", say), desk.said()


def test_a_flood_is_told_to_an_administrator(desk: Desk) -> None:
    assert until(lambda: bool(desk.rows("SELECT FROM channels_watch")), within_s=LOOKS_WITHIN_S), desk.said()
    desk.change(
        "INSERT INTO channels_inbound"
        " (channel, ext_key, received_at, raw, size, sha256, remote, meta, state, reason, tries)"
        " SELECT 'email', 'k' || n, now(), '', 0, '', '', '{}', 'parked', '', 0 FROM generate_series(1, 9) AS n"
    )
    told = desk.row_soon(
        "SELECT address, subject FROM notifications_notice WHERE kind = 'flood'", within_s=LOOKS_WITHIN_S
    )
    assert (told["address"], told["subject"]) == ("ada@desk.example", "A flood: E-mail")

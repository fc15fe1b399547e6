"""The listeners over real sockets: whose a message is, that it is stored, and that strangers are only counted."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.alarms.shapes.traps import link
from tests.servers.certificates import Certificates, Pair
from tests.servers.desk import free_port
from tierdesk.channels.alarms.arrival import KnownSource
from tierdesk.channels.alarms.listeners import (
    BURST,
    Allowance,
    Ports,
    Senders,
    UnableToSpeakTLS,
    listening,
    plain_address,
    tls_context,
)
from tierdesk.channels.alarms.memory import MemoryStore
from tierdesk.channels.alarms.models import Stranger
from tierdesk.channels.alarms.strangers import Strangers
from tierdesk.channels.alarms.usm import OURS, UsmUser

PATIENCE_S = 10.0
HOUSE = KnownSource(1, 1, "syslog", senders=["127.0.0.0/8"])
ROUTERS = KnownSource(2, 1, "snmp_trap", senders=["127.0.0.1"])


class Counted(Strangers):
    """Strangers that are counted and never written."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, bytes]] = []

    def note(self, shape: str, remote: str, raw: bytes, at: Any) -> None:
        self.seen.append((shape, remote, raw))

    def flush(self) -> None:
        """Nothing is kept."""


@contextmanager
def ears(
    *sources: KnownSource, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[MemoryStore, Counted, Ports]]:
    store = MemoryStore(known={str(source.id): source for source in sources})
    sealed = free_port() if tls else 0
    strangers, ports = Counted(), Ports("127.0.0.1", free_port(), free_port(), sealed, tls)
    with listening(ports, store, strangers):
        yield store, strangers, ports


def soon(true: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def send(port: int, *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for message in messages:
            wire.sendto(message, ("127.0.0.1", port))


def dial(port: int, words: bytes) -> bytes:
    """Say something over TCP, hang up one way, and hear what comes until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as wire:
        wire.sendall(words)
        wire.shutdown(socket.SHUT_WR)
        return wire.recv(100)


def test_a_line_by_datagram_is_an_alarm_of_the_source_that_sends_from_there() -> None:
    with ears(HOUSE, ROUTERS) as (store, strangers, ports):
        send(ports.syslog, b"<131>1 - db1 postgres - DISKFULL - full")
        assert soon(lambda: store.alarms)
    [alarm] = store.alarms
    assert (alarm.source_id, alarm.key) == (1, "db1/postgres/DISKFULL")
    assert not strangers.seen


def test_a_trap_is_one_and_an_inform_is_answered_when_it_is_stored() -> None:
    with ears(HOUSE, ROUTERS) as (store, _, ports), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(PATIENCE_S)
        wire.sendto(link("down", 2, inform=True), ("127.0.0.1", ports.snmp))
        assert wire.recv(2000)
        assert [alarm.key for alarm in store.alarms] == ["127.0.0.1/link/2"]


SNMP = ["-v", "2c", "-c", "public"]


def tool(*command: str) -> None:
    """Run a program that speaks for real; the test is skipped, with what to install, where there is none.

    SNMP's tools keep what they are in a folder of the machine, where two of them at once trip over each other.
    """
    if shutil.which(command[0]) is None:
        package = "snmp" if command[0].startswith("snmp") else "bsdutils"
        pytest.skip(f"needs {command[0]}: bin/setup --tests, or apt-get install {package}")
    with tempfile.TemporaryDirectory() as own:
        kept = os.environ | {"SNMP_PERSISTENT_DIR": own}
        done = subprocess.run(command, check=False, timeout=PATIENCE_S, capture_output=True, env=kept)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


@pytest.mark.parametrize("options", [["-d"], ["-T"], ["-T", "--octet-count"], ["-d", "--rfc3164"]])
def test_linux_logger_is_understood(options: list[str]) -> None:
    words = ["-p", "daemon.crit", "-t", "backup", "the disk is full"]
    with ears(HOUSE) as (store, _, ports):
        tool("logger", "-n", "127.0.0.1", "-P", str(ports.syslog), *options, *words)
        assert soon(lambda: store.alarms), store.refusals
    [alarm] = store.alarms
    assert (alarm.summary, alarm.severity) == ("backup: the disk is full", 1)


def test_an_agent_s_traps_and_informs_are_one_alarm() -> None:
    told = ["", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"]
    with ears(ROUTERS) as (store, _, ports):
        tool("snmptrap", *SNMP, f"127.0.0.1:{ports.snmp}", *told)
        tool("snmpinform", *SNMP, f"127.0.0.1:{ports.snmp}", *told)  # fails unless it is answered
    [alarm] = store.alarms
    assert (alarm.key, alarm.count) == ("127.0.0.1/link/7", 2)


LINK_DOWN = ["", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"]
SIGNS, HIDES = "signs-what-it-says", "hides-what-it-says"


def version_3(user: UsmUser) -> KnownSource:
    return KnownSource(3, 1, "snmp_trap", senders=["127.0.0.1"], usm=user)


def trap_of_version_3(port: int, *options: str) -> None:
    tool("snmptrap", "-v", "3", *options, f"127.0.0.1:{port}", *LINK_DOWN)


@pytest.mark.parametrize("auth", ["SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"])
@pytest.mark.parametrize("privacy", ["", "AES", "AES-256"])
def test_an_agent_s_trap_of_version_3_is_read(auth: str, privacy: str) -> None:
    user = UsmUser("router", auth, SIGNS, privacy, HIDES if privacy else "")
    level = ["-l", "authPriv", "-x", privacy, "-X", HIDES] if privacy else ["-l", "authNoPriv"]
    with ears(version_3(user)) as (store, _, ports):
        trap_of_version_3(ports.snmp, *level, "-u", "router", "-a", auth, "-A", SIGNS)
        assert soon(lambda: store.alarms), store.refusals
    [alarm] = store.alarms
    assert (alarm.key, alarm.count) == ("127.0.0.1/link/7", 1)


@pytest.mark.parametrize("auth", ["SHA", "SHA-256", "SHA-512"])
@pytest.mark.parametrize("privacy", ["", "AES", "AES-256"])
def test_an_agent_s_inform_of_version_3_is_answered(auth: str, privacy: str) -> None:
    """It asks who we are and what our time is, and fails unless it is answered by somebody who knows the secrets."""
    user = UsmUser("router", auth, SIGNS, privacy, HIDES if privacy else "")
    level = ["-l", "authPriv", "-x", privacy, "-X", HIDES] if privacy else ["-l", "authNoPriv"]
    with ears(version_3(user)) as (store, _, ports):
        told = [*level, "-u", "router", "-a", auth, "-A", SIGNS]
        for _ in range(2):
            tool("snmpinform", "-v", "3", *told, f"127.0.0.1:{ports.snmp}", *LINK_DOWN)
        trap_of_version_3(ports.snmp, *told)
        assert soon(lambda: store.alarms and store.alarms[0].count == 3), store.refusals
    assert not store.refusals, "what only asks who we are is no refusal"


def test_whoever_has_another_time_than_ours_is_told_it() -> None:
    """The sender was told our engine once, and believes that it began five seconds ago."""
    remembered = ["-e", f"0x{OURS.hex()}", "-Z", "1,5"]
    with ears(version_3(UsmUser("router", "SHA-256", SIGNS, "AES", HIDES))) as (store, _, ports):
        told = [*PRIVATE, "-A", SIGNS, "-X", HIDES, *remembered]
        tool("snmpinform", "-v", "3", *told, f"127.0.0.1:{ports.snmp}", *LINK_DOWN)
    assert [alarm.key for alarm in store.alarms] == ["127.0.0.1/link/7"]
    assert not store.refusals


def test_an_inform_of_version_3_that_is_not_its_users_is_refused_and_not_answered() -> None:
    user = UsmUser("router", "SHA-256", SIGNS, "AES", HIDES)
    wrong = [*PRIVATE, "-A", "another-secret", "-X", HIDES, "-r", "0", "-t", "1"]
    with ears(version_3(user)) as (store, _, ports):
        with pytest.raises(AssertionError, match="Timeout"):
            tool("snmpinform", "-v", "3", *wrong, f"127.0.0.1:{ports.snmp}", *LINK_DOWN)
        assert soon(lambda: store.refusals)
    assert "signed with another secret" in store.refusals[0].refusal
    assert not store.alarms


def test_nobody_but_a_sender_of_version_3_is_told_of_our_engine() -> None:
    asks = ["-l", "authNoPriv", "-u", "router", "-a", "SHA", "-A", SIGNS, "-r", "0", "-t", "1"]
    with ears(HOUSE) as (_, strangers, ports):
        with pytest.raises(AssertionError, match="Timeout"):
            tool("snmpinform", "-v", "3", *asks, f"127.0.0.1:{ports.snmp}", *LINK_DOWN)
        assert soon(lambda: strangers.seen)


PRIVATE = ["-l", "authPriv", "-u", "router", "-a", "SHA-256", "-x", "AES"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([*PRIVATE, "-A", "another-secret", "-X", HIDES], "signed with another secret"),
        ([*PRIVATE, "-A", SIGNS, "-X", "another-secret"], "cannot be decrypted"),
        (["-l", "authNoPriv", "-u", "router", "-a", "SHA-256", "-A", SIGNS], "not signed, or not encrypted"),
        (["-l", "noAuthNoPriv", "-u", "router"], "not signed, or not encrypted"),
        ([*PRIVATE, "-u", "switch", "-A", SIGNS, "-X", HIDES], "of another user"),
        (
            ["-l", "authPriv", "-u", "router", "-a", "SHA-512", "-x", "AES", "-A", SIGNS, "-X", HIDES],
            "SHA-256",
        ),
    ],
    ids=["wrong secret", "wrong privacy", "not encrypted", "not signed", "wrong user", "another hash"],
)
def test_a_trap_of_version_3_that_is_not_its_users_is_refused_in_words(options: list[str], why: str) -> None:
    user = UsmUser("router", "SHA-256", SIGNS, "AES", HIDES)
    with ears(version_3(user)) as (store, _, ports):
        trap_of_version_3(ports.snmp, *options)
        assert soon(lambda: store.refusals)
    assert why in store.refusals[0].refusal
    assert not store.alarms


def test_a_source_with_a_user_believes_nothing_older_and_one_without_reads_no_version_3() -> None:
    with ears(version_3(UsmUser("router", "SHA-256", SIGNS))) as (store, _, ports):
        tool("snmptrap", *SNMP, f"127.0.0.1:{ports.snmp}", *LINK_DOWN)
        assert soon(lambda: store.refusals)
    assert "older version of SNMP" in store.refusals[0].refusal
    with ears(ROUTERS) as (store, _, ports):
        trap_of_version_3(ports.snmp, "-l", "authNoPriv", "-u", "router", "-a", "SHA-256", "-A", SIGNS)
        assert soon(lambda: store.refusals)
    assert "the source has no user for it" in store.refusals[0].refusal


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def context(pair: Pair, authority: Path | str = "") -> ssl.SSLContext:
    return tls_context(str(pair.certificate), str(pair.key), str(authority))


def logged(*options: str) -> bytes:
    """What Linux' logger sends for one line."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = str(door.getsockname()[1])
        said = ["-p", "daemon.crit", "-t", "backup", "the disk is full"]
        tool("logger", "-n", "127.0.0.1", "-P", port, "-T", *options, *said)
        line, _ = door.accept()
        with line:
            return b"".join(iter(lambda: line.recv(4096), b""))


def through_tls(port: int, words: bytes, certificates: Certificates, *options: str) -> str:
    """Say it over TLS with OpenSSL's own client, which wants our certificate to be right; what it complains of."""
    command = [
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-servername",
        "localhost",
        "-quiet",
        "-no_ign_eof",
    ]
    trust = ["-CAfile", str(certificates.authority), "-verify_return_error", "-verify_hostname", "localhost"]
    done = subprocess.run(
        [*command, *trust, *options], input=words, capture_output=True, timeout=PATIENCE_S, check=False
    )
    return done.stderr.decode(errors="replace")


def test_linux_logger_is_understood_over_tls(certificates: Certificates) -> None:
    words = logged("--octet-count")
    with ears(HOUSE, tls=context(certificates.trusted)) as (store, _, ports):
        complaints = through_tls(ports.syslog_tls, words, certificates)
        assert soon(lambda: store.alarms), complaints
    [alarm] = store.alarms
    assert (alarm.summary, alarm.severity) == ("backup: the disk is full", 1)


def test_over_tls_lines_without_a_length_end_the_connection(certificates: Certificates) -> None:
    counted = b"<131>1 - db1 app - ONE - x"
    with ears(HOUSE, tls=context(certificates.trusted)) as (store, _, ports):
        through_tls(
            ports.syslog_tls, b"%d %s<131>1 - db1 app - TWO - x\n" % (len(counted), counted), certificates
        )
        assert soon(lambda: store.alarms)
    assert [alarm.key for alarm in store.alarms] == ["db1/app/ONE"]


def test_the_log_says_what_is_listened_for_and_names_who_is_turned_away_once_a_minute(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with ears(HOUSE, tls=context(certificates.trusted, certificates.authority)) as (_, strangers, ports):
        for _ in range(2):
            through_tls(ports.syslog_tls, b"", certificates)
        assert soon(lambda: len(strangers.seen) == 2)
    assert caplog.messages == [
        f"listening for syslog (UDP and TCP) on 127.0.0.1 port {ports.syslog}",
        f"listening for SNMP traps on 127.0.0.1 port {ports.snmp}",
        f"listening for syslog over TLS on 127.0.0.1 port {ports.syslog_tls}",
        "127.0.0.1 is turned away from syslog over TLS: It shows no certificate.",
    ]


def test_with_an_authority_only_who_shows_its_certificate_is_heard(certificates: Certificates) -> None:
    words, trusted = logged("--octet-count"), certificates.trusted
    shown = ("-cert", str(trusted.certificate), "-key", str(trusted.key))
    unknown = ("-cert", str(certificates.unknown.certificate), "-key", str(certificates.unknown.key))
    with ears(HOUSE, tls=context(trusted, certificates.authority)) as (store, strangers, ports):
        through_tls(ports.syslog_tls, words, certificates)
        through_tls(ports.syslog_tls, words, certificates, *unknown)
        assert not store.alarms
        through_tls(ports.syslog_tls, words, certificates, *shown)
        assert soon(lambda: store.alarms)
    assert store.alarms[0].count == 1
    [first, second] = strangers.seen
    assert first == ("syslog_tls", "127.0.0.1", b"It shows no certificate.")
    assert second[2].startswith(b"Its certificate is not one that is admitted: ")


def test_who_speaks_plainly_or_not_at_all_holds_up_nobody(certificates: Certificates) -> None:
    with ears(HOUSE, tls=context(certificates.trusted)) as (store, _, ports):
        with socket.create_connection(("127.0.0.1", ports.syslog_tls), timeout=PATIENCE_S):
            dial(ports.syslog_tls, b"<131>1 - db1 app - ONE - plain\n")
            through_tls(ports.syslog_tls, logged("--octet-count"), certificates)
            assert soon(lambda: store.alarms)
        assert [alarm.summary for alarm in store.alarms] == ["backup: the disk is full"]


def test_a_certificate_that_cannot_be_used_is_told(tmp_path: Path, certificates: Certificates) -> None:
    with pytest.raises(UnableToSpeakTLS, match="set TIERDESK_TLS_CERTIFICATE"):
        tls_context("", "")
    with pytest.raises(UnableToSpeakTLS, match="cannot be used"):
        tls_context(str(tmp_path / "none.pem"), "")
    with pytest.raises(UnableToSpeakTLS, match="cannot be used"):
        tls_context(str(certificates.trusted.certificate), str(certificates.elsewhere.key))


def test_over_a_connection_lines_and_counted_frames_may_follow_each_other() -> None:
    counted = b"<131>1 - db1 app - TWO - with\na line break"
    with ears(HOUSE) as (store, _, ports):
        dial(
            ports.syslog,
            b"<131>1 - db1 app - ONE - x\r\n%d %s<131>1 - db1 app - THREE - x" % (len(counted), counted),
        )
    assert {alarm.key for alarm in store.alarms} == {"db1/app/ONE", "db1/app/TWO", "db1/app/THREE"}


@pytest.mark.parametrize(
    "words", [b"99999999 x", b"12a4 x", pytest.param(b"<131>" + b"x" * 200_000, id="endless"), b"5 <14"]
)
def test_a_connection_that_speaks_nonsense_is_hung_up_on_and_the_others_go_on(words: bytes) -> None:
    with ears(HOUSE) as (store, _, ports):
        with suppress(OSError):  # hung up on while it was still talking
            assert dial(ports.syslog, words) == b""
        dial(ports.syslog, b"<131>1 - db1 app - ONE - x\n")
    assert "db1/app/ONE" in {alarm.key for alarm in store.alarms}


def test_what_cannot_be_read_is_kept() -> None:
    with ears(HOUSE) as (store, _, ports):
        send(ports.syslog, b"hello")
        assert soon(lambda: store.refusals)
    [refused] = store.refusals
    assert (refused.raw, refused.remote) == (b"hello", "127.0.0.1")


def test_lines_that_are_no_alarms_are_not_stored_one_by_one() -> None:
    with ears(HOUSE) as (store, _, ports):
        dial(ports.syslog, b"<14>1 - db1 app - - - all is well\n" * 500)
    assert store.commits == 1, "one sign of life"


def test_a_stranger_is_counted_and_not_read() -> None:
    with ears(ROUTERS) as (store, strangers, ports):
        send(ports.syslog, b"<131>1 - db1 app - ONE - x")
        assert soon(lambda: strangers.seen)
    assert strangers.seen == [("syslog", "127.0.0.1", b"<131>1 - db1 app - ONE - x")]
    assert not store.commits


def test_who_says_too_much_is_turned_away_and_the_rest_is_counted() -> None:
    line = b"<131>1 - db1 app - ONE - x\n"
    with ears(HOUSE) as (store, _, ports):
        dial(ports.syslog, line * int(BURST + 800))
        soon(lambda: store.shed)
        dial(ports.syslog, b"")
    assert store.shed[1] > 0
    assert store.shed[1] + len(store.events) == int(BURST + 800)


def test_an_address_gets_its_allowance_back() -> None:
    allowance = Allowance()
    taken = sum(allowance.takes("10.0.0.9") for _ in range(int(BURST) + 500))
    assert BURST <= taken < BURST + 250
    assert allowance.takes("10.0.0.10")
    time.sleep(0.05)
    assert allowance.takes("10.0.0.9")


def test_the_narrowest_network_says_whose_a_message_is() -> None:
    wide, narrow = (
        KnownSource(1, 1, "syslog", senders=["10.0.0.0/8"]),
        KnownSource(2, 2, "syslog", senders=["10.0.0.9"]),
    )
    senders = Senders([wide, narrow])
    assert senders.source_of(ip_address("10.0.0.9"), "syslog") is narrow
    assert senders.source_of(ip_address("10.0.0.8"), "syslog") is wide
    assert senders.source_of(ip_address("10.0.0.9"), "snmp_trap") is None
    assert senders.source_of(ip_address("192.0.2.1"), "syslog") is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [("::ffff:10.0.0.9", "10.0.0.9"), ("fe80::1%eth0", "fe80::1"), ("10.0.0.9", "10.0.0.9")],
)
def test_an_address_is_written_as_people_do(written: str, plain: str) -> None:
    assert plain_address(written) == plain


def test_a_taken_port_is_said() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        with (
            pytest.raises(OSError),
            listening(Ports("127.0.0.1", squatter.getsockname()[1]), MemoryStore(), Counted()),
        ):
            pass


class TestStrangers:
    def test_they_are_written_down_with_their_count_and_their_last_words(self, cast: Cast, at: Any) -> None:
        strangers = Strangers()
        for words in (b"one", b"two", b"three"):
            strangers.note("syslog", "192.0.2.1", words, at)
        strangers.flush()
        strangers.note("syslog", "192.0.2.1", b"four", at)
        strangers.flush()
        [one] = Stranger.objects.all()
        assert (one.count, bytes(one.last_raw), one.first_at) == (4, b"four", at)

    def test_so_many_and_no_more(self, cast: Cast, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Stranger, "MOST", 3)
        for part in range(2):
            strangers = Strangers()
            for n in range(5):
                strangers.note("syslog", f"192.0.2.{part}{n}", b"x", at)
            strangers.flush()
        assert Stranger.objects.count() == 3

    def test_they_are_shown_to_whoever_sees_every_client(self, cast: Cast, at: Any) -> None:
        Stranger.objects.create(
            shape="syslog", remote="192.0.2.1", count=1, first_at=at, last_at=at, last_raw=b"x"
        )
        assert Stranger.objects.visible_to(cast.lena.user).count() == 1
        assert not Stranger.objects.visible_to(cast.ann.user)
        assert not Stranger.objects.visible_to(cast.olga.user)

"""The lines that a syslog source's page prints, in the very programs that they are for: what is pasted arrives."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.channels.alarms.shapes.heard import read
from tests.channels.alarms.test_listeners import context, ears, soon
from tests.servers.certificates import Certificates
from tierdesk.channels.alarms.guide import guide
from tierdesk.channels.alarms.listeners import Ports

FILE = re.compile(r"^\*\*((?:rsyslog|syslog-ng) [^*]+)\*\*[^\n]*:\n\n```\n(# /etc/[^`]+)```", re.MULTILINE)
PRINTED = dict(FILE.findall(guide("syslog")))

PATHS = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))
PATIENCE_S = 10.0
DISK, CHATTER = b"<26>backup: the disk is full", b"<30>backup: done for today"

RSYSLOG = """\
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{log}")
global(workDirectory="{folder}")
include(file="{pasted}")
"""
SYSLOG_NG = """\
@version: {version}
source s_src {{ unix-dgram("{log}"); }};
@include "{pasted}"
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_there_is_a_whole_file_for_each_way() -> None:
    ways = ("over TCP", "over UDP", "over TLS", "over TLS, with a certificate of its own")
    assert set(PRINTED) == {f"{program} {way}" for program in ("rsyslog", "syslog-ng") for way in ways}


@pytest.mark.parametrize("title", PRINTED)
def test_what_is_printed_for_a_log_daemon_brings_warnings_and_nothing_less(
    title: str, certificates: Certificates, tmp_path: Path
) -> None:
    """To a desk that knows no source, and so keeps all that it hears."""
    authority = certificates.authority if "certificate" in title else ""
    tls = context(certificates.trusted, authority) if "TLS" in title else None
    with (
        ears(tls=tls) as (_, strangers, ports),
        log_daemon(title, ports, certificates, tmp_path) as log,
    ):
        write(log, CHATTER, DISK)
        assert soon(lambda: strangers.seen)
    [(_, _, line)] = strangers.seen
    [event] = read("syslog", line)
    assert (event.summary, event.severity) == ("backup: the disk is full", 1)


@pytest.mark.parametrize("title", ["rsyslog over TLS", "syslog-ng over TLS"])
def test_without_a_certificate_of_its_own_it_is_named_and_not_heard_where_one_is_wanted(
    title: str, certificates: Certificates, tmp_path: Path
) -> None:
    tls = context(certificates.trusted, certificates.authority)
    with (
        ears(tls=tls) as (_, strangers, ports),
        log_daemon(title, ports, certificates, tmp_path) as log,
    ):
        write(log, DISK)
        assert soon(lambda: strangers.seen)
        time.sleep(1)
    assert set(strangers.seen) == {("syslog_tls", "127.0.0.1", b"It shows no certificate.")}


@contextmanager
def log_daemon(title: str, ports: Ports, certificates: Certificates, folder: Path) -> Iterator[Path]:
    """The program of that title, told what the page prints, and nothing else but to read a log of its own."""
    pasted, log = folder / "pasted.conf", folder / "log"
    pasted.write_text(_for_here(PRINTED[title], ports, certificates))
    start = _rsyslog if title.startswith("rsyslog") else _syslog_ng
    daemon = subprocess.Popen(start(folder, log, pasted), stderr=subprocess.PIPE, text=True)
    try:
        assert soon(log.exists), daemon.stderr and daemon.stderr.read()
        yield log
    finally:
        daemon.terminate()
        daemon.communicate(timeout=PATIENCE_S)


def _rsyslog(folder: Path, log: Path, pasted: Path) -> list[str]:
    program = _program("rsyslogd", "apt-get install rsyslog rsyslog-gnutls, which takes syslog-ng away")
    main = folder / "rsyslog.conf"
    main.write_text(RSYSLOG.format(log=log, folder=folder, pasted=pasted))
    return [program, "-n", "-f", str(main), "-i", str(folder / "pid")]


def _syslog_ng(folder: Path, log: Path, pasted: Path) -> list[str]:
    program = _program("syslog-ng", "bin/setup --tests")
    told = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    [version] = re.findall(r"Config version: (\S+)", told)
    main = folder / "syslog-ng.conf"
    main.write_text(SYSLOG_NG.format(version=version, log=log, pasted=pasted))
    own = ["-R", str(folder / "persist"), "-p", str(folder / "pid"), "-c", str(folder / "control")]
    return [program, "--foreground", "--no-caps", "-f", str(main), *own]


def _program(name: str, comes_with: str) -> str:
    found = shutil.which(name, path=PATHS)
    if found is None:
        pytest.skip(f"needs {name}: {comes_with}")
    return found


def _for_here(printed: str, ports: Ports, certificates: Certificates) -> str:
    """What is printed, with the places of these tests: where the desk listens, where certificates lie."""
    places: Mapping[str, object] = {
        "desk.example.com": "localhost",
        "5514": ports.syslog,
        "6514": ports.syslog_tls,
        "/etc/ssl/desk-authority.pem": certificates.authority,
        "/etc/ssl/sender.pem": certificates.trusted.certificate,
        "/etc/ssl/private/sender.key": certificates.trusted.key,
    }
    for written, place in places.items():
        printed = printed.replace(written, str(place))
    return printed


def write(log: Path, *lines: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.connect(str(log))
        for line in lines:
            wire.send(line)

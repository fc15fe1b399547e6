"""An Asterisk to listen to: the real one where it is installed, else a peer that speaks as it does.

Debian 12 has no package of Asterisk, so the peer is what most machines see. What it says is cut from what a real
Asterisk said for the same dialplan (`DIALPLAN`), to the fields that matter and the order in which they came.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER, SECRET = "tierdesk", "a secret of the exchange"
BINARY = os.environ.get("TIERDESK_TEST_ASTERISK") or shutil.which("asterisk")

DIALPLAN = """
[from-trunk]
exten => 4930999,1,Dial(Local/42@phones/n,20)
 same => n,Hangup()
exten => 4930998,1,Dial(Local/43@phones/n,2)
 same => n,Hangup()
[phones]
exten => 42,1,Wait(1)
 same => n,Answer()
 same => n,Wait(2)
 same => n,Hangup()
exten => 43,1,Ringing()
 same => n,Wait(30)
"""

CONFIG = {
    "asterisk.conf": """
[directories]
astetcdir => {home}
astmoddir => {modules}
astvarlibdir => {home}/lib
astdbdir => {home}
astkeydir => {home}
astdatadir => {data}
astagidir => {home}
astspooldir => {home}/spool
astrundir => {home}
astlogdir => {home}
""",
    "manager.conf": """
[general]
enabled = yes
port = {port}
bindaddr = 127.0.0.1
[{user}]
secret = {secret}
read = call,system
write = call,reporting,originate,system
""",
    "modules.conf": "[modules]\nautoload = yes\n",
    "extensions.conf": DIALPLAN,
    "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
}


class Pbx(ABC):
    """Where it listens, and a caller who dials a number of ours."""

    port: int
    what: str

    @abstractmethod
    def caller(self, number: str, dials: str) -> None:
        """Somebody calls 4930999, where extension 42 answers after a second, or 4930998, where nobody comes."""


class Asterisk(Pbx):
    what = "a real Asterisk"

    def __init__(self, home: Path) -> None:
        self.port, self.home = _free_port(), home

    def start(self) -> subprocess.Popen[bytes]:
        assert BINARY is not None
        root = Path(BINARY).resolve().parents[1]
        modules = next(
            path
            for path in (root / "lib/asterisk/modules", *root.glob("lib/*/asterisk/modules"))
            if path.is_dir()
        )
        data = next(
            (path for path in (root / "share/asterisk", root / "var/lib/asterisk") if path.is_dir()),
            self.home,
        )
        values = {"home": self.home, "modules": modules, "data": data, "port": self.port}
        for name, text in CONFIG.items():
            told = text if name == "extensions.conf" else text.format(**values, user=USER, secret=SECRET)
            (self.home / name).write_text(told)
        for folder in ("lib", "spool"):
            (self.home / folder).mkdir()
        with (self.home / "said.log").open("wb") as said:
            return subprocess.Popen(
                [BINARY, "-f", "-C", str(self.home / "asterisk.conf")], stdout=said, stderr=said
            )

    def caller(self, number: str, dials: str) -> None:
        """The caller is a channel of Asterisk's own, which enters the dialplan where a trunk would."""
        told = {
            "Channel": f"Local/{dials}@from-trunk/n",
            "CallerID": f"<{number}>",
            "Application": "Wait",
            "Data": "30",
            "Timeout": "10000",
            "Async": "true",
        }
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as line,
            line.makefile("rwb") as talk,
        ):
            talk.readline()
            for action, fields in (("Login", {"Username": USER, "Secret": SECRET}), ("Originate", told)):
                lines = "".join(
                    f"{name}: {value}\r\n" for name, value in {"Action": action, **fields}.items()
                )
                talk.write(f"{lines}\r\n".encode())
                talk.flush()
                while talk.readline().strip():
                    pass


class Peer(Pbx):
    """Speaks the interface to whoever shows the right key, and hangs up on whoever does not."""

    what = "a peer"

    def __init__(self) -> None:
        self.port, self.lines, self.calls = _free_port(), set[asyncio.StreamWriter](), 0
        self.refused = 0
        self.loop = asyncio.new_event_loop()

    @contextmanager
    def running(self) -> Iterator[None]:
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.loop.call_soon_threadsafe(server.close)
            self.hang_up_on_us()
            self.loop.call_soon_threadsafe(self.loop.stop)
            thread.join(5)

    def hang_up_on_us(self) -> None:
        for line in list(self.lines):
            self.loop.call_soon_threadsafe(line.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while action := await _read(reader):
            self._answer(action, writer)
        self.lines.discard(writer)

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        match action.get("Action"):
            case "Challenge":
                _say(writer, Response="Success", Challenge="123456789")
            case "Login":
                right = hashlib.md5(f"123456789{SECRET}".encode()).hexdigest()
                if (action.get("Username"), action.get("Key")) != (USER, right):
                    self.refused += 1
                    _say(writer, Response="Error", Message="Authentication failed")
                    return
                self.lines.add(writer)
                _say(writer, Response="Success", Message="Authentication accepted")
                _say(writer, Event="FullyBooted", Privilege="system,all", Status="Fully Booted")
            case "CoreShowChannels":
                _say(writer, Response="Success", EventList="start", Message="Channels will follow")
                _say(writer, Event="CoreShowChannelsComplete", EventList="Complete", ListItems="0")
            case "Ping":
                _say(writer, Response="Success", Ping="Pong")

    def caller(self, number: str, dials: str) -> None:
        asyncio.run_coroutine_threadsafe(self._call(number, dials), self.loop)

    async def _call(self, number: str, dials: str) -> None:
        self.calls += 1
        call, leg = f"17640660{self.calls:02}.1", f"17640660{self.calls:02}.2"
        extension, is_taken = ("42", True) if dials == "4930999" else ("43", False)
        first = {
            "Channel": f"PJSIP/trunk-0000000{self.calls}",
            "CallerIDNum": number,
            "CallerIDName": "<unknown>",
            "Context": "from-trunk",
            "Exten": dials,
            "Uniqueid": call,
            "Linkedid": call,
        }
        dialled = {
            "DestChannel": f"Local/{extension}@phones-0000000{self.calls};1",
            "DestUniqueid": leg,
            "DestLinkedid": call,
        }
        self._tell(Event="Newchannel", ChannelStateDesc="Ring", **first | {"CallerIDNum": "<unknown>"})
        self._tell(Event="NewCallerid", **first)
        self._tell(Event="DialBegin", **first, **dialled, DialString=f"{extension}@phones/n")
        await asyncio.sleep(0.5)
        self._tell(Event="DialEnd", DialStatus="ANSWER" if is_taken else "NOANSWER", **first, **dialled)
        await asyncio.sleep(0.5)
        end = {"Cause": "16", "Cause-txt": "Normal Clearing"}
        self._tell(Event="Hangup", **first | {"Uniqueid": leg}, **end)
        self._tell(Event="Hangup", **first, **end)

    def _tell(self, **fields: str) -> None:
        for writer in self.lines:
            _say(writer, **fields)


@contextmanager
def some_pbx(home: Path) -> Iterator[Pbx]:
    """The real one if there is one; says which it is, and why."""
    if BINARY is None:
        print(
            "a peer stands in for Asterisk: there is no `asterisk` on this machine (Debian 12 has no package of it)"
        )
        peer = Peer()
        with peer.running():
            yield peer
        return
    pbx = Asterisk(home)
    process = pbx.start()
    try:
        _wait_for(pbx.port, process)
        yield pbx
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until it has read its dialplan: it says so to whoever signs in, at once or when it has."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=30) as line,
                line.makefile("rwb") as talk,
            ):
                talk.write(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n".encode())
                talk.flush()
                while said := talk.readline():
                    if b"FullyBooted" in said:
                        return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("Asterisk does not come up")


async def _read(reader: asyncio.StreamReader) -> dict[str, str]:
    fields: dict[str, str] = {}
    while line := (await reader.readline()).decode().strip():
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def _say(writer: asyncio.StreamWriter, **fields: str) -> None:
    writer.write("".join([*(f"{name}: {value}\r\n" for name, value in fields.items()), "\r\n"]).encode())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

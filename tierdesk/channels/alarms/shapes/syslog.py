"""Syslog lines: RFC 5424, the older BSD form (RFC 3164), and what network devices make of it.

A line is no alarm until it is at least a warning, and a thousand of one kind are one alarm: it is named by the host,
the program and the message id or, without one, by the words of the line without their numbers. Syslog cannot say that
trouble is over; besides a few pairs that everybody knows (PAIRS), the source's quiet time does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from tierdesk.channels.alarms.normal import Action, AlarmEvent, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, moment
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
Switch the listener on, on the desk: `TIERDESK_SYSLOG_PORT=5514` (UDP and TCP; 0, off, is the default) and
`TIERDESK_ALARMS_LISTEN_HOST=0.0.0.0`. Syslog carries no token: the desk knows a source by the addresses in its
`senders`, and what others send is counted under *Channels* and not read. Give the source a `quiet` time, after which
what is not heard any more is over. Lines below a warning are not read, so they need not be sent.

Each of these is a whole file, for a machine's own log. Take one; TCP waits while the desk is away, UDP loses. In those
for syslog-ng `s_src` is what Debian's `syslog-ng.conf` calls its source; elsewhere it may be `s_sys` or `s_local`.

**rsyslog over TCP**:

```
# /etc/rsyslog.d/60-desk.conf
*.warning action(
    type="omfwd" target="desk.example.com" port="5514" protocol="tcp"
    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
    queue.type="LinkedList" action.resumeRetryCount="-1")
```

**rsyslog over UDP**:

```
# /etc/rsyslog.d/60-desk.conf
*.warning action(
    type="omfwd" target="desk.example.com" port="5514" protocol="udp"
    template="RSYSLOG_SyslogProtocol23Format")
```

**syslog-ng over TCP**:

```
# /etc/syslog-ng/conf.d/desk.conf
filter f_desk { level(warning..emerg); };
destination d_desk { syslog("desk.example.com" transport("tcp") port(5514)); };
log { source(s_src); filter(f_desk); destination(d_desk); };
```

**syslog-ng over UDP**:

```
# /etc/syslog-ng/conf.d/desk.conf
filter f_desk { level(warning..emerg); };
destination d_desk { syslog("desk.example.com" transport("udp") port(5514)); };
log { source(s_src); filter(f_desk); destination(d_desk); };
```

**Cisco IOS**: `logging host 192.0.2.10 transport udp port 5514` and `logging trap warnings`.

**TLS** (RFC 5425, octet-counted frames, TLS 1.2 or newer): on the desk `TIERDESK_SYSLOG_TLS_PORT=6514` with
`TIERDESK_TLS_CERTIFICATE` and `TIERDESK_TLS_KEY`. A sender is to know the certificate of whoever signed the desk’s: it
is `/etc/ssl/desk-authority.pem` below. With `TIERDESK_SYSLOG_TLS_AUTHORITY` on the desk, only senders with a
certificate of that authority are heard; theirs are `/etc/ssl/sender.pem` and `/etc/ssl/private/sender.key` below.

**rsyslog over TLS** (8.2108 or newer, with its package `rsyslog-gnutls`):

```
# /etc/rsyslog.d/60-desk.conf
*.warning action(
    type="omfwd" target="desk.example.com" port="6514" protocol="tcp"
    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
    StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
    StreamDriverPermittedPeers="desk.example.com"
    StreamDriver.CAFile="/etc/ssl/desk-authority.pem"
    queue.type="LinkedList" action.resumeRetryCount="-1")
```

**rsyslog over TLS, with a certificate of its own**:

```
# /etc/rsyslog.d/60-desk.conf
*.warning action(
    type="omfwd" target="desk.example.com" port="6514" protocol="tcp"
    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"
    StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
    StreamDriverPermittedPeers="desk.example.com"
    StreamDriver.CAFile="/etc/ssl/desk-authority.pem"
    StreamDriver.CertFile="/etc/ssl/sender.pem"
    StreamDriver.KeyFile="/etc/ssl/private/sender.key"
    queue.type="LinkedList" action.resumeRetryCount="-1")
```

**syslog-ng over TLS**:

```
# /etc/syslog-ng/conf.d/desk.conf
filter f_desk { level(warning..emerg); };
destination d_desk {
    syslog("desk.example.com" transport("tls") port(6514) tls(
        ca-file("/etc/ssl/desk-authority.pem")
    ));
};
log { source(s_src); filter(f_desk); destination(d_desk); };
```

**syslog-ng over TLS, with a certificate of its own**:

```
# /etc/syslog-ng/conf.d/desk.conf
filter f_desk { level(warning..emerg); };
destination d_desk {
    syslog("desk.example.com" transport("tls") port(6514) tls(
        ca-file("/etc/ssl/desk-authority.pem")
        cert-file("/etc/ssl/sender.pem") key-file("/etc/ssl/private/sender.key")
    ));
};
log { source(s_src); filter(f_desk); destination(d_desk); };
```

Where a listener cannot be reached, lines may be posted, one or many:

```sh
curl https://desk.example.com/in/TOKEN -H 'Content-Type: text/plain' \\
  --data-binary '<131>1 - db1 postgres - DISKFULL - /var is 96 % full'
```
"""

SEVERITIES: Final = {
    "emerg": 1, "alert": 1, "crit": 1, "err": 2, "warning": 3, "notice": 4, "info": 5, "debug": 5,
}  # fmt: skip
WORDS: Final = tuple(SEVERITIES)
LEAST: Final = WORDS.index("warning")
"""What is less than this is no alarm."""

MOST_LINES: Final = 2_000
LOOKED_AT: Final = 1_000
"""So much of a message is looked at for what it is; the rest is words. A pattern may take the square of it."""

RFC5424 = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>\S{1,255}) (?P<app>\S{1,48}) (?P<pid>\S{1,128}) "
    r"(?P<msgid>\S{1,32}) (?P<rest>.*)",
    re.DOTALL,
)
BSD = re.compile(
    r"<(?P<pri>\d{1,3})>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?P<host>[^\s:]{1,255}) )?"
    r"(?:(?P<app>[^\s:\[\]]{1,48})(?:\[(?P<pid>[^\]\s]{1,128})\])?: )?(?P<rest>.*)",
    re.DOTALL,
)
MNEMONIC = re.compile(r"%(?P<name>[A-Z][A-Z0-9_]*-(?:[A-Z0-9_]+-)*\d-[A-Z0-9_]+): ?")
"""How Cisco's devices name a message: %FACILITY-SEVERITY-MNEMONIC."""

MESSAGE = re.compile(r"[\r\n]+(?=<\d{1,3}>)")
"""Where the next message begins; a message may have lines of its own."""

PARAMETER = re.compile(r'\s+(?P<name>[^\s="\]]+)="(?P<value>(?:[^"\\\]]|\\.)*)"', re.DOTALL)

PAIRS: Final = (
    re.compile(
        r"(?P<of>(?:Interface|Line protocol on Interface) \S+), changed state to "
        r"(?:administratively )?(?P<state>up|down)"
    ),
    re.compile(r"(?P<of>neighbor \S+(?: vpn vrf \S+)?) (?P<state>Down|Up)\b"),
    re.compile(r"(?P<of>\S+:)? ?(?:NIC )?Link is (?P<state>Up|Down)\b"),
    re.compile(r"SNMP_TRAP_LINK_(?P<state>UP|DOWN).* (?P<of>ifName \S+)"),
)
"""Lines that say that something went down, and that it is up again; `of` is what."""


class Line(NamedTuple):
    """One line, taken apart. `severity` is 0 (emerg) … 7 (debug); what is not there is empty."""

    severity: int
    host: str
    app: str
    name: str
    text: str
    at: datetime | None
    labels: Mapping[str, str]


@register("syslog", title="Syslog", guide=GUIDE, demands_quiet=True)
def read(request: Request) -> list[AlarmEvent]:
    """The alarms in one line or, posted, in many."""
    lines = MESSAGE.split(request.body.decode("utf-8", "replace").strip())
    if lines == [""]:
        raise MalformedAlarm("The message is empty.")
    if len(lines) > MOST_LINES:
        raise MalformedAlarm(f"These are {len(lines)} lines; send {MOST_LINES} at most at once.")
    said_so = (_event(line_of(line), request.remote) for line in lines)
    return [event for event in said_so if event is not None]


def line_of(text: str) -> Line:
    """One line, taken apart. Raises MalformedAlarm."""
    found = RFC5424.fullmatch(text) or BSD.fullmatch(text)
    if found is None or int(found["pri"]) > 191:
        raise MalformedAlarm(
            f"A syslog message begins with its priority, such as <132>; this begins with “{text[:80]}”."
        )
    part = {name: "" if value in (None, "-") else value for name, value in found.groupdict().items()}
    labels, rest = structured(part["rest"]) if "msgid" in part else ({}, part["rest"])
    mnemonic = MNEMONIC.search(rest, 0, LOOKED_AT)
    return Line(
        severity=int(part["pri"]) % 8,
        host=part["host"],
        app="" if mnemonic else part["app"],  # before a mnemonic stands a running number
        name=mnemonic["name"] if mnemonic else part.get("msgid", ""),
        text=(rest[mnemonic.end() :] if mnemonic else rest).removeprefix("\ufeff").strip(),
        at=moment(part.get("time", "")),
        labels=labels | ({"pid": part["pid"]} if part["pid"] else {}),
    )


def structured(rest: str) -> tuple[dict[str, str], str]:
    """The structured data at the beginning of `rest` as labels `id.name`, and the message behind it (RFC 5424 §6.3)."""
    labels: dict[str, str] = {}
    place = 0
    while rest.startswith("[", place):
        end = re.compile(r"\[[^\s=\]\"]{1,32}").match(rest, place)
        if end is None:
            break
        name, at = end[0][1:], end.end()
        while found := PARAMETER.match(rest, at):
            labels[f"{name}.{found['name']}"] = re.sub(r'\\(["\\\]])', r"\1", found["value"])
            at = found.end()
        if not rest.startswith("]", at):
            break
        place = at + 1
    return labels, rest[place:].removeprefix("-").strip()


def _event(line: Line, remote: str) -> AlarmEvent | None:
    head = line.text[:LOOKED_AT]
    pair = next((found for pattern in PAIRS if (found := pattern.search(head))), None)
    if line.severity > LEAST and pair is None:
        return None
    host = line.host or remote
    is_over = pair is not None and pair["state"].lower() == "up"
    what = f"{pair['of'] or line.app} link" if pair else line.name or template(head)
    return said(
        action=Action.CLEAR if is_over else Action.RAISE,
        key=f"{host}/{line.app}/{line.name}" if line.name and not pair else f"{host}/{line.app}/{what}",
        severity=WORDS[min(line.severity, LEAST) if pair else line.severity],
        resource=host,
        class_=line.name or line.app,
        summary=f"{line.app or line.name}: {line.text}" if line.app or line.name else line.text,
        text=line.text,
        labels=line.labels,
        at=line.at,
        repeats=True,
        severities=SEVERITIES,
    )

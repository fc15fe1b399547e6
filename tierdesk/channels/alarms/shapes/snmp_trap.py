"""SNMP traps and informs as they come off the wire, or decoded as JSON by whoever received them.

RFC 3416 and, for what version 1 becomes, RFC 3584. The alarm of a pair (PAIRS) is named by agent, pair and index, so
that linkUp clears what linkDown raised; any other trap is named by agent, trap and index, and over after the source's
quiet time. A source with a user speaks version 3 (usm.py), and nothing older is believed of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, Final, NamedTuple

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api

from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import Forged, MalformedAlarm, json_object, plain, words
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.usm import UsmUser, pdu_of

GUIDE = """
Switch the listener on, on the desk: `TIERDESK_SNMP_PORT=1162` (UDP; 0, off, is the default) and
`TIERDESK_ALARMS_LISTEN_HOST=0.0.0.0`. The desk knows a source by the addresses in its `senders`; its `secret`, if it
has one, is the community. Give the source a `quiet` time. Traps and informs of the versions 1 and 2c are read; an
inform is answered when it is stored.

```sh
snmptrap -v 2c -c COMMUNITY desk.example.com:1162 '' 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.2 i 2
```

**Version 3**: give the source, besides its `senders`, a `usm_user`, with `usm_auth` (SHA, SHA-224, SHA-256, SHA-384
or SHA-512) and the passphrase as its `secret`; for encryption `usm_privacy` (AES or AES-256) with its
`usm_privacy_secret`. Passphrases have 8 characters or more. Where a router must be told the engine of whoever it
informs, the desk's is `8000000004746965726465736B`.

```sh
snmptrap -v 3 -l authPriv -u USER -a SHA-256 -A SECRET -x AES -X PRIVACY_SECRET \\
    desk.example.com:1162 '' 1.3.6.1.6.3.1.1.5.3 1.3.6.1.2.1.2.2.1.1.2 i 2
```

**A receiver of your own**: post what it decoded to `https://desk.example.com/in/TOKEN`:

```json
{"agent": "10.0.0.9", "trap_oid": "1.3.6.1.6.3.1.1.5.3", "varbinds": {"1.3.6.1.2.1.2.2.1.1.2": "2", "ifDescr": "Gi0/1"}}
```
"""

UPTIME: Final = "1.3.6.1.2.1.1.3.0"
TRAP: Final = "1.3.6.1.6.3.1.1.4.1.0"
STANDARD: Final = "1.3.6.1.6.3.1.1.5"

TRAPS: Final = {
    f"{STANDARD}.1": "coldStart",
    f"{STANDARD}.2": "warmStart",
    f"{STANDARD}.3": "linkDown",
    f"{STANDARD}.4": "linkUp",
    f"{STANDARD}.5": "authenticationFailure",
    f"{STANDARD}.6": "egpNeighborLoss",
    "1.3.6.1.2.1.15.7.1": "bgpEstablished",
    "1.3.6.1.2.1.15.7.2": "bgpBackwardTransition",
    "1.3.6.1.2.1.15.0.1": "bgpEstablishedNotification",
    "1.3.6.1.2.1.15.0.2": "bgpBackwardTransNotification",
    "1.3.6.1.2.1.33.2.1": "upsTrapOnBattery",
    "1.3.6.1.2.1.33.2.3": "upsTrapAlarmEntryAdded",
    "1.3.6.1.2.1.33.2.4": "upsTrapAlarmEntryRemoved",
    "1.3.6.1.2.1.68.0.1": "vrrpTrapNewMaster",
}
"""Names of traps: SNMPv2-MIB, IF-MIB, BGP4-MIB (RFC 1657 and 4273), UPS-MIB (RFC 1628), VRRP-MIB."""

OBJECTS: Final = {
    "1.3.6.1.2.1.1.5": "sysName",
    "1.3.6.1.2.1.2.2.1.1": "ifIndex",
    "1.3.6.1.2.1.2.2.1.2": "ifDescr",
    "1.3.6.1.2.1.2.2.1.7": "ifAdminStatus",
    "1.3.6.1.2.1.2.2.1.8": "ifOperStatus",
    "1.3.6.1.2.1.31.1.1.1.1": "ifName",
    "1.3.6.1.2.1.31.1.1.1.18": "ifAlias",
    "1.3.6.1.2.1.15.3.1.2": "bgpPeerState",
    "1.3.6.1.2.1.15.3.1.14": "bgpPeerLastError",
    "1.3.6.1.2.1.33.1.6.2.1.1": "upsAlarmId",
    "1.3.6.1.2.1.33.1.6.2.1.2": "upsAlarmDescr",
}


class Pair(NamedTuple):
    name: str
    action: Action


PAIRS: Final = {
    "linkDown": Pair("link", Action.RAISE),
    "linkUp": Pair("link", Action.CLEAR),
    "bgpBackwardTransition": Pair("bgp", Action.RAISE),
    "bgpEstablished": Pair("bgp", Action.CLEAR),
    "bgpBackwardTransNotification": Pair("bgp", Action.RAISE),
    "bgpEstablishedNotification": Pair("bgp", Action.CLEAR),
    "upsTrapAlarmEntryAdded": Pair("ups alarm", Action.RAISE),
    "upsTrapAlarmEntryRemoved": Pair("ups alarm", Action.CLEAR),
}

WEIGHTS: Final = {
    "linkDown": 2,
    "bgpBackwardTransition": 2,
    "bgpBackwardTransNotification": 2,
    "upsTrapOnBattery": 2,
    "coldStart": 3,
    "warmStart": 4,
    "authenticationFailure": 4,
}
"""How severe a trap is, 1 to 5; any other is a warning."""

NOWHERE: Final = "0.0.0.0"  # noqa: S104 - what an agent says that does not know its address
VERSION_3: Final = 3
INFORM: Final = b"\xa6"
HEAD: Final = 300
"""Version and community are over by then; a community may have 255 bytes."""

VALUE_LENGTH: Final = 200


class Trap(NamedTuple):
    """One notification. `varbinds` are the objects by OID or by name; `answer` is what an inform waits for."""

    agent: str
    oid: str
    varbinds: Mapping[str, str]
    community: str = ""
    answer: bytes = b""


@register("snmp_trap", title="SNMP traps", guide=GUIDE, demands_quiet=True)
def read(request: Request) -> list[AlarmEvent]:
    """The alarm of one notification."""
    if request.body[:1] == b"{":
        return [_event(_decoded(request), request)]
    trap = trap_of(request.body, request.remote, request.usm)
    if (
        request.usm is None
        and request.secret
        and not compare_digest(trap.community.encode(), request.secret.encode())
    ):
        raise Forged("The trap has another community than the secret of this source.")
    return [_event(trap, request)]


def trap_of(raw: bytes, remote: str, user: UsmUser | None = None) -> Trap:
    """The notification in a datagram from `remote`, of `user` in version 3. Raises MalformedAlarm."""
    try:
        return _read(raw, remote, user)
    except MalformedAlarm:
        raise
    except Exception as error:  # on damaged bytes pyasn1 stumbles in many ways, over its own types among them
        raise MalformedAlarm(f"This is no SNMP trap that can be read ({type(error).__name__}).") from error


def answer_to(raw: bytes) -> bytes:
    """What the sender of an inform waits for; empty for what wants no answer.

    Reading costs milliseconds, so what has no inform's tag (RFC 3416 §3) near its beginning is not read for this.
    """
    if INFORM not in raw[:HEAD]:
        return b""
    try:
        return trap_of(raw, "").answer
    except MalformedAlarm:
        return b""


def _read(raw: bytes, remote: str, user: UsmUser | None) -> Trap:
    version = int(api.decodeMessageVersion(raw))
    if version == VERSION_3:
        return _of_version_3(raw, remote, user)
    if user is not None:
        raise Forged("The trap is of an older version of SNMP than the 3 that this source speaks.")
    protocol = api.PROTOCOL_MODULES[version]
    message, _ = decoder.decode(raw, asn1Spec=protocol.Message())
    community = bytes(protocol.apiMessage.get_community(message)).decode("utf-8", "replace")
    pdu = protocol.apiMessage.get_pdu(message)
    if version == api.SNMP_VERSION_1:
        if not pdu.isSameTypeWith(protocol.TrapPDU()):
            raise MalformedAlarm("This is SNMP, but no trap.")
        told = protocol.apiTrapPDU
        varbinds = {str(oid): _text(value) for oid, value in told.get_varbinds(pdu)}
        agent = told.get_agent_address(pdu).prettyPrint()
        return Trap(agent if agent != NOWHERE else remote, _of_version_1(told, pdu), varbinds, community)
    if not (pdu.isSameTypeWith(protocol.SNMPv2TrapPDU()) or pdu.isSameTypeWith(protocol.InformRequestPDU())):
        raise MalformedAlarm("This is SNMP, but no trap.")
    varbinds = {str(oid): _text(value) for oid, value in protocol.apiPDU.get_varbinds(pdu)}
    is_inform = pdu.isSameTypeWith(protocol.InformRequestPDU())
    answer = _answer(protocol, message) if is_inform else b""
    rest = {oid: value for oid, value in varbinds.items() if oid not in (UPTIME, TRAP)}
    return Trap(remote, varbinds[TRAP], rest, community, answer)


def _of_version_3(raw: bytes, remote: str, user: UsmUser | None) -> Trap:
    if user is None:
        raise MalformedAlarm("This is SNMP version 3, and the source has no user for it: give it one.")
    pdu, protocol = pdu_of(raw, user), api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    if not (pdu.isSameTypeWith(protocol.SNMPv2TrapPDU()) or pdu.isSameTypeWith(protocol.InformRequestPDU())):
        raise MalformedAlarm("This is SNMP version 3, but no trap.")
    varbinds = {str(oid): _text(value) for oid, value in protocol.apiPDU.get_varbinds(pdu)}
    rest = {oid: value for oid, value in varbinds.items() if oid not in (UPTIME, TRAP)}
    return Trap(remote, varbinds[TRAP], rest)


def _of_version_1(told: Any, pdu: Any) -> str:
    """RFC 3584 §3.1: generic traps are the standard ones, others are `<enterprise>.0.<specific>`."""
    generic = int(told.get_generic_trap(pdu))
    if generic < 6:
        return f"{STANDARD}.{generic + 1}"
    return f"{told.get_enterprise(pdu)}.0.{int(told.get_specific_trap(pdu))}"


def _answer(protocol: Any, message: Any) -> bytes:
    """The response that an inform waits for: what it said, said back (RFC 3416 §4.2.7)."""
    response = protocol.apiMessage.get_response(message)
    asked, told = protocol.apiMessage.get_pdu(message), protocol.apiMessage.get_pdu(response)
    protocol.apiPDU.set_varbinds(told, protocol.apiPDU.get_varbinds(asked))
    return bytes(encoder.encode(response))


def _text(value: Any) -> str:
    """A value for people: text as it reads, other bytes in hexadecimal."""
    if hasattr(value, "asOctets"):
        try:
            text = bytes(value.asOctets()).decode()
        except UnicodeDecodeError:
            text = ""
        if text and text.isprintable():
            return text
    return str(value.prettyPrint())


def _decoded(request: Request) -> Trap:
    root = json_object(request.body)
    oid, told = words(root, "trap_oid"), root.get("varbinds")
    if not oid:
        raise MalformedAlarm("The trap has no “trap_oid”.")
    varbinds = {str(name): plain(value) for name, value in told.items()} if isinstance(told, dict) else {}
    return Trap(words(root, "agent") or request.remote, oid, varbinds)


def _event(trap: Trap, request: Request) -> AlarmEvent:
    name = TRAPS.get(trap.oid, trap.oid)
    labels, index = _named(trap.varbinds)
    action = PAIRS[name].action if name in PAIRS else Action.RAISE
    of = labels.get("ifName") or labels.get("ifDescr") or labels.get("ifAlias") or index
    return said(
        action=action,
        key=f"{trap.agent}/{PAIRS[name].name if name in PAIRS else name}/{index}",
        severity=WEIGHTS.get(name, 3),
        resource=trap.agent,
        class_=name,
        summary=f"{name} {of}".strip() + f" at {trap.agent}",
        text="\n".join(f"{label}: {value}" for label, value in labels.items()),
        labels=labels,
        repeats=True,
    )


def _named(varbinds: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The objects by name, and the index that they share: the instance that the trap is about."""
    labels: dict[str, str] = {}
    index = ""
    for oid, value in varbinds.items():
        table = next((known for known in OBJECTS if oid.startswith(f"{known}.")), None)
        labels[OBJECTS[table] if table else oid] = value[:VALUE_LENGTH]
        if table and not index:
            index = oid.removeprefix(f"{table}.")
    return labels, labels.get("ifIndex", "") or index

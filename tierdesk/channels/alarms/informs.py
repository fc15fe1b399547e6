"""What whoever sends an inform of SNMP version 3 waits for (RFC 3414 §4, RFC 3416 §4.2.7).

First they ask who we are and what our time is: a message with no engine's name, or with a time that is not ours, gets a
report. With that they sign the inform, and when it is stored they get the response, sealed as it came.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from pyasn1.codec.ber import encoder
from pyasn1.type.univ import OctetString
from pysnmp.proto import api
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.rfc1905 import InformRequestPDU, ReportPDU, ResponsePDU
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from tierdesk.channels.alarms.usm import (
    AUTH,
    AUTHENTICATED,
    BOOTS,
    ENCRYPTED,
    OURS,
    PRIVACY,
    REPORTABLE,
    Envelope,
    UsmUser,
    our_time,
    privacy_key,
    signature,
)

VERSION_3: Final = b"\x02\x01\x03"
NO_ENGINE: Final = b"\x04\x00\x02\x01\x00\x02\x01\x00"
"""How the parameters of who does not know us yet begin: no engine, no boots, no time."""

HEAD: Final = 200
"""Version, flags and engine stand before that; traps are looked at no further, since reading costs milliseconds."""

NOT_IN_TIME: Final = (1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0)
UNKNOWN_ENGINE: Final = (1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)
"""What reports say: usmStatsNotInTimeWindows and usmStatsUnknownEngineIDs (RFC 3414 §5)."""

LARGEST: Final = 65_507
PDUS: Final = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C].apiPDU

log = logging.getLogger(__name__)


def may_be_inform(raw: bytes) -> bool:
    """Whether these bytes may be something of version 3 that wants an answer of our engine's."""
    head = raw[:HEAD]
    return VERSION_3 in head[:8] and (OURS in head or NO_ENGINE in head)


def report_to(raw: bytes, user: UsmUser) -> bytes:
    """What its sender must know before they can send it so that we take it; empty where it can be taken, or refused."""
    try:
        envelope = Envelope.of(raw)
        if not envelope.flags & REPORTABLE:
            return b""
        if envelope.engine != OURS:
            return _report(envelope, UNKNOWN_ENGINE, None)
        envelope.prove(user)
        return b"" if envelope.is_timely else _report(envelope, NOT_IN_TIME, user)
    except Exception as error:  # damaged or forged: it is refused where it is read, with its reason
        log.debug("no report to what cannot be read: %s", error)
        return b""


def response_to(raw: bytes, user: UsmUser) -> bytes:
    """The answer to an inform that is stored: what it said, said back. Empty for what is none, or was refused."""
    try:
        envelope = Envelope.of(raw)
        envelope.prove(user)
        scoped = envelope.words(user)
    except Exception as error:  # kept as a refusal, with its reason
        log.debug("no response to what cannot be read: %s", error)
        return b""
    asked = scoped["data"].getComponent()
    if envelope.engine != OURS or not envelope.is_timely or not asked.isSameTypeWith(InformRequestPDU()):
        return b""
    told = ResponsePDU()
    PDUS.set_defaults(told)
    PDUS.set_request_id(told, PDUS.get_request_id(asked))
    PDUS.set_varbinds(told, PDUS.get_varbinds(asked))
    return _message(envelope, told, user, about=scoped, is_private=bool(user.privacy))


def _report(envelope: Envelope, what: tuple[int, ...], user: UsmUser | None) -> bytes:
    """A report is signed if we know who asks, and never encrypted: nothing in it is a secret."""
    told = ReportPDU()
    PDUS.set_defaults(told)
    plain = envelope.message["msgData"]["plaintext"] if not envelope.flags & ENCRYPTED else None
    PDUS.set_request_id(told, PDUS.get_request_id(plain["data"].getComponent()) if plain is not None else 0)
    PDUS.set_varbinds(told, [(what, api.PROTOCOL_MODULES[api.SNMP_VERSION_2C].Counter32(1))])
    return _message(envelope, told, user)


def _message(
    to: Envelope, pdu: Any, user: UsmUser | None, *, about: Any = None, is_private: bool = False
) -> bytes:
    """`about`: the scoped PDU that is answered; the answer is of its context, which is often its sender's own."""
    scoped = ScopedPDU()
    scoped["contextEngineId"] = about["contextEngineId"] if about is not None else OURS
    scoped["contextName"] = about["contextName"] if about is not None else b""
    scoped["data"].setComponentByType(pdu.tagSet, pdu, verifyConstraints=False)
    told = UsmSecurityParameters()
    seconds = our_time()
    told["msgAuthoritativeEngineId"] = OURS
    told["msgAuthoritativeEngineBoots"], told["msgAuthoritativeEngineTime"] = BOOTS, seconds
    told["msgUserName"] = user.name.encode() if user else b""
    told["msgAuthenticationParameters"] = bytes(AUTH[user.auth].length) if user else b""
    told["msgPrivacyParameters"] = b""
    message = SNMPv3Message()
    message["msgVersion"] = 3
    head = message["msgGlobalData"]
    head["msgID"], head["msgMaxSize"] = to.message["msgGlobalData"]["msgID"], LARGEST
    head["msgFlags"] = bytes([(AUTHENTICATED if user else 0) | (ENCRYPTED if is_private else 0)])
    head["msgSecurityModel"] = 3
    if is_private and user:
        key = privacy_key(user, OURS)
        hidden, salt = PRIVACY[user.privacy].encrypt_data(key, (BOOTS, seconds, None), encoder.encode(scoped))
        told["msgPrivacyParameters"] = salt
        message["msgData"]["encryptedPDU"] = hidden
    else:
        message["msgData"]["plaintext"] = scoped
    message["msgSecurityParameters"] = OctetString(encoder.encode(told))
    return _signed(bytes(encoder.encode(message)), user)


def _signed(raw: bytes, user: UsmUser | None) -> bytes:
    """With the signature where the zeros stand, right behind the user's name."""
    if user is None:
        return raw
    length = AUTH[user.auth].length
    name = user.name.encode()
    mark = bytes([4, len(name)]) + name + bytes([4, length])
    place = raw.index(mark + bytes(length)) + len(mark)
    return raw[:place] + signature(raw, user, OURS) + raw[place + length :]

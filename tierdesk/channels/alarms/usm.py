"""SNMP version 3: who sent a message, and what it says (RFC 3414; RFC 7860 for SHA-2, RFC 3826 for AES).

The keys are derived from the user's passphrases and the id of an engine, the authority, which the message itself
names. Of a trap that is its sender's engine; of an inform it is ours (`OURS`), since we answer it (informs.py). MD5 and
DES are not taken.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from pyasn1.codec.ber import decoder
from pyasn1.type.univ import OctetString
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414 import localkey
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters, aes, aes256, hmacsha, hmacsha2

from tierdesk.channels.alarms.reading import Forged, MalformedAlarm
from tierdesk.core import clock

AUTHENTICATED, ENCRYPTED, REPORTABLE = 1, 2, 4

OURS: Final = b"\x80\x00\x00\x00\x04tierdesk"
"""Our engine (RFC 3411 §5): an enterprise that has no number, and a text. The same on every desk: it can be written
into a router once, and no key tells of another desk what its passphrase does not."""

BOOTS: Final = 1
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Our engine began then and never starts anew: its time goes by the clock, so restarts and second workers need to
remember nothing. It lasts 68 years."""

WINDOW_S: Final = 150
LAST_BOOT: Final = 2**31 - 1
MOST_ENGINES: Final = 10_000
SHORTEST: Final = 8
"""Characters of a passphrase (RFC 3414 §11.2)."""


@dataclass(frozen=True, slots=True)
class Digest:
    """How messages are signed: the hash, how much of it is sent, and the protocol's name in SNMP."""

    algorithm: str
    length: int
    oid: tuple[int, ...]


AUTH: Final = {
    "SHA": Digest("sha1", 12, hmacsha.HmacSha.SERVICE_ID),
    "SHA-224": Digest("sha224", 16, hmacsha2.HmacSha2.SHA224_SERVICE_ID),
    "SHA-256": Digest("sha256", 24, hmacsha2.HmacSha2.SHA256_SERVICE_ID),
    "SHA-384": Digest("sha384", 32, hmacsha2.HmacSha2.SAH384_SERVICE_ID),
    "SHA-512": Digest("sha512", 48, hmacsha2.HmacSha2.SHA512_SERVICE_ID),
}
PRIVACY: Final[dict[str, Any]] = {"AES": aes.Aes(), "AES-256": aes256.AesBlumenthal256()}
NO_PRIVACY: Final = "none"
"""Signed, and readable for everybody on the way."""


@dataclass(frozen=True, slots=True)
class UsmUser:
    """As whom a source sends. Without `privacy` its messages are signed and not encrypted."""

    name: str
    auth: str
    auth_secret: str = field(repr=False)
    privacy: str = ""
    privacy_secret: str = field(default="", repr=False)


@dataclass
class Timeliness:
    """The newest time that each sender's engine was heard at; what is older than the window is played again."""

    engines: OrderedDict[bytes, tuple[int, int]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, engine: bytes, boots: int, seconds: int) -> None:
        """RFC 3414 §3.2 step 7b, for who is no authority. Raises Forged."""
        with self.lock:
            known = self.engines.pop(engine, (0, 0))
            is_late = boots == known[0] and seconds < known[1] - WINDOW_S
            is_old = boots == LAST_BOOT or boots < known[0] or is_late
            self.engines[engine] = known if is_old else max(known, (boots, seconds))
            if len(self.engines) > MOST_ENGINES:
                self.engines.popitem(last=False)
        if is_old:
            raise Forged("It was sent before what this sender has sent since: somebody plays it again.")


HEARD: Final = Timeliness()


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around the words of a message: by whose time it was sent, as whom, and how it is sealed."""

    raw: bytes
    message: Any
    flags: int
    told: Any

    @classmethod
    def of(cls, raw: bytes) -> Envelope:
        """Raises whatever pyasn1 stumbles over on damaged bytes."""
        message, _ = decoder.decode(raw, asn1Spec=SNMPv3Message())
        told, _ = decoder.decode(bytes(message["msgSecurityParameters"]), asn1Spec=UsmSecurityParameters())
        return cls(raw, message, bytes(message["msgGlobalData"]["msgFlags"])[0], told)

    @property
    def engine(self) -> bytes:
        return bytes(self.told["msgAuthoritativeEngineId"])

    @property
    def sent(self) -> tuple[int, int]:
        """(boots, seconds) of that engine."""
        return int(self.told["msgAuthoritativeEngineBoots"]), int(self.told["msgAuthoritativeEngineTime"])

    @property
    def is_timely(self) -> bool:
        """Whether it was sent just now by our time (RFC 3414 §3.2 step 7a)."""
        boots, seconds = self.sent
        return boots == BOOTS and abs(seconds - our_time()) <= WINDOW_S

    def prove(self, user: UsmUser) -> None:
        """See that this user signed it, and hid it if they always do. Raises Forged."""
        if bytes(self.told["msgUserName"]) != user.name.encode():
            raise Forged("The trap is of another user than this source’s.")
        if not self.flags & AUTHENTICATED or bool(self.flags & ENCRYPTED) != bool(user.privacy):
            raise Forged("The trap is not signed, or not encrypted, as this source’s user does it.")
        _authenticate(self.raw, bytes(self.told["msgAuthenticationParameters"]), user, self.engine)

    def words(self, user: UsmUser) -> Any:
        """The scoped PDU. Raises MalformedAlarm."""
        data = self.message["msgData"]
        if not user.privacy:
            return data["plaintext"]
        sealed = (*self.sent, self.told["msgPrivacyParameters"])
        key = privacy_key(user, self.engine)
        plain = PRIVACY[user.privacy].decrypt_data(key, sealed, data["encryptedPDU"])
        try:
            scoped, _ = decoder.decode(plain, asn1Spec=ScopedPDU())
        except (
            Exception
        ) as error:  # what was decrypted with another key is no PDU; pyasn1 says so in many ways
            raise MalformedAlarm(
                "The trap is signed well and cannot be decrypted: see the privacy secret."
            ) from error
        return scoped


def our_time() -> int:
    """Seconds since our engine began."""
    return int((clock.now() - BEGAN).total_seconds())


def pdu_of(raw: bytes, user: UsmUser, heard: Timeliness = HEARD) -> Any:
    """What the message says, as a PDU of version 2c, once it is known to be this user's and no old one.

    Raises Forged, MalformedAlarm, or whatever pyasn1 stumbles over on damaged bytes.
    """
    envelope = Envelope.of(raw)
    envelope.prove(user)
    if envelope.engine != OURS:
        heard.admit(envelope.engine, *envelope.sent)
    elif not envelope.is_timely:
        raise Forged("It was sent too long ago: somebody plays it again, or a clock is wrong.")
    return envelope.words(user)["data"].getComponent()


def _authenticate(raw: bytes, given: bytes, user: UsmUser, engine: bytes) -> None:
    """RFC 3414 §6.3.2 and RFC 7860 §4.2.2: the digest was made while zeros stood in its place. Raises Forged."""
    length = AUTH[user.auth].length
    place = raw.find(given) if len(given) == length else -1
    if place < 0:
        raise Forged(f"The trap is not signed with {user.auth}.")
    unsigned = raw[:place] + bytes(length) + raw[place + length :]
    if not hmac.compare_digest(signature(unsigned, user, engine), given):
        raise Forged("The trap is signed with another secret than this source’s.")


def signature(unsigned: bytes, user: UsmUser, engine: bytes) -> bytes:
    """Of a message with zeros in its place."""
    digest = AUTH[user.auth]
    key = _auth_key(user.auth, user.auth_secret, engine)
    return hmac.new(key, unsigned, digest.algorithm).digest()[: digest.length]


@lru_cache(maxsize=1_000)
def _auth_key(auth: str, secret: str, engine: bytes) -> bytes:
    """RFC 3414 A.2: a million bytes are hashed for it, so it is kept."""
    algorithm = getattr(hashlib, AUTH[auth].algorithm)
    master = localkey.hash_passphrase(secret.encode(), algorithm)
    return bytes(localkey.localize_key(master, OctetString(engine), algorithm))


@lru_cache(maxsize=1_000)
def privacy_key(user: UsmUser, engine: bytes) -> Any:
    """The signing hash also makes the key that the message is encrypted with (RFC 3826 §1.2)."""
    service, oid = PRIVACY[user.privacy], AUTH[user.auth].oid
    master = service.hash_passphrase(oid, user.privacy_secret.encode())
    return service.localize_key(oid, master, OctetString(engine))

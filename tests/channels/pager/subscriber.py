"""A browser and its push service in one, on a port of its own: it believes the desk alone, and reads what is for it."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conftest import MONDAY_10
from tierdesk.channels.pager import push
from tierdesk.channels.pager.push import padless, unpadded

CURVE = ec.SECP256R1()


@dataclass
class Subscriber:
    """`answers`: the next statuses; `told`: (topic, what it said) of what it believed. It lives in June 2026."""

    own: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = b"sixteen octets.."
    answers: list[int] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    address: str = ""
    longest: int = 0

    @property
    def point(self) -> bytes:
        return self.own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        """What it tells a page of ours."""
        return {"p256dh": padless(self.point), "auth": padless(self.auth)}

    def take(self, headers: Any, body: bytes) -> int:
        self.longest = max(self.longest, len(body))
        if len(body) > 4096:
            return 413
        if self.answers:
            return self.answers.pop(0)
        if not self._is_the_desk(headers["Authorization"]) or headers["Content-Encoding"] != "aes128gcm":
            return 403
        self.told.append((headers["Topic"], json.loads(self._read(body))))
        return 201

    def _is_the_desk(self, shown: str) -> bool:
        scheme, _, parts = shown.partition(" ")
        said = dict(part.strip().split("=", 1) for part in parts.split(","))
        head, claims, mac = said["t"].split(".")
        signature = unpadded(mac)
        first, second = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpadded(said["k"]))
        signed = f"{head}.{claims}".encode()
        key.verify(encode_dss_signature(first, second), signed, ec.ECDSA(SHA256()))
        told = json.loads(unpadded(claims))
        now = MONDAY_10.timestamp()
        mine = told["aud"] == f"http://{self.address}" and now < told["exp"] <= now + 24 * 3600
        return scheme == "vapid" and said["k"] == push.public_key() and mine and "mailto:" in told["sub"]

    def _read(self, body: bytes) -> bytes:
        salt, (_size, length) = body[:16], struct.unpack("!IB", body[16:21])
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        shared = self.own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.point + theirs).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        text = AESGCM(key).decrypt(nonce, sealed, None)
        assert text[-1:] == b"\x02"
        return text[:-1]

"""Who signed a JSON Web Token: RS256 alone, as Microsoft's Bot Connector signs (RFC 7515, RFC 8017 §8.2.2).

Only verified, never made: a public key needs no secret arithmetic, so a comparison of whole blocks is enough.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
LEAST_BITS = 2048


class NotSigned(Exception):
    """The token is damaged, or nobody whom we know signed it."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token taken apart, and believed in nothing yet."""

    kid: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def of(cls, token: str) -> Unverified:
        """Raises NotSigned unless it is a token that says RS256 of itself."""
        try:
            head, claims, signature = token.split(".")
            header = json.loads(decoded(head))
            if header["alg"] != "RS256":
                raise NotSigned(f"signed with {header['alg']}")
            return cls(
                str(header["kid"]),
                dict(json.loads(decoded(claims))),
                f"{head}.{claims}".encode(),
                decoded(signature),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise NotSigned("this is no token") from error

    def verified_by(self, key: Mapping[str, Any]) -> Mapping[str, Any]:
        """The claims, if the JSON Web Key `key` signed them. Raises NotSigned."""
        modulus, exponent = (int.from_bytes(decoded(key[part])) for part in ("n", "e"))
        size = (modulus.bit_length() + 7) // 8
        if modulus.bit_length() < LEAST_BITS or len(self.signature) != size:
            raise NotSigned("the key is too short, or the signature has not its length")
        block = pow(int.from_bytes(self.signature), exponent, modulus).to_bytes(size)
        digest = SHA256_INFO + hashlib.sha256(self.signed).digest()
        meant = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        if not hmac.compare_digest(block, meant):
            raise NotSigned("the signature does not fit")
        return self.claims


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

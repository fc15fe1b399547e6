"""Pages as notices of a browser, by its maker's push service: RFC 8030, encrypted for the browser alone (RFC 8291, in
RFC 8188's aes128gcm), and signed by the desk (RFC 8292).

Written here, on the house's own way out: the libraries for it bring another one along, which follows redirects into
our network. The desk's key is made of its secret key, so there is nothing to set up, and nothing to keep.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import struct
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext as _

from tierdesk.channels.pager.outgoing import Outgoing, Refused, link, listed, values
from tierdesk.channels.pager.posting import post
from tierdesk.core import clock
from tierdesk.core.seal import Unsealable
from tierdesk.response.paging.ways import PUSH, UnableToReach, Way

CURVE = ec.SECP256R1()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
POINT_BYTES, AUTH_BYTES = 65, 16
RECORD_BYTES = 4096
MOST_TEXT = 2000
SIGNED_FOR = timedelta(hours=12)
WAITS_S = 4 * 3600
"""How long a push service keeps it for a browser that is not there."""


def is_set_up() -> bool:
    return True


def send(message: Outgoing) -> None:
    """Hand it to the push service of the browser. Raises NotTaken or Refused."""
    keys = _keys_of(message)
    body = encrypted(
        json.dumps(_said(message), ensure_ascii=False).encode(),
        unpadded(keys["p256dh"]),
        unpadded(keys["auth"]),
    )
    headers = {
        "Authorization": f"vapid t={_token(message.address)}, k={public_key()}",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(WAITS_S),
        "Urgency": "high",
        "Topic": message.key,
    }
    off_limits = _("The desk does not call this address; an administrator can allow it.")
    post(message.address, body, headers, who="the push service", off_limits=off_limits)


def public_key() -> str:
    """What a browser subscribes with."""
    return padless(_point(_own_key().public_key()))


def keys(p256dh: str, auth: str) -> str:
    """The keys of a subscription, as they are kept. Raises UnableToReach for what are none."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, unpadded(p256dh))
        fits = len(unpadded(auth)) == AUTH_BYTES
    except ValueError:
        fits = False
    if not fits:
        raise UnableToReach(_("Your browser did not say how to write to it; try again."))
    return json.dumps({"p256dh": p256dh, "auth": auth})


def encrypted(
    text: bytes,
    theirs: bytes,
    auth: bytes,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes = b"",
) -> bytes:
    """`text` for the browser with this public key and secret, as one record; `own` and `salt` are used once."""
    own, salt = own or ec.generate_private_key(CURVE), salt or secrets.token_bytes(16)
    ours = _point(own.public_key())
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
    secret = _derived(shared, auth, b"WebPush: info\0" + theirs + ours, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + struct.pack("!IB", RECORD_BYTES, len(ours)) + ours + sealed


def padless(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def unpadded(text: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


def _said(message: Outgoing) -> dict[str, Any]:
    if message.code:
        return {"title": _("Your code for Tierdesk"), "body": message.code, "tag": message.key, "url": ""}
    if len(message.pages) == 1:
        told = values(message.first)
        title = _("%(number)s · P%(priority)s · %(client)s") % told
        body = str(told["short"])
    else:
        title, body = _("%s pages") % len(message.pages), listed(message.pages)
    return {"title": title, "body": _cut(body), "tag": message.key, "url": link(message.first)}


def _cut(text: str) -> str:
    """What a push service takes of it, with the rest of what is said (RFC 8030 §7.2: 4096 octets)."""
    octets = text.encode()
    return text if len(octets) <= MOST_TEXT else f"{octets[:MOST_TEXT].decode(errors='ignore')}…"


def _keys_of(message: Outgoing) -> dict[str, str]:
    way = Way.objects.filter(agent=message.agent, kind=PUSH, address=message.address).first()
    try:
        if way is not None and (kept := way.secret):
            told: dict[str, str] = json.loads(kept)
            return told
    except Unsealable as damaged:
        raise Refused(f"it cannot be encrypted any more: {damaged}") from damaged
    raise Refused("this browser was taken away")


def _own_key() -> ec.EllipticCurvePrivateKey:
    """One number out of the desk's secret key; another secret key is another one, and browsers subscribe again."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"tierdesk push 1", "sha512")
    return ec.derive_private_key(int.from_bytes(digest) % (ORDER - 1) + 1, CURVE)


def _token(address: str) -> str:
    """Who we are, for this push service alone (RFC 8292 §2)."""
    place = urlsplit(address)
    head = {"typ": "JWT", "alg": "ES256"}
    claims = {
        "aud": f"{place.scheme}://{place.netloc}",
        "exp": int((clock.now() + SIGNED_FOR).timestamp()),
        "sub": f"mailto:{settings.MAIL_FROM}",
    }
    signed = ".".join(padless(json.dumps(part).encode()) for part in (head, claims))
    first, second = decode_dss_signature(_own_key().sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{padless(first.to_bytes(32) + second.to_bytes(32))}"


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)

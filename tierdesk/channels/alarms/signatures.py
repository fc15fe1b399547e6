"""Signatures of senders: a check holds a request against the source's secret and raises Forged.

A source without a secret is not checked: its token alone lets it in. What is compared is compared in constant time, and
nothing is parsed before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tierdesk.channels.alarms.reading import Forged
from tierdesk.channels.alarms.request import Request
from tierdesk.core import clock

TOLERANCE = timedelta(minutes=5)

Check = Callable[[Request], None]


def hex_hmac(header: str, *, version: str = "", timestamp: str = "") -> Check:
    """HMAC-SHA256 of the body in hexadecimal, in `header`; several may be listed, each behind `version` and “=”.

    `timestamp`: a header whose text is signed before the body, as `<seconds>:<body>`, if it is there.
    """

    def check(request: Request) -> None:
        said_at = request.headers.get(timestamp, "") if timestamp else ""
        signed = f"{said_at}:".encode() + request.body if said_at else request.body
        wanted = hmac.new(request.secret.encode(), signed, hashlib.sha256).hexdigest()
        given = [one.strip() for one in request.headers.get(header, "").split(",")]
        _demand_one_of([f"{version}={wanted}" if version else wanted], given, header)
        if said_at:
            _demand_recent(said_at)

    return check


def standard_webhook(request: Request) -> None:
    """https://www.standardwebhooks.com: `v1,<base64>` of `<id>.<timestamp>.<body>`, five minutes old at most."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    webhook_id, said_at, given = (request.headers.get(name, "") for name in names)
    signed = f"{webhook_id}.{said_at}.".encode() + request.body
    digest = hmac.new(_key(request.secret), signed, hashlib.sha256).digest()
    _demand_one_of([f"v1,{base64.b64encode(digest).decode()}"], given.split(), "webhook-signature")
    _demand_recent(said_at)


def _key(secret: str) -> bytes:
    """The bytes of a secret that may be written in base64 behind `whsec_`."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"))
    except ValueError:
        return secret.encode()


def _demand_one_of(wanted: list[str], given: list[str], header: str) -> None:
    same = [hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given]
    if not any(same):
        raise Forged(f"The body is not signed with the secret of this source (header “{header}”).")


def _demand_recent(said_at: str) -> None:
    """Raises Forged when it was signed longer ago than TOLERANCE, or will be: it is somebody's recording."""
    try:
        signed_at = datetime.fromtimestamp(float(said_at), UTC)
    except (ValueError, OverflowError, OSError):
        raise Forged("The signature has no time that can be read.") from None
    if abs(clock.now() - signed_at) > TOLERANCE:
        raise Forged("The body was signed more than five minutes ago, or one of the two clocks is wrong.")

"""Pages by webhook, signed as https://www.standardwebhooks.com says, so that its libraries verify them.

Body: {"type": "page", "timestamp": …, "data": {"person": …, "pages": [{"id", "ticket", "subject", "client", "priority",
"why", "link"}]}}, or {"type": "code", …, "data": {"person": …, "code": "123456"}} to prove the address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from tierdesk.channels.pager.outgoing import Outgoing, Refused, values
from tierdesk.channels.pager.posting import post
from tierdesk.core import clock
from tierdesk.core.seal import Unsealable
from tierdesk.response.paging.ways import SECRET_PREFIX, WEBHOOK, Way


def is_set_up() -> bool:
    return bool(settings.WEBHOOKS_OF_AGENTS)


def send(message: Outgoing) -> None:
    """Post it to where its person wants it. Raises NotTaken or Refused."""
    if not is_set_up():
        raise Refused("webhooks of agents are switched off")
    at = clock.now()
    body = json.dumps(_body(message, at)).encode()
    headers = signed(message.key, at, body, _secret_of(message)) | {"Content-Type": "application/json"}
    off_limits = _("The desk does not call this address; an administrator can allow it.")
    post(message.address, body, headers, who="the webhook", off_limits=off_limits)


def signed(key: str, at: datetime, body: bytes, secret: str) -> dict[str, str]:
    """The headers that say who sent it, and when."""
    stamp = str(int(at.timestamp()))
    own = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    mac = hmac.new(own, f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _secret_of(message: Outgoing) -> str:
    way = Way.objects.filter(agent=message.agent, kind=WEBHOOK, address=message.address).first()
    try:
        if way is not None and (secret := way.secret):
            return secret
    except Unsealable as damaged:
        raise Refused(f"it cannot be signed any more: {damaged}") from damaged
    raise Refused("this webhook was taken away")


def _body(message: Outgoing, at: datetime) -> dict[str, Any]:
    if message.code:
        return _said("code", at, {"person": message.agent.name, "code": message.code})
    pages = []
    for page in message.pages:
        told = values(page)
        pages.append(
            {
                "id": page.pk,
                "ticket": told["number"],
                "subject": told["subject"],
                "client": told["client"],
                "priority": told["priority"],
                "why": told["why"],
                "link": told["link"],
            }
        )
    return _said("page", at, {"person": message.agent.name, "pages": pages})


def _said(kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "timestamp": at.isoformat(), "data": data}

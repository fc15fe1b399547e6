"""What a program asks for: kept first, then understood, and the same answer for the same key."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass

from django.db import transaction

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.directory.staff.models import User


@dataclass(frozen=True, slots=True)
class Trouble:
    """A ticket that a program wants opened. `contact` is an address or empty; the rest are keys of rows."""

    client: int
    subject: str
    text: str
    contact: str = ""
    service: int | None = None
    category: int | None = None
    impact: int | None = None
    urgency: int | None = None
    type: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of it: `inbound.ticket`, or none yet. `is_repeat`: the same key came before."""

    inbound: Inbound
    is_repeat: bool


class KeyReused(Exception):
    """The key was used before, for something else."""


def receive(trouble: Trouble, user: User, *, key: str) -> Receipt:
    """Keep what `user` asks for, then make it a ticket. Raises KeyReused.

    `key` is the program's own, once per user and client; empty: every call counts. What is not understood yet belongs
    to no client, so the funnel works with every client in view; `understand` asks what this user may see.
    """
    asked = {name: value for name, value in asdict(trouble).items() if name != "type" or value}
    raw = json.dumps({"user": user.pk, **asked}, sort_keys=True).encode()
    with seeing(EVERY_CLIENT):
        pk, is_new = Inbound.store("api", raw, ext_key=_ext_key(trouble, user, key))
        if not is_new and bytes(Inbound.objects.get(pk=pk).raw) != raw:
            raise KeyReused
        take_in(pk)
        with transaction.atomic():  # waits for another process that was quicker to take it in
            inbound = Inbound.objects.select_for_update().get(pk=pk)
    return Receipt(inbound, is_repeat=not is_new)


def _ext_key(trouble: Trouble, user: User, key: str) -> str:
    if not key:
        return uuid.uuid4().hex
    return f"{user.pk}:{trouble.client}:{hashlib.sha256(key.encode()).hexdigest()}"

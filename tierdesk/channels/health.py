"""How the channels do: when each was last heard, how much comes, what waits, and what of it is in trouble.

A channel's folder may have a `health.py` with `parts(user, at)`: what of it can fail by itself, as `user` may see it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.db.models import Count, Min

from tierdesk import channels
from tierdesk.channels.models import Inbound, Inbounds, InboundState
from tierdesk.channels.registry import registered
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice, NoticeState

LATELY = timedelta(days=1)
FAILED_LATELY = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What can fail by itself: a mailbox, a monitoring system, an exchange. `client`: its name, empty for everybody's.

    `trouble`: what is wrong, in a sentence; `since`: since when. `waiting`: what it said that is not yet acted on.
    `pk`: the key of its row, where it has a page of its own.
    """

    name: str
    pk: int | None = None
    client: str = ""
    is_on: bool = True
    heard_at: datetime | None = None
    waiting: int = 0
    trouble: str = ""
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Health:
    """One channel. `waiting`: stored and not yet acted on, `waits_since` the oldest of it.

    `lately`: deliveries within a day; None for a channel that has a lane of its own past the funnel.
    """

    key: str
    name: str
    heard_at: datetime | None
    lately: int | None
    waiting: int
    waits_since: datetime | None
    parked: int
    parts: Sequence[Part]

    @property
    def in_trouble(self) -> bool:
        return any(part.trouble for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """What the desk sends: mails and chat lines that wait, the oldest of them, and what failed within a week."""

    waiting: int
    waits_since: datetime | None
    failed: int


type Probe = Callable[[User, datetime], Sequence[Part]]


def healths(user: User, at: datetime) -> list[Health]:
    """Every channel, by name, with what `user` may see of it."""
    visible = Inbound.objects.visible_to(user)
    lately = _by_channel(visible.filter(received_at__gt=at - LATELY))
    parked = _by_channel(visible.filter(state=InboundState.PARKED))
    waiting = _by_channel(visible.filter(wake_at__isnull=False))
    found = []
    for key, channel in registered().items():
        parts = probes()[key](user, at) if key in probes() else ()
        health = Health(
            key=key,
            name=channel.name,
            heard_at=_latest(_newest(visible, key), parts),
            lately=_count(lately, key),
            waiting=_count(waiting, key) + sum(part.waiting for part in parts),
            waits_since=waiting[key][1] if key in waiting else None,
            parked=_count(parked, key),
            parts=parts,
        )
        found.append(health)
    found += [_past_the_funnel(key, probes()[key](user, at)) for key in probes().keys() - registered().keys()]
    return sorted(found, key=lambda one: one.name)


def _past_the_funnel(key: str, parts: Sequence[Part]) -> Health:
    return Health(
        key=key,
        name=key.replace("_", " ").capitalize(),
        heard_at=_latest(None, parts),
        lately=None,
        waiting=sum(part.waiting for part in parts),
        waits_since=None,
        parked=0,
        parts=parts,
    )


def _latest(newest: datetime | None, parts: Sequence[Part]) -> datetime | None:
    return max(filter(None, [newest, *(part.heard_at for part in parts)]), default=None)


def way_out(user: User, at: datetime) -> WayOut:
    """What leaves the desk, as far as `user` may see it."""
    visible = Notice.objects.visible_to(user)
    pending = visible.filter(state=NoticeState.PENDING, wake_at__isnull=False).aggregate(
        many=Count("pk"), oldest=Min("created_at")
    )
    failed = visible.filter(
        state__in=(NoticeState.FAILED, NoticeState.BOUNCED), created_at__gt=at - FAILED_LATELY
    )
    return WayOut(waiting=pending["many"], waits_since=pending["oldest"], failed=failed.count())


@cache
def probes() -> Mapping[str, Probe]:
    """How the parts of a channel do, by its folder."""
    found: dict[str, Probe] = {}
    for module in pkgutil.iter_modules(channels.__path__, f"{channels.__name__}."):
        if module.ispkg and find_spec(f"{module.name}.health") is not None:
            found[module.name.rpartition(".")[2]] = import_module(f"{module.name}.health").parts
    return found


def _by_channel(deliveries: Inbounds) -> dict[str, tuple[int, datetime]]:
    """(how many, when the oldest came) by channel."""
    counted = deliveries.order_by().values("channel").annotate(many=Count("pk"), oldest=Min("received_at"))
    return {row["channel"]: (row["many"], row["oldest"]) for row in counted}


def _count(counted: Mapping[str, tuple[int, datetime]], key: str) -> int:
    return counted[key][0] if key in counted else 0


def _newest(visible: Inbounds, key: str) -> datetime | None:
    newest = visible.filter(channel=key).order_by("-received_at").values_list("received_at", flat=True)
    found: datetime | None = newest.first()
    return found

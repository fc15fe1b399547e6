"""What the desk keeps an eye on: a stream that may become a flood, a channel that may fall silent.

One rule for all channels (lookout.py looks). Of each trouble the administrators are told once, again after a day while
it lasts, and when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.channels.quiet import Quiet
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.house import tell_administrators

WITHIN = timedelta(minutes=10)
REMIND_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Something that nobody wants much of: more than `most` within ten minutes are a flood.

    `many`: how many came since the last look; or, where only a sum is kept, `total`, how many ever came. `what`: what
    came, in words that follow a number.
    """

    key: str
    name: str
    what: str
    most: int
    many: int = 0
    total: int | None = None
    client: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Something that is never silent for longer than `hours`, of those of `calendar`; last heard at `heard_at`."""

    key: str
    name: str
    hours: int
    heard_at: datetime | None
    client: int | None = None
    calendar: int | None = None


class Watches(ClientRows):
    def visible_to(self, user: User) -> Self:
        """Agents, of the clients they serve and of the house. Contacts see none."""
        if not (user.is_agent or user.is_admin):
            return self.none()
        ids = visible_clients(user)
        return self if ids is None else self.filter(Q(client=None) | Q(client__in=ids))

    def troubled(self) -> Self:
        return self.exclude(since_at=None)


class Watch(models.Model):
    """One of them. `since_at`: since when it is in trouble; empty while it is well. `why`: what is wrong.

    `level`: what came, less what ten minutes let run off (a leaky bucket, so that a flood begins once and ends once);
    `counted`: the sum at the last look. `began_at`: since when it is watched.
    """

    key = models.CharField(max_length=80, unique=True)
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    name = models.CharField(max_length=200)
    why = models.CharField(max_length=300, blank=True)
    level = models.FloatField(default=0)
    counted = models.BigIntegerField(default=0)
    began_at = models.DateTimeField()
    looked_at = models.DateTimeField()
    since_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = Watches.as_manager()

    class Meta:
        verbose_name_plural = "watches"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name

    def see_stream(self, stream: Stream, at: datetime) -> None:
        """Count what came since the last look, and whether that is a flood, or none any more."""
        fresh = stream.many if stream.total is None else max(0, stream.total - self.counted)
        allowed = stream.most + 1
        run_off = allowed * (at - self.looked_at) / WITHIN
        self.level = min(max(0.0, self.level - run_off) + fresh, 2.0 * allowed)
        self.counted = stream.total if stream.total is not None else self.counted + fresh
        if self.level > stream.most:
            self.why = _too_much(stream)
            self._raise("flood", at)
        elif self.level == 0:
            self._end(at)

    def see_rhythm(self, rhythm: Rhythm, quiet: Quiet, at: datetime) -> None:
        """Look whether it was heard in time. A silence counts from when it began to be watched, at the earliest."""
        heard = max(self.began_at, rhythm.heard_at or self.began_at)
        if not quiet.is_broken(heard, at):
            self._end(at)
            return
        told = {"since": f"{heard:%d %B, %H:%M}", "hours": quiet.hours}
        self.why = (
            _("Nothing has come since %(since)s UTC; %(hours)d hours are the longest it is silent.") % told
            if quiet.within is None
            else _("Nothing has come since %(since)s UTC; in its hours it is silent for %(hours)d at most.")
            % told
        )
        self._raise("silent", at)

    def _raise(self, kind: str, at: datetime) -> None:
        if self.told_at is None or at - self.told_at >= REMIND_AFTER:
            tell_administrators(kind, {"name": self.name, "why": self.why}, at)
            self.told_at = at
        self.since_at = self.since_at or at

    def _end(self, at: datetime) -> None:
        if self.since_at is not None:
            since = f"{self.since_at:%d %B, %H:%M}"
            tell_administrators("over", {"name": self.name, "why": self.why, "since": since}, at)
        self.since_at = self.told_at = None
        self.why = ""


def _too_much(stream: Stream) -> str:
    if stream.most == 0:
        return f"{stream.what}."
    return _("%(what)s: more than %(most)d within ten minutes.") % {"what": stream.what, "most": stream.most}

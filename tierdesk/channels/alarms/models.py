"""What monitoring says: where it comes from, each thing it said, and the alarms that follow from that.

`Alarm`, `Event` and `Refusal` are written by one set function, `alarms_intake` (sql.py). An alarm's row is
narrow and a repeat changes none of its indexed columns, so PostgreSQL rewrites it in place; the words are
in `Event.body`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Self

from django.db import models
from django.db.models import F, Func, Q, Value

from tierdesk.channels.alarms import tokens
from tierdesk.channels.alarms.normal import CRITICAL, INFO, Action
from tierdesk.channels.alarms.usm import UsmUser
from tierdesk.core.words import Word
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import User
from tierdesk.tickets.lifecycle import UnableTo

NEXT_WEEK = timedelta(days=9)
JOIN_S = 15 * 60
STORM_ALARMS = 20
CHANGES = "alarms_change"
"""The sequence that numbers what changes about alarms."""


class Source(models.Model):
    """One monitoring system of one client's, and the token it shows us.

    `shape` is how it speaks (shapes/), `severities` its own table of words (lower case → 1…5), `mapping` where in
    its own JSON the parts of an alarm stand (mapping.py), `secret` what it signs with, sealed. `settle_s` is how many
    seconds an alarm must last before it matters, `quiet_s` after how many unheard it is over, for those that never say
    so (0: they do). `join_s` is within how many seconds alarms of one service, or of one that it depends on, are one
    trouble (0: never), `storm_alarms` how many new ones in ten minutes are no storm yet (0: it never is one).
    `shed_count` are the requests we refused because we were full.

    `senders`: the networks that it sends from, for what carries no token (listeners.py).

    `beat_s`: it promised to be heard that often, give or take `grace_s` (beats.py); 0 is no promise. `wake_at` is when
    to look whether it kept it, `silent_since` is when it was found not to.
    `usm_user`: as whom it sends SNMP of version 3; signed with its `secret`, encrypted with its `usm_privacy_secret`.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="alarm_sources")
    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.SET_NULL, related_name="alarm_sources"
    )
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    shape = models.CharField(max_length=40)
    severities = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(default=dict, blank=True, db_default=Value({}, models.JSONField()))
    token_sha256 = models.CharField(max_length=64, unique=True)
    secret = models.BinaryField(blank=True, default=b"", db_default=b"")
    usm_user = models.CharField(max_length=32, blank=True, default="", db_default="")
    usm_auth = models.CharField(max_length=8, default="SHA-256", db_default="SHA-256")
    usm_privacy = models.CharField(max_length=8, default="AES", db_default="AES")
    usm_privacy_secret = models.BinaryField(blank=True, default=b"", db_default=b"")
    settle_s = models.PositiveIntegerField(default=0)
    quiet_s = models.PositiveIntegerField(default=0, db_default=0)
    join_s = models.PositiveIntegerField(default=JOIN_S, db_default=JOIN_S)
    storm_alarms = models.PositiveIntegerField(default=STORM_ALARMS, db_default=STORM_ALARMS)
    beat_s = models.PositiveIntegerField(default=0, db_default=0)
    grace_s = models.PositiveIntegerField(default=0, db_default=0)
    senders = models.JSONField(default=list, blank=True, db_default=Value([], models.JSONField()))
    enabled = models.BooleanField(default=True)
    received_count = models.BigIntegerField(default=0)
    shed_count = models.BigIntegerField(default=0)
    last_received_at = models.DateTimeField(null=True, blank=True)
    silent_since = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="one_alarm_source_per_key")]
        indexes = [
            models.Index(fields=["wake_at"], condition=Q(wake_at__isnull=False), name="alarm_sources_to_wake")
        ]

    def __str__(self) -> str:
        return self.name

    def take_new_token(self) -> str:
        """A fresh token, returned once; the caller saves. The old one stops working within seconds."""
        token = tokens.new_token()
        self.token_sha256 = tokens.digest(token)
        return token

    def promise_beat(self, *, every_s: int, grace_s: int, at: datetime) -> None:
        """From `at` on it is to be heard that often; 0 takes the promise back."""
        self.beat_s, self.grace_s = every_s, grace_s
        self.wake_at = self.beat_due_at(at) if every_s else self.silent_since and at
        self.save(update_fields=["beat_s", "grace_s", "wake_at"])

    def beat_due_at(self, heard_at: datetime) -> datetime:
        """When a source that was heard then is overdue."""
        return heard_at + timedelta(seconds=self.beat_s + self.grace_s)

    def encrypt_with(self, secret: str) -> None:
        """What its traps of version 3 are encrypted with from now on. The caller saves."""
        self.usm_privacy_secret = tokens.sealed(secret)

    @property
    def usm(self) -> UsmUser | None:
        """As whom it sends SNMP of version 3, if it does; signed with its secret."""
        signs, hides = bytes(self.secret), bytes(self.usm_privacy_secret)
        return tokens.usm_user(self.usm_user, self.usm_auth, self.usm_privacy, hides, secret=signs)

    def sign_with(self, secret: str) -> None:
        """What it signs with from now on; empty: it need not sign. The caller saves."""
        self.secret = tokens.sealed(secret)


class Strangers(models.QuerySet["Stranger"]):
    def visible_to(self, user: User) -> Self:
        """They are no client's: for who sees every client."""
        return self if visible_clients(user) is None else self.none()


class Stranger(models.Model):
    """An address that talks to a listener and is no source's: how often, since when, and the last that it said.

    Written by the listeners every few seconds; MOST at most are kept.
    """

    MOST = 1_000

    shape = models.CharField(max_length=40)
    remote = models.CharField(max_length=64)
    count = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_raw = models.BinaryField()

    objects = Strangers.as_manager()

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["shape", "remote"], name="a_stranger_is_counted_once_per_listener"
            )
        ]

    def __str__(self) -> str:
        return f"{self.remote} ({self.shape})"


class MaintenanceWindows(ClientRows):
    """Maintenance windows as adjectives."""

    def around(self, at: datetime) -> Self:
        """Those that have begun and not ended; one that recurs may be shut right now."""
        begun = self.filter(Q(begins_at=None) | Q(begins_at__lte=at))
        return begun.filter(Q(ends_at=None) | Q(ends_at__gt=at))


class MaintenanceWindow(models.Model):
    """A time in which alarms of a client's are expected: of one source, one service, resources such as `db*`, or all.

    It is open from `begins_at` until `ends_at`; without an end, until somebody gives it one. With a `week` (weekday →
    its hours, in the client's time zone) it recurs, and is open only then.

    Somebody may end it early: `ended_by`, `ended_at`, and `end_reason` say who, when and why. One that recurs is shut
    until `resumes_at` then; any other has its end.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="maintenance_windows")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.CASCADE, related_name="maintenance_windows"
    )
    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.CASCADE, related_name="maintenance_windows"
    )
    resource = models.CharField(max_length=255, blank=True)
    begins_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    week = models.JSONField(default=dict, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=200, blank=True, db_default="")
    end_reason = models.CharField(max_length=300, blank=True, db_default="")
    resumes_at = models.DateTimeField(null=True, blank=True)

    objects = MaintenanceWindows.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], name="one_maintenance_window_per_key"),
            models.CheckConstraint(
                condition=Q(begins_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("begins_at")),
                name="a_maintenance_window_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_open(self, at: datetime) -> bool:
        begun = max(filter(None, [self.begins_at, self.resumes_at]), default=at) <= at
        ended = self.ends_at is not None and self.ends_at <= at
        return begun and not ended and (not self.week or self._hours.is_open(at))

    def until(self, at: datetime) -> datetime | None:
        """When it shuts, if it is open at `at`; None: when somebody ends it."""
        shuts = next((to for _, to in self._hours.windows(at, at + NEXT_WEEK)), None) if self.week else None
        return min((end for end in (shuts, self.ends_at) if end is not None), default=None)

    def opens_next(self, at: datetime) -> datetime | None:
        """When it opens after `at`, if it is not open; None: never again."""
        begins = max(filter(None, [at, self.begins_at, self.resumes_at]))
        opens = self._hours.next_opening(begins) if self.week else begins
        return None if opens is None or (self.ends_at and opens >= self.ends_at) else opens

    def end(self, *, by: str, why: str, at: datetime) -> None:
        """It is over before its time: what it holds back is looked at again. One that recurs opens the next time.

        Raises UnableTo without a reason, or when it is not open any more.
        """
        if not why.strip():
            raise UnableTo("Say why it ends early: whoever planned it will ask.")
        shuts = self.until(at)
        if not self.is_open(at) or (self.week and shuts is None):
            raise UnableTo(f"“{self.name}” is not open.")
        over = {"resumes_at": shuts} if self.week else {"ends_at": at.replace(microsecond=0)}
        told = {"ended_at": at, "ended_by": by[:200], "end_reason": why.strip()[:300]}
        unchanged = type(self).objects.filter(pk=self.pk, ends_at=self.ends_at, resumes_at=self.resumes_at)
        if not unchanged.update(**over, **told):
            raise UnableTo(f"Somebody was faster: “{self.name}” was changed in the meantime.")
        self.refresh_from_db()
        self.release()

    def release(self) -> None:
        """It was changed: what it holds back is looked at again, and held again if it still falls into a window."""
        Alarm.objects.filter(window=self).standing().look_again(window=None, wake_at=None)

    @property
    def _hours(self) -> Hours:
        return Hours.from_spec({"tz": self.client.timezone, "week": self.week})


class Alarms(ClientRows):
    """Alarms as adjectives."""

    def unclosed(self) -> Self:
        return self.filter(closed_at=None)

    def standing(self) -> Self:
        """What is wrong now, whether or not somebody has acknowledged it."""
        return self.filter(state__in=(Alarm.State.OPEN, Alarm.State.ACKNOWLEDGED))

    def unseen(self) -> Self:
        """What changed since the later stages last looked.

        A remembered cursor over `changed_seq` would miss rows: a lower number can commit after a higher one.
        """
        return self.filter(changed_seq__gt=F("seen_seq")).order_by("changed_seq", "id")

    def look_again(self, **changes: object) -> int:
        """Change them so that the later stages look at them once more, also where they just do."""
        return self.update(changed_seq=Func(Value(CHANGES), function="nextval"), **changes)

    def cleared(self) -> Self:
        return self.filter(state=Alarm.State.CLEARED)

    def close(self, at: datetime) -> int:
        """Close these alarms and free their keys: raised again, one is a new alarm with a `previous`."""
        return self.unclosed().update(state=Alarm.State.CLOSED, closed_at=at, wake_at=None)


class Alarm(models.Model):
    """One trouble that a source named with one key, from its first raise until it is closed.

    The state follows from four source times, whatever order the events arrived in: raised if the newest of
    `raised_at` and `cleared_at` is a raise, acknowledged if somebody did so since it was first raised and
    last cleared. `count` are its raises, `last_at` is when we last heard of it. An alarm that was only
    cleared or acknowledged, so far, has no `first_at`: it was born cleared, to remember that, and is
    nothing to act on.

    What the later stages find out stands in the last columns: the `service` it is about, and since when (`joined_at`)
    it is on its `ticket`, because of what (`joined_by`), named in `joined_to`. A `window` of maintenance holds it back.
    `turned_at` is when it last came or went. While `flapping_until` is set it flaps: nobody looks at it before that
    time, and it is calm then, unless it has turned since.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACKNOWLEDGED = "acknowledged"
        CLEARED = "cleared"
        CLOSED = "closed"

    class Joined(models.TextChoices):
        """Why an alarm is on its ticket: what correlation.py tried, in its order; the first that held."""

        KEY = "key", "the same alarm as before"
        GROUP = "group", "its source says so"
        STORM = "storm", "its source raised too many"
        UPSTREAM = "upstream", "its service depends on what is in trouble"
        SERVICE = "service", "the same service is in trouble"
        OPENED = "opened", "it opened the ticket"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="alarms", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="alarms", db_index=False)
    key = models.CharField(max_length=255)
    state = Word(max_length=12, choices=State)
    severity = models.PositiveSmallIntegerField()
    resource = models.CharField(max_length=255, blank=True)
    class_name = models.CharField(max_length=255, blank=True)
    group = models.CharField(max_length=255, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    count = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField(null=True)
    raised_at = models.DateTimeField(null=True)
    cleared_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)
    changed_seq = models.BigIntegerField()
    seen_seq = models.BigIntegerField(default=0)
    ticket = models.ForeignKey(
        "tickets.Ticket", null=True, on_delete=models.SET_NULL, related_name="alarms", db_index=False
    )
    previous = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    service = models.ForeignKey(
        Service, null=True, on_delete=models.SET_NULL, related_name="alarms", db_index=False
    )
    joined_at = models.DateTimeField(null=True)
    joined_by = models.CharField(max_length=8, blank=True, default="", db_default="", choices=Joined)
    window = models.ForeignKey(
        MaintenanceWindow, null=True, on_delete=models.SET_NULL, related_name="held", db_index=False
    )
    turned_at = models.DateTimeField(null=True)
    flapping_until = models.DateTimeField(null=True)
    joined_to = models.CharField(max_length=255, blank=True, default="", db_default="")

    objects = Alarms.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "key"], condition=Q(closed_at=None), name="one_unclosed_alarm_per_key"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at=None)),
                name="an_alarm_is_closed_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(severity__range=(CRITICAL, INFO)), name="alarm_severity_is_1_to_5"
            ),
        ]
        indexes = [
            models.Index(
                fields=["source", "key", "-closed_at"],
                condition=Q(closed_at__isnull=False),
                name="alarms_closed_by_key",
            ),
            models.Index(
                fields=["changed_seq"], condition=Q(changed_seq__gt=F("seen_seq")), name="alarms_unseen"
            ),
            models.Index(fields=["wake_at"], condition=Q(wake_at__isnull=False), name="alarms_to_wake"),
            models.Index(
                fields=["client", "severity"],
                condition=Q(state__in=("open", "acknowledged")),
                name="alarms_standing_by_client",
            ),
            models.Index(fields=["ticket"], condition=Q(ticket__isnull=False), name="alarms_by_ticket"),
            models.Index(fields=["previous"], condition=Q(previous__isnull=False), name="alarms_by_previous"),
            models.Index(
                fields=["client", "service", "-joined_at"],
                condition=Q(service__isnull=False, joined_at__isnull=False),
                name="alarms_joined_by_service",
            ),
            models.Index(fields=["window"], condition=Q(window__isnull=False), name="alarms_held_by_window"),
            models.Index(
                fields=["source", "-joined_at"],
                condition=Q(joined_at__isnull=False),
                name="alarms_joined_by_source",
            ),
            models.Index(
                fields=["source", "group"],
                condition=Q(ticket__isnull=False, closed_at=None) & ~Q(group=""),
                name="alarms_joined_by_group",
            ),
        ]

    def __str__(self) -> str:
        return self.summary or self.key

    @property
    def last_source_time(self) -> datetime | None:
        """The source time of the newest raise or clear: what decides whether another event is late."""
        return max((at for at in (self.raised_at, self.cleared_at) if at is not None), default=None)


class Event(models.Model):
    """One thing a source said, as it was understood. Append-only; `batch_seq` is the commit that took it in.

    Its keys carry no foreign-key constraints: the function that appends has just locked the rows they name,
    and three checks per event would double the price of an alarm.
    """

    client = models.ForeignKey(
        Client, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="events", db_constraint=False, db_index=False
    )
    alarm = models.ForeignKey(
        Alarm,
        null=True,
        on_delete=models.SET_NULL,
        related_name="events",
        db_constraint=False,
        db_index=False,
    )
    received_at = models.DateTimeField()
    source_time = models.DateTimeField()
    action = models.CharField(max_length=5, choices=[(action.value, action.value) for action in Action])
    event_id = models.CharField(max_length=255, blank=True)
    batch_seq = models.BigIntegerField()
    body = models.JSONField()

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "event_id"], condition=~Q(event_id=""), name="an_event_id_is_taken_in_once"
            )
        ]
        indexes = [models.Index(fields=["alarm", "id"], name="alarm_events_in_order")]


class Refusals(ClientRows):
    def waiting(self) -> Self:
        """Those that nobody has decided about yet."""
        return self.filter(state=Refusal.State.WAITING)


class Refusal(models.Model):
    """A body from a known source that we could not understand, as it came, until a person decides about it.

    `shape`, `path`, `headers` are what reading needs besides, where the sender's door or shape has any; `status` is
    what the sender was told. `why`: what the person who discarded it said.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        UNDERSTOOD = "understood", "understood later"
        DISCARDED = "discarded"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="refusals")
    received_at = models.DateTimeField(db_index=True)
    reason = models.CharField(max_length=500)
    raw = models.BinaryField()
    remote = models.CharField(max_length=64, blank=True)
    shape = models.CharField(max_length=40, blank=True, db_default="")
    path = models.CharField(max_length=500, blank=True, db_default="")
    headers = models.JSONField(default=dict, blank=True, db_default=Value({}, models.JSONField()))
    status = models.PositiveSmallIntegerField(default=400, db_default=400)
    state = Word(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING.value)
    why = models.CharField(max_length=500, blank=True, db_default="")
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = Refusals.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None)
                | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="a_refusal_is_decided_at_a_time",
            )
        ]
        indexes = [
            models.Index(
                fields=["source", "received_at"], condition=Q(state="waiting"), name="refusals_waiting"
            )
        ]

    def __str__(self) -> str:
        return self.reason

    @property
    def may_be_tried(self) -> bool:
        """Not what was forged (401), nor what was understood and asks for a person (2xx)."""
        return self.status >= HTTPStatus.BAD_REQUEST and self.status != HTTPStatus.UNAUTHORIZED

    def discard(self, why: str, *, by: User, at: datetime) -> None:
        """A person decided that it is nothing; the bytes stay. Raises UnableTo."""
        if not why.strip():
            raise UnableTo("Say why it is discarded.")
        self.decide(self.State.DISCARDED, by=by, at=at, why=why.strip()[:500])

    def decide(self, state: State, *, by: User, at: datetime, why: str = "") -> None:
        """It waits no longer. Raises UnableTo when somebody was faster."""
        mine = Refusal.objects.waiting().filter(pk=self.pk)
        if not mine.update(state=state, decided_by=by, decided_at=at, why=why):
            raise UnableTo("Somebody was faster: this was decided already.")
        self.refresh_from_db(fields=["state", "decided_by", "decided_at", "why"])


def wake_alarms(rows: Sequence[Alarm], at: datetime) -> None:
    """The wake-up of alarms: a cleared one that stayed quiet is closed, a standing one is looked at again.

    They set `wake_at` of a standing alarm to hold it back (to let it settle, say); intake sets it when one
    clears.
    """
    woken = Alarm.objects.filter(pk__in=[row.pk for row in rows])
    woken.standing().look_again(wake_at=None)
    woken.cleared().close(at)

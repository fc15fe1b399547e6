"""Calls, and the exchanges that tell of them. A call moves forward only, whatever order its events arrive in."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.db import connection, models
from django.db.models import Q

from tierdesk.channels.phone.facts import CallTied
from tierdesk.channels.phone.progress import CallState
from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client, Contact, Number
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.timeline import LIVE_CHANNEL

ANY_CALL = "call:*"
NO_CLIENT = 0
"""Stands for an unknown caller's client when it is announced: only who sees every client hears of it."""


def digest(token: str) -> str:
    """What is kept of an exchange's token: who reads the database cannot tell us of calls."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


class ExchangeKind(models.TextChoices):
    CTI = "cti", "Generic CTI (newCall, answer, hangup)"
    TWILIO = "twilio", "Twilio voice"
    ASTERISK = "asterisk", "Asterisk manager interface"


class Exchange(models.Model):
    """A telephone system that tells us of calls. `client`: it rings for this client alone. `team`: who hears it ring.

    Numbers without a country code are read in the client's region, or in `region` where there is no client.
    `calls_back`: a missed call becomes a ticket. `keeps_recordings_days`: how long a recording may be linked to;
    0 means that nobody has agreed to be recorded, and links are not kept at all. `quiet_hours`: the longest that no
    call is normal, in the hours of `quiet_in`; 0: it may always be.
    """

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=10, choices=ExchangeKind.choices, default=ExchangeKind.CTI)
    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="exchanges"
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    region = models.CharField(max_length=2, default="DE")
    calls_back = models.BooleanField(default=True)
    keeps_recordings_days = models.PositiveSmallIntegerField(default=0)
    quiet_hours = models.PositiveSmallIntegerField(default=0, db_default=0)
    quiet_in = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    token_sha256 = models.CharField(max_length=64, blank=True)
    enabled = models.BooleanField(default=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["token_sha256"], condition=~Q(token_sha256=""), name="a_token_opens_one_exchange"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def dialling_region(self) -> str:
        return self.client.region if self.client else self.region


class Extension(models.Model):
    """Where an agent is reached in an exchange: `42`, or the name that the exchange calls them by."""

    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="extensions")
    number = models.CharField(max_length=80)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="extensions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exchange", "number"], name="an_extension_rings_once")]


class Direction(models.TextChoices):
    IN = "in", "Incoming"
    OUT = "out", "Outgoing"


class Calls(ClientRows):
    """Calls as adjectives."""

    def visible_to(self, user: User) -> Self:
        """Agents: calls of the clients they serve, and whatever rings at their own desk. Contacts see none."""
        ids = visible_clients(user)
        agent = getattr(user, "agent", None)
        if agent is None:
            return self if user.is_admin else self.none()
        if ids is None:
            return self
        at_my_desk = Q(agent=agent) | Q(rings_for__contains=[agent.pk])
        return self.filter(Q(client__in=ids) | Q(client=None) & at_my_desk)

    def on_the_desk_of(self, agent: Agent) -> Self:
        """What this agent must see now: it rings for them, they speak, or they have not written it up yet."""
        teams = agent.memberships.values("team")
        mine = Q(agent=agent, wrapped_up_at=None) & ~Q(state=CallState.MISSED)
        for_all = Q(rings_for=[]) & (Q(exchange__team=None) | Q(exchange__team__in=teams))
        rings = Q(agent=None, state__in=CallState.going()) & (Q(rings_for__contains=[agent.pk]) | for_all)
        return self.filter(mine | rings)

    def waiting_for_a_call_back(self, number: str) -> Self:
        """Missed calls of this number whose ticket is still being worked."""
        unresolved = Ticket.objects.unresolved()
        return self.filter(number=number, state=CallState.MISSED, ticket__in=unresolved).order_by("-id")


class Call(models.Model):
    """One call, told by an exchange under one id.

    `number`: the other side's, in E.164; empty if hidden or no number. `told_number`: as the exchange said it.
    `rings_for`: the agents whose telephones ring; none named means everybody of the exchange's team.
    `note`: what the agent wrote up; `wrapped_up_at`: when they were done with it.
    """

    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, related_name="calls", db_index=False)
    ext_id = models.CharField(max_length=250)
    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="calls")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls"
    )
    ticket = models.ForeignKey(Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls")
    agent = models.ForeignKey(Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="calls")
    rings_for = models.JSONField(default=list, blank=True)
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.IN)
    state = Word(max_length=8, choices=CallState.choices, default=CallState.RINGING)
    number = models.CharField(max_length=16, blank=True)
    told_number = models.CharField(max_length=80, blank=True)
    our_number = models.CharField(max_length=80, blank=True)
    cause = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    recording = models.URLField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    wrapped_up_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Calls.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["wake_at"], name="calls_to_follow_up", condition=Q(wake_at__isnull=False)),
            models.Index(
                fields=["agent"],
                name="calls_on_a_desk",
                condition=Q(wrapped_up_at=None) & ~Q(state="missed"),
            ),
            models.Index(fields=["number", "-id"], name="calls_of_a_number", condition=~Q(number="")),
            models.Index(fields=["exchange", "-id"], name="calls_of_an_exchange"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["exchange", "ext_id"], name="a_call_is_told_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["ended", "missed"]) | Q(ended_at__isnull=False),
                name="a_finished_call_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} call {self.number or self.told_number or 'without a number'}"

    @property
    def is_hidden(self) -> bool:
        return not self.number and not self.told_number

    @property
    def spelled(self) -> str:
        """The other side’s number as people read it, or as the exchange said it; empty if it is hidden."""
        return Number(e164=self.number).spelled if self.number else self.told_number

    @property
    def our_spelled(self) -> str:
        """Our own number as people read it, or as the exchange said it."""
        return Number(e164=self.our_number).spelled

    @property
    def is_going(self) -> bool:
        return self.state in CallState.going()

    @property
    def lasted(self) -> timedelta | None:
        """How long the two spoke, once they have."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return max(self.ended_at - self.answered_at, timedelta(0))

    def is_to_be_written_up_by(self, agent: Agent) -> bool:
        """It is over, nobody has said yet what was spoken, and it was not somebody else who spoke."""
        mine = self.agent_id in (None, agent.pk)
        return self.state == CallState.ENDED and self.wrapped_up_at is None and mine

    def recording_until(self) -> date | None:
        """The last day on which the recording may be linked to."""
        if not self.recording or not self.exchange.keeps_recordings_days:
            return None
        return (self.started_at + timedelta(days=self.exchange.keeps_recordings_days)).date()

    def playable(self, at: datetime) -> bool:
        until = self.recording_until()
        return until is not None and at.date() <= until

    def tie(self, ticket: Ticket) -> None:
        """The call is about this ticket. Raises UnableTo if the ticket is another client's than the caller."""
        if self.client_id not in (None, ticket.client_id):
            raise UnableTo("The caller belongs to another client than the ticket.")
        if self.ticket_id == ticket.pk:
            return
        self._change(ticket=ticket, client=ticket.client, contact=self.contact or ticket.contact)
        record(
            CallTied(
                ticket=ticket,
                call=self.pk,
                direction=str(self.direction),
                state=str(self.state),
                number=self.number,
            )
        )

    def take(self, agent: Agent) -> None:
        """`agent` has the caller on the line. Raises UnableTo if somebody else has."""
        free = type(self).objects.filter(Q(agent=None) | Q(agent=agent), pk=self.pk)
        if not free.update(agent=agent):
            raise UnableTo("Somebody else has this call.")
        self.agent = agent
        self.announce()

    def wrap_up(self, agent: Agent, note: str = "") -> None:
        """The agent is done with the call; what they wrote goes onto its ticket as an internal note."""
        if self.agent_id not in (None, agent.pk):
            raise UnableTo("Only who spoke with the caller writes the call up.")
        self._change(agent=agent, note=note.strip(), wrapped_up_at=current().at)
        if self.ticket is not None and note.strip():
            self.ticket.note(note)

    def _change(self, **values: Any) -> None:
        type(self).objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)
        self.announce()

    def announce(self) -> None:
        """Tell open pages that something about a call changed; what, they fetch with their own rights."""
        clients = {self.client_id} if self.client_id else self._clients_of_who_hears_it()
        word = {"tickets": [], "clients": sorted(clients), "topic": ANY_CALL}
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [LIVE_CHANNEL, json.dumps(word)])

    def _clients_of_who_hears_it(self) -> set[int]:
        """An unknown caller has no client: what the agents it rings for may see stands for it."""
        agents = Agent.objects.filter(pk__in=self.rings_for).select_related("user")
        return {NO_CLIENT}.union(*(visible_clients(agent.user) or () for agent in agents))

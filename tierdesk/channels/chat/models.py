"""Chats: the widgets that offer them, the conversations, and the seats of the agents who talk."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Count, F, Q, QuerySet, Sum

from tierdesk.channels.chat.facts import ChatAccepted, ChatEnded, ChatHandedOver
from tierdesk.core.facts import Actor
from tierdesk.core.seal import Sealed
from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Message, Ticket

GONE_AFTER = timedelta(seconds=45)
"""A visitor's page shows itself every fifteen seconds; three times missed, the visitor has left."""

OVER_AFTER = timedelta(minutes=5)
"""A chat whose visitor has been gone this long is over, so that its agent is free for another."""

TYPING_LASTS = timedelta(seconds=6)
SEAT_IS_WARM = timedelta(minutes=3)
"""An agent whose pages have been silent this long is not there, whatever their switch says."""


class Widget(models.Model):
    """A place where visitors of one client may start a chat: a page of ours or of the client's.

    `key` stands in the page that shows it and is no secret. `origins`: the sites that may show it, as browsers write
    an origin (`https://help.acme.example`); our own always may. `calendar`: when somebody is there to talk.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="widgets")
    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    origins = models.JSONField(default=list)
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT)
    greeting = models.CharField(max_length=300, blank=True)
    is_active = models.BooleanField(default=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def is_agreed(self, at: datetime) -> bool:
        """Whether the client's contract has chat among its channels."""
        version = version_in_force(self.client_id, at.date())
        return version is None or not version.channels or "chat" in version.channels

    def is_open(self, at: datetime) -> bool:
        """Whether its calendar says that people work now; without a calendar they always do."""
        return self.calendar is None or self.calendar.current().hours.is_open(at)


class Seats(QuerySet["Seat"]):
    def taken(self, at: datetime) -> Self:
        """Seats with somebody in them who takes chats: switched on, lately seen, not away."""
        return self.filter(
            is_open=True, seen_at__gt=at - SEAT_IS_WARM, agent__is_away=False, agent__user__is_active=True
        )

    def free(self, at: datetime) -> Self:
        """Of these, the ones with room for one more chat."""
        talking = Count("agent__conversations", filter=Q(agent__conversations__state=ChatState.LIVE))
        return self.taken(at).annotate(talks=talking).filter(talks__lt=F("most"))

    def room(self) -> int:
        """How many more chats fit into these free seats together."""
        found: int | None = self.aggregate(room=Sum(F("most") - F("talks")))["room"]
        return found or 0

    def serving(self, client_id: int, team: Team | None = None) -> Self:
        """Seats of agents who may see the client's tickets; with a team, of its members alone."""
        teams = Team.objects.filter(Q(serves_every_client=True) | Q(clients=client_id))
        if team is not None:
            teams = teams.filter(pk=team.pk)
        return self.filter(agent__in=Agent.objects.filter(memberships__team__in=teams))


class Seat(models.Model):
    """Where an agent sits for chats: whether they take any, how many at once, and when they were last seen."""

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="seat")
    is_open = models.BooleanField(default=False)
    most = models.PositiveSmallIntegerField(default=3)
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = Seats.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(most__range=(1, 20)), name="a_seat_has_room_for_some")
        ]

    def __str__(self) -> str:
        return f"the seat of {self.agent}"

    @classmethod
    def locked(cls, agent: Agent) -> Seat:
        """The agent's seat, which nobody else changes until this transaction ends."""
        cls.objects.get_or_create(agent=agent)
        return cls.objects.select_for_update(of=("self",)).select_related("agent__user").get(agent=agent)

    def room(self) -> int:
        """How many more chats fit."""
        return self.most - self.agent.conversations.filter(state=ChatState.LIVE).count()


class Bridge(models.Model):
    """A chat platform of a client's that the desk is connected to; each thread there is a conversation here.

    `kind` is a module of channels/chat/platforms. `secret` is what the platform proves itself with, `token` what we
    show to it, at this `url` and no other; both lie sealed. `bot`: who we are there, so that we do not hear
    ourselves. `rooms`: where we listen; empty: wherever we were let in. `quiet_hours`: the longest that nothing is
    said there, in the hours of `quiet_in`; 0: any time. `pages_agents`: the platform is the desk's own, and agents are
    paged there.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="bridges")
    key = models.SlugField(max_length=40, unique=True)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    url = models.CharField(max_length=300, blank=True)
    secret_sealed = models.BinaryField(default=b"", blank=True, db_default=b"")
    token_sealed = models.BinaryField(default=b"", blank=True, db_default=b"")
    bot = models.CharField(max_length=200, blank=True)
    rooms = models.JSONField(default=list)
    quiet_hours = models.PositiveSmallIntegerField(default=0, db_default=0)
    quiet_in = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    pages_agents = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=True)

    secret = Sealed("the secret of a bridge to", of="kind")
    token = Sealed("the token of a bridge to", of="url")

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class ChatState(models.TextChoices):
    WAITING = "waiting", "Waiting for somebody"
    LIVE = "live", "Being talked in"
    ENDED = "ended", "Over"


class Conversations(ClientRows):
    def visible_to(self, user: User) -> Self:
        """Agents, of the clients they serve. A visitor finds the own one by its token and by nothing else."""
        return super().visible_to(user) if user.is_agent or user.is_admin else self.none()

    def waiting(self) -> Self:
        return self.filter(state=ChatState.WAITING, ticket__isnull=False)

    def live(self) -> Self:
        return self.filter(state=ChatState.LIVE)

    def offered_to(self, agent: Agent, at: datetime) -> Self:
        """Waiting chats of the agent's teams, oldest first; none while the agent has no room for one."""
        if not Seat.objects.free(at).filter(agent=agent).exists():
            return self.none()
        teams = agent.memberships.values("team_id")
        mine = Q(team__in=teams) | Q(team=None, ticket__team__in=teams) | Q(team=None, ticket__team=None)
        return self.visible_to(agent.user).waiting().filter(mine).order_by("started_at")


class Conversation(models.Model):
    """A talk with one visitor; its lines are the public messages of its ticket.

    A visitor proves who they are by a token that only their browser has; its digest is kept. `trust`: verified when
    our own portal or a platform says who it is. `seen_at`: when the visitor's page last showed itself; empty: it said
    that it closes. `read_up_to`: the last message that the page has shown. `team`: to whom it was handed over, if it
    was. `bridge`, `thread`: which thread on which platform, for one that is on no page of ours.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    widget = models.ForeignKey(Widget, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    bridge = models.ForeignKey(Bridge, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    thread = models.CharField(max_length=300, blank=True)
    ticket = models.OneToOneField(
        Ticket, null=True, blank=True, on_delete=models.SET_NULL, related_name="chat"
    )
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    trust = models.CharField(max_length=10, default="unverified")
    page = models.CharField(max_length=500, blank=True)
    remote = models.CharField(max_length=200, blank=True)
    token_sha256 = models.CharField(max_length=64, blank=True)
    state = Word(max_length=7, choices=ChatState.choices, default=ChatState.WAITING)
    agent = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations"
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, db_index=False)
    started_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    read_up_to = models.BigIntegerField(default=0)
    visitor_typed_at = models.DateTimeField(null=True, blank=True)
    agent_typed_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Conversations.as_manager()

    class Meta:
        ordering = ["started_at", "id"]
        indexes = [
            models.Index(fields=["wake_at"], name="chats_to_wake", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["started_at"], name="chats_waiting", condition=Q(state="waiting")),
            models.Index(fields=["agent"], name="chats_of_an_agent", condition=Q(state="live")),
            models.Index(fields=["widget", "-started_at"], name="chats_of_a_widget"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["bridge", "thread"],
                condition=~Q(thread=""),
                name="a_thread_is_one_conversation",
            ),
            models.UniqueConstraint(
                fields=["widget", "token_sha256"],
                condition=~Q(token_sha256=""),
                name="a_token_begins_one_conversation_of_a_widget",
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(agent__isnull=False), name="somebody_talks_in_a_live_chat"
            ),
        ]

    def __str__(self) -> str:
        return f"the chat with {self.who}"

    @property
    def who(self) -> str:
        return self.contact.name if self.contact else self.name or self.email or "Visitor"

    @property
    def address(self) -> str:
        """Where words go when the visitor has left; empty if nobody knows."""
        return self.contact.email if self.contact else self.email

    def actor(self) -> Actor:
        return Actor("contact", self.who, self.contact_id)

    def lines(self) -> QuerySet[Message]:
        """What was said, oldest first: never an internal note."""
        return Message.objects.public().filter(ticket=self.ticket_id).order_by("at", "id")

    def is_there(self, at: datetime) -> bool:
        """Whether the visitor still looks at the page."""
        return self.seen_at is not None and at - self.seen_at < GONE_AFTER

    def accept(self, agent: Agent) -> None:
        """`agent` talks with the visitor and works the ticket from now on.

        Raises UnableTo when somebody was faster, or the agent has no room.
        """
        unit = current()
        self._seat(agent)
        waited = unit.at - self.started_at
        self._move((ChatState.WAITING,), ChatState.LIVE, agent=agent, team=None, accepted_at=unit.at)
        ticket = self._ticket()
        record(
            ChatAccepted(
                ticket=ticket, agent=agent.pk, agent_name=agent.name, waited_s=int(waited.total_seconds())
            )
        )
        if ticket.is_unresolved():
            ticket.take(agent)

    def hand_to_agent(self, agent: Agent, *, why: str = "") -> None:
        """Another agent goes on with it, at once: they must be there and have room. Raises UnableTo."""
        if agent.pk == self.agent_id:
            raise UnableTo(f"{agent.name} already has this chat.")
        self._seat(agent)
        self._move((ChatState.LIVE,), ChatState.LIVE, agent=agent, agent_typed_at=None)
        ticket = self._ticket()
        record(ChatHandedOver(ticket=ticket, to=agent.name, to_agent=agent.pk, why=why))
        if ticket.is_unresolved():
            ticket.assign(agent)

    def hand_to_team(self, team: Team, *, why: str = "") -> None:
        """Whoever of `team` takes it goes on; until then the visitor waits. The ticket stays on its tier.

        Who talks is not who works it: to another tier the ticket itself only climbs by an escalation.
        """
        self._move((ChatState.LIVE,), ChatState.WAITING, agent=None, team=team, agent_typed_at=None)
        record(ChatHandedOver(ticket=self._ticket(), to=team.name, to_team=team.pk, why=why))

    def end(self, why: str) -> None:
        """It is over; what was said stays on the ticket. A later line begins it anew. Raises UnableTo."""
        self._move((ChatState.WAITING, ChatState.LIVE), ChatState.ENDED, ended_at=current().at, wake_at=None)
        if self.ticket is not None:
            record(ChatEnded(ticket=self.ticket, why=why, lines=self.lines().count()))

    def wait_again(self, at: datetime) -> None:
        """The visitor came back to a chat that was over: somebody is wanted again."""
        over = type(self).objects.filter(pk=self.pk, state=ChatState.ENDED)
        over.update(
            state=ChatState.WAITING, started_at=at, agent=None, ended_at=None, wake_at=at + OVER_AFTER
        )
        self.refresh_from_db()

    def _seat(self, agent: Agent) -> None:
        """Make sure that the agent is there and has room, and that nobody fills it meanwhile. Raises UnableTo."""
        seat, at = Seat.locked(agent), current().at
        if not Seat.objects.taken(at).filter(pk=seat.pk).exists():
            raise UnableTo(f"{agent.name} takes no chats now.")
        if seat.room() < 1:
            raise UnableTo(f"{agent.name} already talks in {seat.most} chats; end one first.")

    def _ticket(self) -> Ticket:
        if self.ticket is None:
            raise UnableTo("Its first words are still being taken in; try again in a moment.")
        return self.ticket

    def _move(self, expected: tuple[str, ...], state: str, **more: Any) -> None:
        if not type(self).objects.filter(pk=self.pk, state__in=expected).update(state=state, **more):
            raise UnableTo("Somebody was faster: this chat is no longer as you saw it.")
        self.state = state
        for name, value in more.items():
            setattr(self, name, value)


def wake_conversations(conversations: list[Conversation], at: datetime) -> None:
    """What due chats do: one whose visitor has been gone for long is over; the others are looked at again."""
    for one in conversations:
        last = one.seen_at or one.started_at
        if one.state != ChatState.ENDED and at - last >= OVER_AFTER:
            one.end("the visitor left")
        else:
            Conversation.objects.filter(pk=one.pk).update(
                wake_at=None if one.state == ChatState.ENDED else max(last + OVER_AFTER, at + GONE_AFTER)
            )


def digest(token: str) -> str:
    """What is stored of a visitor's token and looked up: its SHA-256 in hexadecimal. It has 256 bits of its own."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()

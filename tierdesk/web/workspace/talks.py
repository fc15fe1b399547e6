"""Chats as the workspace shows them: what is offered to an agent, what they talk in, and who could go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from tierdesk.channels.chat.models import TYPING_LASTS, ChatState, Conversation, Conversations, Seat
from tierdesk.core.written import Written
from tierdesk.directory.staff.models import Agent, Team

SHOWN = 20
SEEN_EVERY_S = 30


_SEAT = Written(lambda agent: Seat.objects.filter(agent=agent)[:1])


@dataclass(frozen=True)
class Talks:
    """Live chats from one agent's seat. `others`: what colleagues talk in, for leads to look on.

    `waiting`: how many wait, whoever they wait for. Both are empty in a brief view.
    """

    seat: Seat
    offered: list[Conversation]
    mine: list[Conversation]
    others: list[Conversation]
    waiting: int

    @property
    def is_full(self) -> bool:
        return len(self.mine) >= self.seat.most


def talks_of(agent: Agent, at: datetime, *, whole: bool) -> Talks:
    """What goes on now; an agent who looks at it is in their seat. Not `whole`: only what concerns the agent.

    Who never took a seat never took a chat.
    """
    seat = take_seat(agent, at)
    visible = _told(Conversation.objects.visible_to(agent.user))
    mine = list(visible.live().filter(agent=agent).order_by("accepted_at")) if seat.pk else []
    others = visible.live().exclude(agent=agent).order_by("accepted_at")[:SHOWN] if whole else ()
    return Talks(
        seat=seat,
        offered=list(_told(Conversation.objects.offered_to(agent, at))[:SHOWN]) if seat.is_open else [],
        mine=mine,
        others=list(others),
        waiting=visible.waiting().count() if whole else 0,
    )


def take_seat(agent: Agent, at: datetime) -> Seat:
    """The agent's seat, noted as warm; written at most every half minute."""
    seat = next(iter(_SEAT(agent=agent)), None) or Seat(agent=agent)
    cold = seat.seen_at is None or (at - seat.seen_at).total_seconds() >= SEEN_EVERY_S
    if seat.pk and seat.is_open and cold:
        Seat.objects.filter(pk=seat.pk).update(seen_at=at)
        seat.seen_at = at
    return seat


def count_offered(seat: Seat, at: datetime) -> int | None:
    """How many chats wait for the agent in this seat; None while they take none."""
    return Conversation.objects.offered_to(seat.agent, at).count() if seat.is_open else None


def is_typing(conversation: Conversation, at: datetime) -> bool:
    typed = conversation.visitor_typed_at
    return typed is not None and at - typed < TYPING_LASTS and conversation.is_there(at)


def takers(conversation: Conversation, at: datetime) -> QuerySet[Seat]:
    """Seats of colleagues who could go on with it now."""
    free = Seat.objects.free(at).serving(conversation.client_id)
    return (
        free.exclude(agent=conversation.agent_id).select_related("agent__user").order_by("agent__user__name")
    )


def receiving_teams(conversation: Conversation) -> QuerySet[Team]:
    serving = Q(serves_every_client=True) | Q(clients=conversation.client_id)
    return Team.objects.filter(serving, tier__lt=4).distinct()


def _told(found: Conversations) -> Conversations:
    return found.select_related("client", "contact", "ticket", "agent__user", "team")


def can_talk(conversation: Conversation, agent: Agent) -> bool:
    """Whether this agent writes in it: whoever talks does, and nobody else."""
    return conversation.state == ChatState.LIVE and conversation.agent_id == agent.pk

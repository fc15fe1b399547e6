"""A widget of Acme's, its agents in their seats, and a visitor who writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from tests.cast import Cast
from tierdesk.channels.chat.lines import Visitor, say, start
from tierdesk.channels.chat.models import Conversation, Seat, Widget
from tierdesk.core import clock
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Ticket

TOKEN = "t" * 43


def sit(agent: Agent, at: datetime, *, most: int = 3) -> Seat:
    """The agent is there and takes chats."""
    seat, _ = Seat.objects.update_or_create(
        agent=agent, defaults={"is_open": True, "most": most, "seen_at": at}
    )
    return seat


@pytest.fixture
def widget(cast: Cast) -> Widget:
    cast.acme_contract.channels = ["email", "chat"]
    cast.acme_contract.save()
    return Widget.objects.create(
        client=cast.acme,
        key="acme-help",
        name="Acme help",
        origins=["https://www.acme.example"],
        calendar=cast.office.calendar,
        greeting="How can we help?",
    )


@dataclass
class Talk:
    """A visitor's side of one conversation. Each line has a key of its own, unless it is told one."""

    widget: Widget
    visitor: Visitor = field(default_factory=lambda: Visitor(name="Vera", email="vera@else.example"))
    token: str = TOKEN
    said: int = 0

    def say(self, text: str, at: datetime, key: str = "") -> Ticket | None:
        self.said += 1
        with clock.frozen(at):
            conversation = start(self.widget, self.token, self.visitor, at)
            return say(conversation, text, key or f"line-{self.said:04}", at)

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.select_related("ticket__client", "contact").get()

    def looks(self, at: datetime, *, up_to: int = 0) -> None:
        """The visitor's page shows itself, and has shown the lines up to this one."""
        Conversation.objects.update(seen_at=at, read_up_to=up_to)

    def leaves(self) -> None:
        Conversation.objects.update(seen_at=None)


@pytest.fixture
def talk(widget: Widget) -> Talk:
    return Talk(widget)

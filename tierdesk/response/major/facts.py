"""What a major incident announces. It stands on the parent's timeline; what concerns one child, on the child's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class MajorDeclared(TicketFact):
    """The ticket is a major incident from now on, with an update due every so many minutes."""

    incident: int
    why: str
    every_min: int

    @property
    def telling(self) -> tuple[Sequence[str], str]:
        """The roles that are told, and what."""
        return ("team_lead", "duty", "managers"), f"it is a major incident: {self.why}"


@dataclass(frozen=True, kw_only=True, eq=False)
class ManagerMissing(TicketFact):
    """Nobody leads the major incident, or whoever does is away."""

    incident: int

    @property
    def telling(self) -> tuple[Sequence[str], str]:
        return ("team_lead",), "the major incident has no incident manager"


@dataclass(frozen=True, kw_only=True, eq=False)
class UpdateMissed(TicketFact):
    """By `due_at` (ISO 8601) its clients should have been told something, for the `missed`th time."""

    incident: int
    due_at: str
    missed: int

    @property
    def telling(self) -> tuple[Sequence[str], str]:
        return ("team_lead", "managers"), "nobody has told the clients of the major incident anything in time"


@dataclass(frozen=True, kw_only=True, eq=False)
class MajorStoodDown(TicketFact):
    """It is no major incident after all, or no longer."""

    incident: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RoleHanded(TicketFact):
    """A role has another holder (None: nobody any more); `before` is who had it."""

    incident: int
    role: str
    agent: int | None
    agent_name: str
    before: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CadenceChanged(TicketFact):
    incident: int
    before: int
    every_min: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ChildrenLinked(TicketFact):
    """Told on the parent: these tickets, by number, follow it from now on."""

    incident: int
    children: list[int]


@dataclass(frozen=True, kw_only=True, eq=False)
class MajorFollowed(TicketFact):
    """Told on the child: it is part of the major incident of the ticket `parent`."""

    incident: int
    parent: int


@dataclass(frozen=True, kw_only=True, eq=False)
class BroadcastSent(TicketFact):
    """The same words go to the contacts of the parent and of all its children."""

    incident: int
    cascade: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CascadeCarried(TicketFact):
    """What happened to the parent, of kind `what`, has reached so many of its children."""

    incident: int
    cascade: int
    what: str
    children: int


@dataclass(frozen=True, kw_only=True, eq=False)
class UpdateDue(TicketFact):
    """The next update is due at `due_at` (ISO 8601): `agents` are reminded to write it."""

    incident: int
    due_at: str
    agents: list[int]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewHeld(TicketFact):
    """People looked back at it; `actions` are the tasks that came of it so far."""

    incident: int
    actions: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewWaived(TicketFact):
    """Nobody looks back at it, for a reason."""

    incident: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionAgreed(TicketFact):
    """`agent` does `what` until `due_date` (ISO 8601)."""

    incident: int
    action: int
    what: str
    agent: int
    agent_name: str
    due_date: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionDone(TicketFact):
    incident: int
    action: int
    what: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionDue(TicketFact):
    """The day has come, and it is not done."""

    incident: int
    action: int
    what: str
    agent: int


@dataclass(frozen=True, kw_only=True, eq=False)
class MajorProposed(TicketFact):
    """Somebody who may not declare it thinks that it is a major incident."""

    proposal: int
    why: str
    agent_name: str

    @property
    def telling(self) -> tuple[Sequence[str], str]:
        return (
            "team_lead",
            "duty",
            "managers",
        ), f"{self.agent_name} thinks it is a major incident: {self.why}"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProposalAnswered(TicketFact):
    """It was declared, or is none, and why; `agent` had proposed it."""

    proposal: int
    accepted: bool
    why: str
    agent: int | None

"""What happens while people are called."""

from __future__ import annotations

from dataclasses import dataclass, field

from tierdesk.tickets.facts import TicketFact


@dataclass(frozen=True, kw_only=True, eq=False)
class PagingStarted(TicketFact):
    """A ticket calls people, by this policy, until somebody acknowledges."""

    paging: int
    policy: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PeoplePaged(TicketFact):
    """These people are called; each is told as “Mara Munk (on call: L1) by mail and SMS”."""

    paging: int
    loop: int
    step: int
    people: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class PageFollowed(TicketFact):
    """A page that waited goes to whoever is on call now instead; `to` is told as “Mara Munk (on call: L1) by mail”."""

    paging: int
    name: str
    to: str


@dataclass(frozen=True, kw_only=True, eq=False)
class NobodyOnCall(TicketFact):
    """A step found nobody for a target; `then` says what is done instead."""

    paging: int
    target: str
    then: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StepPassedOver(TicketFact):
    """A step did nothing: it names other hours, or the ticket has been handed on already."""

    paging: int
    step: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class HandDue(TicketFact):
    """Nobody ended the trouble in time: the policy hands the ticket `to` a tier (`L2`) or a team (`team:ops`)."""

    paging: int
    to: str
    policy: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PagingAcknowledged(TicketFact):
    """Somebody looks; nobody else is called, as long as there is progress."""

    paging: int
    agent: int
    agent_name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AcknowledgementExpired(TicketFact):
    """Who acknowledged did nothing more in the policy's time: people are called again from the first step."""

    paging: int
    agent_name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PagingExhausted(TicketFact):
    """All steps and repeats are over and nobody acknowledged."""

    paging: int
    loops: int


@dataclass(frozen=True, kw_only=True, eq=False)
class PageFailed(TicketFact):
    """A page did not reach its person."""

    paging: int
    page: int
    name: str
    channel: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PagePassedOn(TicketFact):
    """Somebody who was called cannot look: whoever is called next is called."""

    paging: int
    agent: int
    agent_name: str

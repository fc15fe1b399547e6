"""What can happen to a ticket, as the ticket itself announces it. Other rooms subclass `TicketFact` for theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tierdesk.core.facts import Fact

if TYPE_CHECKING:
    from tierdesk.tickets.models import Ticket


@dataclass(frozen=True, kw_only=True, eq=False)
class TicketFact(Fact):
    """A fact about one ticket: it becomes an entry of that ticket's timeline."""

    ticket: Ticket

    @property
    def subject(self) -> object:
        return self.ticket.id


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened(TicketFact):
    """Trouble arrived and became a ticket. `channel` is how; `message` the id of its first message.

    `assessed`: impact and urgency were given by whoever opened it, so triage leaves them alone; `typed`: its type was.
    """

    channel: str
    assessed: bool = False
    typed: bool = False
    message: int | None = None
    trust: str = "verified"


@dataclass(frozen=True, kw_only=True, eq=False)
class Triaged(TicketFact):
    """Category, priority and team are set (`why` in words); the clocks can start.

    `impact`, `urgency`: what the matrix was asked, raised as it was; entries from before the desk kept them say so in
    `why`.
    """

    category: str | None
    priority: int
    team: str | None
    why: str = ""
    impact: int | None = None
    urgency: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Acknowledged(TicketFact):
    """A human took the ticket for the first time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Assigned(TicketFact):
    """The ticket has a new assignee (None: nobody) within its team.

    `why` this one, if the desk chose, or somebody asked it for the next best; `others`: each who was considered, with
    why not.
    """

    agent: int | None
    agent_name: str
    why: str = ""
    others: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class Categorised(TicketFact):
    category: str | None
    before: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceNamed(TicketFact):
    """It is about another service (None: about none that is known). `after`, `before`: their names, or blank."""

    service: int | None
    after: str
    before: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactNamed(TicketFact):
    """Whose trouble it is was not known until now."""

    contact: int
    contact_name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Reprioritised(TicketFact):
    """Impact, urgency or the effective priority changed; `reason` is mandatory.

    `impact`, `urgency`: what the matrix was asked, raised as it was; None where the priority was `overridden`, and on
    entries from before the desk kept them.
    """

    before: int
    after: int
    reason: str
    overridden: bool = False
    impact: int | None = None
    urgency: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Renamed(TicketFact):
    """It has another subject, in words of ours."""

    after: str
    before: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Retyped(TicketFact):
    """It is of another type. `version`: the contract's that applies now, in words; `anew`: another one than before, so
    its promises count as if they had all along."""

    before: str
    after: str
    version: str
    anew: bool
    priority: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ClientChanged(TicketFact):
    """It had been logged for another client, `before` (ids; no name, since not every reader serves that one).

    `theirs`: what was said so far was said by and to the client whose it is now; else none of it was.
    """

    before: int
    after: int
    contact: int | None
    theirs: bool
    priority: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class TermsChanged(TicketFact):
    """Another version of the contract applies to the ticket from now on (ids of ContractVersion, and its words)."""

    before: int | None
    after: int
    version: str
    priority: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Replied(TicketFact):
    """A human wrote to the contact, publicly. `message` is its id."""

    message: int
    tier: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Noted(TicketFact):
    """An agent wrote an internal note."""

    message: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard(TicketFact):
    """The contact wrote. Automatic answers (out of office) are heard too, but wake nothing.

    `live`: said in a talk that is going on, so whoever works the ticket hears it there.
    """

    message: int
    automatic: bool = False
    why: str = ""
    live: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Amended(TicketFact):
    """What a message says was changed where it was said; `text` is the new text, None if it was taken back."""

    message: int
    text: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class WordsMoved(TicketFact):
    """Words that had joined this ticket were put on the ticket `to`; `attached_by` says why they had joined it."""

    message: int
    to: int
    why: str
    attached_by: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class WordsTakenIn(TicketFact):
    """Words that had come to the ticket `origin` belong here."""

    message: int
    origin: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MatterSplit(TicketFact):
    """Words of this ticket spoke of another matter as well, which goes on as the ticket `to`; they stay here too."""

    message: int
    to: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MatterTakenOver(TicketFact):
    """This matter was one of two in words that came to the ticket `origin`."""

    message: int
    origin: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Pended(TicketFact):
    """The ticket waits, for a coded reason; `until` (ISO 8601) is when it wakes by itself, if nothing else does.

    `team`: which other team it waits for, if one was named; `problem`: the number of the problem.
    """

    reason: str
    until: str | None = None
    team: int | None = None
    problem: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class WaitPutIn(TicketFact):
    """It had waited for `reason` from `begins` to `ends` (ISO 8601), and nobody had said so; `evidence` shows it."""

    reason: str
    begins: str
    ends: str
    evidence: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Resumed(TicketFact):
    """The wait is over; `reason` is what it had waited for."""

    reason: str
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class HandedOver(TicketFact):
    """Another tier or team works the ticket now."""

    from_tier: int
    from_team: int | None
    to_tier: int
    to_team: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Resolved(TicketFact):
    """Solved by `tier`. `code` is the resolution code; `message` the public words, if there were any."""

    code: str
    tier: int
    message: int | None = None
    seconds_open: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Reopened(TicketFact):
    """The contact or an agent was not satisfied; `resolved_at` (ISO 8601) is when it had been resolved."""

    why: str
    resolved_at: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Closed(TicketFact):
    """The end: confirmed, or silence for the contract's window. A later reply opens a new ticket."""

    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Cancelled(TicketFact):
    """Not an incident, withdrawn, or a duplicate; `merged`: the matter goes on as the other ticket."""

    why: str
    duplicate_of: int | None = None
    merged: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Absorbed(TicketFact):
    """A duplicate, `other`, was merged into this ticket; `followers` are the addresses that follow it since."""

    other: int
    why: str
    followers: list[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parted(TicketFact):
    """It was no duplicate of `main`: it goes on by itself. `merged_at` (ISO 8601) is when it had been merged."""

    main: int
    why: str
    merged_at: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Released(TicketFact):
    """`other`, which had been merged into this ticket, goes on by itself."""

    other: int
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Linked(TicketFact):
    """A relation to another ticket: follow_up_of, possibly_related, duplicate_of, parent."""

    relation: str
    other: int

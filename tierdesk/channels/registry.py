"""The channels of the house: each is a folder here with one `CHANNEL` in its `channel.py`, and no edit elsewhere."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from tierdesk import channels
from tierdesk.channels.models import Inbound
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.models import Client
from tierdesk.directory.staff.models import Agent
from tierdesk.response.vendors.models import Case
from tierdesk.tickets.models import Draft, Message, Ticket
from tierdesk.tickets.relations import RelationKind


@dataclass(frozen=True)
class File:
    """A file that came along: name and type are the sender's claims."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class NewTicket:
    """Trouble that becomes a ticket. `taken_by`: the agent who spoke with the caller. `new_contact`: (name, address)
    of somebody from a domain that we know, who becomes a contact. `related`: a ticket it belongs to, by `relation`.
    `proposed`: addresses of people who may want to follow it; a person accepts them, mail does not.
    """

    draft: Draft
    by: Actor
    files: tuple[File, ...] = ()
    taken_by: Agent | None = None
    new_contact: tuple[str, str] | None = None
    related: Ticket | None = None
    relation: str = RelationKind.RELATED.value
    proposed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """Words of the contact (or of somebody who may add to it) on a ticket; `why` says how they were attached.

    `trust` failed: kept for the agents to see, but it wakes nothing. `live`: said in a talk that is going on.
    `reopens`: whether a resolved ticket is not resolved after all.
    """

    ticket: Ticket
    text: str
    by: Actor
    why: str
    html: str = ""
    message_id: str = ""
    automatic: bool = False
    trust: str = "verified"
    live: bool = False
    reopens: bool = True
    files: tuple[File, ...] = ()
    proposed: tuple[str, ...] = ()


@dataclass(frozen=True)
class VendorAnswer:
    """A vendor's words on a case; `reference` is its own number, if the mail names it."""

    case: Case
    text: str
    by: Actor
    reference: str = ""
    message_id: str = ""
    automatic: bool = False
    files: tuple[File, ...] = ()


@dataclass(frozen=True)
class Amended:
    """Somebody changed afterwards what they had said; `text` None: took it back. What was said stays as it was."""

    ticket: Ticket
    message: Message
    text: str | None
    by: Actor


@dataclass(frozen=True)
class Undelivered:
    """A bounce of the notice with this key. `permanent`: it will not arrive. `dead`: no later mail will, either."""

    notice: int
    permanent: bool
    dead: bool
    why: str


@dataclass(frozen=True)
class ToTheDesk:
    """What one of our agents said to the desk itself. `act` does it and returns what is said back at `place`, which is
    a `room` of a chat, or an address of `mail` with a `subject`."""

    by: Actor
    act: Callable[[], str]
    place: str
    why: str
    channel: str = "room"
    subject: str = ""


@dataclass(frozen=True)
class Nothing:
    """Understood, and nothing to do: our own mail, a delay notice."""

    why: str


@dataclass(frozen=True)
class Refused:
    """Not understood or not allowed: it is parked, and `reason` is what an agent reads. `about`: whose it says that it
    is, and of what, as far as that can be told; a claim.
    """

    reason: str
    client: Client | None = None
    about: str = ""


type Understood = NewTicket | Reply | Amended | VendorAnswer | Undelivered | ToTheDesk | Nothing | Refused


@dataclass(frozen=True)
class Told:
    """What a delivery says, for a person who decides what becomes of it. All of it is the sender's claim.

    `claims`: (label, value), such as who it says that it is from; `files`: (name, bytes) of what came along.
    """

    text: str
    claims: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Channel:
    """How one channel understands a delivery. `understand` reads only; the funnel acts.

    `told`: what it says, to be read by a person; None where nobody can tell. Without it the bytes are shown.
    """

    key: str
    name: str
    understand: Callable[[Inbound], Understood]
    told: Callable[[Inbound], Told | None] = lambda inbound: None


@cache
def registered() -> Mapping[str, Channel]:
    """All channels by key, found by their folders."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(channels.__path__, f"{channels.__name__}."):
        if module.ispkg and find_spec(f"{module.name}.channel") is not None:
            channel: Channel = import_module(f"{module.name}.channel").CHANNEL
            found[channel.key] = channel
    return found

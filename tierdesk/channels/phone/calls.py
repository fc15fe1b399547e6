"""Calls: who is it, and what they said, in under twenty seconds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import reduce
from operator import and_

from django.db.models import Case, Q, QuerySet, When

from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.phone.models import Call
from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.directory.clients.models import Client, Contact, Number, Site
from tierdesk.directory.staff.models import Agent, User
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

SHOWN = 8


@dataclass(frozen=True, slots=True)
class CallSheet:
    """What an agent wrote down. `key` makes a form that is sent twice one ticket; `told`: the exchange's call."""

    client: int
    contact: int | None
    subject: str
    text: str
    category: str = ""
    service: int | None = None
    impact: int | None = None
    urgency: int | None = None
    number: str = ""
    key: str = ""
    told: int | None = None
    type: str = ""


def look_up(typed: str, user: User) -> QuerySet[Contact]:
    """The contacts that a number, a name, an address or a client may belong to, of the clients that `user` may see.

    A number that we know may be followed by a piece of who it is, of the many who share it. Whoever bears the words
    themselves comes before the others of a client or a site that is called so.
    """
    contacts = Contact.objects.visible_to(user).filter(is_active=True).select_related("client")
    words = typed.split()
    if not words:
        return contacts.none()
    numbers, named = _numbers_and_names(words, user)
    own, theirs = _each(named, _bears), _each(named, lambda word: _bears(word) | _belongs(word, user))
    if numbers is None:
        last = Case(When(own, then=0), default=1)
        return contacts.filter(theirs).order_by(last, "name")[:SHOWN]
    persons = [number.contact_id for number in numbers if number.contact_id]
    switchboards = [number.client_id for number in numbers if not number.contact_id]
    reached = contacts.filter(Q(pk__in=persons) | Q(client__in=switchboards))
    return reached.filter(theirs).order_by("name")[:SHOWN]


def clients_told(typed: str, user: User) -> QuerySet[Client]:
    """The clients for whom somebody unknown may be calling: theirs is the number, or they or a site are called so."""
    clients = Client.objects.visible_to(user).filter(is_active=True)
    words = typed.split()
    if not words:
        return clients.none()
    numbers, named = _numbers_and_names(words, user)
    if numbers is not None:
        return clients.filter(pk__in=[number.client_id for number in numbers])[:SHOWN]
    return clients.filter(_each(named, lambda word: _is_called(word) | _has_site(word, user)))[:SHOWN]


def _numbers_and_names(words: Sequence[str], user: User) -> tuple[list[Number] | None, Sequence[str]]:
    """The numbers that were typed, as far as we know them, and the words beside them; None: all of it is words.

    The numbering plan reads “Studio 54” as a number: beside a word with a letter it
    counts only where it is somebody’s.
    """
    named = [word for word in words if any(map(str.isalpha, word))]
    dialled = " ".join(word for word in words if word not in named)
    spellings = set(_spellings(dialled, user))
    numbers = list(Number.objects.visible_to(user).filter(e164__in=spellings)) if spellings else []
    if numbers or (spellings and not named):
        return numbers, named
    return None, words


def _each(words: Sequence[str], meets: Callable[[str], Q]) -> Q:
    return reduce(and_, map(meets, words), Q())


def _bears(word: str) -> Q:
    return Q(name__icontains=word) | Q(email__icontains=word)


def _belongs(word: str, user: User) -> Q:
    """Of a contact: their client or their site is called so."""
    called = Client.objects.visible_to(user).filter(_is_called(word), is_active=True)
    sites = Site.objects.visible_to(user).filter(name__icontains=word)
    return Q(client__in=called.order_by()) | Q(site__in=sites)


def _is_called(word: str) -> Q:
    """Of a client."""
    return Q(name__icontains=word) | Q(key__istartswith=word)


def _has_site(word: str, user: User) -> Q:
    return Q(pk__in=Site.objects.visible_to(user).filter(name__icontains=word).values("client"))


def _spellings(dialled: str, user: User) -> Iterator[str]:
    """The number in E.164, read as people dial it in each region that we serve; nothing if it is no number."""
    regions = Client.objects.visible_to(user).order_by().values_list("region", flat=True).distinct()
    for region in regions:
        with suppress(NotANumber):
            yield to_e164(dialled, region)


def log_call(call: CallSheet, agent: Agent) -> Ticket | None:
    """Keep the call, then make it a ticket of the agent who took it; None if it was parked (see the parked box).

    Raises UnableTo for a client whom the agent does not serve.
    """
    if not Client.objects.visible_to(agent.user).filter(pk=call.client).exists():
        raise UnableTo("Choose a client whom you serve.")
    raw = json.dumps(asdict(call) | {"agent": agent.pk}).encode()
    key = f"{agent.pk}:{call.key or uuid.uuid4().hex}"
    pk, _ = Inbound.store("phone", raw, ext_key=key, client=call.client)
    ticket = take_in(pk)
    if ticket is not None and call.told is not None:
        _tie(call.told, ticket, agent)
    return ticket


def _tie(told: int, ticket: Ticket, agent: Agent) -> None:
    """The call that the exchange told of led to this ticket, and the agent is done with it once they hang up."""
    found = Call.objects.visible_to(agent.user).select_related("exchange", "ticket").filter(pk=told).first()
    if found is None or found.client_id not in (None, ticket.client_id):
        return
    with work(by=agent.actor(), at=clock.now()):
        if found.agent_id is None:
            found.take(agent)
        found.tie(ticket)


def callers_of(call: Call, user: User) -> list[Contact]:
    """Who may be on the line, of the clients that `user` may see; the one that the number names comes first."""
    if call.contact is not None and call.contact.is_active:
        return [call.contact]
    if call.number:
        return list(look_up(call.number, user))
    return []

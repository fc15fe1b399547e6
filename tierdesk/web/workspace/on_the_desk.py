"""What rings, speaks or waits to be written up at an agent's desk, and who it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from tierdesk.channels.phone.calls import callers_of
from tierdesk.channels.phone.models import Call
from tierdesk.channels.phone.progress import NO_NEWS, CallState
from tierdesk.core import clock
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Ticket

SHOWN = 5
AT_HAND = timedelta(minutes=3)
ORDER = {CallState.ANSWERED: 0, CallState.RINGING: 1, CallState.ENDED: 2}

CAUSES = {
    "normalClearing": "they hung up",
    "completed": "they hung up",
    "noAnswer": "nobody answered",
    "busy": "the line was busy",
    "cancel": "the caller gave up",
    "congestion": "the line was not to be had",
    "notFound": "there is no such number",
    "forwarded": "it went on to somebody else",
    NO_NEWS: "the exchange said no more of it",
}


@dataclass(frozen=True, slots=True)
class DeskCall:
    """A call as the desk shows it: who it may be, in a headline and in persons, and what they have open.

    `at_hand`: it rings, they speak, or it is only just over; what was not written up for longer folds.
    """

    call: Call
    headline: str
    callers: Sequence[Contact] = ()
    tickets: Sequence[Ticket] = ()
    at_hand: bool = True


def calls_on_the_desk(agent: Agent) -> list[DeskCall]:
    """The agent's calls: the one on the line, what rings, and last what waits to be written up."""
    found = Call.objects.visible_to(agent.user).on_the_desk_of(agent)
    related = found.select_related("client", "contact__client", "ticket", "exchange")
    calls = sorted(
        related[: SHOWN * 2], key=lambda call: (ORDER[CallState(call.state)], call.agent_id is None)
    )
    return [described(call, agent) for call in calls[:SHOWN]]


def described(call: Call, agent: Agent) -> DeskCall:
    callers = callers_of(call, agent.user)
    at_hand = call.ended_at is None or clock.now() - call.ended_at < AT_HAND
    return DeskCall(
        call, headline_of(call, len(callers)), callers, _open_tickets(call, callers, agent), at_hand
    )


def headline_of(call: Call, candidates: int) -> str:
    """Who it may be, in a few words."""
    if call.contact is not None:
        return call.contact.name
    if call.client is not None and call.number and candidates:
        return _("Somebody at %(client)s") % {"client": call.client.name}
    if candidates:
        return _("One of %(count)d people") % {"count": candidates}
    if call.is_hidden:
        return _("Hidden number")
    return _("Nobody we know")


def in_words(cause: str) -> str:
    """Why a call ended, of what exchanges say; what we do not know stays as it was said."""
    return _(CAUSES[cause]) if cause in CAUSES else cause


def _open_tickets(call: Call, callers: Sequence[Contact], agent: Agent) -> list[Ticket]:
    """What these people have open, the newest first; a call that has its ticket needs no other."""
    if call.ticket_id is not None or not callers:
        return []
    unresolved = Ticket.objects.visible_to(agent.user).unresolved()
    return list(unresolved.filter(contact__in=[one.pk for one in callers]).order_by("-id")[:3])

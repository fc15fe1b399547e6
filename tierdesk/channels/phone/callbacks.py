"""What the desk does about a call by itself: a missed one becomes a ticket to call back, one for all tries."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from tierdesk.channels.phone.models import Call, Direction
from tierdesk.channels.phone.progress import NO_NEWS, CallState
from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.tickets.models import Draft, Ticket


def follow_up_calls(calls: list[Any], at: datetime) -> None:
    """Due calls: one without news is over, and one that nobody took is called back."""
    for call in sorted(calls, key=lambda one: one.pk):
        if call.state in CallState.going():
            _give_up(call, at)
        if call.state == CallState.MISSED and call.direction == Direction.IN:
            _see_to_call_back(call)
    Call.objects.filter(pk__in=[call.pk for call in calls]).update(wake_at=None)


def _give_up(call: Call, at: datetime) -> None:
    state = CallState.MISSED if call.state == CallState.RINGING else CallState.ENDED
    Call.objects.filter(pk=call.pk).update(state=state, ended_at=at, cause=NO_NEWS)
    call.state, call.ended_at, call.cause = state, at, NO_NEWS
    call.announce()


def _see_to_call_back(call: Call) -> None:
    """The ticket that this number waits on already, or a new one. Without a number or a client there is none."""
    if call.ticket_id is not None or not call.number or call.client is None or not call.exchange.calls_back:
        return
    _one_at_a_time(call.number)
    waiting = Call.objects.waiting_for_a_call_back(call.number).filter(client=call.client).first()
    if waiting is not None:
        ticket = Ticket.objects.select_related("client", "contact").get(pk=waiting.ticket_id)
    elif _is_agreed(call.client, call.started_at):
        ticket = Ticket.open(_draft(call, call.client))
    else:
        return
    call.tie(ticket)


def _one_at_a_time(number: str) -> None:
    """Two tries of one caller that two workers follow up are one ticket: the second sees what the first wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [number])


def _is_agreed(client: Client, at: datetime) -> bool:
    """A client whose contract has no telephone gets no ticket from it; the call stays in the list of calls."""
    version = version_in_force(client.pk, at.date())
    return version is None or not version.channels or "phone" in version.channels


def _draft(call: Call, client: Client) -> Draft:
    who = f"{call.contact.name} ({call.number})" if call.contact else call.number
    when = call.started_at.astimezone(ZoneInfo(call.contact.zone if call.contact else client.timezone))
    return Draft(
        client=client,
        contact=call.contact,
        subject=f"Call back {who}",
        text=f"{who} called on {when:%A, %-d %B at %H:%M} ({when.tzname()}) and nobody took the call.",
        channel="phone",
        contract_version=version_in_force(client.pk, call.started_at.date()),
        traits={"call.number": call.number, "call.missed": True},
        at=call.started_at,
    )

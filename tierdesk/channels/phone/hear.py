"""What an exchange says becomes a call's row, in one commit; said again it changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from tierdesk.channels.phone.models import Call, Direction, Exchange
from tierdesk.channels.phone.numbers import is_hidden, readings
from tierdesk.channels.phone.progress import CallEvent, CallState, Happening, state_after, wakes_after
from tierdesk.core.facts import Actor
from tierdesk.core.work import work
from tierdesk.directory.clients.identify import Identity, by_number
from tierdesk.directory.staff.models import Agent
from tierdesk.tickets.models import Ticket


def hear(exchange: Exchange, event: CallEvent, at: datetime) -> Call:
    """Keep what `exchange` said; committed when this returns. Open pages are told only if something changed."""
    with work(by=Actor("channel", exchange.name), at=at):
        call, is_new = _row(exchange, event, at)
        if is_new and call.direction == Direction.OUT:
            _tie_to_call_back(call)
        changed = _news(call, event, at)
        if changed:
            Call.objects.filter(pk=call.pk).update(**changed)
            call.refresh_from_db()
        if changed or is_new:
            call.announce()
    return call


def _row(exchange: Exchange, event: CallEvent, at: datetime) -> tuple[Call, bool]:
    """The call's row, locked: two events of one call wait for each other."""
    rows = Call.objects.select_for_update(of=("self",)).select_related("exchange__client")
    known = rows.filter(exchange=exchange, ext_id=event.call_id).first()
    if known is not None:
        return known, False
    state = state_after(None, event)
    number, who = recognise(exchange, event.number)
    fresh = Call(
        exchange=exchange,
        ext_id=event.call_id,
        direction=Direction.IN if event.incoming else Direction.OUT,
        state=state,
        number=number,
        told_number="" if is_hidden(event.number) else event.number[:80],
        our_number=event.our_number[:80],
        client=who.client or exchange.client,
        contact=who.contact,
        started_at=at,
        answered_at=at if state is CallState.ANSWERED else None,
        ended_at=None if state in CallState.going() else at,
        cause=event.cause[:40],
        wake_at=_wakes_at(state, at),
    )
    [stored] = Call.objects.bulk_create([fresh], ignore_conflicts=True)
    return rows.get(exchange=exchange, ext_id=event.call_id), stored is fresh


def _news(call: Call, event: CallEvent, at: datetime) -> dict[str, Any]:
    """The columns that the event changes."""
    said = _agents(call.exchange, event.agents)
    state = state_after(CallState(call.state), event)
    told: dict[str, Any] = {"state": state}
    if state != call.state:
        told["wake_at"] = _wakes_at(state, at)
        told["cause"] = event.cause[:40]
    if event.what is Happening.ANSWERED and call.answered_at is None:
        told["answered_at"] = min(at, call.ended_at or at)
    if state not in CallState.going() and call.ended_at is None:
        told["ended_at"] = at
    if event.what is Happening.RINGS:
        told["rings_for"] = sorted({*call.rings_for, *(agent.pk for agent in said)})
    if call.agent_id is None and said and _has_the_line(call, event, state):
        told["agent"] = said[0]
    if not call.told_number and not is_hidden(event.number):
        number, who = recognise(call.exchange, event.number)
        told |= {"told_number": event.number[:80], "number": number}
        told |= {"client": call.client or who.client, "contact": call.contact or who.contact}
    if event.recording and call.exchange.keeps_recordings_days:
        told["recording"] = event.recording[:500]
    return {name: value for name, value in told.items() if value != getattr(call, name)}


def _has_the_line(call: Call, event: CallEvent, state: CallState) -> bool:
    """Whether the agents named are the ones who speak; while it rings they are only those who could."""
    if event.what is Happening.RINGS:
        return call.direction == Direction.OUT
    return event.what is Happening.ANSWERED or state is CallState.ENDED


def _wakes_at(state: CallState, at: datetime) -> datetime | None:
    pause = wakes_after(state)
    return None if pause is None else at + pause


def recognise(exchange: Exchange, told: str) -> tuple[str, Identity]:
    """The number in E.164 and who has it: the reading that somebody has, else the likeliest."""
    read = list(readings(told, exchange.dialling_region))
    for e164 in read:
        who = by_number(e164)
        if who.client or who.candidates:
            return e164, who
    return (read[0] if read else ""), Identity()


def _agents(exchange: Exchange, called: Iterable[str]) -> list[Agent]:
    """Whom the exchange means, in its order: by extension, mail address or name; a name that two have is nobody."""
    found: dict[int, Agent] = {}
    for word in filter(None, (one.strip() for one in called)):
        agents = Agent.objects.select_related("user").filter(user__is_active=True)
        by_extension = Q(extensions__exchange=exchange, extensions__number=word)
        matches = list(
            agents.filter(by_extension | Q(user__email__iexact=word) | Q(user__name__iexact=word)).distinct()[
                :2
            ]
        )
        if len(matches) == 1:
            found[matches[0].pk] = matches[0]
    return list(found.values())


def _tie_to_call_back(call: Call) -> None:
    """Somebody calls back: the call belongs to the ticket of the missed one."""
    missed = Call.objects.waiting_for_a_call_back(call.number).first() if call.number else None
    if missed is not None:
        ticket = Ticket.objects.select_related("client", "contact").get(pk=missed.ticket_id)
        if call.client_id in (None, ticket.client_id):
            call.tie(ticket)

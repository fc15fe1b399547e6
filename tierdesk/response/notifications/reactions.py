"""Who is told when something happens. Each reaction writes all notices of a batch in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tierdesk.core import rows
from tierdesk.directory.calendars.models import hours_of
from tierdesk.directory.contracts.models import Promise
from tierdesk.directory.staff.models import Membership, Team
from tierdesk.response.notifications import words
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.facts import Assigned, Heard, Replied, Resolved, Triaged
from tierdesk.tickets.models import Message, Ticket

NO_RECEIPT_FOR = {"phone", "alarms"}
"""Channels on which nobody waits for a receipt: the caller has been spoken to, a machine does not read."""

COLUMNS = ["client_id", "ticket_id", "said_id", "message_id", "case_id", "channel", "kind", "agent_id", "contact_id", "address", "sender_name", "subject", "text", "automatic", "state", "tries", "error", "created_at", "wake_at"]


class ToTeam(Protocol):
    """A fact that a team must hear of."""

    ticket: Ticket
    to_team: int
    at: datetime


class Returned(Protocol):
    ticket: Ticket
    note: str
    at: datetime


class ToAgents(Protocol):
    ticket: Ticket
    agents: list[int]
    why: str
    at: datetime


class ToVendor(Protocol):
    ticket: Ticket
    case: int
    to: str
    headline: str
    text: str
    at: datetime


class AboutCase(Protocol):
    ticket: Ticket
    at: datetime


class Chased(Protocol):
    ticket: Ticket
    driver: int | None
    why: str
    at: datetime


class Asked(Protocol):
    ticket: Ticket
    team: int
    question: str
    at: datetime


class Advised(Protocol):
    ticket: Ticket
    answer: str
    at: datetime


def send_receipts(facts: list[Triaged]) -> None:
    """The contact gets the number and what happens next. It never stops the respond clock and quotes nothing."""
    wanted = [f for f in facts if f.ticket.channel not in NO_RECEIPT_FOR and _may_be_answered(f.ticket)]
    promised = _acknowledge_promises(wanted)
    _write([_receipt(fact.ticket, fact.at, promised) for fact in wanted])


def mail_replies(facts: list[Replied]) -> None:
    """Our public words go to the contact, in the voice of the team that talks to them."""
    messages = Message.objects.in_bulk([fact.message for fact in facts])
    _write(
        [
            _mail(
                fact.ticket,
                "reply",
                fact.at,
                words.fill(words.REPLY, _about(fact.ticket) | {"text": messages[fact.message].text}),
                message=fact.message,
            )
            for fact in facts
            if _has_address(fact.ticket)
        ]
    )


def mail_resolutions(facts: list[Resolved]) -> None:
    """The contact is told by the first line's voice, with how to reopen."""
    messages = Message.objects.in_bulk([fact.message for fact in facts if fact.message])
    _write(
        [
            _mail(fact.ticket, "resolved", fact.at, _resolution_text(fact, messages), message=fact.message)
            for fact in facts
            if _has_address(fact.ticket)
        ]
    )


def tell_team(facts: list[Triaged]) -> None:
    """The team that a new ticket was routed to sees a notice; for P1 and P2 only, so that it stays worth reading."""
    urgent = [fact for fact in facts if fact.ticket.priority <= 2 and fact.ticket.team_id]
    _tell_teams([(fact.ticket, fact.ticket.team_id or 0, "new_ticket", {}, fact.at) for fact in urgent])


def tell_assignee(facts: list[Assigned]) -> None:
    """An agent to whom somebody else gave a ticket is told."""
    given = [fact for fact in facts if fact.agent and fact.by.id != fact.agent]
    _write([_desk(fact.ticket, fact.agent or 0, "assigned", {}, fact.at) for fact in given])


def tell_about_words(facts: list[Heard]) -> None:
    """Whoever works a ticket hears that the contact wrote."""
    heard = [fact for fact in facts if fact.ticket.assignee_id and not fact.automatic]
    _write([_desk(fact.ticket, fact.ticket.assignee_id or 0, "heard", {}, fact.at) for fact in heard])


def tell_receiving_team(facts: Sequence[ToTeam]) -> None:
    _tell_teams([(fact.ticket, fact.to_team, "escalated", {}, fact.at) for fact in facts])


def tell_sending_team(facts: Sequence[Returned]) -> None:
    """Whoever sent a hand-over learns why it came back; the whole team, if nobody in particular sent it."""
    for fact in facts:
        values = {"note": fact.note}
        if fact.ticket.assignee_id:
            _write([_desk(fact.ticket, fact.ticket.assignee_id, "returned", values, fact.at)])
        elif fact.ticket.team_id:
            _tell_teams([(fact.ticket, fact.ticket.team_id, "returned", values, fact.at)])


def tell_hierarchy(facts: Sequence[ToAgents]) -> None:
    _write([_desk(f.ticket, agent, "hierarchy", {"why": f.why}, f.at) for f in facts for agent in f.agents])


def tell_consulted_team(facts: Sequence[Asked]) -> None:
    _tell_teams(
        [(fact.ticket, fact.team, "consulted", {"question": fact.question}, fact.at) for fact in facts]
    )


def tell_advised(facts: Sequence[Advised]) -> None:
    advised = [fact for fact in facts if fact.ticket.assignee_id]
    _write(
        [_desk(f.ticket, f.ticket.assignee_id or 0, "advice", {"answer": f.answer}, f.at) for f in advised]
    )


def mail_vendor(facts: Sequence[ToVendor]) -> None:
    """Our words on a case go to the vendor; the subject carries both numbers."""
    _write([_vendor_mail(fact) for fact in facts if fact.to])


def tell_about_case(facts: Sequence[AboutCase]) -> None:
    heard = [fact for fact in facts if fact.ticket.assignee_id]
    _write([_desk(fact.ticket, fact.ticket.assignee_id or 0, "case_heard", {}, fact.at) for fact in heard])


def remind_driver(facts: Sequence[Chased]) -> None:
    _write([_desk(f.ticket, f.driver, "chase", {"why": f.why}, f.at) for f in facts if f.driver])


def _may_be_answered(ticket: Ticket) -> bool:
    """A receipt goes to a known contact only: never to a sender who may be forged, never to one we cannot reach."""
    if not _has_address(ticket) or "mail.no_receipt" in ticket.traits:
        return False
    return ticket.contact is not None and ticket.contact.undeliverable_since is None


def _has_address(ticket: Ticket) -> bool:
    return ticket.contact is not None and bool(ticket.contact.email)


def _about(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.reference,
        "subject": ticket.subject,
        "client": ticket.client.name,
        "priority": ticket.priority,
        "team": ticket.voice_team.name if ticket.voice_team else "Service Desk",
        "name": ticket.contact.name if ticket.contact else "",
    }


def _receipt(ticket: Ticket, at: datetime, promised: dict[tuple[int | None, int], Promise]) -> dict[str, Any]:
    promise = promised.get((ticket.contract_version_id, ticket.priority))
    due = _due(promise, ticket) if promise else None
    said = words.fill(words.RECEIPT_PROMISE, {"acknowledge": _local(due, ticket)}) if due else ""
    text = words.fill(words.RECEIPT, _about(ticket) | {"promise": said})
    return _mail(ticket, "receipt", at, text, automatic=True)


def _due(promise: Promise, ticket: Ticket) -> datetime | None:
    return hours_of(promise.calendar_id).add(ticket.created_at, timedelta(seconds=promise.target_s))


def _local(at: datetime, ticket: Ticket) -> str:
    zone = ticket.contact.zone if ticket.contact else ticket.client.timezone
    return f"{at.astimezone(ZoneInfo(zone)):%A %d %B, %H:%M}"


def _acknowledge_promises(facts: Sequence[Triaged]) -> dict[tuple[int | None, int], Promise]:
    versions = {fact.ticket.contract_version_id for fact in facts if fact.ticket.contract_version_id}
    promises = Promise.objects.filter(contract_version__in=versions, metric="acknowledge", party="SLA")
    return {(promise.contract_version_id, promise.priority): promise for promise in promises}


def _resolution_text(fact: Resolved, messages: dict[int, Message]) -> str:
    about = _about(fact.ticket)
    said = messages[fact.message].text if fact.message else words.fill(words.RESOLVED_WITHOUT_WORDS, about)
    return words.fill(words.RESOLVED, about | {"text": said, "days": fact.ticket.reopen_window().days})


def _mail(
    ticket: Ticket, kind: str, at: datetime, text: str, *, message: int | None = None, automatic: bool = False
) -> dict[str, Any]:
    assert ticket.contact is not None
    return {
        **_row(ticket, at),
        "said_id": message,
        "channel": "mail",
        "kind": kind,
        "contact_id": ticket.contact_id,
        "address": ticket.contact.email,
        "sender_name": ticket.voice_team.name if ticket.voice_team else "Service Desk",
        "subject": f"Re: {ticket.subject} [{ticket.reference}]"[:300],
        "text": text,
        "automatic": automatic,
        "wake_at": at,
    }


def _vendor_mail(fact: ToVendor) -> dict[str, Any]:
    return {
        **_row(fact.ticket, fact.at),
        "channel": "mail",
        "kind": "vendor",
        "case_id": fact.case,
        "address": fact.to,
        "sender_name": "Platform support",
        "subject": fact.headline[:300],
        "text": words.fill(words.VENDOR, {"text": fact.text, "number": f"VC-{fact.case}"}),
        "wake_at": fact.at,
    }


def _desk(ticket: Ticket, agent: int, kind: str, values: dict[str, Any], at: datetime) -> dict[str, Any]:
    team = {"team": ticket.team.name if ticket.team else ""}
    subject, text = words.desk_notice(kind, _about(ticket) | team | values)
    return {
        **_row(ticket, at),
        "channel": "desk",
        "kind": kind,
        "agent_id": agent,
        "subject": subject,
        "text": text,
        "state": "sent",
    }


def _row(ticket: Ticket, at: datetime) -> dict[str, Any]:
    return {
        "client_id": ticket.client_id,
        "ticket_id": ticket.pk,
        "address": "",
        "sender_name": "",
        "automatic": False,
        "state": "pending",
        "tries": 0,
        "error": "",
        "message_id": "",
        "created_at": at,
    }


def _tell_teams(telling: Sequence[tuple[Ticket, int, str, dict[str, Any], datetime]]) -> None:
    if not telling:
        return
    members = _members({team for _, team, _, _, _ in telling})
    names = dict(Team.objects.filter(pk__in=members).values_list("pk", "name"))
    _write(
        [
            _desk(ticket, agent, kind, {"team": names[team], **values}, at)
            for ticket, team, kind, values, at in telling
            for agent in members.get(team, ())
        ]
    )


def _members(teams: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    present = Membership.objects.filter(team__in=list(teams), agent__is_away=False)
    for team, agent in present.values_list("team_id", "agent_id"):
        found[team].append(agent)
    return found


def _write(notices: Sequence[dict[str, Any]]) -> None:
    rows.insert(Notice, COLUMNS, [[notice.get(name) for name in COLUMNS] for notice in notices])

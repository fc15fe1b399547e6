"""The ticket page and what hangs on it: its stream, its clocks explained, its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from tierdesk.channels.alarms.lines import lines_of
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.phone.models import Call
from tierdesk.core import clock
from tierdesk.core.written import Written
from tierdesk.directory.clients.models import Contact, Number
from tierdesk.directory.contracts.boundary import boundary_of
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Category, Service, TicketType
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.learning.prediction.models import Outlook
from tierdesk.learning.problems.models import Problem
from tierdesk.response.sla.dates import may_promise
from tierdesk.response.sla.explain import explain
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.policy import CLIENT_OWES
from tierdesk.response.sla.terms import Terms
from tierdesk.tickets.lifecycle import PendingReason, ResolutionCode, State
from tierdesk.tickets.models import Attachment, Entry, Ticket
from tierdesk.web.workspace.books import books_of
from tierdesk.web.workspace.chosen import chosen_of
from tierdesk.web.workspace.clocks import (
    case_of,
    faces_of,
    pause_in_words,
    spent_on,
    turns_of,
    vendor_contract,
    worst,
)
from tierdesk.web.workspace.guard import (
    agent_of,
    agent_page,
    answers_for,
    ticket_of,
    user_of,
    what_is_seen,
)
from tierdesk.web.workspace.hanging import hanging_on
from tierdesk.web.workspace.ladder import ladder_of
from tierdesk.web.workspace.majors import band_of, proposed_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.stream import movable_of, stream_of
from tierdesk.web.workspace.waiting import ahead_of

SHOWN_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}
CALLS_SHOWN = 12
OFFERED = 200
"""People of a client, for whoever names the contact of a ticket."""

ELSEWHERE = {PendingReason.REQUESTER_INFO, PendingReason.MAJOR_PARENT}
"""What a ticket does not wait for by a choice in a list: a question is asked, a link is made."""

_ENTRIES = Written(lambda ticket_id: Entry.objects.of(ticket_id))
_OUTLOOK = Written(lambda user, ticket: Outlook.objects.visible_to(user).told_of(ticket), by=what_is_seen)
_COLLEAGUES = Written(
    lambda team: Agent.objects.filter(memberships__team=team).select_related("user").distinct()
)
_CATEGORIES = Written(lambda: Category.objects.all())
_SERVICES = Written(lambda client: Service.objects.filter(Q(client=client) | Q(client=None)).order_by("name"))
_TEAMS = Written(
    lambda client: (
        Team.objects.filter(Q(serves_every_client=True) | Q(clients=client))
        .distinct()
        .order_by("tier", "name")
    )
)
_PROBLEMS = Written(
    lambda user, ticket: (
        Problem.objects.visible_to(user)
        .going()
        .filter(occurrences__ticket=ticket)
        .with_awaited(ticket)
        .order_by("id")
    ),
    by=what_is_seen,
)
_NUMBERS = Written(lambda contact: Number.objects.filter(contact=contact).order_by("pk"))
_CALLS = Written(
    lambda ticket: (
        Call.objects.filter(ticket=ticket).select_related("agent__user").order_by("-id")[:CALLS_SHOWN]
    )
)


@agent_page
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole ticket. Asked by htmx, it answers with all that changes, without what is being written."""
    found = ticket_of(request, pk)
    context = _ticket_context(request, found)
    if request.headers.get("HX-Request"):
        return render(request, "workspace/ticket_news.html", context)
    return render(request, "workspace/ticket.html", context | navigation(request))


def _ticket_context(request: HttpRequest, found: Ticket) -> dict[str, Any]:
    at = clock.now()
    entries = _ENTRIES(ticket_id=found.pk)
    hanging, is_unresolved = hanging_on(found), found.is_unresolved()
    teams = _TEAMS(client=found.client_id) if is_unresolved else []
    faces, stream = faces_of(found, at), stream_of(found, entries, hanging)
    return {
        "ticket": found,
        "agent": agent_of(request),
        "stream": stream,
        "movable": movable_of(stream),
        "faces": faces,
        "worst": worst(faces),
        "outlook": next(iter(_OUTLOOK(user_of(request), ticket=found)), None),
        "colleagues": _COLLEAGUES(team=found.team_id) if is_unresolved else [],
        "categories": _CATEGORIES() if is_unresolved else [],
        "services": _SERVICES(client=found.client_id) if is_unresolved else [],
        "pending_reasons": [(v, label) for v, label in PendingReason.choices if v not in ELSEWHERE],
        "types": TicketType.choices,
        "resolution_codes": ResolutionCode.choices,
        "may_promise": may_promise(agent_of(request), found),
        "may_override": agent_of(request).leads(found.team_id),
        "numbers": _NUMBERS(contact=found.contact_id) if found.contact_id else [],
        "can_reopen": found.can_reopen(at),
        "told": _told_by_form(found),
        "band": band_of(found, user_of(request)),
        "proposed": proposed_of(found, entries),
        "ahead": ahead_of(found),
        "chosen": chosen_of(found, entries),
        "boundary": boundary_of(found.category, found.contract_version),
        "other_terms": _other_terms(found, agent_of(request)),
        "teams": teams,
        "unheard_because": found.why_nobody_hears(),
        "read_by": _read_by(found),
        "people": [] if found.contact_id or not is_unresolved else _people_of(found, user_of(request)),
        "problems": _PROBLEMS(user_of(request), ticket=found) if "problems" in hanging else [],
        "alarms": lines_of(found, user_of(request)) if found.channel == "alarms" else None,
        "calls": _CALLS(ticket=found) if "calls" in hanging else [],
        **books_of(found, agent_of(request), hanging),
        **ladder_of(found, agent_of(request), teams, hanging),
    }


def _read_by(found: Ticket) -> str:
    """Who gets our replies, in a few words."""
    if found.channel == "chat" and (bridge := Bridge.objects.filter(conversation__ticket=found).first()):
        return _("the thread at %(bridge)s") % {"bridge": bridge.name}
    if found.contact is not None and found.contact.email:
        return f"{found.contact.name} <{found.contact.email}>"
    if found.channel == "chat":
        return _("the visitor, in the chat or by mail once they have left it")
    return _("those who follow this ticket")


def _people_of(found: Ticket, user: User) -> Sequence[Contact]:
    """Who it may be, of a ticket without a contact."""
    theirs = Contact.objects.visible_to(user).filter(client=found.client_id, is_active=True)
    return list(theirs.exclude(email="").order_by("name")[:OFFERED])


def _other_terms(found: Ticket, agent: Agent) -> list[ContractVersion]:
    """The versions of the client's contracts that this agent may let apply instead, the newest first."""
    if not found.is_unresolved() or not answers_for(agent, found):
        return []
    versions = ContractVersion.objects.filter(client=found.client_id, contract__type__in=["", found.type])
    versions = versions.exclude(pk=found.contract_version_id)
    return list(versions.select_related("contract").order_by("-effective_from", "-version"))


def _told_by_form(found: Ticket) -> list[tuple[str, str]]:
    """The answers to a form, each by itself: what it was called, and what was said."""
    answers = (
        (name.removeprefix("form."), said) for name, said in found.traits.items() if name.startswith("form.")
    )
    return [(name.replace("_", " ").capitalize(), str(said)) for name, said in answers]


@agent_page
def explained_clock(request: HttpRequest, pk: int, clock_id: int) -> HttpResponse:
    """How a deadline came about: windows, pauses, versions, who changed what; and where the ticket's time went."""
    found = ticket_of(request, pk)
    one = get_object_or_404(
        Clock.objects.visible_to(user_of(request)).select_related("calendar__calendar"),
        pk=clock_id,
        ticket=found,
    )
    now, case = clock.now(), case_of(one)
    context = {
        "ticket": found,
        "explanation": explain(one, now),
        "case": case,
        "vendor_contract": vendor_contract(case) if case else "",
        "turns": turns_of(one, found, case),
        "in_words": pause_in_words,
        "time": spent_on(found, one, now),
        "clocks": faces_of(found, now),
        "standing_reasons": _standing_reasons(request, found),
    }
    return render(request, "workspace/clock.html", context | navigation(request))


def _standing_reasons(request: HttpRequest, ticket: Ticket) -> list[tuple[str, str]]:
    """For what a wait may be put in afterwards, by whoever may do so; none for others, and once it is settled."""
    if ticket.state in (State.CLOSED, State.CANCELLED) or not answers_for(agent_of(request), ticket):
        return []
    agreed = Terms.of([ticket]).policies(ticket).pause_reasons
    standing = CLIENT_OWES if agreed is None else agreed
    return [(value, label) for value, label in PendingReason.choices if value in standing]


@agent_page
def attachment(request: HttpRequest, pk: int, attachment_id: int) -> HttpResponse:
    """A file, as a download that no browser interprets; a few harmless kinds may be shown."""
    found = ticket_of(request, pk)
    file = get_object_or_404(
        Attachment.objects.visible_to(user_of(request)), pk=attachment_id, message__ticket=found
    )
    kind = file.content_type if file.content_type in SHOWN_INLINE else "application/octet-stream"
    response = HttpResponse(bytes(file.content), content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response

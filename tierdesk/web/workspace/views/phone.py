"""A call comes in: who is it, what is wrong, and the ticket is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tierdesk.channels.phone.calls import SHOWN, CallSheet, callers_of, clients_told, log_call, look_up
from tierdesk.channels.phone.models import Call
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import Category, Service, TicketType
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.on_the_desk import calls_on_the_desk
from tierdesk.web.workspace.views.calls import call_of, sharing

SOMEBODY_ELSE = "client-"
"""How the list of callers says “somebody of this client whom we do not know”: this and the client’s key."""

MORE = ("category", "type", "service", "impact", "urgency")


@agent_page
def new_call(request: HttpRequest) -> HttpResponse:
    """The form of a call; POST keeps it and opens the ticket. Sent twice, it is one ticket.

    The call that is on the agent's desk fills the form in; `call` names another one, `call=0` none.
    """
    told = _told(request)
    errors: dict[str, str] = {}
    if request.method == "POST":
        sheet, errors = _read(request, told)
        if sheet is not None:
            return _log(request, sheet)
    context = _form(request, told) | {"errors": errors}
    several = told is not None and sharing([told], user_of(request))[told.number] > 1
    context["begins_at"] = _first_to_say(told, errors, who=bool(context["chosen"]) and not several)
    return render(
        request, "workspace/call.html", context | navigation(request), status=422 if errors else 200
    )


@agent_page
def callers(request: HttpRequest) -> HttpResponse:
    """Who may be calling, while the agent types: contacts with their open tickets, or the clients to choose from."""
    typed = request.GET.get("caller", "")[:100]
    found, told = _found(typed, user_of(request))
    shown = {"typed": typed, "chosen": _likely(typed, found, told), "told": None}
    return render(request, "workspace/callers_found.html", shown | _callers(request, found, told))


def _told(request: HttpRequest) -> Call | None:
    """The exchange's call that the form is about."""
    said = request.POST.get("call", "") if request.method == "POST" else request.GET.get("call")
    if said:
        return call_of(request, _number(said)) if _number(said) else None
    if said == "" or "contact" in request.GET:
        return None
    going = [one.call for one in calls_on_the_desk(agent_of(request)) if one.call.ticket is None]
    return going[0] if going else None


def _first_to_say(told: Call | None, errors: Mapping[str, str], *, who: bool) -> str:
    """Where the cursor stands: at what was wrong, else at the first thing that is not known yet.

    `who`: the caller is taken to be somebody; of several people who share the number, the agent hears it first.
    """
    if errors:
        return "choice" if "client" in errors else "subject"
    if told is None:
        return "caller"
    return "subject" if who else "choice"


def _log(request: HttpRequest, sheet: CallSheet) -> HttpResponse:
    ticket = log_call(sheet, agent_of(request))
    if ticket is None:
        messages.warning(request, "The call is kept, but it is no ticket yet: the parked box says why.")
        return redirect("workspace:parked")
    return redirect("workspace:date" if request.POST.get("promised") else "workspace:ticket", ticket.pk)


def _form(request: HttpRequest, told: Call | None) -> dict[str, Any]:
    """What the form shows: what was sent, or else what is known of the caller."""
    user, values = user_of(request), request.POST.dict()
    clients: Sequence[Client] = []
    named = Contact.objects.visible_to(user).filter(pk=_number(request.GET.get("contact", ""))).first()
    typed = values.get("caller", told.number or told.told_number if told else named.name if named else "")
    found: Sequence[Contact] = [named] if named else callers_of(told, user) if told else []
    if request.method == "POST":
        found, clients = _found(typed, user)
    if told and told.client and not found:
        clients = [told.client]
    return {
        "values": values,
        "typed": typed,
        "told": told,
        "chosen": values.get("contact", _likely(typed, found, clients)),
        "more": any(values.get(name) for name in MORE),
        "categories": Category.objects.all(),
        "types": TicketType.choices,
        "services": Service.objects.visible_to(user),
        "key": values.get("key") or uuid.uuid4().hex,
        **_callers(request, found, clients),
    }


def _found(typed: str, user: User) -> tuple[list[Contact], list[Client]]:
    """Whom we know of those who may be calling, and for whom somebody else may be."""
    return list(look_up(typed, user)), list(clients_told(typed, user))


def _likely(typed: str, found: Sequence[Contact], told: Sequence[Client]) -> str:
    """Who is taken to be calling until the agent says: the one there is, or the best match of a name or address.

    A number that several share, a switchboard, a client’s name: each tells of nobody, at most of the client.
    """
    if found and (len(found) == 1 or _names(typed, found[0])):
        return str(found[0].pk)
    clients = {contact.client_id for contact in found} | {client.pk for client in told}
    return f"{SOMEBODY_ELSE}{clients.pop()}" if len(clients) == 1 else ""


def _names(typed: str, contact: Contact) -> bool:
    said, address = typed.strip().casefold(), contact.email.casefold()
    return bool(said) and (said in contact.name.casefold() or address.startswith(said))


def _callers(request: HttpRequest, found: Sequence[Contact], told: Sequence[Client]) -> dict[str, Any]:
    """Context for `workspace/callers.html`: (contact, open tickets) each, and the clients of whom somebody may call."""
    user = user_of(request)
    open_tickets = Ticket.objects.visible_to(user).unresolved().filter(contact__in=[c.pk for c in found])
    by_contact: dict[int, list[Ticket]] = {}
    for ticket in open_tickets.order_by("-id")[:40]:
        by_contact.setdefault(ticket.contact_id or 0, []).append(ticket)
    theirs = {client.pk: client for client in [*(contact.client for contact in found), *told]}
    return {
        "found": [(contact, by_contact.get(contact.pk, [])[:3]) for contact in found],
        "theirs": list(theirs.values()),
        "known": {contact.client_id for contact in found},
        "cut": len(found) == SHOWN,
        "clients": [] if theirs else Client.objects.visible_to(user).filter(is_active=True),
    }


def _read(request: HttpRequest, told: Call | None) -> tuple[CallSheet | None, dict[str, str]]:
    form, user = request.POST, user_of(request)
    said = form.get("contact", "")
    contact = Contact.objects.visible_to(user).filter(pk=_number(said)).first()
    client_id = contact.client_id if contact else _number(said.removeprefix(SOMEBODY_ELSE))
    client_id = client_id or _number(form.get("client", ""))
    errors: dict[str, str] = {}
    if not Client.objects.visible_to(user).filter(pk=client_id).exists():
        errors["client"] = "Choose the caller, or at least the client."
    if not form.get("subject", "").strip():
        errors["subject"] = "Say in a few words what is wrong."
    if errors:
        return None, errors
    sheet = CallSheet(
        client=client_id,
        contact=contact.pk if contact else None,
        subject=form["subject"],
        text=form.get("text", "").strip() or form["subject"],
        category=form.get("category", ""),
        service=_number(form.get("service", "")) or None,
        impact=_one_to_three(form.get("impact", "")),
        urgency=_one_to_three(form.get("urgency", "")),
        number=told.number if told else form.get("caller", "")[:40],
        key=form.get("key", "")[:64],
        told=told.pk if told else None,
        type=form.get("type", "") if form.get("type") in TicketType.values else "",
    )
    return sheet, {}


def _one_to_three(raw: str) -> int | None:
    return int(raw) if raw in {"1", "2", "3"} else None


def _number(raw: str) -> int:
    return int(raw) if raw.isdecimal() and raw.isascii() and len(raw) < 18 else 0

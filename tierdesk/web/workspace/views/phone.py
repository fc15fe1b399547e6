"""A call comes in: who is it, what is wrong, and the ticket is there."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tierdesk.channels.phone.calls import CallSheet, log_call, look_up
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.services.models import Category, Service
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def new_call(request: HttpRequest) -> HttpResponse:
    """The form of a call; POST keeps it and opens the ticket. Sent twice, it is one ticket."""
    errors: dict[str, str] = {}
    if request.method == "POST":
        call, errors = _read(request)
        if call is not None:
            ticket = log_call(call, agent_of(request))
            if ticket is None:
                messages.warning(
                    request,
                    "The call is kept, but it is no ticket yet: the parked box says why.",
                )
                return redirect("workspace:parked")
            return redirect("workspace:ticket", ticket.pk)
    caller = (
        Contact.objects.visible_to(user_of(request))
        .filter(pk=_number(request.GET.get("contact", "")))
        .first()
    )
    context = {
        "values": request.POST.dict(),
        "errors": errors,
        "caller": caller,
        "clients": Client.objects.visible_to(user_of(request)).filter(is_active=True),
        "categories": Category.objects.all(),
        "services": Service.objects.visible_to(user_of(request)),
        "key": request.POST.get("key") or uuid.uuid4().hex,
    }
    return render(
        request, "workspace/call.html", context | navigation(request), status=422 if errors else 200
    )


@agent_page
def callers(request: HttpRequest) -> HttpResponse:
    """Who may be calling, while the agent types: contacts with their open tickets."""
    found = list(look_up(request.GET.get("caller", "")[:100], user_of(request)))
    open_tickets = (
        Ticket.objects.visible_to(user_of(request)).unresolved().filter(contact__in=[c.pk for c in found])
    )
    by_contact: dict[int, list[Ticket]] = {}
    for ticket in open_tickets.order_by("-id")[:40]:
        by_contact.setdefault(ticket.contact_id or 0, []).append(ticket)
    context = {
        "found": [(contact, by_contact.get(contact.pk, [])[:3]) for contact in found],
        "typed": request.GET.get("caller", ""),
    }
    return render(request, "workspace/callers.html", context)


def _read(request: HttpRequest) -> tuple[CallSheet | None, dict[str, str]]:
    form, user = request.POST, user_of(request)
    contact = Contact.objects.visible_to(user).filter(pk=_number(form.get("contact", ""))).first()
    client_id = contact.client_id if contact else _number(form.get("client", ""))
    errors: dict[str, str] = {}
    if not Client.objects.visible_to(user).filter(pk=client_id).exists():
        errors["client"] = "Choose the caller, or at least the client."
    if not form.get("subject", "").strip():
        errors["subject"] = "Say in a few words what is wrong."
    if errors:
        return None, errors
    call = CallSheet(
        client=client_id,
        contact=contact.pk if contact else None,
        subject=form["subject"],
        text=form.get("text", "").strip() or form["subject"],
        category=form.get("category", ""),
        service=_number(form.get("service", "")) or None,
        impact=_one_to_three(form.get("impact", "")),
        urgency=_one_to_three(form.get("urgency", "")),
        number=form.get("caller", "")[:40],
        key=form.get("key", "")[:64],
    )
    return call, {}


def _one_to_three(raw: str) -> int | None:
    return int(raw) if raw in {"1", "2", "3"} else None


def _number(raw: str) -> int:
    return int(raw) if raw.isdigit() and len(raw) < 18 else 0

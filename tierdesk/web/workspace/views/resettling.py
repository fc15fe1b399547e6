"""A ticket that was logged for the wrong client: whose it is, and who of theirs has the trouble."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.resettling import move_to_client
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def client(request: HttpRequest, pk: int) -> HttpResponse:
    """Whose ticket it is, of the clients that this agent serves. POST moves it there."""
    ticket = ticket_of(request, pk)
    if request.method != "POST":
        return _form(request, ticket)
    seen = request.POST.get("version", "")
    try:
        if seen.isdecimal() and int(seen) != ticket.version:
            raise StaleTicket(ticket)
        to = _client(request)
        contact = _contact(request, to)
        with work(by=agent_of(request).actor(), at=clock.now()):
            move_to_client(
                ticket,
                to,
                by=agent_of(request),
                why=request.POST.get("why", ""),
                contact=contact,
                theirs=bool(request.POST.get("theirs")),
            )
    except StaleTicket:
        messages.warning(
            request,
            _("%s was changed by somebody else in the meantime. It was not moved.") % ticket.reference,
        )
        return redirect("workspace:client-of", pk)
    except UnableTo as refusal:
        return _form(request, ticket_of(request, pk), refused=str(refusal))
    messages.success(
        request,
        _("%(number)s belongs to %(client)s now; its clocks count from when it was received.")
        % {"number": ticket.reference, "client": to.name},
    )
    return redirect("workspace:ticket", pk)


def _client(request: HttpRequest) -> Client:
    mine = Client.objects.visible_to(user_of(request))
    found: Client | None = mine.filter(key=request.POST.get("client", "")).first()
    if found is None:
        raise UnableTo(_("Choose whose ticket it is."))
    return found


def _contact(request: HttpRequest, client: Client) -> Contact | None:
    """Who of that client’s has the address that was typed; None where nothing was."""
    address = request.POST.get("contact", "").strip()
    if not address:
        return None
    theirs = Contact.objects.visible_to(user_of(request)).filter(client=client, is_active=True)
    found: Contact | None = theirs.filter(email__iexact=address).first()
    if found is None:
        raise UnableTo(
            _("%(client)s has nobody with the address %(address)s.")
            % {"client": client.name, "address": address[:80]}
        )
    return found


def _form(request: HttpRequest, ticket: Ticket, *, refused: str = "") -> HttpResponse:
    others = Client.objects.visible_to(user_of(request)).filter(is_active=True).exclude(pk=ticket.client_id)
    context: dict[str, Any] = {
        "ticket": ticket,
        "clients": list(others.order_by("name").values_list("key", "name")),
        "refused": refused,
        "said": {name: request.POST.get(name, "") for name in ("client", "contact", "why", "theirs")},
    }
    status = 422 if refused else 200
    return render(request, "workspace/client_of.html", context | navigation(request), status=status)

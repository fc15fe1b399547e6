"""What every page of the portal begins with: a contact who is signed in, and a ticket that this contact may see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from tierdesk.directory.clients.models import Contact
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket

type View = Callable[..., HttpResponse]


def contact_page(view: View) -> View:
    """Only contacts get in; the page speaks in their time zone. An agent is shown to the workspace."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if hasattr(request.user, "agent"):
            return redirect("workspace:home")
        contact = _find_contact(user_of(request))
        if contact is None:
            return redirect_to_login(request.get_full_path())
        user_of(request).contact = contact
        with timezone.override(contact.zone):
            return view(request, *args, **kwargs)

    return guarded


def _find_contact(user: User) -> Contact | None:
    contacts = Contact.objects.visible_to(user).select_related("client")
    found: Contact | None = contacts.filter(user=user, is_active=True, client__is_active=True).first()
    return found


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def contact_of(request: HttpRequest) -> Contact:
    return user_of(request).contact


def ticket_of(request: HttpRequest, pk: int) -> Ticket:
    """The ticket, if this contact may see it; forbidden and unknown look the same (404)."""
    tickets = Ticket.objects.visible_to(user_of(request)).select_related(
        "contract_version", "service", "client"
    )
    found: Ticket = get_object_or_404(tickets, pk=pk)
    return found

"""What every page of the workspace begins with: an agent who is signed in, and a ticket that this agent may see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from tierdesk.core.written import Written
from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import Agent, User
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.local import zone_of

type View = Callable[..., HttpResponse]


def agent_page(view: View) -> View:
    """Only agents get in; the page speaks in their time zone.

    Others are shown to a face of their own, a stranger to the sign-in page.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not hasattr(request.user, "agent"):
            return redirect("settings:home" if request.user.is_admin else "portal:tickets")
        with timezone.override(zone_of(request.user)):
            return view(request, *args, **kwargs)

    return guarded


def manager_page(view: View) -> View:
    """Only managers and administrators get in; for other agents the page does not exist."""

    @agent_page
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (agent_of(request).is_manager or user_of(request).is_admin):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def admin_page(view: View) -> View:
    """Only administrators get in, agents or not; for other agents the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if user_of(request).is_admin:
            with timezone.override(zone_of(user_of(request))):
                return view(request, *args, **kwargs)
        if hasattr(request.user, "agent"):
            raise Http404
        return redirect("portal:tickets")

    return guarded


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def agent_of(request: HttpRequest) -> Agent:
    return user_of(request).agent


def answers_for(agent: Agent, ticket: Ticket) -> bool:
    """Who lets other terms apply and puts a wait in afterwards: a lead of the ticket's team, or a manager."""
    return agent.is_manager or agent.leads(ticket.team_id)


def ticket_of(request: HttpRequest, pk: int) -> Ticket:
    """The ticket, if this user may see it; forbidden and unknown look the same (404)."""
    found: list[Ticket] = _TICKET(user_of(request), pk=pk)
    if not found:
        raise Http404
    return found[0]


def what_is_seen(user: User) -> frozenset[int] | None:
    """What shapes `visible_to` for agents (core/written.py): the clients that they serve; None for all of them."""
    if not hasattr(user, "agent"):
        raise TypeError(f"{user} is no agent: what others see has more to it than clients")
    return visible_clients(user)


_RELATED = (
    "client",
    "contact__client",
    "service",
    "category",
    "suggested_category",
    "team",
    "voice_team",
    "assignee__user",
    "contract_version__contract",
    "duplicate_of",
)
_TICKET = Written(
    lambda user, pk: Ticket.objects.visible_to(user).filter(pk=pk).select_related(*_RELATED), by=what_is_seen
)

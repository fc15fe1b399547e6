"""Who calls: a bearer token and nothing else. Cookies are not looked at, so nobody can be tricked into a call."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja.security import HttpBearer

from tierdesk.core import clock
from tierdesk.core.scope import NO_CLIENT, set_scope
from tierdesk.directory.clients.visibility import scope_of
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.models import Token, digest

type Run = Callable[..., HttpResponse]


class Bearer(HttpBearer):
    """`Authorization: Bearer td_…`. Opens the second lock (core/scope.py) for what the token's user may see."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        now = clock.now()
        known = Token.objects.valid(now).select_related("user__agent").filter(sha256=digest(token)).first()
        if known is None:
            return None
        known.note_use(now)
        set_scope(scope_of(known.user))
        return known.user


def behind_the_lock(run: Run) -> Run:
    """Close the second lock when the call ends, however it ends; also what a cookie's session had opened before."""

    @wraps(run)
    def locked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        set_scope(NO_CLIENT)
        try:
            return run(request, *args, **kwargs)
        finally:
            set_scope(NO_CLIENT)

    return locked


def caller(request: HttpRequest) -> User:
    """The user whose token was shown."""
    user: User = request.auth  # type: ignore[attr-defined]
    return user


def only_managers(request: HttpRequest) -> None:
    """For everybody but managers and administrators, what follows does not exist (404)."""
    user = caller(request)
    if not (user.is_admin or user.agent.is_manager):
        raise Http404


def ticket_of(request: HttpRequest, pk: int) -> Ticket:
    """The ticket, if the caller may see it; forbidden and unknown look the same (404)."""
    tickets = Ticket.objects.visible_to(caller(request)).select_related(
        "client", "contact", "service", "category", "team", "assignee__user", "contract_version"
    )
    found: Ticket | None = tickets.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found

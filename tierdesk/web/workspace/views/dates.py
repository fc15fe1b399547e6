"""A date that is promised to the client for one ticket: given, moved, taken back. What it counts as is said first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.response.sla.dates import (
    Counted,
    counted,
    may_promise,
    promise_date,
    standing_dates,
    take_back_date,
)
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.local import instant_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def date(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a date. POST promises it; one outside the hours only when the form names what it counts as."""
    ticket = ticket_of(request, pk)
    if request.method != "POST":
        return _form(request, ticket)
    said, agent = request.POST, agent_of(request)
    if said.get("take_back"):
        return act_on(
            request,
            pk,
            lambda ticket: take_back_date(ticket, by=agent, why=said.get("why", "")),
            _("The date is taken back."),
        )
    try:
        one = _counted(request, ticket)
    except UnableTo as refusal:
        return _form(request, ticket, refused=str(refusal))
    if one.is_later and said.get("counts_as") != one.due_at.isoformat():
        return _form(request, ticket, later=one)
    shown = bool(said.get("shown"))
    return act_on(
        request,
        pk,
        lambda ticket: promise_date(ticket, one.said_at, by=agent, why=said.get("why", ""), shown=shown),
        _("The date is promised; its clock runs."),
    )


def _counted(request: HttpRequest, ticket: Ticket) -> Counted:
    given = instant_of(request.POST.get("date", ""), user_of(request).timezone)
    return counted(ticket, given, clock.now())


def _form(
    request: HttpRequest, ticket: Ticket, *, refused: str = "", later: Counted | None = None
) -> HttpResponse:
    """`refused`: why the date that was given cannot be; `later`: it counts as another instant, if that is meant."""
    agent = agent_of(request)
    context: dict[str, Any] = {
        "ticket": ticket,
        "standing": standing_dates([ticket]).get(ticket.pk),
        "may": ticket.is_unresolved() and may_promise(agent, ticket),
        "refused": refused,
        "later": later,
        "said": {name: request.POST.get(name, "") for name in ("date", "why", "shown")},
        "zone": user_of(request).timezone,
    }
    status = 422 if refused else 200
    return render(request, "workspace/date.html", context | navigation(request), status=status)

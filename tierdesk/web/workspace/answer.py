"""How an action answers: do one domain call in a unit of work, then go back to the ticket with a word about it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, ticket_of


def act_on(
    request: HttpRequest,
    pk: int,
    verb: Callable[[Ticket], object],
    done: str,
    *,
    back_to: str = "workspace:ticket",
) -> HttpResponse:
    """Let `verb` change the ticket as this agent, now. `done` is said when it worked.

    The form carries the `version` that the agent saw: if somebody was faster, nothing is changed, and the agent is
    told and sees the new state. What the domain refuses is said in its own words.
    """
    ticket = ticket_of(request, pk)
    seen = request.POST.get("version", "")
    try:
        if seen.isdecimal() and int(seen) != ticket.version:
            raise StaleTicket(ticket)
        with work(by=agent_of(request).actor(), at=clock.now()):
            verb(ticket)
    except StaleTicket:
        messages.warning(
            request,
            f"{ticket.reference} was changed by somebody else in the meantime. "
            "Nothing of yours was done; this is how it stands now.",
        )
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(back_to, pk)

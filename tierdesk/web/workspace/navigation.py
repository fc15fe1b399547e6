"""What stands around every page of the workspace: the views with their counts, and who is here."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from django.http import HttpRequest

from tierdesk.channels.chat.models import Seat
from tierdesk.channels.phone.models import Call
from tierdesk.core import clock
from tierdesk.directory.staff.models import Agent, User
from tierdesk.response.major.models import MajorIncident
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.guard import agent_of, user_of, what_is_seen
from tierdesk.web.workspace.on_the_desk import calls_on_the_desk
from tierdesk.web.workspace.queue import VIEWS, Count
from tierdesk.web.workspace.talks import count_offered, take_seat

COUNTED = {"team", "mine", "unassigned", "due"}


def navigation(request: HttpRequest, current: str = "", *, seat: Seat | None = None) -> dict[str, Any]:
    """Context for `workspace/base.html`. `current` is the slug of the page that is open.

    `seat`: the agent's, where the page has taken it already.
    """
    user, agent, at = user_of(request), agent_of(request), clock.now()
    counts = _count(user, agent).at(at)
    return {
        "current": current,
        "user": user,
        "agent": agent,
        "views": [(view, counts[view.slug] if view.slug in COUNTED else None) for view in VIEWS],
        "calls_now": calls_on_the_desk(agent) if counts["calls"] else [],
        "chats_offered": count_offered(seat or take_seat(agent, at), at),
        "majors_going": counts["majors"],
        "sees_reports": agent.is_manager or user.is_admin,
    }


_written: dict[Hashable, Count] = {}
KEPT = 500


def _count(user: User, agent: Agent) -> Count:
    """What is counted for this agent. Writing it costs more than counting, and it only changes with the teams."""
    shape = agent.pk, frozenset(agent.team_ids), what_is_seen(user)
    count = _written.get(shape)
    if count is None:
        if len(_written) >= KEPT:
            _written.clear()
        tickets = Ticket.objects.visible_to(user)
        shown = {
            view.slug: view.tickets(tickets, agent, Count.SOME_TIME) for view in VIEWS if view.slug in COUNTED
        }
        going = MajorIncident.objects.visible_to(user).going()
        calls = Call.objects.visible_to(user).on_the_desk_of(agent)
        count = _written[shape] = Count.of(shown | {"calls": calls, "majors": going})
    return count

"""Search: newest matches first, never counted exactly, never more than a page.

Numbers and references go straight to the ticket. Words go through a function that PostgreSQL runs with its owner's
rights and that filters by the same clients as the policy (core/scope.py): under row-level security the planner may
not use the full-text index, and a search costs a hundred times as much.
"""

from __future__ import annotations

import re

from django.db import connection

from tierdesk.directory.clients.visibility import visible_clients
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket

PAGE = 50
REFERENCE = re.compile(r"^(?:TD-)?(\d{1,15})$", re.IGNORECASE)


def find(query: str, user: User) -> list[Ticket]:
    """At most PAGE tickets that `user` may see: by reference, else by words, newest first."""
    tickets = Ticket.objects.visible_to(user).select_related("client", "contact", "team", "assignee__user")
    if reference := REFERENCE.match(query.strip()):
        by_number = list(tickets.filter(pk=int(reference[1])))
        if by_number:
            return by_number
    found = tickets.in_bulk(_matches(query, user))
    return sorted(found.values(), key=lambda ticket: -ticket.pk)


def _matches(query: str, user: User) -> list[int]:
    ids = visible_clients(user)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM tickets_matching(%s, %s::bigint[], %s)",
            [query, None if ids is None else sorted(ids), PAGE],
        )
        return [row[0] for row in cursor.fetchall()]

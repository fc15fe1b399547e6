"""To which teams a ticket can climb."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from tierdesk.directory.staff.models import Team
from tierdesk.tickets.models import Ticket


def teams_above(ticket: Ticket) -> list[Team]:
    """The teams of higher tiers that serve the ticket's client, nearest tier first."""
    serving = Q(serves_every_client=True) | Q(clients=ticket.client_id)
    return list(Team.objects.filter(serving, tier__gt=ticket.tier).distinct().order_by("tier", "name"))


def proposed_first(teams: Iterable[Team], path: Sequence[str]) -> list[Team]:
    """The teams in the order of a procedure's path (`L3`, `team:network`), then those that it does not name."""

    def place(team: Team) -> int:
        names = (f"team:{team.key}", f"L{team.tier}")
        return min((i for i, one in enumerate(path) if one in names), default=len(path))

    return sorted(teams, key=place)


def receiving(to: str, ticket: Ticket) -> Team | None:
    """The named team, or one of the tier that serves the client: its own before one that serves everybody.

    `to` is a tier (`L2`) or `team:<key>`.
    """
    kind, _colon, key = to.partition(":")
    if kind == "team":
        return Team.objects.filter(key=key).first()
    serving = Team.objects.filter(tier=int(to[1:])).filter(
        Q(serves_every_client=True) | Q(clients=ticket.client_id)
    )
    return serving.order_by("serves_every_client", "pk").first()

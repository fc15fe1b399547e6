"""Which clients' rows a user may see: the first lock. Row-level security (core/scope.py) is the second.

An agent sees the clients that a team of theirs serves; a contact sees the own client; an administrator all.
"""

from __future__ import annotations

from typing import Any, Self

from django.db.models import QuerySet

from tierdesk.core.scope import EVERY_CLIENT, NO_CLIENT, only, seeing
from tierdesk.directory.staff.models import Team, User


def visible_clients(user: User) -> frozenset[int] | None:
    """The keys of the clients whose rows `user` may see; None means every client.

    Looked up once per user object, that is, once per request.
    """
    if not hasattr(user, "_visible_clients"):
        user._visible_clients = _look_up(user)  # type: ignore[attr-defined]
    found: frozenset[int] | None = user._visible_clients  # type: ignore[attr-defined]
    return found


def scope_of(user: User) -> str:
    """The row-level security scope of a user's connection (core/scope.py)."""
    ids = visible_clients(user)
    if ids is None:
        return EVERY_CLIENT
    return only(ids) if ids else NO_CLIENT


def _look_up(user: User) -> frozenset[int] | None:
    if not getattr(user, "is_active", False):
        return frozenset()
    if user.is_admin:
        return None
    if hasattr(user, "agent"):
        if any(membership.team.serves_every_client for membership in user.agent.standing):
            return None
        served = Team.objects.filter(pk__in=user.agent.team_ids, clients__isnull=False)
        return frozenset(served.values_list("clients", flat=True))
    return frozenset(_client_of_contact(user))


def _client_of_contact(user: User) -> list[int]:
    """A contact's own row is under the lock that this look-up is about to set, so it is read without it."""
    with seeing(EVERY_CLIENT):
        own = User.objects.filter(pk=user.pk, contact__is_active=True)
        return list(own.values_list("contact__client_id", flat=True))


class ClientRows(QuerySet[Any]):
    """Rows that belong to a client. Every query of a face starts with `visible_to(user)`."""

    def visible_to(self, user: User) -> Self:
        ids = visible_clients(user)
        return self if ids is None else self.filter(client_id__in=ids)


class InternalRows(ClientRows):
    """Rows that agents see for the clients they serve, and contacts never, not even for their own client."""

    def visible_to(self, user: User) -> Self:
        return super().visible_to(user) if user.is_agent or user.is_admin else self.none()

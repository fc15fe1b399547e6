"""The database role: the owner migrates, everything else runs as a role that row-level security binds.

Owners bypass their own policies, so the desk never works as the owner: each new connection takes `tierdesk_app`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection as default_connection

from tierdesk.core.scope import ROLE

_owner: ContextVar[bool] = ContextVar("database_owner", default=False)


def acting_as_owner() -> bool:
    return _owner.get()


def take_app_role(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")


@contextmanager
def owner() -> Iterator[None]:
    """Act as the database's owner: to migrate, to restore, to make test databases. Never for a request."""
    token = _owner.set(True)
    try:
        if default_connection.connection is not None:
            with default_connection.cursor() as cursor:
                cursor.execute("RESET ROLE")
        yield
    finally:
        _owner.reset(token)
        if default_connection.connection is not None and not default_connection.needs_rollback:
            take_app_role(default_connection)

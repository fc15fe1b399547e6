"""The second lock on every client's data: what this connection may see, enforced by PostgreSQL row-level security.

The first lock is `visible_to(user)` in every query. This one stands under it: tables with a `client_id` carry a
policy that compares it with the setting `tierdesk.clients` of the connection. Unset means nothing is visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.migrations import RunSQL

EVERY_CLIENT = "*"
NO_CLIENT = ""
SETTING = "tierdesk.clients"
ROLE = "tierdesk_app"


def only(client_ids: Iterable[int]) -> str:
    """The scope that shows these clients' rows and no others."""
    return ",".join(str(pk) for pk in sorted(set(client_ids)))


def set_scope(scope: str) -> None:
    """Let this connection see `scope` (EVERY_CLIENT, NO_CLIENT or `only(ids)`) until it is set again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [SETTING, scope])


@contextmanager
def seeing(scope: str) -> Iterator[None]:
    """See `scope` inside the block and what was visible before after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting(%s, true), set_config(%s, %s, false)", [SETTING, SETTING, scope]
        )
        before = cursor.fetchone()[0] or NO_CLIENT
    try:
        yield
    finally:
        if not connection.needs_rollback:
            set_scope(before)
        elif not connection.in_atomic_block:
            set_scope(NO_CLIENT)


def policy_sql(table: str, column: str = "client_id", *, shared: bool = False) -> str:
    """The SQL that locks one table. `shared=True`: rows without a client belong to everybody.

    The settings are read in sub-selects so that the planner evaluates them once per statement, not once per row.
    """
    mine = (
        f"(SELECT current_setting('{SETTING}', true)) = '*' OR {column} = ANY ("
        f"(SELECT string_to_array(nullif(current_setting('{SETTING}', true), '*'), ','))::bigint[])"
    )
    condition = f"{column} IS NULL OR {mine}" if shared else mine
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY clients_only ON {table} USING ({condition}) WITH CHECK ({condition});"
    )


def unlock_sql(table: str) -> str:
    """Undo `policy_sql`, for a migration that goes back."""
    return f"DROP POLICY IF EXISTS clients_only ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;"


def lock(*tables: str, column: str = "client_id", shared: bool = False) -> list[RunSQL]:
    """Migration operations that put these tables under the second lock."""
    return [RunSQL(policy_sql(table, column, shared=shared), unlock_sql(table)) for table in tables]

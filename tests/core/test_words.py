"""Conditions on states are written out, so that a plan which is kept can use the index of some states."""

from __future__ import annotations

import pytest
from django.db import connection, models

from tests.cast import Cast
from tierdesk.core.words import Word
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Ticket


def parameters(queryset: models.QuerySet[Ticket]) -> tuple[str, tuple[object, ...]]:
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)


@pytest.mark.parametrize(
    ("condition", "written"),
    [
        ({"state": "open"}, "\"state\" = 'open'"),
        ({"state": State.OPEN}, "\"state\" = 'open'"),
        ({"state__in": ["new", "pending"]}, "\"state\" IN ('new', 'pending')"),
    ],
    ids=["one", "a member", "some"],
)
def test_words_stand_in_the_statement(condition: dict[str, object], written: str) -> None:
    sql, values = parameters(Ticket.objects.filter(**condition))
    assert written in sql
    assert values == ()


@pytest.mark.parametrize("odd", ["open' OR true --", "%s", "Open", ""])
def test_anything_else_stays_a_parameter(odd: str) -> None:
    for condition in ({"state": odd}, {"state__in": ["open", odd]}):
        sql, values = parameters(Ticket.objects.filter(**condition))
        assert odd in values
        assert not odd or odd == "%s" or odd not in sql


def test_a_set_of_rows_stays_a_query(cast: Cast) -> None:
    states = Ticket.objects.filter(subject="%s 'quoted'").values("state")
    assert not Ticket.objects.filter(state__in=states).exists()


def test_none_is_in_no_set(cast: Cast) -> None:
    assert not Ticket.objects.filter(state__in=[]).exists()


def test_a_plan_for_all_parameters_uses_the_index_of_what_is_open(cast: Cast) -> None:
    queue = Ticket.objects.unresolved().filter(team__in=[1, 2]).order_by("next_due_at", "id")[:50]
    sql, values = parameters(queue)
    for number in range(len(values)):
        sql = sql.replace("%s", f"${number + 1}", 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE queue AS {sql}")
        cursor.execute(f"EXPLAIN EXECUTE queue({', '.join(map(str, values))})")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE queue")
    assert "queue_of_" in plan


def test_migrations_see_an_ordinary_column() -> None:
    _, path, _, options = Word(max_length=3, choices=[("a", "a")]).deconstruct()
    assert path == "django.db.models.CharField"
    assert options == {"max_length": 3, "choices": [("a", "a")]}

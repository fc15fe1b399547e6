"""Questions whose SQL is always the same, written once: Django needs longer to write a question than the database to
answer it, and a page asks twenty.

A question is an ordinary queryset of models with blanks in it, so it reads as any other, and its rows are what that
queryset would give.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import copy
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Model, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

KEPT = 256
"""So many texts of each question; all are forgotten when there are more."""


class Written:
    """`RUNS = Written(lambda ticket: Run.objects.filter(ticket=ticket))`, then `RUNS(ticket=ticket)` is a list.

    What is given by name is filled in each time, `None` apart, which is asked for in other words; where it is a model,
    each row is given it, as by a related manager. What is given by place is looked at while the question is written,
    such as the user who asks: `by` says what of it shapes the question, and each answer of `by` has its own text.
    """

    def __init__(
        self, ask: Callable[..., QuerySet[Any]], *, by: Callable[..., Hashable] | None = None
    ) -> None:
        self._ask, self._by = ask, by
        self._texts: dict[tuple[Hashable, ...], _Text] = {}

    def __call__(self, *seen: Any, **given: Any) -> list[Any]:
        text = self._text(seen, given)
        rows = text.answer(given) if text else []
        for name, value in given.items():
            if isinstance(value, Model):
                for row in rows:
                    setattr(row, name, value)
        return rows

    def _text(self, seen: tuple[Any, ...], given: dict[str, Any]) -> _Text | None:
        key = (self._by(*seen) if self._by else None, *[(name, given[name] is None) for name in given])
        text = self._texts.get(key)
        if text is not None:
            return text
        text = self._write(seen, given)
        if text is not None:
            if len(self._texts) >= KEPT:
                self._texts.clear()
            self._texts[key] = text
        return text

    def _write(self, seen: tuple[Any, ...], given: dict[str, Any]) -> _Text | None:
        blanks = {name: None if value is None else Blank(name) for name, value in given.items()}
        try:
            return _Text(self._ask(*seen, **blanks))
        except EmptyResultSet:  # Django sees without asking that there is nothing
            return None


class Blank(Value):
    """A value that is filled in later."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class _Text:
    """A question as SQL, with everything that its rows are read with."""

    def __init__(self, asked: QuerySet[Any]) -> None:
        self._asked = asked
        self._compiler = asked.query.get_compiler(using=asked.db)
        self._sql, self._values = self._compiler.as_sql()
        converters = self._compiler.get_converters([column for column, *_ in self._compiler.select])
        self._compiler.get_converters = lambda _: converters

    def answer(self, given: dict[str, Any]) -> list[Any]:
        values = (given[one.value] if isinstance(one, Blank) else one for one in self._values)
        filled = tuple(one.pk if isinstance(one, Model) else one for one in values)
        ready = _Ready(self._compiler, self._sql, filled)
        return list(self._asked.__class__(self._asked.model, ready))  # type: ignore[arg-type]


class _Ready:
    """Stands in a queryset for its query: what it would be compiled to is known."""

    def __init__(self, compiler: SQLCompiler, sql: str, values: tuple[Any, ...]) -> None:
        self._compiler, self._sql, self._values = compiler, sql, values

    def get_compiler(self, using: str) -> SQLCompiler:
        """Of this thread's connection."""
        ready = copy(self._compiler)
        ready.connection = connections[using]
        ready.as_sql = lambda *_, **__: (self._sql, self._values)  # type: ignore[method-assign]
        return ready

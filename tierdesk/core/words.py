"""Columns with one of a few words, and conditions on them that PostgreSQL can plan for.

A prepared statement may be planned once for all parameters. Such a plan cannot use an index that holds only the rows of
some words: with `state = $1` it reads the whole table, where `state = 'waiting'` reads a dozen rows. So these words are
written into the statement itself.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import CharField, lookups

PLAIN = re.compile(r"[a-z_]+")


class Word(CharField):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """A `CharField` for the words of a state machine. Migrations see a CharField."""

    def deconstruct(self) -> Any:
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.CharField", arguments, options


class WrittenOut:
    """A lookup whose words stand in the statement; any other value stays a parameter."""

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        sql, parameters = super().process_rhs(compiler, connection)  # type: ignore[misc]  # beside a Lookup
        words = tuple(parameters)
        direct = self.rhs_is_direct_value()  # type: ignore[attr-defined]  # beside a Lookup
        if not direct or not all(isinstance(word, str) and PLAIN.fullmatch(word) for word in words):
            return sql, parameters
        return sql % tuple(f"'{word}'" for word in words), ()


@Word.register_lookup
class Exact(WrittenOut, lookups.Exact):
    """`state="waiting"`."""


@Word.register_lookup
class In(WrittenOut, lookups.In):
    """`state__in=["new", "open"]`."""

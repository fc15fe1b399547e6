"""Rows that are read by the thousand: made without Django's constructor, which asks of each value whether it was given.

A row from the database has all of its values, and nobody listens for its making. Half of the price of reading tickets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Self

from django.db.models import Lookup, Model
from django.db.models.base import ModelState


class Among(Lookup):
    """`filter(Among(F("id"), keys))`: as one parameter, however many they are. `id__in` makes each of them one."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        asked, values = self.process_lhs(compiler, connection)
        return f"{asked} = ANY(%s)", (*values, list(self.rhs))


class ReadByTheThousand(Model):
    """A model whose rows are made as they are. What was not read (`only`, `defer`) is asked for once it is needed."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], *, fetch_mode: Any = None
    ) -> Self:
        row = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        if fetch_mode is not None:
            state.fetch_mode = fetch_mode
        row.__dict__.update(zip(field_names, values, strict=True), _state=state)
        return row

    @classmethod
    def made(cls, related: Mapping[str, Model | None], **values: Any) -> Self:
        """A new row, as `cls(**related, **values)` would make it: what is not given has its default.

        `related`: by field, rows that are stored; `values`: by attribute.
        """
        row = cls.__new__(cls)
        state = ModelState()
        given = {field: one for field, one in related.items() if one is not None}
        state.fields_cache.update(given)
        keys = {f"{field}_id": one.pk for field, one in given.items()}
        row.__dict__.update(_state=state, **(_defaults(cls) | keys | values))
        return row


def _defaults(model: type[Model]) -> dict[str, Any]:
    return {name: default() for name, default in _defaults_of(model)}


@cache
def _defaults_of(model: type[Model]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    return tuple((field.attname, field.get_default) for field in model._meta.concrete_fields)

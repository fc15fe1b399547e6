"""Rows that are read by the thousand: made without Django's constructor, which asks of each value whether it was given.

A row from the database has all of its values, and nobody listens for its making. Half of the price of reading tickets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Self

from django.db.models import Model
from django.db.models.base import ModelState


class ReadByTheThousand(Model):
    """A model whose rows, read whole, are made as they are. Partly read (`only`, `defer`), they are made as ever."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], *, fetch_mode: Any = None
    ) -> Self:
        names = _names(cls)
        if len(values) != len(names):
            return super().from_db(db, field_names, values, fetch_mode=fetch_mode)
        row = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        if fetch_mode is not None:
            state.fetch_mode = fetch_mode
        row.__dict__.update(zip(names, values, strict=True), _state=state)
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


@cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)


def _defaults(model: type[Model]) -> dict[str, Any]:
    return {name: default() for name, default in _defaults_of(model)}


@cache
def _defaults_of(model: type[Model]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    return tuple((field.attname, field.get_default) for field in model._meta.concrete_fields)

"""Secrets in the desk's file that lie sealed in their rows."""

from __future__ import annotations

from typing import Any

from tierdesk.core.seal import Unsealable
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.schema import Field, World


def sealed(name: str, *bound_to: str) -> Field:
    """A secret that lies sealed in its row, for what `bound_to` names. Once it cannot be read any more it is none."""

    def put(world: World, row: Any, text: str) -> None:
        setattr(row, name, text)
        row.save(update_fields=[f"{name}_sealed"])

    return Field(name, s.SECRET, "", get=lambda row: read_sealed(row, name), put=put, bound_to=bound_to)


def read_sealed(row: Any, name: str) -> Any:
    """What lies in the row under this name, or nothing where that cannot be read any more."""
    try:
        return getattr(row, name)
    except Unsealable:
        return ""

"""Which tier may act: category × access × client. Pure; says why."""

from __future__ import annotations

from dataclasses import dataclass

from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.directory.services.models import Category


@dataclass(frozen=True, slots=True)
class Boundary:
    """The lowest `tier` that may act, and why; 1 for no reason: every tier may."""

    tier: int = 1
    why: str = ""


def boundary_of(category: Category | None, version: ContractVersion | None) -> Boundary:
    """The category's own lowest tier, or the one from which on the contract lets its access be used: the higher."""
    if category is None:
        return Boundary()
    own = category.lowest_tier or 1
    agreed = int(version.access.get(category.access, 1)) if version and category.access else 1
    if agreed > own:
        return Boundary(agreed, f"it needs {category.access}, which the contract gives to L{agreed}")
    return Boundary(own, f"{category.name} is for L{own} and above") if own > 1 else Boundary()

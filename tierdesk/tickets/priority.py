"""Priority: pure. Derived from impact and urgency by the contract's matrix; people do not set it directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_MATRIX: Mapping[str, Mapping[str, int]] = {
    "1": {"1": 1, "2": 2, "3": 3},
    "2": {"1": 2, "2": 3, "3": 4},
    "3": {"1": 3, "2": 4, "3": 5},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a priority came about, for the page that explains it."""

    priority: int
    impact: int
    urgency: int
    raised_by: tuple[str, ...]


def prioritise(
    *,
    impact: int,
    urgency: int,
    matrix: Mapping[str, Mapping[str, int]] = DEFAULT_MATRIX,
    vip: bool = False,
    critical_service: bool = False,
) -> Reading:
    """The priority (1 critical to 5 planning) of impact × urgency (each 1 high to 3 low).

    A VIP and a critical service raise the *urgency* by one each, never the priority itself (promises.md §3).
    """
    raised = tuple(name for name, holds in (("VIP", vip), ("critical service", critical_service)) if holds)
    effective = max(1, urgency - len(raised))
    return Reading(int(matrix[str(impact)][str(effective)]), impact, effective, raised)

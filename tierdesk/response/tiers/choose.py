"""Which procedure applies: pure. The most specific scope wins, and the choice says why (promises.md E15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tierdesk.directory.services.models import Category


@dataclass(frozen=True, slots=True)
class Scope:
    """What a procedure is for. None, `*`, an empty tuple: any. `services` are keys, `priorities` 1 to 5."""

    client: int | None = None
    tier: int | None = None
    category: str = "*"
    services: tuple[str, ...] = ()
    priorities: tuple[int, ...] = ()

    def covers(self, matter: Matter) -> bool:
        return (
            self.client in (None, matter.client)
            and self.tier in (None, matter.tier)
            and (self.category == "*" or bool(matter.category and matter.category.is_within(self.category)))
            and (not self.services or matter.service in self.services)
            and (not self.priorities or matter.priority in self.priorities)
        )

    @property
    def narrowness(self) -> tuple[bool, int, bool, bool, bool]:
        """For comparing: the client's own first, then the deeper category, service, priority, tier."""
        depth = sum(part not in ("", "*") for part in self.category.split("/"))
        own, of_tier = self.client is not None, self.tier is not None
        return own, depth, bool(self.services), bool(self.priorities), of_tier

    @property
    def words(self) -> str:
        """The scope as a reader says it: “the client's own, for network/*, for P1 and P2”."""
        parts = [
            "the client’s own" if self.client is not None else "for every client",
            f"for {self.category}" if self.category != "*" else "",
            f"for {' and '.join(self.services)}" if self.services else "",
            f"for {' and '.join(f'P{number}' for number in self.priorities)}" if self.priorities else "",
            f"for L{self.tier}" if self.tier is not None else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of a ticket when a procedure is chosen for it."""

    client: int
    tier: int
    category: Category | None = None
    service: str | None = None
    priority: int = 4


@dataclass(frozen=True, slots=True)
class Choice[P]:
    """What was chosen, and why, in words."""

    chosen: P
    because: str


def choose[P](candidates: Iterable[tuple[str, Scope, P]], matter: Matter, *, default: P) -> Choice[P]:
    """Among (key, scope, procedure) the one with the narrowest scope that covers the matter.

    Equally narrow ones are told apart by key, so that the answer never depends on the order of rows.
    """
    covering = [(key, scope, procedure) for key, scope, procedure in candidates if scope.covers(matter)]
    if not covering:
        return Choice(default, "nobody has written a procedure for this; the house rule applies")
    narrowest = max(scope.narrowness for _, scope, _ in covering)
    _, scope, procedure = min(
        ((key, scope, procedure) for key, scope, procedure in covering if scope.narrowness == narrowest),
        key=lambda candidate: candidate[0],
    )
    others = len(covering) - 1
    return Choice(procedure, scope.words + (f"; narrower than {others} more" if others else ""))

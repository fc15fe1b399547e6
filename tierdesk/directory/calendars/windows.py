"""Sorted stretches of time, and a page of them that answers by binary search. Pure; all times are whole microseconds.

A span is half-open: `[from, to)`, counted from 1970 UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

type Span = tuple[int, int]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def united(spans: Iterable[Span]) -> Iterator[Span]:
    """The same time in as few spans as possible. `spans` come ordered by their beginning."""
    begin: int | None = None
    end = 0
    for start, stop in spans:
        if begin is not None and start > end:
            yield begin, end
            begin = None
        if begin is None:
            begin, end = start, stop
        end = max(end, stop)
    if begin is not None:
        yield begin, end


def without[T: (int, datetime)](
    spans: Iterable[tuple[T, T]], holes: Sequence[tuple[T, T]]
) -> Iterator[tuple[T, T]]:
    """What the holes leave of the spans. Both come ordered by their beginning; holes may overlap."""
    for start, stop in spans:
        for begin, end in holes:
            if begin >= stop:
                break
            if start < begin:
                yield start, begin
            start = max(start, end)
        if start < stop:
            yield start, stop


def within(spans: Iterable[Span], begin: int, end: int) -> Iterator[Span]:
    """The spans as far as they lie in `[begin, end)`."""
    for start, stop in spans:
        if max(start, begin) < min(stop, end):
            yield max(start, begin), min(stop, end)


@dataclass(frozen=True, slots=True)
class Page:
    """Ordered, disjoint windows as columns, with the time worked from the first opening to each close, and in all.

    Columns of plain integers: an array would be smaller, but makes an integer anew at each step of a search.
    """

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    worked_by_close: tuple[int, ...]
    total: int

    @classmethod
    def of(cls, windows: Iterable[Span]) -> Page:
        kept = tuple(windows)
        totals = tuple(accumulate(close - opening for opening, close in kept))
        return cls(tuple(o for o, _ in kept), tuple(c for _, c in kept), totals, totals[-1] if totals else 0)

    def worked(self, at: datetime) -> int:
        """Time worked on this page before `at`, in UTC."""
        # Every question begins here, so it counts the microseconds itself: a call would cost as much as the search.
        since = at - EPOCH
        micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        window = bisect_right(self.opens, micros) - 1
        if window < 0:
            return 0
        left = self.closes[window] - micros
        return self.worked_by_close[window] - (left if left > 0 else 0)

    def earliest(self, worked: int) -> int:
        """The first instant by which this much is worked; `0 < worked <= total`."""
        window = bisect_left(self.worked_by_close, worked)
        return self.closes[window] - (self.worked_by_close[window] - worked)

    def latest(self, worked: int) -> int:
        """The last instant by which no more than this is worked; `0 <= worked < total`."""
        window = bisect_right(self.worked_by_close, worked)
        return self.closes[window] - (self.worked_by_close[window] - worked)

    def opening(self, at: int) -> int | None:
        """`at` if it lies in a window, else where the next window begins; None if none follows on this page."""
        window = bisect_right(self.closes, at)
        return max(at, self.opens[window]) if window < len(self.opens) else None

    def closing(self, at: int) -> int | None:
        """`at` if it lies in a window or at its end, else the end of the window before; None if none precedes."""
        window = bisect_left(self.opens, at) - 1
        return min(at, self.closes[window]) if window >= 0 else None

    def spans(self, begin: int, end: int) -> Iterator[Span]:
        """The windows as far as they lie in `[begin, end)`."""
        first, last = bisect_right(self.closes, begin), bisect_left(self.opens, end)
        return within(zip(self.opens[first:last], self.closes[first:last], strict=True), begin, end)

"""Sorted stretches of time, and a page of them that answers by binary search. Pure; all times are whole microseconds.

A span is half-open: `[from, to)`, counted from 1970 UTC.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

type Span = tuple[int, int]


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
    """Ordered, disjoint windows as columns, with the time worked from the first opening to each close."""

    opens: array[int]
    closes: array[int]
    worked_by_close: array[int]

    @classmethod
    def of(cls, windows: Iterable[Span]) -> Page:
        kept = tuple(windows)
        totals = accumulate(close - opening for opening, close in kept)
        return cls(array("q", [o for o, _ in kept]), array("q", [c for _, c in kept]), array("q", totals))

    @property
    def total(self) -> int:
        return self.worked_by_close[-1] if self.worked_by_close else 0

    def worked(self, at: int) -> int:
        """Time worked on this page before `at`."""
        window = bisect_right(self.opens, at) - 1
        if window < 0:
            return 0
        return self.worked_by_close[window] - max(0, self.closes[window] - at)

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

"""Adding, taking out and moving the rows of a form where no script does it: the form is sent and comes back."""

from __future__ import annotations

from django.http import QueryDict

from tierdesk.ops.settings.widgets import rows_in


def rearranged(posted: QueryDict, do: str) -> QueryDict:
    """What was posted, after the button `do`: `drop:phones.1` or `up:turns.2`. Anything else changes nothing."""
    act, _, place = do.partition(":")
    name, _, number = place.rpartition(".")
    if act not in ("drop", "up") or not number.isdecimal():
        return posted
    rows = rows_in(name, posted)
    if int(number) not in rows:
        return posted
    at = rows.index(int(number))
    order = [row for row in rows if row != int(number)]
    if act == "up":
        order.insert(max(at - 1, 0), int(number))
    moved = posted.copy()
    for row in rows:
        _take_out(moved, f"{name}.{row}")
    for new, old in enumerate(order):
        _put(moved, f"{name}.{new}", posted, f"{name}.{old}")
    return moved


def _take_out(posted: QueryDict, place: str) -> None:
    for key in [key for key in posted if _is_at(key, place)]:
        del posted[key]


def _put(posted: QueryDict, place: str, source: QueryDict, was: str) -> None:
    for key in source:
        if _is_at(key, was):
            posted.setlist(place + key.removeprefix(was), source.getlist(key))


def _is_at(key: str, place: str) -> bool:
    return key == place or key.startswith(f"{place}.")

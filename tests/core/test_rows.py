"""Many rows in one statement say what each of them says, whatever they share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core import rows
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry

COLUMNS = [
    "channel",
    "kind",
    "address",
    "subject",
    "text",
    "tries",
    "automatic",
    "state",
    "created_at",
    "wake_at",
    "sender_name",
    "error",
    "message_id",
]


@pytest.mark.parametrize("count", [1, 2, rows.MANY - 1, rows.MANY, rows.MANY + 1, 200])
@pytest.mark.parametrize(
    "differing", [(), ("subject",), ("subject", "wake_at"), ("automatic", "tries"), COLUMNS[2:7]]
)
def test_they_are_read_as_they_were_told(cast: Cast, count: int, differing: tuple[str, ...]) -> None:
    written = [_line(number if name in differing else 0, name) for number in range(count) for name in COLUMNS]
    lines = [tuple(written[place : place + len(COLUMNS)]) for place in range(0, len(written), len(COLUMNS))]
    rows.insert(Notice, COLUMNS, lines)
    assert sorted(Notice.objects.values_list(*COLUMNS), key=repr) == sorted(lines, key=repr)


def _line(number: int, name: str) -> Any:
    """The value of this column in the row of this number."""
    if name in ("created_at", "wake_at"):
        return MONDAY_10 + timedelta(minutes=number)
    plain = {
        "channel": "mail",
        "tries": number,
        "automatic": number % 2 == 1,
        "kind": "hierarchy",
        "state": "pending",
    }
    return plain.get(name, f"{name} {number}@x.example")


def test_what_is_the_same_stands_once_in_the_statement(cast: Cast) -> None:
    lines = [
        tuple(_line(number if name in ("subject", "text") else 0, name) for name in COLUMNS)
        for number in range(50)
    ]
    with CaptureQueriesContext(connection) as queries:
        rows.insert(Notice, COLUMNS, lines)
    statement = queries[0]["sql"]
    assert (statement.count("hierarchy"), statement.count("subject 49@")) == (1, 1)


def test_one_and_true_are_told_apart(cast: Cast, doing: Callable[..., Any]) -> None:
    """In Python they are equal, in JSON they are not."""
    with doing(cast.lena):
        ticket = cast.ticket()
    entry = Entry.objects.of(ticket.pk)[0]
    columns = [
        "client_id",
        "ticket_id",
        "at",
        "kind",
        "by_kind",
        "by_name",
        "details",
        "state",
        "pending_reason",
    ]
    columns += ["tier", "priority"]
    said: list[Any] = [True, 1, [1], [True], {"a": 1}, {"a": True}] * 10
    rows.insert(
        Entry,
        columns,
        [
            (entry.client_id, ticket.pk, MONDAY_10, "told", "agent", "Lena", one, "new", "", 1, 3)
            for one in said
        ],
    )
    found = Entry.objects.filter(kind="told").order_by("pk").values_list("details", flat=True)
    assert list(map(repr, found)) == list(map(repr, said))


@pytest.mark.parametrize(
    "word",
    [
        'she said "no"',
        "C:\\temp\\",
        "{a,b}",
        "NULL",
        "null",
        "",
        " ",
        "two\nlines\t",
        "\x1e",
        "’n blåbær 🫐",
        "%s %(x)s",
    ],
)
def test_a_word_arrives_as_it_was_written(cast: Cast, doing: Callable[..., Any], word: str) -> None:
    """Also in a document, and however many there are."""
    with doing(cast.lena):
        ticket = cast.ticket()
    entry = Entry.objects.of(ticket.pk)[0]
    columns = ["client_id", "ticket_id", "at", "kind", "by_kind", "by_name", "details"]
    columns += ["state", "pending_reason", "tier", "priority"]
    about = (entry.client_id, ticket.pk, MONDAY_10, "told", "agent")
    for count in (1, rows.MANY):
        details: list[Any] = [{word: word}, word, [word, None]]
        lines = [
            (*about, f"{word}{number or ''}", details[number % 3], "new", "", 1, 3) for number in range(count)
        ]
        rows.insert(Entry, columns, lines)
        found = Entry.objects.filter(kind="told").order_by("-pk")[:count].values_list("by_name", "details")
        assert sorted(found, key=repr) == sorted([line[5:7] for line in lines], key=repr)


@pytest.mark.parametrize("count", [1, rows.MANY + 5])
def test_what_is_too_long_is_refused_instead_of_cut_off(cast: Cast, count: int) -> None:
    lines = [tuple(_line(number, name) for name in COLUMNS) for number in range(count)]
    lines[-1] = ("a way that nobody has", *lines[-1][1:])
    with pytest.raises(DataError, match="too long"), transaction.atomic():
        rows.insert(Notice, COLUMNS, lines)


@pytest.mark.parametrize("count", [1, rows.MANY + 5])
def test_each_is_changed_to_its_own_and_others_are_left(cast: Cast, count: int) -> None:
    rows.insert(
        Notice, COLUMNS, [tuple(_line(number, name) for name in COLUMNS) for number in range(count + 1)]
    )
    kept, *changed = Notice.objects.order_by("pk")
    done = rows.update(Notice, ["subject", "wake_at"], [(one.pk, f"of {one.pk}", None) for one in changed])
    assert done == count
    assert all(
        (one.subject, one.wake_at) == (f"of {one.pk}", None) for one in Notice.objects.exclude(pk=kept.pk)
    )
    assert Notice.objects.get(pk=kept.pk).wake_at is not None


def test_keys_are_fresh_and_each_is_given_once(cast: Cast) -> None:
    first, second = rows.reserve_ids(Entry, 500), rows.reserve_ids(Entry, 3)
    assert len(set(first + second)) == 503
    assert second == [first[-1] + number for number in (1, 2, 3)]

"""What a sender says again, word for word, is read once; what differs in anything is read anew."""

from __future__ import annotations

from typing import Any
from weakref import ref

import orjson
import pytest

from tests.conftest import MONDAY_10
from tierdesk.channels.alarms import repeats
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.shapes import Request, read
from tierdesk.channels.alarms.understanding import OUR_FAULT, understood

type Entry = dict[str, Any]


class Counted:
    """A reader of entries that counts how often it had to read."""

    def __init__(self) -> None:
        self.times = 0
        self.read = repeats.read_once(self._read)

    def _read(self, about_all: Any, entry: Any) -> AlarmEvent:
        self.times += 1
        return said(action=Action.RAISE, key=entry.get("key", "k"), group=about_all.get("group", ""))


def test_what_was_said_before_is_not_read_again() -> None:
    reader = Counted()
    first = reader.read({}, {"key": "disk", "labels": {"a": "b"}})
    assert reader.read({}, {"key": "disk", "labels": {"a": "b"}}) is first
    assert reader.times == 1


@pytest.mark.parametrize(
    ("about_all", "entry"),
    [({"group": "g"}, {"key": "disk"}), ({}, {"key": "cpu"}), ({}, {"key": "disk", "more": None})],
    ids=["all of them", "the entry", "a field more"],
)
def test_what_differs_is_read(about_all: Entry, entry: Entry) -> None:
    reader = Counted()
    reader.read({}, {"key": "disk"})
    reader.read(about_all, entry)
    assert reader.times == 2


def test_what_is_long_or_deeper_than_it_can_be_written_is_read_each_time() -> None:
    deep: Any = orjson.loads(b"[" * 500 + b"]" * 500)
    for entry in ({"key": "disk", "text": "x" * repeats.LONGEST}, {"key": "disk", "deep": deep}):
        reader = Counted()
        assert reader.read({}, entry) == reader.read({}, entry)
        assert reader.times == 2


def test_of_what_is_remembered_only_the_words_are_kept() -> None:
    class Watched(dict[str, Any]):
        """An entry of which can be known when it went."""

    reader, entry = Counted(), Watched(key="disk")
    gone = ref(entry)
    reader.read({}, entry)
    del entry
    assert gone() is None
    reader.read({}, {"key": "disk"})
    assert reader.times == 1


def test_only_so_many_are_remembered() -> None:
    reader = Counted()
    for number in range(repeats.REMEMBERED + 1):
        reader.read({}, {"key": str(number)})
    reader.read({}, {"key": "0"})
    assert reader.times == repeats.REMEMBERED + 2


@pytest.mark.parametrize("shape", ["alertmanager", "grafana"])
def test_each_body_says_what_it_says_about_all_of_its_alerts(shape: str) -> None:
    alert = {
        "labels": {"alertname": "Disk", "instance": "db1"},
        "fingerprint": "f",
        "startsAt": "2026-06-08T08:00:00Z",
    }

    def event(**about_all: Any) -> AlarmEvent:
        return read(shape, Request(orjson.dumps({"alerts": [alert], **about_all})))[0]

    assert event(status="firing").action == "raise"
    assert event(status="resolved").action == "clear"
    assert event(status="firing", groupKey="a", groupLabels={"x": "y"}).group == "a"
    assert event(status="firing", groupKey="b", groupLabels={"x": "y"}).group == "b"
    if shape == "grafana":
        assert event(orgId=1).key != event(orgId=2).key


def test_what_is_read_is_written_down_there_and_not_by_the_thread_that_stores() -> None:
    source = KnownSource(1, 1, "alertmanager", severities={"warning": 1})
    body = orjson.dumps(
        {"alerts": [{"status": "firing", "labels": {"alertname": "a", "severity": "warning"}}]}
    )
    [event] = understood(Arrival(source=source, received_at=MONDAY_10, raw=body), {}).events
    assert "written" in vars(event)
    assert orjson.loads(orjson.dumps(event.written))["severity"] == 1, "as its source weighs it"


def test_what_cannot_be_written_down_is_kept_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    half_a_character = [said(action=Action.RAISE, key="k", text="\ud800")]
    monkeypatch.setattr("tierdesk.channels.alarms.shapes.read", lambda *_: half_a_character)
    arrival = Arrival(source=KnownSource(1, 1, "alertmanager"), received_at=MONDAY_10, raw=b"{}")
    read = understood(arrival, {})
    assert (read.refusal, read.events, read.raw) == (OUR_FAULT, (), b"{}")

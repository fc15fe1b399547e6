"""Opsgenie's Alert API: alerts, what is done to them, and the answers that its clients look for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.channels.alarms.shapes.heard import heard, read
from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.shapes import MalformedAlarm
from tierdesk.channels.alarms.shapes.opsgenie import became

ALERT = {
    "message": "/var 96 % on db1",
    "alias": "db1/disk",
    "description": "It fills.",
    "responders": [{"type": "team", "name": "ops"}],
    "tags": ["billing", "disk"],
    "details": {"alertname": "DiskFull", "service": "billing"},
    "entity": "db1",
    "source": "cron",
    "priority": "P1",
}


def test_an_alert_raises() -> None:
    [event] = read("opsgenie", ALERT)
    assert (event.action.value, event.key, event.severity, event.resource) == ("raise", "db1/disk", 1, "db1")
    assert (event.service, event.class_, event.summary, event.text) == (
        "billing", "DiskFull", "/var 96 % on db1", "It fills.",
    )  # fmt: skip
    assert event.labels["tags"] == "billing, disk"


def test_without_an_alias_the_message_names_the_alert_and_its_numbers_do_not() -> None:
    one, other = (heard("opsgenie", {"message": f"/var is {used} % full"})[1] for used in (91, 97))
    assert one == other


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("db1-disk/close", {"note": "done"}, ("clear", "db1-disk", "close: done")),
        ("db1-disk/close", None, ("clear", "db1-disk", "close by the sender")),
        ("db1-disk/close/", {"user": "ann"}, ("clear", "db1-disk", "close by ann")),
        ("db1/disk/acknowledge", {}, ("ack", "db1/disk", "acknowledge by the sender")),
        ("db1-disk/unacknowledge", {}, ("note", "db1-disk", "unacknowledge by the sender")),
        ("db1-disk/notes", {"note": "looking"}, ("note", "db1-disk", "notes: looking")),
        ("db1-disk/message", {"message": "97 %"}, ("note", "db1-disk", "message: 97 %")),
        ("db1-disk", None, ("clear", "db1-disk", "close by the sender")),
        ("a/b", None, ("clear", "a/b", "close by the sender")),
    ],
)
def test_what_is_done_to_an_alert_stands_in_the_path(
    path: str, body: Any, told: tuple[str, str, str]
) -> None:
    [event] = read("opsgenie", b"" if body is None else body, path=path)
    assert (event.action.value, event.key, event.summary) == told


@pytest.mark.parametrize(
    ("priority", "severity"), [("P1", 1), ("P2", 2), ("P3", 3), ("P4", 4), ("P5", 5), ("", 3)]
)
def test_priorities_are_severities_and_p3_is_the_default(priority: str, severity: int) -> None:
    assert heard("opsgenie", ALERT | {"priority": priority})[2] == severity


def test_an_alert_without_a_message_is_refused() -> None:
    with pytest.raises(MalformedAlarm, match="message"):
        read("opsgenie", {"alias": "db1"})


def test_who_asks_what_became_of_a_request_hears_that_it_succeeded_and_which_alert_it_was() -> None:
    """Zabbix' own media type asks until it hears that, and fails when it does not."""
    answer = shapes.named("opsgenie").answer(read("opsgenie", ALERT))
    assert answer["result"] == "Request will be processed"
    told = became(answer["requestId"])
    assert told["requestId"] == answer["requestId"]
    assert (told["data"]["success"], told["data"]["alertId"], told["data"]["alias"]) == (
        True,
        "db1/disk",
        "db1/disk",
    )
    assert became("not base64 at all")["data"]["success"] is True


def test_a_heartbeat_is_answered_as_one() -> None:
    assert shapes.named("opsgenie").answer([])["result"].startswith("PONG")

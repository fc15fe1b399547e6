"""CloudEvents in their three modes, with our words and with anybody's."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from tests.channels.alarms.shapes.heard import read
from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.shapes import MalformedAlarm

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "ab12",
    "source": "/monitoring/db1",
    "subject": "disk/var",
    "type": "com.example.alarm.raised",
    "time": "2026-06-08T08:00:00Z",
    "data": {"severity": "critical", "summary": "/var 96 %", "labels": {"used": "96"}},
}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def test_a_structured_event_raises_an_alarm_that_source_and_subject_name() -> None:
    [event] = read("cloudevents", EVENT, headers=STRUCTURED)
    assert (event.action.value, event.key, event.severity) == ("raise", "/monitoring/db1 disk/var", 1)
    assert (event.resource, event.class_, event.summary) == (
        "disk/var",
        "com.example.alarm.raised",
        "/var 96 %",
    )
    assert event.event_id == "/monitoring/db1 ab12"
    assert event.at is not None and event.at.hour == 8


def test_a_batch_is_fanned_out() -> None:
    cleared = EVENT | {"id": "ab13", "type": "com.example.alarm.cleared", "data": None}
    raised, ended = read("cloudevents", [EVENT, cleared], headers=BATCH)
    assert (raised.action.value, ended.action.value, raised.key) == ("raise", "clear", ended.key)


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    headers = {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "ab12",
        "ce-source": "/monitoring/db1",
        "ce-subject": "R%C3%BCckmeldung",
        "ce-type": "com.example.alarm.acknowledged",
    }
    [event] = read("cloudevents", {}, headers=headers)
    assert (event.action.value, event.key) == ("ack", "/monitoring/db1 Rückmeldung")


def test_data_may_be_base64() -> None:
    data = base64.b64encode(orjson.dumps(EVENT["data"])).decode()
    bare = {name: value for name, value in EVENT.items() if name != "data"}
    [event] = read("cloudevents", bare | {"data_base64": data}, headers=STRUCTURED)
    assert event.summary == "/var 96 %"
    with pytest.raises(MalformedAlarm, match="base64"):
        read("cloudevents", bare | {"data_base64": "§"}, headers=STRUCTURED)


def test_events_of_other_types_need_a_mapping() -> None:
    deployed = EVENT | {"type": "com.example.deployed", "data": {"what": "billing 4.2", "where": "db1"}}
    with pytest.raises(MalformedAlarm, match=r"com\.example\.deployed"):
        read("cloudevents", deployed, headers=STRUCTURED)
    mapping = {"summary": ["/what"], "resource": ["/where"]}
    [event] = read("cloudevents", deployed, headers=STRUCTURED, mapping=mapping)
    assert (event.summary, event.resource, event.event_id) == ("billing 4.2", "db1", "/monitoring/db1 ab12")


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
def test_what_every_event_needs_is_demanded_by_name(missing: str) -> None:
    with pytest.raises(MalformedAlarm, match=f"“{missing}”"):
        read(
            "cloudevents",
            {name: value for name, value in EVENT.items() if name != missing},
            headers=STRUCTURED,
        )


def test_who_asks_first_whether_it_may_send_may() -> None:
    shake = shapes.named("cloudevents").handshake
    assert shake is not None
    assert (
        shake({"webhook-request-origin": "eventemitter.example"})["WebHook-Allowed-Origin"]
        == "eventemitter.example"
    )

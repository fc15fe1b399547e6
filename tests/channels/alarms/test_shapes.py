"""Each shape, against bodies of our own and against those that real systems publish."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.normal import Action, AlarmEvent
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.shapes import MalformedAlarm, UnknownShape

FIRING = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "db1:9100", "severity": "critical", "service": "billing"},
    "annotations": {
        "summary": "/var 96 %",
        "description": "It fills.",
        "runbook_url": "https://desk/rb/disk",
    },
    "startsAt": "2026-06-08T08:00:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prom/graph",
    "fingerprint": "a1b2c3d4e5f60718",
}
RESOLVED = FIRING | {"status": "resolved", "endsAt": "2026-06-08T10:30:00+02:00"}


def webhook(*alerts: Any, **root: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "status": "firing",
        "groupKey": '{}:{alertname="DiskFull"}',
        "groupLabels": {"alertname": "DiskFull"},
        "alerts": list(alerts),
    } | root


def read(shape: str, body: Any) -> list[AlarmEvent]:
    return shapes.read(shape, Request(body if isinstance(body, bytes) else orjson.dumps(body)))


def test_every_file_of_the_folder_is_a_shape() -> None:
    files = {file.stem for file in Path(shapes.__file__).parent.glob("[a-z]*.py")}
    assert shapes.names() == sorted(files)


def test_a_shape_that_nobody_registered_is_unknown_and_the_error_names_the_others() -> None:
    with pytest.raises(UnknownShape, match="pagerduty"):
        read("pigeon", {})


@pytest.mark.parametrize("shape", shapes.names())
@pytest.mark.parametrize(
    "body",
    [
        b"", b"  ", b"\xff\xfe", b"{", b"null", b"17", b'"text"', b"[]", b"[1]", b"{}", b"[" * 3000,
        b'{"alerts": 5}', b'{"alerts": []}', b'{"alerts": [null]}', b'{"events": {}}',
        b'{"event_action": "explode"}', b'{"action": ["raise"]}',
    ],
)  # fmt: skip
def test_a_body_of_another_kind_is_refused_with_a_sentence(shape: str, body: bytes) -> None:
    with pytest.raises(MalformedAlarm) as caught:
        read(shape, body)
    assert str(caught.value).endswith((".", "?")), "the sentence is for the person who set the sender up"


class TestAlertmanager:
    def test_a_firing_alert_raises(self) -> None:
        [event] = read("alertmanager", webhook(FIRING))
        assert (event.action, event.key, event.severity) == (Action.RAISE, "a1b2c3d4e5f60718", 1)
        assert (event.resource, event.service, event.class_) == ("db1:9100", "billing", "DiskFull")
        assert (event.summary, event.text) == ("/var 96 %", "It fills.")
        assert event.group == '{}:{alertname="DiskFull"}'
        assert event.at == event.started_at == datetime(2026, 6, 8, 8, 0, 0, 123456, tzinfo=UTC)
        assert event.ended_at is None
        assert [link.text for link in event.links] == ["Runbook", "Source"]

    def test_a_resolved_alert_clears_at_its_end_whatever_the_group_says(self) -> None:
        firing, resolved = read("alertmanager", webhook(FIRING | {"fingerprint": "f1"}, RESOLVED))
        assert firing.action is Action.RAISE
        assert (resolved.action, resolved.key) == (Action.CLEAR, "a1b2c3d4e5f60718")
        assert resolved.at == resolved.ended_at == datetime(2026, 6, 8, 8, 30, tzinfo=UTC)

    def test_an_alert_without_fingerprint_is_known_by_all_its_labels(self) -> None:
        bare = {name: value for name, value in FIRING.items() if name != "fingerprint"}
        one, same, worse = read(
            "alertmanager",
            webhook(bare, bare, bare | {"labels": FIRING["labels"] | {"severity": "warning"}}),  # type: ignore[operator]
        )
        assert one.key == same.key != worse.key, (
            "Alertmanager tells the two rules of one alert apart, so must we"
        )

    def test_alerts_that_were_left_out_are_noted(self) -> None:
        event, note = read("alertmanager", webhook(FIRING, truncatedAlerts=12))
        assert (event.action, note.action) == (Action.RAISE, Action.NOTE)
        assert "12" in note.summary

    def test_without_group_labels_there_is_no_group(self) -> None:
        [event] = read("alertmanager", webhook(FIRING, groupLabels={}, groupKey="{}:{}"))
        assert event.group == ""

    def test_when_full_it_must_hear_a_server_error_to_try_again(self) -> None:
        assert shapes.named("alertmanager").busy_status == 503
        assert shapes.named("plain").busy_status == 429


class TestGrafana:
    def test_the_key_holds_the_organisation_and_the_links_lead_to_the_dashboard(self) -> None:
        alert = FIRING | {
            "dashboardURL": "https://g/d/1",
            "panelURL": "",
            "silenceURL": "https://g/s",
            "values": {"B": 44.2},
        }
        [event] = read("grafana", webhook(alert, version="1", orgId=3, state="alerting"))
        assert event.key == "3:a1b2c3d4e5f60718"
        assert {link.text for link in event.links} == {"Runbook", "Source", "Dashboard", "Silence"}

    def test_a_resolved_alert_clears_the_same_key(self) -> None:
        raised, cleared = read("grafana", webhook(FIRING, RESOLVED, orgId=1))
        assert (raised.key, raised.action, cleared.action) == (cleared.key, Action.RAISE, Action.CLEAR)


class TestPagerDuty:
    TRIGGER = {
        "routing_key": "R" * 32,
        "event_action": "trigger",
        "dedup_key": "db1/disk/var",
        "client": "cron",
        "client_url": "https://cron/1",
        "payload": {
            "summary": "/var 96 % on db1",
            "source": "db1",
            "severity": "error",
            "timestamp": "2026-06-08T08:00:00.000+0000",
            "component": "disk",
            "group": "billing",
            "class": "capacity",
            "custom_details": {"used": "96 %", "inodes": 3, "mounts": ["/var"]},
        },
        "links": [{"href": "https://runbook", "text": "Book"}],
        "images": [{"src": "https://graph.png", "alt": "Graph"}],
    }  # fmt: skip

    def test_a_trigger_raises(self) -> None:
        [event] = read("pagerduty", self.TRIGGER)
        assert (event.action, event.key, event.severity, event.resource) == (
            Action.RAISE,
            "db1/disk/var",
            2,
            "db1",
        )
        assert (event.service, event.group, event.class_) == ("disk", "billing", "capacity")
        assert event.labels == {
            "used": "96 %",
            "inodes": "3",
            "mounts": '["/var"]',
            "component": "disk",
            "group": "billing",
        }
        assert [link.text for link in event.links] == ["cron", "Book", "Graph"]
        assert event.started_at == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)

    def test_arrival_orders_its_events_since_a_resolve_has_no_time(self) -> None:
        [event] = read("pagerduty", self.TRIGGER)
        assert event.at is None

    def test_the_routing_key_is_a_secret_and_kept_nowhere(self) -> None:
        [event] = read("pagerduty", self.TRIGGER)
        assert b"RRRR" not in orjson.dumps(event.body())

    @pytest.mark.parametrize(("word", "action"), [("acknowledge", Action.ACK), ("resolve", Action.CLEAR)])
    def test_acknowledge_and_resolve_need_only_the_key(self, word: str, action: Action) -> None:
        [event] = read("pagerduty", {"event_action": word, "dedup_key": "db1/disk/var"})
        assert (event.action, event.key) == (action, "db1/disk/var")
        with pytest.raises(MalformedAlarm, match="dedup_key"):
            read("pagerduty", {"event_action": word})

    def test_a_trigger_without_key_gets_one_and_is_told_it(self) -> None:
        keyless = {name: value for name, value in self.TRIGGER.items() if name != "dedup_key"}
        [event] = read("pagerduty", keyless)
        answer = shapes.named("pagerduty").answer([event])
        assert answer == {"status": "success", "message": "Event processed", "dedup_key": event.key}
        assert event.key

    def test_a_change_event_is_a_note(self) -> None:
        [event] = read("pagerduty", {"payload": {"summary": "Deployed 4.2", "source": "ci"}, "links": []})
        assert (event.action, event.summary) == (Action.NOTE, "Deployed 4.2")


class TestPlain:
    def test_one_object_a_list_and_events_are_all_read(self) -> None:
        one = {"resource": "db1", "summary": "full"}
        assert len(read("plain", one)) == 1
        assert len(read("plain", [one, one])) == 2
        assert len(read("plain", {"events": [one, one, one]})) == 3

    def test_all_that_can_be_said(self) -> None:
        [event] = read(
            "plain",
            {
                "action": "clear", "key": "db1/disk", "event_id": "e1", "severity": 4, "resource": "db1",
                "service": "billing", "class": "capacity", "group": "g", "summary": "fine",
                "text": "long", "labels": {"n": 1, "s": "x"},
                "links": [{"text": "graph", "href": "https://g"}, 5], "at": "2026-06-08T10:00:00+02:00",
                "started_at": 1780905600, "ended_at": "2026-06-08T08:00:00",
            },
        )  # fmt: skip
        assert (event.action, event.key, event.event_id, event.severity) == (
            Action.CLEAR,
            "db1/disk",
            "e1",
            4,
        )
        assert event.labels == {"n": "1", "s": "x"}
        assert event.at == event.ended_at == event.started_at == datetime(2026, 6, 8, 8, 0, tzinfo=UTC)
        assert [link.href for link in event.links] == ["https://g"]

    @pytest.mark.parametrize(
        ("entry", "word"),
        [
            ({"summary": "full"}, "resource"),
            ({"resource": "db1"}, "summary"),
            ({"action": "clear", "resource": "db1"}, "key"),
            ({"action": "shout", "key": "k"}, "action"),
            ({"key": "k", "summary": "s", "at": "yesterday"}, "at"),
            ({"key": "k", "summary": "s", "at": True}, "at"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name_and_number(
        self, entry: dict[str, Any], word: str
    ) -> None:
        with pytest.raises(MalformedAlarm, match=f"Event 2.*“{word}”"):
            read("plain", [{"key": "k", "summary": "fine"}, entry])

    def test_a_clear_without_key_finds_the_alarm_by_resource_and_class(self) -> None:
        where = {"resource": "db1", "class": "DiskFull", "labels": {"mount": "/var"}}
        raised, cleared = read("plain", [where | {"summary": "96 %"}, where | {"action": "clear"}])
        assert raised.key == cleared.key

"""No body, however odd, is an error of ours: a shape understands it or refuses it with a sentence."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.channels.alarms import test_shapes as classics
from tests.channels.alarms.shapes import test_cloudevents, test_monitors, test_opsgenie
from tierdesk.channels.alarms import shapes, sns
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.shapes import MalformedAlarm

BODIES: list[tuple[str, Any]] = [
    ("alertmanager", classics.webhook(classics.FIRING, truncatedAlerts=3)),
    ("grafana", classics.webhook(classics.FIRING, orgId=1)),
    (
        "grafana",
        {"ruleId": 1, "ruleName": "r", "state": "alerting", "evalMatches": [{"metric": "m", "tags": {}}]},
    ),
    ("pagerduty", classics.TestPagerDuty.TRIGGER),
    (
        "pagerduty_webhook",
        {"event": {"event_type": "incident.triggered", "data": {"id": "i", "service": {}}}},
    ),
    ("pagerduty_webhook", {"messages": [{"type": "incident.trigger", "data": {"incident": {"id": "i"}}}]}),
    ("opsgenie", test_opsgenie.ALERT),
    ("cloudevents", test_cloudevents.EVENT),
    (
        "cloudwatch",
        {"Type": "Notification", "TopicArn": "arn", "Message": '{"NewStateValue": "ALARM", "Trigger": {}}'},
    ),
    ("cloudwatch", {"Type": "Notification", "TopicArn": "arn", "Message": "budget", "Subject": "s"}),
    ("zabbix", test_monitors.TestZabbix.PROBLEM),
    ("nagios", test_monitors.TestNagios.PROBLEM),
    ("datadog", test_monitors.TestDatadog.TRIGGERED),
    ("uptime_kuma", test_monitors.TestUptimeKuma.DOWN),
    (
        "sentry",
        {"action": "triggered", "data": {"event": {"issue_id": "1", "title": "t", "tags": [["a", "b"]]}}},
    ),
    (
        "sentry",
        {"action": "critical", "data": {"metric_alert": {"id": 1, "projects": ["a"], "alert_rule": {}}}},
    ),
    (
        "graylog",
        {"event_definition_id": "d", "event": {"id": "e", "fields": {}, "group_by_fields": {"a": "b"}}},
    ),
    (
        "graylog",
        {"check_result": {"result_description": "d", "matching_messages": [{"source": "s"}]}, "stream": {}},
    ),
    ("newrelic", {"current_state": "open", "targets": [{"name": "n", "labels": {}}], "timestamp": 1}),
    ("newrelic", {"state": "ACTIVATED", "issueUrl": "u", "impactedEntities": ["e"], "updatedAt": 1}),
    ("pingdom", {"check_id": 1, "current_state": "DOWN", "check_params": {"hostname": "h"}}),
    ("riemann", [{"host": "h", "service": "s", "state": "x", "tags": ["t"], "time": 1}]),
    (
        "google_cloud",
        {"incident": {"state": "open", "resource": {"labels": {}}, "documentation": {"content": "c"}}},
    ),
    ("vrealize", {"alertId": "a", "status": "ACTIVE", "updateDate": 1}),
    ("kapacitor", {"id": "i", "level": "OK", "data": {"series": [{"name": "n", "tags": {"host": "h"}}]}}),
    ("oncall", {"title": "t", "state": "alerting"}),
]

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(), st.text(max_size=8), st.just([]), st.just({}),
    st.lists(st.none() | st.integers(-9, 9) | st.text(max_size=3), max_size=3), st.just({"a": {"b": []}}),
)  # fmt: skip


@st.composite
def odd(draw: st.DrawFn, value: Any) -> Any:
    """`value` with some of its parts replaced by something else."""
    if draw(st.integers(0, 6)) == 0:
        return draw(ODD)
    if isinstance(value, dict):
        return {name: draw(odd(part)) for name, part in value.items()}
    if isinstance(value, list):
        return [draw(odd(part)) for part in value]
    return value


@pytest.fixture(autouse=True)
def _signatures_are_taken_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns, "check", lambda envelope: None)


@pytest.mark.parametrize("shape", shapes.names())
def test_a_body_as_deep_as_can_be_read_is_no_error(shape: str) -> None:
    """orjson reads deeper than it writes."""
    deep = b"[" * 900 + b"]" * 900
    for body in (deep, b'{"summary": %s, "key": "k", "alerts": [{"labels": {"a": %s}}]}' % (deep, deep)):
        try:
            events = shapes.read(shape, Request(body))
        except MalformedAlarm as refusal:
            assert str(refusal)
        else:
            assert all(orjson.dumps(event.body()) for event in events)


@pytest.mark.parametrize(("shape", "body"), BODIES)
def test_an_odd_body_is_understood_or_refused(shape: str, body: Any) -> None:
    @settings(max_examples=40, deadline=None)
    @given(odd(body))
    def holds(strange: Any) -> None:
        try:
            events = shapes.read(shape, Request(orjson.dumps(strange)))
        except MalformedAlarm as refusal:
            assert str(refusal)
        else:
            for event in events:
                assert event.key and len(event.key) <= 255 and len(event.summary) <= 300
                orjson.dumps(event.body())

    holds()

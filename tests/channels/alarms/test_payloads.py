"""What real systems publish of themselves: for every body, the normal form that it becomes, or why it becomes none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tierdesk.channels.alarms import shapes, sns
from tierdesk.channels.alarms.reading import MalformedAlarm
from tierdesk.channels.alarms.request import Request

type Told = tuple[str, str, int, str, str, str]
"""action, key ("" where it is a digest), severity, resource, class, summary"""


@dataclass(frozen=True)
class Body:
    """A published body, the shape (and mapping) its source has, and what becomes of it; `why` where one may wonder."""

    name: str
    shape: str
    told: tuple[Told, ...] = ()
    refused: str = ""
    why: str = ""
    mapping: Mapping[str, Any] | None = None


DEMO = "This alert was sent by user for demonstration purposes"
CPU = "CPU (agent) for webserver-85 is above the threshold of 1% with a value of 28.5%"
INCIDENT = "f2e08c333dc64cb09f75eaab355393bz"
UID = "08d6891a-835c-e661-39fa-96b6a9e26552"

BODIES = [
    Body("alerta__cloudwatch_notification", "cloudwatch", (
        ("raise", "1234567890 EU (Ireland) bucketbytesAlarm", 2, "try.alerta.io", "BucketSizeBytes",
         "bucketbytesAlarm: bucket bytes size exceeded"),),
        why="without an AlarmArn, account, region and name are the key; CloudWatch has no severity"),
    Body("alerta__cloudwatch_insufficient_data", "cloudwatch", (
        ("note", "1234567890 EU (Ireland) notificationCountAlarm", 3, "alerta-test", "NumberOfNotificationsDelivered",
         "notificationCountAlarm: number of notifications exceeded"),),
        why="missing data neither raises an alarm nor ends the one that stands"),
    Body("alerta__cloudwatch_subscription_confirmation", "cloudwatch",
        refused="AWS asks whether this desk wants what is published to arn:aws:sns:eu-west-1:1234567890:alerta-test",
        why="a question for a person: it waits on the page of the source"),
    Body("alerta__grafana_6", "grafana", (
        ("raise", "1:rule 58", 3, "Core", "Testing -> Battery Voltage alert",
         "Testing -> Battery Voltage alert: Battery Voltage dropped below 23.7 Volts, please investigate"),),
        why="one alarm for the rule, not for each series; the organisation stands in its address"),
    Body("alerta__grafana_alert_alerting", "grafana", (
        ("raise", "1:rule 7", 3, "zeta.domain", "Zeta CPU alert", "Zeta CPU alert: boom!"),)),
    Body("alerta__grafana_alert_ok", "grafana", (
        ("clear", "1:rule 7", 3, "", "Zeta CPU alert", "Zeta CPU alert: boom!"),),
        why="the same key as when it was alerting"),
    Body("alerta__grafana_example", "grafana", (
        ("raise", ":rule 1", 3, "", "Load peaking!",
         "Load peaking!: Load is peaking. Make sure the traffic is real and spin up more webfronts"),)),
    Body("alerta__graylog_notification", "graylog", (
        ("raise", "stream 55f1509dbee8e2841898eb64 condition 5e7a9c8d-9bb1-47b6-b8db-4a3a83a25e0c", 3, "127.0.0.1",
         "MESSAGE_COUNT", "test: Stream had 2 messages in the last 1 minutes with trigger condition more than "
         "1 messages. (Current grace time: 1 minutes)"),),
        why="the counts in its words change each time, so stream and condition are the key"),
    Body("alerta__new_relic_notification", "newrelic", (
        ("raise", "incident 11111 0", 5, "TESTING", "New Relic Alert - Test Condition",
         "New Relic Alert - Test Condition: I am a test Violation"),)),
    Body("alerta__pagerduty_alert", "pagerduty_webhook", (
        ("ack", "PIJ90N7", 3, "service", "", "45645"), ("clear", "PIJ90N7", 3, "service", "", "45645")),
        why="PagerDuty tells of its own incidents; what happened is in the type, not in the status"),
    Body("alerta__pingdom_down", "pingdom", (
        ("raise", "check 803318", 1, "api.alerta.io", "HTTP", "Alerta API on OpenShift: HTTP Error 503"),)),
    Body("alerta__pingdom_up", "pingdom", (
        ("clear", "check 803318", 1, "api.alerta.io", "HTTP", "Alerta API on OpenShift: OK"),)),
    Body("alerta__prometheus_v3_alert", "alertmanager", (
        ("raise", "", 1, "host2", "failedConnect", "Connect fail"),),
        why="version 3 has no fingerprint: all labels identify the alert"),
    Body("alerta__prometheus_v4_alert", "alertmanager", (
        ("raise", "", 1, "", "thing_dead", "No things for over 10 minutes"),)),
    Body("alerta__riemann_alert", "riemann", (
        ("clear", "hostbob servicejane", 3, "hostbob", "servicejane", "This is a description"),),
        why="its state is ok"),
    Body("alerta__stackdriver_open", "google_cloud", (
        ("raise", INCIDENT, 3, "webserver-85", "CPU usage", CPU),)),
    Body("alerta__stackdriver_closed", "google_cloud", (
        ("clear", INCIDENT, 3, "webserver-85", "CPU usage", CPU),)),
    Body("alerta__telegram_ack", "plain", refused="neither a “key” nor a “resource”",
        why="a button pressed in a chat of another desk: here alarms are acknowledged on their ticket"),
    Body("alerta__telegram_close", "plain", refused="neither a “key” nor a “resource”", why="likewise"),
    Body("alerta__vmware_vrealize", "vrealize", (
        ("raise", "sample-alert-uuid", 3, "sample-object-name", "ALERT_SUBTYPE_AVAILABILITY_PROBLEM", "sample-info"),)),
    Body("oncall__alertmanager", "alertmanager", (
        ("raise", "f404ecabc8dd5cd7", 1, "localhost:8081", "InstanceDown", "Instance localhost:8081 down"),
        ("raise", "f8f08d4e32c61a9d", 1, "localhost:8082", "InstanceDown", "Instance localhost:8082 down"))),
    Body("oncall__legacy_alertmanager", "alertmanager", (
        ("raise", "", 1, "", "TestAlert", "This is test alert"),)),
    Body("oncall__grafana_alerting", "grafana", (
        ("raise", ":f404ecabc8dd5cd7", 1, "localhost:8081", "InstanceDown", "Instance localhost:8081 down"),
        ("raise", ":f8f08d4e32c61a9d", 1, "localhost:8082", "InstanceDown", "Instance localhost:8082 down"),
        ("raise", ":39f38c0611ee7abd", 1, "localhost:8083", "InstanceDown", "Instance localhost:8083 down"))),
    Body("oncall__grafana", "grafana", (("raise", "", 3, "", "TestAlert", DEMO),)),
    Body("oncall__legacy_grafana_alerting", "grafana", (("raise", "", 3, "", "TestAlert", DEMO),)),
    Body("oncall__formatted_webhook", "oncall", (("raise", UID, 3, "", "", "TestAlert: The whole system is down"),)),
    Body("oncall__zabbix", "oncall", (("raise", UID, 3, "", "", "TestAlert: The whole system is down"),),
        why="Zabbix as OnCall taught it to speak; our own media type has the shape zabbix"),
    Body("oncall__kapacitor", "kapacitor", (("raise", "TestAlert", 3, "", "TestAlert", DEMO),),
        why="without a level it is not OK, so it is raised"),
    Body("oncall__elastalert", "plain", (("raise", "", 3, "", "", DEMO),), mapping={"summary": ["/message"]},
        why="ElastAlert sends what its rule says: its source has a mapping"),
    Body("oncall__webhook", "plain", (("raise", "", 3, "", "", DEMO),), mapping={"summary": ["/message"]},
        why="anybody's JSON: its source has a mapping"),
    Body("oncall__inbound_email", "plain", (
        ("raise", "", 3, "sender@example.com", "", "Test email subject"),),
        mapping={"summary": ["/subject"], "text": ["/message"], "resource": ["/sender"]},
        why="a mail that a gateway turned into JSON: its source has a mapping"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _signatures_are_taken_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificates that these bodies were signed with are long gone; test_sns.py signs its own."""
    real = sns.check
    monkeypatch.setattr(sns, "check", lambda envelope: None if "TopicArn" in envelope else real(envelope))


@pytest.fixture
def payloads(shared_data: Path) -> Path:
    return shared_data / "alarms" / "payloads"


@pytest.mark.shared_data
def test_every_published_body_has_its_row(payloads: Path) -> None:
    assert {file.stem for file in payloads.glob("*.json")} == {body.name for body in BODIES}


@pytest.mark.shared_data
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
def test_what_real_systems_send(body: Body, payloads: Path) -> None:
    request = Request((payloads / f"{body.name}.json").read_bytes(), mapping=body.mapping or {})
    if body.refused:
        with pytest.raises(MalformedAlarm, match=body.refused.replace("(", r"\(")):
            shapes.read(body.shape, request)
        return
    events = shapes.read(body.shape, request)
    told = [(e.action.value, e.key, e.severity, e.resource, e.class_, e.summary) for e in events]
    wanted = [(row[0], row[1] or event.key, *row[2:]) for row, event in zip(body.told, events, strict=True)]
    assert told == wanted, body.why
    assert all(len(event.key) >= 40 for row, event in zip(body.told, events, strict=True) if not row[1])


@pytest.mark.shared_data
def test_no_published_body_breaks_a_shape_it_was_not_made_for(payloads: Path) -> None:
    """Somebody will point the wrong tool at a source: it is understood or refused, never an error."""
    for file in sorted(payloads.glob("*.json")):
        for shape in shapes.names():
            try:
                events = shapes.read(shape, Request(file.read_bytes()))
            except MalformedAlarm as refusal:
                assert str(refusal)
            else:
                assert all(event.key and event.summary for event in events), (file.name, shape)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "body", [body for body in BODIES if body.shape != "plain"], ids=lambda body: body.name
)
def test_who_chose_the_wrong_shape_is_told_the_right_one(body: Body, payloads: Path) -> None:
    raw = (payloads / f"{body.name}.json").read_bytes()
    with pytest.raises(MalformedAlarm, match=r"It looks like .* give the source the shape") as refused:
        shapes.read("plain" if body.shape != "riemann" else "vrealize", Request(raw))
    family = {"grafana": {"grafana", "alertmanager"}}.get(body.shape, {body.shape})
    assert any(f"“{shape}”" in str(refused.value) for shape in family)

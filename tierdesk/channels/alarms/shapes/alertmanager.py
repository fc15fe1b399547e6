"""Prometheus Alertmanager, webhook version 4 (and 3): one request carries a group of alerts.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
Alertmanager retries only server errors, so being full is a 503. High-availability pairs send the same alerts
twice and out of order; `startsAt` and `endsAt` order them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, key_of, said
from tierdesk.channels.alarms.reading import first, json_object, moment, objects, plain, strings
from tierdesk.channels.alarms.repeats import bodies_read_once, read_once
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
```yaml
# alertmanager.yml
receivers:
  - name: desk
    webhook_configs:
      - url: https://desk.example.com/in/TOKEN
        send_resolved: true
  - name: desk-heartbeat
    webhook_configs:
      - url: https://desk.example.com/in/TOKEN/beat
        send_resolved: false
route:
  receiver: desk
  routes:
    - matchers: [alertname="Watchdog"]
      receiver: desk-heartbeat
      group_wait: 0s
      group_interval: 1m
      repeat_interval: 1m
```

The second receiver is for the alert that always fires (Prometheus Operator calls it Watchdog): give the source a `beat`
of `5 min`, and the desk notices when Prometheus or Alertmanager falls silent.
"""

ABOUT_ALL = ("status", "groupKey", "groupLabels", "orgId")
RESOURCES = ("instance", "host", "hostname", "node", "pod", "device", "target", "service", "job")


@register(
    "alertmanager",
    title="Prometheus Alertmanager",
    guide=GUIDE,
    marks=("alerts groupKey receiver",),
    busy_status=503,
)
def read(request: Request) -> Sequence[AlarmEvent]:
    """The alerts of one webhook, and a note when Alertmanager left some out."""
    return _read(request.body)


@bodies_read_once
def _read(body: bytes) -> Sequence[AlarmEvent]:
    root = json_object(body)
    about_all = about_all_alerts(root)
    return (
        *(_event(about_all, alert) for alert in objects(root.get("alerts"), of="alerts")),
        *left_out(root),
    )


def about_all_alerts(root: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says about each of its alerts."""
    return {name: root[name] for name in ABOUT_ALL if name in root}


@read_once
def _event(about_all: Mapping[str, Any], alert: Mapping[str, Any]) -> AlarmEvent:
    return alert_event(about_all, alert)


def alert_event(
    about_all: Mapping[str, Any],
    alert: Mapping[str, Any],
    *,
    key: str = "",
    links: Mapping[str, str] | None = None,
) -> AlarmEvent:
    """One entry of `alerts`; `key` replaces its fingerprint, `links` (text → address) join its own."""
    labels, annotations = strings(alert.get("labels")), strings(alert.get("annotations"))
    cleared = plain(alert.get("status") or about_all.get("status")) == "resolved"
    started_at, ended_at = moment(alert.get("startsAt")), moment(alert.get("endsAt"))
    name = labels.get("alertname", "")
    return said(
        action=Action.CLEAR if cleared else Action.RAISE,
        key=key or fingerprint(alert, labels),
        severity=first(labels, "severity", "priority", "level") or annotations.get("severity", ""),
        resource=first(labels, *RESOURCES),
        service=first(labels, "service", "app", "application"),
        class_=name,
        group=_group(about_all),
        summary=first(annotations, "summary", "title", "message", "description") or name,
        text=first(annotations, "description", "message"),
        labels=labels,
        links=[
            Link("Runbook", first(annotations, "runbook_url", "runbook")),
            Link("Source", plain(alert.get("generatorURL"))),
            *(Link(text, href) for text, href in (links or {}).items()),
        ],
        at=ended_at if cleared else started_at,
        started_at=started_at,
        ended_at=ended_at if cleared else None,
        repeats=True,
    )


def fingerprint(alert: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Alertmanager's own key; before 0.19 it sent none, and all labels identify the alert."""
    own = plain(alert.get("fingerprint"))
    return own or key_of(
        resource="", name="", labels={f"label {name}": value for name, value in labels.items()}
    )


def left_out(root: Mapping[str, Any]) -> Iterator[AlarmEvent]:
    """`max_alerts` cut the group: say so, since an alert that we did not see is not one that cleared."""
    count = root.get("truncatedAlerts")
    if isinstance(count, int) and count > 0:
        yield said(
            action=Action.NOTE,
            key=f"left out: {plain(root.get('groupKey'))}",
            severity=3,
            resource=plain(root.get("receiver")),
            group=_group(root),
            summary=f"The sender left out {count} alerts of this group (max_alerts)",
        )


def _group(root: Mapping[str, Any]) -> str:
    """The sender's grouping, if it groups at all: with no group labels everything would be one group."""
    return plain(root.get("groupKey")) if root.get("groupLabels") else ""

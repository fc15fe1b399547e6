"""Grafana: the webhook contact point of its alerting, and the notification channel that it had until version 10.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
A fingerprint is unique only within a Grafana organisation, so the key carries the organisation too. The old channel
tells one state per rule and no time, so arrival orders it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import (
    MalformedAlarm,
    first,
    json_object,
    objects,
    plain,
    strings,
    words,
)
from tierdesk.channels.alarms.repeats import read_once
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.shapes.alertmanager import (
    RESOURCES,
    about_all_alerts,
    alert_event,
    fingerprint,
    left_out,
)
from tierdesk.channels.alarms.signatures import hex_hmac

GUIDE = """
```yaml
# /etc/grafana/provisioning/alerting/desk.yaml
apiVersion: 1
contactPoints:
  - orgId: 1
    name: desk
    receivers:
      - uid: desk
        type: webhook
        settings:
          url: https://desk.example.com/in
          authorization_scheme: Bearer
          authorization_credentials: TOKEN
```

Then name `desk` in a notification policy. To have bodies signed as well, give the contact point an *HMAC signature*
(and the timestamp header `X-Grafana-Alerting-Timestamp`) and the source the same `secret`. The notification channel of
Grafana 10 and older is understood too: a *webhook* to `https://desk.example.com/in/TOKEN`.
"""

LINKS = {"dashboardURL": "Dashboard", "panelURL": "Panel", "silenceURL": "Silence", "imageURL": "Image"}
RULE_STATES = {
    "alerting": Action.RAISE,
    "no_data": Action.RAISE,
    "ok": Action.CLEAR,
    "paused": Action.NOTE,
    "pending": Action.NOTE,
}

signature = hex_hmac("x-grafana-alerting-signature", timestamp="x-grafana-alerting-timestamp")


@register(
    "grafana",
    title="Grafana",
    guide=GUIDE,
    marks=("alerts groupKey receiver orgId", "ruleId ruleName state"),
    busy_status=503,
    check=signature,
)
def read(request: Request) -> list[AlarmEvent]:
    """The alerts of one notification, and a note when Grafana left some out."""
    root = json_object(request.body)
    if "ruleId" in root and "alerts" not in root:
        return [_rule_event(root)]
    about_all = about_all_alerts(root)
    return [
        *(_event(about_all, alert) for alert in objects(root.get("alerts"), of="alerts")),
        *left_out(root),
    ]


@read_once
def _event(about_all: Mapping[str, Any], alert: Mapping[str, Any]) -> AlarmEvent:
    organisation = plain(about_all.get("orgId") or alert.get("orgId"))
    return alert_event(
        about_all,
        alert,
        key=f"{organisation}:{fingerprint(alert, strings(alert.get('labels')))}",
        links={text: plain(alert.get(field)) for field, text in LINKS.items()},
    )


def _rule_event(root: Mapping[str, Any]) -> AlarmEvent:
    """What the old channel says: the state of one rule, with the series that broke it."""
    state = words(root, "state")
    if state not in RULE_STATES:
        known = ", ".join(RULE_STATES)
        raise MalformedAlarm(f"“state” should be one of {known}, but is {state or 'missing'}.")
    name, message = words(root, "ruleName"), words(root, "message")
    listed = root.get("evalMatches")
    matches = [match for match in (listed if isinstance(listed, list) else ()) if isinstance(match, dict)]
    labels = strings(root.get("tags")) | _common(strings(match.get("tags")) for match in matches)
    return said(
        action=RULE_STATES[state],
        key=f"{_organisation(root)}:rule {words(root, 'ruleId')}",
        severity=first(labels, "severity", "priority", "level"),
        resource=first(labels, *RESOURCES),
        service=labels.get("service", ""),
        class_=name,
        summary=f"{name}: {message}" if message else name,
        text="\n".join(f"{plain(match.get('metric'))} = {plain(match.get('value'))}" for match in matches),
        labels=labels,
        links=[Link("Rule", words(root, "ruleUrl")), Link("Image", words(root, "imageUrl"))],
        repeats=True,
    )


def _organisation(root: Mapping[str, Any]) -> str:
    """Named outright since Grafana 7; before, only the rule's address has it."""
    asked = parse_qs(urlsplit(words(root, "ruleUrl")).query)
    return words(root, "orgId") or asked.get("orgId", [""])[0]


def _common(tags: Iterator[dict[str, str]]) -> dict[str, str]:
    """The tags that all series share: what differs names no single resource."""
    shared: dict[str, str] | None = None
    for each in tags:
        shared = each if shared is None else dict(shared.items() & each.items())
    return shared or {}

"""Datadog, through the webhook integration with our payload: a template that Datadog fills with its variables.

https://docs.datadoghq.com/integrations/webhooks/
A variable that has no value in an event arrives as it was written and counts as absent. Datadog sends again on server
errors only, up to five times, with the same id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, Link, key_of, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, strings
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Integrations → Webhooks → New*: name `tierdesk`, URL `https://desk.example.com/in/TOKEN`, and this payload:

```json
{
  "id": "$ID", "event_type": "$EVENT_TYPE", "title": "$EVENT_TITLE", "body": "$TEXT_ONLY_MSG", "date": "$DATE",
  "alert_id": "$ALERT_ID", "cycle_key": "$ALERT_CYCLE_KEY", "transition": "$ALERT_TRANSITION", "type": "$ALERT_TYPE",
  "priority": "$ALERT_PRIORITY", "scope": "$ALERT_SCOPE", "metric": "$ALERT_METRIC", "query": "$ALERT_QUERY",
  "name": "$ALERT_TITLE", "host": "$HOSTNAME", "tags": "$TAGS", "link": "$LINK", "org": "$ORG_NAME"
}
```

Then write `@webhook-tierdesk` into the message of each monitor that is to reach the desk.
"""

RAISES = {"triggered", "re-triggered", "warn", "re-warn", "no data", "re-no data", "renotify"}
CLEARS = {"recovered"}
WEIGHTS = SEVERITIES | {
    "triggered": 2,
    "re-triggered": 2,
    "warn": 3,
    "re-warn": 3,
    "no data": 3,
    "re-no data": 3,
}
ABSENT = re.compile(r"\$[A-Z_]+|null|n/a", re.IGNORECASE)
PRIORITIES = {"P1", "P2", "P3", "P4", "P5"}


@register("datadog", title="Datadog", guide=GUIDE, marks=("transition cycle_key alert_id",), busy_status=503)
def read(request: Request) -> list[AlarmEvent]:
    """The one event of a webhook. An event of no monitor, such as a test or a comment, is a note."""
    root = {
        name: "" if ABSENT.fullmatch(text) else text
        for name, text in strings(json_object(request.body)).items()
    }
    name = root.get("name") or root.get("title")
    if not name:
        raise MalformedAlarm("The event has no “title”: is it sent with our payload?")
    transition = root.get("transition", "")
    tags = _tags(root.get("tags", ""))
    return [
        said(
            action=_action(transition),
            key=root.get("cycle_key") or _key(root, name),
            event_id=root.get("id", ""),
            severity=root["priority"] if root.get("priority") in PRIORITIES else transition,
            resource=root.get("host") or tags.get("host") or root.get("scope", ""),
            service=tags.get("service", ""),
            class_=root.get("metric", ""),
            summary=name,
            text=root.get("body", ""),
            labels=tags | {field: root[field] for field in ("scope", "query", "org") if root.get(field)},
            links=[Link("Datadog", root.get("link", ""))],
            at=moment(root.get("date")),
            repeats=True,
            severities=WEIGHTS,
        )
    ]


def _action(transition: str) -> Action:
    word = transition.lower()
    if word in CLEARS:
        return Action.CLEAR
    return Action.RAISE if word in RAISES else Action.NOTE


def _key(root: Mapping[str, str], name: str) -> str:
    """Without a cycle: the monitor and the scope that broke it, else the name."""
    monitor = root.get("alert_id", "")
    return f"{monitor} {root.get('scope', '')}" if monitor else key_of(resource="", name=name, labels={})


def _tags(listed: str) -> dict[str, str]:
    pairs = (tag.strip().partition(":") for tag in listed.split(",") if tag.strip())
    return {name: value for name, _, value in pairs}

"""Opsgenie Alert API v2: what speaks to Opsgenie today goes on speaking, to us.

https://docs.opsgenie.com/docs/alert-api
Requests carry no time, so arrival orders them. Opsgenie answers before it acts and lets clients ask what became of a
request; we answer when it is stored, and the id of a request holds the alias, so that nothing need be remembered. An
alert's id is its alias: clients may name an alert by either.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from tierdesk.channels.alarms.doors import authorization, door
from tierdesk.channels.alarms.normal import Action, AlarmEvent, key_of, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, first, json_object, strings, words
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.shapes.alertmanager import RESOURCES

GUIDE = """
Whatever speaks to Opsgenie and lets you set its address: the address is `https://desk.example.com` (some ask for
`https://desk.example.com/v2/alerts`), the API key is `TOKEN`.

```yaml
# alertmanager.yml
receivers:
  - name: desk
    opsgenie_configs:
      - api_url: https://desk.example.com/
        api_key: TOKEN
```

Its own webhook (shape `alertmanager`) tells of each alarm by itself, this of a group as one: prefer
that where you can choose.

```sh
curl https://desk.example.com/v2/alerts -H 'Authorization: GenieKey TOKEN' -H 'Content-Type: application/json' \\
  -d '{"message": "/var 96 % on db1", "alias": "db1-disk", "priority": "P1", "entity": "db1"}'
curl -X POST 'https://desk.example.com/v2/alerts/db1-disk/close?identifierType=alias' -H 'Authorization: GenieKey TOKEN'
```

Zabbix' own *Opsgenie* media type works too: `opsgenie_api` is `https://desk.example.com/v2/alerts`. Heartbeats
(`/v2/heartbeats/NAME/ping`) count as beats of the source.
"""

ACTIONS = {"close": Action.CLEAR, "acknowledge": Action.ACK}
VERBS = {
    *ACTIONS, "unacknowledge", "notes", "snooze", "escalate", "assign", "responders", "tags", "details", "actions",
    "message", "description", "priority", "attachments",
}  # fmt: skip

genie_key = authorization("GenieKey")


def answer(events: Sequence[AlarmEvent]) -> dict[str, Any]:
    if not events:
        return {"result": "PONG - Heartbeat received", "took": 0.001, "requestId": _request_id("heartbeat")}
    return {"result": "Request will be processed", "took": 0.001, "requestId": _request_id(events[0].key)}


def refuse(sentence: str) -> dict[str, Any]:
    return {"message": sentence, "took": 0.001, "requestId": _request_id("refused")}


def became(request_id: str) -> dict[str, Any]:
    """What became of a request: it was stored before it was answered."""
    alias = _alias(request_id)
    data = {"success": True, "isSuccess": True, "status": "Processed", "alertId": alias, "alias": alias}
    return {"data": data, "took": 0.001, "requestId": request_id}


@register(
    "opsgenie",
    title="Opsgenie Alert API v2",
    guide=GUIDE,
    marks=("message responders",),
    answer=answer,
    refuse=refuse,
    doors=(
        door(r"/v2/alerts/requests/(?P<rest>[\w-]+)", genie_key, "GET", tells=became),
        door(r"/v2/alerts(?:/(?P<rest>.*))?", genie_key, "POST", "PUT", "PATCH", "DELETE"),
        door(r"/v2/heartbeats/(?P<rest>.+)/ping", genie_key, "GET", "POST", "PUT", "PATCH", is_beat=True),
    ),
)
def read(request: Request) -> list[AlarmEvent]:
    """A new alert, or what is done to the alert that the path names; what has no meaning here is a note."""
    root = json_object(request.body) if request.body.strip() else {}
    if not request.path:
        return [_alert(root)]
    alias, _, verb = request.path.rstrip("/").rpartition("/")
    if not alias or verb not in VERBS:
        alias, verb = request.path.rstrip("/"), "close"  # the alert as a whole: that is what DELETE names
    note = words(root, "note") or words(root, "message") or words(root, "description")
    return [
        said(
            action=ACTIONS.get(verb, Action.NOTE),
            key=alias,
            resource=words(root, "entity"),
            summary=f"{verb}: {note}" if note else f"{verb} by {words(root, 'user') or 'the sender'}",
            text=note,
        )
    ]


def _alert(root: dict[str, Any]) -> AlarmEvent:
    message = words(root, "message")
    if not message:
        raise MalformedAlarm("The alert has no “message”.")
    details = strings(root.get("details"))
    tags = root.get("tags")
    return said(
        action=Action.RAISE,
        key=words(root, "alias") or key_of(resource="", name=template(message), labels={}),
        severity=words(root, "priority"),
        resource=words(root, "entity") or first(details, *RESOURCES),
        service=details.get("service", ""),
        class_=details.get("alertname", ""),
        summary=message,
        text=words(root, "description") or words(root, "note"),
        labels=details | ({"tags": ", ".join(map(str, tags))} if isinstance(tags, list) and tags else {}),
        repeats=True,
    )


def _request_id(alias: str) -> str:
    return base64.urlsafe_b64encode(alias.encode()).decode().rstrip("=")


def _alias(request_id: str) -> str:
    try:
        return base64.urlsafe_b64decode(request_id + "=" * (-len(request_id) % 4)).decode()
    except ValueError:
        return request_id

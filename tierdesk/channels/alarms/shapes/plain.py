"""Our own words, for scripts and for tools whose body is a template: the normal form as JSON.

    {"action": "raise", "key": "db1/disk/var", "resource": "db1", "severity": "critical", "summary": "full"}

One object, a list of them, or {"events": [...]}. Needed: a `summary` or a `class` to raise; a `key` or a
`resource` to name the alarm. Optional: `event_id` (said twice, heard once), `group`, `service`, `text`,
`labels` {name: text}, `links` [{text, href}], and times in RFC 3339 or seconds since 1970: `started_at` and
`ended_at` for people to read, and `at`, which orders the events of an alarm. Give `at` on all of them or on
none: without it arrival orders them.

A source with a mapping may send any JSON: the mapping says where in it each of these stands (mapping.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tierdesk.channels.alarms.mapping import mapped
from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_value, moment, objects, plain, strings
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.signatures import standard_webhook

GUIDE = """
Whatever can post JSON:

```sh
curl https://desk.example.com/in/TOKEN -H 'Content-Type: application/json' -d '{
  "action": "raise", "key": "db1/disk", "resource": "db1", "severity": "critical", "summary": "/var 96 %"}'
curl https://desk.example.com/in/TOKEN -H 'Content-Type: application/json' -d '{"action": "clear", "key": "db1/disk"}'
```

`action` is `raise`, `ack`, `clear` or `note`. One object, a list of them, or `{"events": […]}`. A raise needs a
`summary` or a `class`, everything a `key` or a `resource`; `group`, `service`, `text`, `labels`, `links`, `event_id`
and `at` are welcome. With a `secret`, bodies are signed as *Standard Webhooks* (`webhook-id`, `webhook-timestamp`,
`webhook-signature`).

A tool that has a JSON of its own: let it send once, and make a **mapping** on the page of the source by pointing at
the values. In the desk's file it is written as where each part stands (JSON pointers), such as

```yaml
mapping: {summary: [/check/name, /check/output], resource: [/host], action: [/state], clears: [ok]}
```

ElastAlert 2, for one, sends what you tell it to:

```yaml
alert: post2
http_post2_url: https://desk.example.com/in/TOKEN
http_post2_payload:
  key: "disk/{{ host.name }}"
  resource: "{{ host.name }}"
  summary: "{{ message }}"
  severity: high
```
"""

ACTIONS = {action.value: action for action in Action}
TEXTS = ("key", "resource", "summary", "class", "event_id", "group", "service", "text")


@register(
    "plain",
    title="Plain JSON",
    guide=GUIDE,
    headers=("webhook-id",),
    speaks_by_mapping=True,
    check=standard_webhook,
)
def read(request: Request) -> list[AlarmEvent]:
    """The events of one request, in order. What a signed request says twice is heard once."""
    events = events_of(json_value(request.body), request)
    signed = request.headers.get("webhook-id") if request.secret else ""
    if not signed:
        return events
    return [replace(event, event_id=f"{signed} {place}") for place, event in enumerate(events)]


def events_of(found: Any, request: Request) -> list[AlarmEvent]:
    """The events in a JSON value: by the source's mapping, or as the normal form has them."""
    if request.mapping:
        return mapped(request.mapping, found)
    if isinstance(found, dict):
        found = found.get("events", [found])
    return [_event(entry, number) for number, entry in enumerate(objects(found, of="events"), start=1)]


def _event(entry: Mapping[str, Any], number: int) -> AlarmEvent:
    action = _action(entry, number)
    texts = strings({name: entry.get(name) for name in TEXTS})
    _demand_sense(action, texts, number)
    return said(
        action=action,
        key=texts["key"],
        severity=_severity(entry),
        resource=texts["resource"],
        summary=texts["summary"] or texts["class"] or texts["key"],
        event_id=texts["event_id"],
        group=texts["group"],
        service=texts["service"],
        class_=texts["class"],
        text=texts["text"],
        labels=strings(entry.get("labels")),
        links=_links(entry.get("links")),
        at=_time(entry, "at", number),
        started_at=_time(entry, "started_at", number),
        ended_at=_time(entry, "ended_at", number),
    )


def _demand_sense(action: Action, texts: Mapping[str, str], number: int) -> None:
    if not (texts["key"] or texts["resource"]):
        raise MalformedAlarm(
            f"Event {number} has neither a “key” nor a “resource”: what is it about? If its sender has a JSON of its "
            "own, make a mapping on the page of the source."
        )
    if action is Action.RAISE and not (texts["summary"] or texts["class"]):
        raise MalformedAlarm(f"Event {number} has neither a “summary” nor a “class”: what is wrong?")
    if not texts["key"] and action is not Action.RAISE and not texts["class"]:
        raise MalformedAlarm(
            f"Event {number} needs the “key” of the alarm, or the “resource” and “class” it was raised with."
        )


def _action(entry: Mapping[str, Any], number: int) -> Action:
    word = entry.get("action", "raise")
    if not isinstance(word, str) or word not in ACTIONS:
        raise MalformedAlarm(
            f"Event {number}: “action” should be raise, ack, clear or note, but is {plain(word) or 'null'}."
        )
    return ACTIONS[word]


def _severity(entry: Mapping[str, Any]) -> str | int:
    given = entry.get("severity", "")
    return given if isinstance(given, int) and not isinstance(given, bool) else plain(given)


def _time(entry: Mapping[str, Any], name: str, number: int) -> datetime | None:
    """A time that is given must be readable: an alarm ordered by a misread time would silently never open."""
    given = entry.get(name)
    found = moment(given)
    if given is not None and found is None:
        raise MalformedAlarm(
            f"Event {number}: “{name}” should be a time such as 2026-11-20T08:00:00Z, but is {plain(given)}."
        )
    return found


def _links(value: Any) -> list[Link]:
    entries = value if isinstance(value, list) else []
    found = [strings(entry) for entry in entries]
    return [Link(link.get("text") or link.get("href", ""), link.get("href", "")) for link in found]

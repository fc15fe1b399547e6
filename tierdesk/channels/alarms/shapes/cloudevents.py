"""CloudEvents 1.0 over HTTP: structured, in batches, or binary (attributes in `ce-…` headers, data in the body).

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
An event has no alarm semantics by itself. A type that ends in `alarm.raised`, `alarm.acknowledged`, `alarm.cleared`
or `alarm.noted` says what it does; its data is our plain form (plain.py), or any JSON if the source has a mapping.
`source` and `id` together are unique, so what is sent twice is heard once; `source` and `subject` name the alarm.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import orjson

from tierdesk.channels.alarms.normal import Action, AlarmEvent, shorten
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, json_value, moment, objects, plain
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.shapes.plain import events_of

GUIDE = """
Send events to `https://desk.example.com/in/TOKEN` in any of the three modes; the handshake of web hooks (`OPTIONS` with
`WebHook-Request-Origin`) is answered.

```sh
curl https://desk.example.com/in/TOKEN -H 'Content-Type: application/cloudevents+json' -d '{
  "specversion": "1.0", "id": "ab12", "source": "/monitoring/db1", "subject": "disk/var",
  "type": "com.example.alarm.raised", "time": "2026-11-20T08:00:00Z",
  "data": {"severity": "critical", "summary": "/var 96 %"}}'
```

Types end in `alarm.raised`, `alarm.acknowledged`, `alarm.cleared` or `alarm.noted`. For events of other types make a
mapping on the page of the source.
"""

ACTIONS = {
    "alarm.raised": Action.RAISE,
    "alarm.acknowledged": Action.ACK,
    "alarm.cleared": Action.CLEAR,
    "alarm.noted": Action.NOTE,
}
NEEDED = ("id", "source", "type", "specversion")


def handshake(headers: Mapping[str, str]) -> dict[str, str]:
    """Whoever has the token may send as fast as it likes; being full is said by 429."""
    return {"WebHook-Allowed-Origin": headers.get("webhook-request-origin", "*"), "WebHook-Allowed-Rate": "*"}


@register(
    "cloudevents",
    headers=("ce-",),
    speaks_by_mapping=True,
    title="CloudEvents",
    guide=GUIDE,
    marks=("specversion source type",),
    handshake=handshake,
)
def read(request: Request) -> list[AlarmEvent]:
    """The alarms of one event, or of a batch of them."""
    return [heard for event in _events(request) for heard in _alarms(event, request)]


def _events(request: Request) -> list[dict[str, Any]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json":
        return objects(json_value(request.body), of="the batch")
    if "ce-specversion" in request.headers and kind != "application/cloudevents+json":
        return [_binary(request)]
    return [json_object(request.body)]


def _binary(request: Request) -> dict[str, Any]:
    """Values of headers are percent-encoded where they are not plain ASCII (binding, section 3.1.3.2)."""
    attributes = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in request.headers.items()
        if name.startswith("ce-")
    }
    return {**attributes, "data": json_value(request.body) if request.body.strip() else None}


def _alarms(event: dict[str, Any], request: Request) -> Iterator[AlarmEvent]:
    missing = [name for name in NEEDED if not plain(event.get(name))]
    if missing:
        raise MalformedAlarm(f"A CloudEvent needs its {' and its '.join(f'“{name}”' for name in missing)}.")
    source, subject, number = plain(event["source"]), plain(event.get("subject")), plain(event["id"])
    given = _data(event)
    if not request.mapping:
        given = _in_our_words(event, given)
    for place, heard in enumerate(events_of(given, request)):
        yield replace(
            heard,
            event_id=shorten(f"{source} {number}" if not place else f"{source} {number} {place}"),
            at=heard.at or moment(event.get("time")),
            resource=heard.resource or (subject or source)[:255],
        )


def _in_our_words(event: dict[str, Any], data: Any) -> Any:
    """The data as the plain form has it: the type is the action, source and subject are the key."""
    kind = plain(event["type"])
    action = next((action for suffix, action in ACTIONS.items() if kind.endswith(suffix)), None)
    if action is None:
        raise MalformedAlarm(
            f"The type “{kind}” says nothing about an alarm (…alarm.raised, …alarm.acknowledged, …alarm.cleared, "
            "…alarm.noted), and the source has no mapping that does."
        )
    if not isinstance(data, dict | None):
        raise MalformedAlarm("The “data” of the event should be an object.")
    named = f"{plain(event['source'])} {plain(event.get('subject'))}".strip()
    return (
        {"key": named, "resource": plain(event.get("subject")), "class": kind}
        | (data or {})
        | {"action": action.value}
    )


def _data(event: dict[str, Any]) -> Any:
    if "data_base64" not in event:
        return event.get("data")
    try:
        return orjson.loads(base64.b64decode(plain(event["data_base64"]), validate=True))
    except ValueError:
        raise MalformedAlarm("The “data_base64” of the event is not JSON in base64.") from None

"""PagerDuty itself as a source: its webhooks tell what became of incidents that somebody else sent to it.

https://developer.pagerduty.com/docs/webhooks-overview
Version 3 sends one `event`, the versions before it a list of `messages`. Each has its own id and the time it happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, objects, within, words
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.signatures import hex_hmac

GUIDE = """
In PagerDuty: *Integrations → Generic Webhooks (v3) → New Webhook*, the URL is `https://desk.example.com/in/TOKEN`, all
`incident.…` events. PagerDuty then shows a signing secret once: give it to the source as its `secret`.
"""

ACTIONS = {
    **dict.fromkeys(("trigger", "triggered", "reopened"), Action.RAISE),
    **dict.fromkeys(("acknowledge", "acknowledged"), Action.ACK),
    **dict.fromkeys(("resolve", "resolved"), Action.CLEAR),
}
"""An incident that is no longer acknowledged stays so with us: an acknowledgement is sticky."""


@register(
    "pagerduty_webhook",
    title="PagerDuty (its webhooks)",
    guide=GUIDE,
    marks=("event.event_type", "messages"),
    check=hex_hmac("x-pagerduty-signature", version="v1"),
)
def read(request: Request) -> list[AlarmEvent]:
    """What happened to incidents; anything but a trigger, an acknowledgement and an end is a note."""
    root = json_object(request.body)
    if isinstance(root.get("event"), dict):
        event = root["event"]
        return [_event(event, within(event, "data"), words(event, "event_type"), words(event, "occurred_at"))]
    return [
        _event(
            message,
            within(message, "data.incident") or message.get("incident"),
            words(message, "type") or words(message, "event"),
            words(message, "created_on"),
        )
        for message in objects(root.get("messages"), of="messages")
    ]


def _event(event: Mapping[str, Any], incident: Any, kind: str, at: str) -> AlarmEvent:
    if not words(incident, "id"):
        raise MalformedAlarm("The event names no incident (“data.id”).")
    return said(
        action=ACTIONS.get(kind.removeprefix("incident."), Action.NOTE),
        key=words(incident, "id"),
        event_id=words(event, "id"),
        severity=words(incident, "priority.summary") or words(incident, "urgency"),
        resource=words(incident, "service.summary") or words(incident, "service.name"),
        summary=words(incident, "title") or words(incident, "trigger_summary_data.subject") or kind,
        links=[Link("PagerDuty", words(incident, "html_url"))],
        at=moment(at),
        started_at=moment(words(incident, "created_at") or words(incident, "created_on")),
    )

"""Graylog: the HTTP notification of its event definitions (3.1 and newer), and the alarm callback it had before.

https://go2docs.graylog.org/current/interacting_with_your_log_data/notifications.html
Neither ever says that it is over: give the source a `quiet` time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, strings, within, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Alerts → Notifications → Create*: type *HTTP Notification*, URL `https://desk.example.com/in/TOKEN` (add the address
to *System → URL Whitelist*). Add the notification to your event definitions. Graylog never says that trouble is over:
give the source a `quiet` of, say, `1 h`, and an alarm that it no longer repeats is cleared.
"""

WEIGHTS = SEVERITIES | {"1": 4, "2": 3, "3": 2, "4": 1}
"""The priorities of event definitions: low, normal, high, critical."""


@register("graylog", title="Graylog", guide=GUIDE, marks=("event_definition_id event", "check_result stream"))
def read(request: Request) -> list[AlarmEvent]:
    """The one event of a notification."""
    root = json_object(request.body)
    if words(root, "event_definition_id"):
        return [_event(root)]
    if words(root, "check_result.result_description"):
        return [_callback(root)]
    raise MalformedAlarm("The body has neither an “event_definition_id” nor a “check_result”.")


def _event(root: Mapping[str, Any]) -> AlarmEvent:
    event = within(root, "event")
    title, group = words(root, "event_definition_title"), strings(within(event, "group_by_fields"))
    place = words(event, "key") or " ".join(f"{name}={value}" for name, value in sorted(group.items()))
    return said(
        action=Action.NOTE if within(event, "alert") is False else Action.RAISE,
        key=f"{words(root, 'event_definition_id')} {place}".strip(),
        event_id=words(event, "id"),
        severity=words(event, "priority"),
        resource=place or words(event, "source"),
        class_=title,
        summary=words(event, "message") or title,
        text=words(root, "event_definition_description"),
        labels=strings(within(event, "fields")) | group,
        at=moment(words(event, "timestamp")),
        repeats=True,
        severities=WEIGHTS,
    )


def _callback(root: Mapping[str, Any]) -> AlarmEvent:
    stream, told = words(root, "stream.title"), words(root, "check_result.result_description")
    condition = words(root, "check_result.triggered_condition.id")
    found = within(root, "check_result.matching_messages")
    messages = [one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict)]
    sources = {words(one, "source") for one in messages}
    return said(
        action=Action.RAISE,
        key=f"stream {words(root, 'stream.id')} condition {condition}",
        resource=sources.pop() if len(sources) == 1 else stream,
        class_=words(root, "check_result.triggered_condition.type"),
        summary=f"{stream}: {told}",
        text="\n".join(words(one, "message") for one in messages),
        at=moment(words(root, "check_result.triggered_at")),
        repeats=True,
    )

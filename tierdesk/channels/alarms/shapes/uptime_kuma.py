"""Uptime Kuma: its webhook notification, as JSON or as a form with the JSON in the field `data`.

https://github.com/louislam/uptime-kuma (server/notification-providers/webhook.js)
Test messages, and the warning that a certificate will expire, name no monitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, key_of, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, form_field, json_value, moment, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Settings → Notifications → Setup Notification*: type *Webhook*, Post URL `https://desk.example.com/in/TOKEN`, request
body *Preset - application/json*, *Default enabled*. Monitors are known by their number, so give each Uptime Kuma its
own source.
"""

STATES = {"0": Action.RAISE, "1": Action.CLEAR}
"""Down and up. Pending (2) and maintenance (3) are no trouble, so they are notes."""


@register("uptime_kuma", title="Uptime Kuma", guide=GUIDE, marks=("heartbeat monitor msg",))
def read(request: Request) -> list[AlarmEvent]:
    """The one message of a request."""
    root = json_value(form_field(request.body, request.headers, "data"))
    if not isinstance(root, dict) or not {"heartbeat", "monitor", "msg"} & set(root):
        raise MalformedAlarm("The body has neither a “heartbeat” nor a “monitor” nor a “msg”.")
    if not words(root, "monitor.id") or not words(root, "heartbeat.status"):
        return [_about_nothing(words(root, "msg"))]
    return [_heartbeat(root)]


def _heartbeat(root: Mapping[str, Any]) -> AlarmEvent:
    name = words(root, "monitor.name")
    target = words(root, "monitor.hostname") or words(root, "monitor.url")
    return said(
        action=STATES.get(words(root, "heartbeat.status"), Action.NOTE),
        key=f"monitor {words(root, 'monitor.id')}",
        severity="down",
        resource=target or name,
        class_=words(root, "monitor.type"),
        summary=f"{name}: {words(root, 'heartbeat.msg')}",
        text=words(root, "msg"),
        labels={"ping": words(root, "heartbeat.ping"), "monitor": name},
        links=[Link("Monitored", words(root, "monitor.url"))],
        at=moment(words(root, "heartbeat.time")),
        repeats=True,
    )


def _about_nothing(message: str) -> AlarmEvent:
    """A certificate that will expire is trouble to come; anything else that names no monitor is a test."""
    expires = "will expire in" in message
    return said(
        action=Action.RAISE if expires else Action.NOTE,
        key=key_of(resource="", name=template(message), labels={}),
        severity="warning" if expires else "info",
        summary=message or "A test message",
        repeats=True,
    )

"""Sentry, through the webhooks of an internal integration: issues, issue alerts, metric alerts.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
An issue alert never says that it is over: the issue itself does, so both are known by the issue's id. The hook's own
time orders them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, words
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.signatures import hex_hmac

GUIDE = """
*Settings → Developer Settings → Create New Integration → Internal*: webhook URL `https://desk.example.com/in/TOKEN`,
*Alert Rule Action* on, permission *Issue & Event: Read*, webhooks *issue*. Give its **client secret** to the source
as its `secret`: then only what Sentry signed is taken. In your alert rules choose the action *Send a notification
via* this integration.
"""

ISSUES = {
    "created": Action.RAISE,
    "unresolved": Action.RAISE,
    "resolved": Action.CLEAR,
    "archived": Action.CLEAR,
    "ignored": Action.CLEAR,
}
METRICS = {"critical": Action.RAISE, "warning": Action.RAISE, "resolved": Action.CLEAR}
WEIGHTS = SEVERITIES | {"resolved": 2, "sample": 5}

Part = Callable[[Request, Mapping[str, Any]], AlarmEvent]


@register(
    "sentry",
    headers=("sentry-hook-timestamp",),
    title="Sentry",
    guide=GUIDE,
    marks=("installation data actor",),
    check=hex_hmac("sentry-hook-signature"),
)
def read(request: Request) -> list[AlarmEvent]:
    """The event of one hook; hooks about other things (installations, comments) are nothing."""
    root = json_object(request.body)
    data = root.get("data")
    if not isinstance(data, dict) or not words(root, "action"):
        raise MalformedAlarm("The hook has no “action” with “data”: is it sent by an internal integration?")
    for name, part in PARTS.items():
        if isinstance(data.get(name), dict):
            return [part(request, root)]
    return []


def _issue_alert(request: Request, root: Mapping[str, Any]) -> AlarmEvent:
    event = root["data"]["event"]
    rule = words(root, "data.triggered_rule")
    listed = event.get("tags")
    tags = {str(tag[0]): str(tag[1]) for tag in (listed if isinstance(listed, list) else ()) if _is_pair(tag)}
    return said(
        action=Action.RAISE,
        key=f"issue {words(event, 'issue_id')}",
        event_id=f"{words(event, 'event_id')} {rule}".strip(),
        severity=words(event, "level"),
        resource=tags.get("server_name", ""),
        service=words(event, "project_name") or words(event, "project"),
        class_=words(event, "culprit"),
        summary=words(event, "title"),
        text=rule,
        labels=tags,
        links=[Link("Sentry", words(event, "web_url"))],
        at=_hooked_at(request),
        started_at=moment(event.get("datetime")),
    )


def _metric_alert(request: Request, root: Mapping[str, Any]) -> AlarmEvent:
    alert, action = root["data"]["metric_alert"], words(root, "action")
    return said(
        action=METRICS.get(action, Action.NOTE),
        key=f"metric alert {words(alert, 'id')}",
        severity=action,
        service=_listed(alert.get("projects")),
        class_=words(alert, "alert_rule.name"),
        summary=words(root, "data.description_title") or words(alert, "title"),
        text=words(root, "data.description_text"),
        links=[Link("Sentry", words(root, "data.web_url"))],
        at=_hooked_at(request),
        started_at=moment(alert.get("date_started")),
        severities=WEIGHTS,
    )


def _issue(request: Request, root: Mapping[str, Any]) -> AlarmEvent:
    issue, action = root["data"]["issue"], words(root, "action")
    return said(
        action=ISSUES.get(action, Action.NOTE),
        key=f"issue {words(issue, 'id')}",
        severity=words(issue, "level"),
        service=words(issue, "project.slug"),
        class_=words(issue, "culprit"),
        summary=words(issue, "title"),
        text=action,
        labels={"short_id": words(issue, "shortId")},
        links=[Link("Sentry", words(issue, "web_url") or words(issue, "permalink"))],
        at=_hooked_at(request),
        started_at=moment(issue.get("firstSeen")),
    )


PARTS: Mapping[str, Part] = {"event": _issue_alert, "metric_alert": _metric_alert, "issue": _issue}


def _hooked_at(request: Request) -> Any:
    return moment(request.headers.get("sentry-hook-timestamp"))


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) if isinstance(names, list) else ""


def _is_pair(tag: Any) -> bool:
    return isinstance(tag, list) and len(tag) == 2

"""New Relic: the webhook of a workflow with its default template, and the classic incident webhook before it.

https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/#webhook
Both send the whole state of an incident, with the time of its last change in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, plain, strings, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Alerts → Destinations → Webhook*: endpoint `https://desk.example.com/in/TOKEN`. Then *Alerts → Workflows*: add a
workflow that sends to it, with the template that New Relic proposes.
"""

STATES = {
    **dict.fromkeys(("open", "created", "activated"), Action.RAISE),
    **dict.fromkeys(("acknowledged",), Action.ACK),
    **dict.fromkeys(("closed", "resolved"), Action.CLEAR),
}


@register(
    "newrelic",
    title="New Relic",
    guide=GUIDE,
    marks=("condition_name incident_id current_state", "issueUrl workflowName"),
)
def read(request: Request) -> list[AlarmEvent]:
    """The one incident or issue of a webhook."""
    root = json_object(request.body)
    state = (words(root, "current_state") or words(root, "state")).lower()
    if state not in STATES:
        raise MalformedAlarm(f"“state” should be one of {', '.join(STATES)}, but is {state or 'missing'}.")
    return [_issue(root, STATES[state]) if "issueUrl" in root else _incident(root, STATES[state])]


def _issue(root: Mapping[str, Any], action: Action) -> AlarmEvent:
    return said(
        action=action,
        key=f"issue {words(root, 'id')}",
        severity=words(root, "priority"),
        resource=_listed(root.get("impactedEntities")),
        class_=_listed(root.get("alertConditionNames")),
        summary=words(root, "title"),
        labels={"policy": _listed(root.get("alertPolicyNames")), "workflow": words(root, "workflowName")},
        links=[Link("New Relic", words(root, "issueUrl"))],
        at=moment(root.get("updatedAt")),
        started_at=moment(root.get("createdAt")),
    )


def _incident(root: Mapping[str, Any], action: Action) -> AlarmEvent:
    targets = root.get("targets")
    target = targets[0] if isinstance(targets, list) and targets else {}
    name, details = words(root, "condition_name"), words(root, "details")
    return said(
        action=action,
        key=f"incident {words(root, 'account_id')} {words(root, 'incident_id')}",
        severity=words(root, "severity"),
        resource=words(target, "name") or words(target, "product"),
        class_=name,
        summary=f"{name}: {details}" if details else name,
        labels=strings(target.get("labels") if isinstance(target, dict) else None)
        | {"policy": words(root, "policy_name"), "account": words(root, "account_name")},
        links=[Link("New Relic", words(root, "incident_url")), Link("Runbook", words(root, "runbook_url"))],
        at=moment(root.get("timestamp")),
    )


def _listed(value: Any) -> str:
    return ", ".join(map(plain, value)) if isinstance(value, list) else plain(value)

"""Google Cloud Monitoring (once Stackdriver): its webhook notification channel, versions 1.1 and 1.2.

https://cloud.google.com/monitoring/support/notification-options#webhooks
"""

from __future__ import annotations

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, key_of, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, strings, within, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Monitoring → Alerting → Edit notification channels → Webhooks → Add new*: endpoint URL
`https://desk.example.com/in/TOKEN`. Then choose the channel in your alerting policies, with *Notify on incident
closure*.
"""

STATES = {"open": Action.RAISE, "acknowledged": Action.ACK, "closed": Action.CLEAR}
NO_SEVERITY = "no severity"


@register(
    "google_cloud", title="Google Cloud Monitoring", guide=GUIDE, marks=("incident.policy_name version",)
)
def read(request: Request) -> list[AlarmEvent]:
    """The one incident of a notification."""
    root = json_object(request.body)
    incident = root.get("incident")
    state = words(incident, "state").lower()
    if state not in STATES:
        raise MalformedAlarm(f"“incident.state” should be open or closed, but is {state or 'missing'}.")
    policy, condition = words(incident, "policy_name"), words(incident, "condition_name")
    resource = words(incident, "resource_display_name") or words(incident, "resource_name")
    severity = words(incident, "severity")
    return [
        said(
            action=STATES[state],
            key=words(incident, "incident_id")
            or key_of(resource=resource, name=f"{policy} {condition}", labels={}),
            severity="" if severity.lower() == NO_SEVERITY else severity,
            resource=resource,
            class_=condition,
            summary=words(incident, "summary") or f"{policy}: {condition}",
            text=words(incident, "documentation.content"),
            labels=strings(within(incident, "resource.labels"))
            | strings(within(incident, "policy_user_labels"))
            | {"policy": policy},
            links=[Link("Google Cloud", words(incident, "url"))],
            at=moment(within(incident, "ended_at" if state == "closed" else "started_at")),
            started_at=moment(within(incident, "started_at")),
            ended_at=moment(within(incident, "ended_at")),
        )
    ]

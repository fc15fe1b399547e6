"""The formatted webhook of Grafana OnCall, which many tools were taught to send, and whose users must move.

https://grafana.com/docs/oncall/latest/configure/integrations/references/webhook/
"""

from __future__ import annotations

from tierdesk.channels.alarms.normal import Action, AlarmEvent, Link, key_of, said, template
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
Wherever `https://…/integrations/v1/formatted_webhook/…` of Grafana OnCall stands, write `https://desk.example.com/in/TOKEN`:

```json
{"alert_uid": "db1/disk", "title": "/var 96 % on db1", "state": "alerting", "message": "It fills.",
 "link_to_upstream_details": "https://grafana.example.com/d/1", "image_url": ""}
```

`state` is `alerting` or `ok`.
"""

STATES = {"alerting": Action.RAISE, "ok": Action.CLEAR, "resolved": Action.CLEAR, "acknowledged": Action.ACK}


@register("oncall", title="Grafana OnCall (formatted webhook)", guide=GUIDE, marks=("alert_uid title",))
def read(request: Request) -> list[AlarmEvent]:
    """The one alert of a webhook."""
    root = json_object(request.body)
    title, state = words(root, "title"), words(root, "state").lower() or "alerting"
    if not title:
        raise MalformedAlarm("The alert has no “title”.")
    if state not in STATES:
        raise MalformedAlarm(f"“state” should be one of {', '.join(STATES)}, but is {state}.")
    return [
        said(
            action=STATES[state],
            key=words(root, "alert_uid") or key_of(resource="", name=template(title), labels={}),
            severity=words(root, "severity"),
            resource=words(root, "host"),
            summary=title,
            text=words(root, "message"),
            links=[
                Link("Details", words(root, "link_to_upstream_details")),
                Link("Image", words(root, "image_url")),
            ],
            repeats=True,
        )
    ]

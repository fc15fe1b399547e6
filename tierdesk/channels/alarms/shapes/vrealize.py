"""VMware Aria Operations (once vRealize Operations): the REST notification plug-in, as JSON.

https://docs.vmware.com/en/vRealize-Operations-Manager/8.1/com.vmware.vcom.core.doc/GUID-2A26A734-CD91-43E0-BF42-B079D5B0F5D4.html
It posts what is new and expects 201; it puts what changes and ends and expects 202. Times are in milliseconds.
"""

from __future__ import annotations

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Administration → Outbound Settings → Add*: plug-in *Rest Notification Plugin*, URL
`https://desk.example.com/in/TOKEN`, content type `application/json`, no user name. Then *Alerts → Notifications*: a
rule that sends to it, with updates and cancellations.
"""

ENDED = {"CANCELED", "CANCELLED"}
PREFIX = "ALERT_CRITICALITY_LEVEL_"
WEIGHTS = SEVERITIES | {"immediate": 2}


@register(
    "vrealize",
    title="VMware Aria Operations",
    guide=GUIDE,
    marks=("alertId criticality resourceName",),
    statuses={"POST": 201},
)
def read(request: Request) -> list[AlarmEvent]:
    """The one alert of a notification."""
    root = json_object(request.body)
    alert, status = words(root, "alertId"), words(root, "status").upper()
    if not alert or not status:
        raise MalformedAlarm("The alert has no “alertId” with a “status”.")
    ended = status in ENDED
    name, info = words(root, "alertName"), words(root, "info")
    return [
        said(
            action=Action.CLEAR if ended else Action.RAISE,
            key=alert,
            severity=words(root, "criticality").removeprefix(PREFIX),
            resource=words(root, "resourceName"),
            service=words(root, "adapterKind"),
            class_=name or words(root, "subType"),
            summary=name or info,
            text=info,
            labels={part: words(root, part) for part in ("resourceKind", "resourceId", "type", "subType")},
            at=moment(root.get("cancelDate" if ended else "updateDate")),
            started_at=moment(root.get("startDate")),
            repeats=True,
            severities=WEIGHTS,
        )
    ]

"""Kapacitor (InfluxData): what its `post` handler sends for an alert.

https://docs.influxdata.com/kapacitor/v1/reference/event_handlers/post/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tierdesk.channels.alarms.normal import Action, AlarmEvent, said
from tierdesk.channels.alarms.reading import (
    MalformedAlarm,
    first,
    json_object,
    moment,
    strings,
    within,
    words,
)
from tierdesk.channels.alarms.shapes import Request, register
from tierdesk.channels.alarms.shapes.alertmanager import RESOURCES

GUIDE = """
```js
// in the TICKscript of an alert
    |alert()
        .id('{{ .Name }}/{{ index .Tags "host" }}')
        .stateChangesOnly()
        .post('https://desk.example.com/in/TOKEN')
```
"""


@register("kapacitor", title="Kapacitor", guide=GUIDE, marks=("id message level", "id message data"))
def read(request: Request) -> list[AlarmEvent]:
    """The one alert of a post."""
    root = json_object(request.body)
    if not words(root, "id"):
        raise MalformedAlarm("The alert has no “id”.")
    level, tags = words(root, "level"), _tags(root)
    return [
        said(
            action=Action.CLEAR if level.upper() == "OK" else Action.RAISE,
            key=words(root, "id"),
            severity="" if level.upper() == "OK" else level,
            resource=first(tags, *RESOURCES),
            service=tags.get("service", ""),
            class_=_series(root).get("name", "") or words(root, "id"),
            summary=words(root, "message") or words(root, "id"),
            text=words(root, "details"),
            labels=tags,
            at=moment(words(root, "time")),
            repeats=True,
        )
    ]


def _series(root: Mapping[str, Any]) -> dict[str, str]:
    found = within(root, "data.series")
    return strings(found[0]) if isinstance(found, list) and found else {}


def _tags(root: Mapping[str, Any]) -> dict[str, str]:
    found = within(root, "data.series")
    return strings(within(found[0], "tags")) if isinstance(found, list) and found else {}

"""Pingdom: its webhook says when a check goes down or comes up.

https://pingdom.com/resources/webhooks/
"""

from __future__ import annotations

from tierdesk.channels.alarms.normal import SEVERITIES, Action, AlarmEvent, Link, said
from tierdesk.channels.alarms.reading import MalformedAlarm, json_object, moment, words
from tierdesk.channels.alarms.shapes import Request, register

GUIDE = """
*Settings → Integrations → Add integration*: type *Webhook*, URL `https://desk.example.com/in/TOKEN`. Then tick the
integration in each check. A check of low importance counts as a warning.
"""

STATES = {
    **dict.fromkeys(("DOWN", "FAILING", "UNCONFIRMED_DOWN"), Action.RAISE),
    **dict.fromkeys(("UP", "SUCCESS"), Action.CLEAR),
}
WEIGHTS = SEVERITIES | {"high": 1, "low": 3}
"""Whatever Pingdom watches is down: `importance_level` says how much that matters."""


@register("pingdom", title="Pingdom", guide=GUIDE, marks=("check_id current_state",))
def read(request: Request) -> list[AlarmEvent]:
    """The one change of state; a state that is neither up nor down is a note."""
    root = json_object(request.body)
    check, state = words(root, "check_id"), words(root, "current_state").upper()
    if not check or not state:
        raise MalformedAlarm("The body has no “check_id” with a “current_state”.")
    name = words(root, "check_name")
    return [
        said(
            action=STATES.get(state, Action.NOTE),
            key=f"check {check}",
            severity=words(root, "importance_level"),
            resource=words(root, "check_params.hostname") or words(root, "check_params.full_url") or name,
            class_=words(root, "check_type"),
            summary=f"{name}: {words(root, 'description')}",
            text=words(root, "long_description"),
            links=[Link("Monitored", words(root, "check_params.full_url"))],
            at=moment(root.get("state_changed_timestamp")),
            severities=WEIGHTS,
        )
    ]

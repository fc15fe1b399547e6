"""The section of schedules: who of a team is on call, layer over layer."""

from __future__ import annotations

from typing import Any, Final

from tierdesk.core import clock
from tierdesk.directory.oncall.models import Layer, Schedule, Turn
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, Values, World, link, save_columns

ROTATION: Final = ("name", "starts", "shift_days", "handover", "turns")
"""What a layer cannot do without."""

LAYER: Final = s.Record(
    {
        "name": s.TEXT,
        "starts": s.DATE_TEXT,
        "shift_days": s.whole(1, 365),
        "handover": s.TIME_TEXT,
        "calendar": s.Ref("calendars"),
        "turns": s.ListOf(s.Ref("agents"), ordered=True),
    }
)
LAYERS: Final = s.ListOf(LAYER, ordered=True)


def judge_schedule(item: Item, found: Findings) -> None:
    """Somebody is on call by every layer, and a reader can tell the layers apart."""
    layers = item.values.get("layers")
    if layers is None:
        return
    line = item.line_of("layers")
    if not layers:
        found.add(line, "Nobody would be on call; give a layer with its turns.")
    for number, layer in enumerate(layers, 1):
        if missing := [part for part in ROTATION if not layer.get(part)]:
            found.add(line, f"Layer {number} needs its “{missing[0]}”; give it.")
    names = [layer.get("name") for layer in layers]
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        found.add(line, f"Two layers are called “{twice}”; give each its own name.")


def _layers_of(schedule: Schedule) -> list[dict[str, Any]]:
    return [_said(layer) for layer in schedule.layers.all()]


def _said(layer: Layer) -> dict[str, Any]:
    said = {
        "name": layer.name,
        "starts": layer.starts_date.isoformat(),
        "shift_days": layer.shift_days,
        "handover": f"{layer.handover:%H:%M}",
        "turns": [turn.agent.user.email for turn in layer.turns.all()],
    }
    return said | ({"calendar": layer.calendar.key} if layer.calendar else {})


def _put_layers(world: World, schedule: Schedule, layers: list[dict[str, Any]]) -> None:
    schedule.layers.all().delete()
    for order, said in enumerate(layers):
        layer = Layer.objects.create(
            schedule=schedule,
            order=order,
            name=said["name"],
            starts_date=said["starts"],
            shift_days=said["shift_days"],
            handover=said["handover"],
            calendar=world.row("calendars", said.get("calendar")),
        )
        Turn.objects.bulk_create(
            Turn(layer=layer, agent=world.row("agents", email), order=place)
            for place, email in enumerate(said["turns"])
        )


def _save(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Schedule:
    schedule: Schedule = save_columns(Schedule)(world, section, row, values, changed)
    schedule.look_again(clock.now())
    return schedule


SCHEDULES: Final = Section(
    "schedules",
    key=("key",),
    rows=lambda: Schedule.objects.select_related("team", "needed_in").prefetch_related(
        "layers__calendar", "layers__turns__agent__user"
    ),
    save=_save,
    judge=judge_schedule,
    fields=(
        Field("key", s.SLUG),
        Field("name", s.TEXT),
        link("team", "teams"),
        Field("timezone", s.ZONE, "UTC"),
        link("needed_in", "calendars", None),
        Field("layers", LAYERS, get=_layers_of, put=_put_layers),
    ),
)

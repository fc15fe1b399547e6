"""The section of maintenance windows: when alarms are expected, and of what."""

from __future__ import annotations

from typing import Any, Final

from tierdesk.channels.alarms.models import MaintenanceWindow
from tierdesk.directory.calendars.hours import Hours, InvalidHours
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, Values, World, link, save_columns


def judge_window(item: Item, found: Findings) -> None:
    begins, ends = item.values.get("begins"), item.values.get("ends")
    if begins and ends and begins >= ends:
        found.add(item.line_of("ends"), "It ends before it begins; correct one of the two.")
    try:
        Hours.from_spec({"tz": "UTC", "week": item.values.get("week", {})})
    except InvalidHours as fault:
        found.add(item.line_of("week"), f"These are no hours: {fault}. Correct them.")


def _save(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    """What it held back is looked at again: another time, or other alarms, may be meant now."""
    saved = save_columns(MaintenanceWindow)(world, section, row, values, changed)
    saved.release()
    return saved


MAINTENANCE: Final = Section(
    "maintenance",
    key=("client", "key"),
    rows=lambda: MaintenanceWindow.objects.select_related("client", "source", "service"),
    save=_save,
    judge=judge_window,
    fields=(
        link("client", "clients"),
        Field("key", s.SLUG),
        Field("name", s.TEXT),
        link("source", "alarm_sources", None),
        link("service", "services", None),
        Field("resource", s.TEXT, ""),
        Field("begins", s.MOMENT, None, column="begins_at"),
        Field("ends", s.MOMENT, None, column="ends_at"),
        Field("week", s.Week(), {}),
    ),
)

"""The section of forms: what clients and strangers may fill in."""

from __future__ import annotations

from typing import Any, Final

from tierdesk.channels.web_form.fields import findings
from tierdesk.channels.web_form.models import Access, Form
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, link, save_columns


def judge_form(item: Item, found: Findings) -> None:
    """The fields are judged where forms are read (web_form/fields.py)."""
    for sentence in findings(item.values["fields"]) if "fields" in item.values else ():
        found.add(item.line_of("fields"), sentence)
    for sentence in _wrong_advice(item.values.get("advice", [])):
        found.add(item.line_of("advice"), sentence)
    if item.values.get("access") == Access.PUBLIC and not item.values.get("client"):
        found.add(item.line_of("access"), "A public form belongs to one client; give “client:”.")


def _wrong_advice(said: Any) -> list[str]:
    fits = isinstance(said, list) and all(
        isinstance(one, dict)
        and one.keys() == {"words", "say"}
        and isinstance(one["say"], str)
        and isinstance(one["words"], list)
        and all(isinstance(word, str) and word for word in one["words"])
        for one in said
    )
    return [] if fits else ["Write advice as a list of “words: [a, b]” with “say: what helps”."]


FORMS: Final = Section(
    "forms",
    key=("client", "key"),
    rows=lambda: Form.objects.select_related("client", "service", "category", "quiet_in"),
    save=save_columns(Form),
    judge=judge_form,
    fields=(
        link("client", "clients", None),
        Field("key", s.SLUG),
        Field("name", s.TEXT),
        link("service", "services", None),
        link("category", "categories", None, label="path"),
        Field("access", s.one_of(lambda: dict(Access.choices)), Access.SIGNED_IN.value),
        Field("intro", s.LONG_TEXT, ""),
        Field("subject", s.TEXT, ""),
        Field("fields", s.Free()),
        Field("advice", s.Free(), []),
        Field("next_steps", s.LONG_TEXT, ""),
        Field("new_contacts", s.SWITCH, False),
        Field("most_per_hour", s.whole(1, 100_000), 60),
        Field("quiet_hours", s.whole(0, 2000), 0),
        link("quiet_in", "calendars", None),
        Field("active", s.SWITCH, True, column="is_active"),
    ),
)

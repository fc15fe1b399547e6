"""Two administrators at once: what became of a thing while a form of it was open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.crypto import salted_hmac

from tierdesk.ops.desk.lines import node_of
from tierdesk.ops.desk.schema import Field, Section, Values
from tierdesk.ops.settings.form import Form, asked_fields
from tierdesk.ops.settings.telling import worded


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that somebody else changed meanwhile: what it says now, and what the form says.

    `is_taken_over`: the form left it as it was, so what it says now was put into the form.
    """

    label: str
    now: str
    yours: str
    is_taken_over: bool


def seen(section: Section, row: Any) -> str:
    """What the thing says, field by field, short enough for a hidden field of its form."""
    return json.dumps(_prints(section, section.values_of(row)), separators=(",", ":"))


def bring_up_to_date(form: Form, row: Any, seen_then: str) -> tuple[Form, list[Clash]]:
    """The form with what somebody else changed since `seen_then` and it left alone, and all that they changed."""
    section, now = form.section, form.section.values_of(row)
    then, prints = _read(seen_then), _prints(section, now)
    said = form.item.values if form.item else {}
    mine = _prints(section, now | section.defaults() | said)
    clashes = []
    for each in _compared(section):
        if prints[each.name] == then.get(each.name, prints[each.name]):
            continue
        is_untouched = each.name in said and mine[each.name] == then[each.name]
        if mine[each.name] == prints[each.name] and each.name in said:
            continue
        shape, value = each.shape, section.terse(now)[each.name]
        told = worded(shape, said.get(each.name), form.offers) if each.name in said else "cannot be read"
        clashes.append(
            Clash(form.words.asked(each.name).label, worded(shape, value, form.offers), told, is_untouched)
        )
        if is_untouched:
            form = form.with_part(each.name, node_of(shape.show(value)))
    return form, clashes


def _compared(section: Section) -> list[Field]:
    return [each for each in asked_fields(section) if not each.silent]


def _prints(section: Section, values: Values) -> dict[str, str]:
    """A fingerprint of each field's value."""
    terse = section.terse(values)
    return {each.name: _print(terse[each.name]) for each in _compared(section)}


def _print(value: Any) -> str:
    # Keyed, since a page shows it and a value may be a secret.
    return salted_hmac(
        __name__, json.dumps(value, sort_keys=True, default=str), algorithm="sha256"
    ).hexdigest()[:12]


def _read(text: str) -> dict[str, str]:
    """What `seen` wrote; nothing where somebody else wrote it."""
    try:
        then = json.loads(text)
    except ValueError:
        return {}
    return then if isinstance(then, dict) else {}

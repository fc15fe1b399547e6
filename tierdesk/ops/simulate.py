"""`tierdesk simulate`: what happens, who is called and when, if a ticket comes in at an instant. Writes nothing."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Client
from tierdesk.response.simulation.situation import Asked, NotASituation, read
from tierdesk.response.simulation.telling import Answer, Running, what_happens
from tierdesk.web.ui.wording import channel, duration

MARGIN = 26


def run(options: Namespace) -> int:
    """Print what happens; 1 with the reasons if nobody can say."""
    set_scope(EVERY_CLIENT)
    asked = Asked(**{name: getattr(options, name) for name in Asked.__dataclass_fields__})
    try:
        situation = read(asked, clients=Client.objects.all())
    except NotASituation as fault:
        print("\n".join(f"--{name}: {sentence}" for name, sentence in fault.wrong.items()), file=sys.stderr)
        return 1
    answer = what_happens(situation)
    if options.json:
        print(json.dumps(answer.as_dict(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(told(answer)))
    return 0


def told(answer: Answer) -> Iterator[str]:
    """The answer as lines of text, in the zone that was asked in."""
    one = answer.situation
    by = channel(one.channel)
    local = one.at.astimezone(one.zone)
    yield f"{local:%A %d %B %Y, %H:%M} ({one.zone.key}): a P{answer.priority} of {one.client.name} by {by}"
    yield from one.notes
    yield from _part("What holds", [f"{name:<{MARGIN}}{words}" for name, words in answer.ground])
    yield from _part("The clocks", [_clock(clock, one.zone) for clock in answer.clocks])
    events = [
        f"{_local(event.at, one.zone):<{MARGIN}}{event.text}{_people(event.kind, event.people)}"
        for event in answer.events
    ]
    if answer.cut_at:
        events.append(f"{_local(answer.cut_at, one.zone):<{MARGIN}}… nobody looked any further")
    yield from _part("What happens if nobody touches it", events)
    yield from _part("The way up", [f"{name:<{MARGIN}}{words}" for name, words in answer.way_up])
    yield from _part("Holes", list(answer.holes) or ["none were found"])


def _part(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _clock(clock: Running, zone: ZoneInfo) -> str:
    due = f"due {_local(clock.due_at, zone)}" if clock.due_at else "never due: its calendar does not open"
    waits = f", counts from {_local(clock.opens_at, zone)}" if clock.waits and clock.opens_at else ""
    return f"{clock.name}: {duration(clock.target)} of {clock.calendar}{waits}, {due}"


def _people(kind: str, people: tuple[str, ...]) -> str:
    return f" → {', '.join(people)}" if kind == "hierarchy_told" and people else ""


def _local(at: datetime, zone: ZoneInfo) -> str:
    """Seconds where there are some; the microsecond after a target is not shown."""
    local = at.astimezone(zone)
    return f"{local:%a %d %b, %H:%M:%S}" if local.second else f"{local:%a %d %b, %H:%M}"

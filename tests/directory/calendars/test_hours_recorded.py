"""What another project's business-time arithmetic answered in its own tests, asked again of ours.

Its words are translated here: `hours.after` and `hours.before` are amounts of working time, `days.after` and
`days.before` are working days that keep the time on the wall, `instant.*_until` measures a span. Its backwards spans
are negative where ours are refused; we turn them round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tierdesk.directory.calendars.hours import Hours, Interval

type Call = dict[str, Any]

DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
HELD = 196
"""How many calls the recording holds. Our words express every one of them."""


@pytest.mark.shared_data
def test_the_recorded_answers_are_ours_too(shared_data: Path) -> None:
    lines = (shared_data / "sla" / "business_time_recorded.jsonl").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    unheard = [call["op"] for call in calls if call["op"] not in OURS]
    run = [call for call in calls if call["op"] in OURS]
    differences = [
        (call["test"], ours, said) for call in run if (ours := ask(call)) != (said := answer(call))
    ]
    print(f"{len(run)} of {len(calls)} recorded calls run, {len(unheard)} without a word of ours: {unheard}")
    assert differences == []
    assert len(run) == HELD


def ask(call: Call) -> object:
    return OURS[call["op"]](call, hours_of(call), subject(call))


def hours_after(call: Call, hours: Hours, at: datetime) -> datetime | None:
    amount = timedelta(hours=call["amount"])
    return hours.add(at, amount) if amount >= timedelta(0) else hours.subtract(at, -amount)


def hours_before(call: Call, hours: Hours, at: datetime) -> datetime | None:
    amount = timedelta(hours=call["amount"])
    return hours.subtract(at, amount) if amount >= timedelta(0) else hours.add(at, -amount)


def days_after(call: Call, hours: Hours, at: date) -> date | None:
    return days_away(hours, at, call["amount"])


def days_before(call: Call, hours: Hours, at: date) -> date | None:
    if call["amount"]:
        return days_away(hours, at, -call["amount"])
    assert isinstance(at, datetime)
    return last_opening(hours, at)


def days_away(hours: Hours, at: date, days: int) -> date | None:
    return hours.add_working_days(at, days) if isinstance(at, datetime) else hours.working_day(at, days)


def last_opening(hours: Hours, at: datetime) -> datetime | None:
    """No working days before a day off: a direction without a distance, which a number of days cannot express."""
    closing = hours.previous_closing(at)
    assert closing is not None
    day = closing.astimezone(hours.zone).date()
    return hours.next_opening(datetime.combine(day, time(), hours.zone))


def time_until(call: Call, hours: Hours, start: datetime) -> float:
    stop = value(call["args"][0])
    if stop < start:
        return -hours.between(stop, start).total_seconds()
    return hours.between(start, stop).total_seconds()


def dates_until(call: Call, hours: Hours, start: date) -> list[date]:
    stop, *inclusive = map(value, call["args"])
    days = (stop - start).days + (1 if True in inclusive else 0)
    return [day for day in (start + timedelta(days=n) for n in range(days)) if hours.works_on(day)]


def days_until(call: Call, hours: Hours, start: date) -> int:
    return len(dates_until(call, hours, start))


OURS: dict[str, Callable[[Call, Hours, Any], object]] = {
    "hours.after": hours_after,
    "hours.before": hours_before,
    "days.after": days_after,
    "days.before": days_before,
    "instant.business_time_until": time_until,
    "instant.business_dates_until": dates_until,
    "instant.business_days_until": days_until,
}


def hours_of(call: Call) -> Hours:
    """Its configuration as our calendar, in the zone of the instant that it was asked about."""
    config = call["config"]
    day = config["beginning_of_workday"], config["end_of_workday"]
    week = config["work_hours"] or dict.fromkeys(config["work_week"], day)
    holidays = [date.fromisoformat(day) for day in config["holidays"]]
    return Hours(
        tz=(call["receiver"] or call["args"][0]).get("zone", "UTC"),
        week={DAYS[name]: (interval(*span),) for name, span in week.items()},
        closed=frozenset(holidays) | frozenset(written_dates(call["options"].get("holidays", ""))),
    )


def interval(opens: str, closes: str) -> Interval:
    """'9:0:0' is 09:00; midnight to midnight is a whole day there and here."""
    return clock_time(opens), clock_time(closes)


def clock_time(text: str) -> str:
    hour, minute, second = map(int, text.split(":"))
    assert second == 0
    return f"{hour:02}:{minute:02}"


def written_dates(text: str) -> Iterator[date]:
    """'[Mon, 05 Jul 2010]'."""
    for day in re.findall(r"\d\d \w{3} \d{4}", text):
        yield datetime.strptime(day, "%d %b %Y").date()


def subject(call: Call) -> Any:
    return value(call["receiver"] or call["args"][0])


def answer(call: Call) -> Any:
    return value(call["result"])


def value(typed: dict[str, Any]) -> Any:
    """A value of the recording; instants in UTC."""
    match typed["type"]:
        case "time" | "zoned":
            return datetime.fromisoformat(typed["value"]).astimezone(UTC)
        case "date":
            return date.fromisoformat(typed["value"])
        case "Array":
            return list(written_dates(typed["value"]))
        case "TrueClass" | "FalseClass":
            return typed["type"] == "TrueClass"
    return typed["value"]

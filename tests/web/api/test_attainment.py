"""A program reads which promises of a month were kept, as they were told and as they count by now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.web.api.conftest import Program
from tests.web.june import BERLIN, CLOSED, HOUR, LAST_DAY, solved_in_june
from tierdesk.core import clock
from tierdesk.directory.staff.models import Agent, User
from tierdesk.tickets.models import Ticket


@pytest.fixture
def solved(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    return solved_in_june(cast, doing)


@pytest.fixture
def june(cast: Cast, program: Callable[[User], Program]) -> Callable[..., Any]:
    """The answer to an address at an instant; Lou asks, if nobody else."""

    def read(at: datetime, more: str = "", who: Any = None) -> Any:
        with clock.frozen(at):
            return program((who or cast.lou).user).get(f"/report/attainment?month=2026-06{more}")

    return read


def of(shown: dict[str, Any], party: str, metric: str) -> dict[str, Any]:
    [one] = [one for one in shown["promises"] if (one["party"], one["metric"]) == (party, metric)]
    return dict(one)


def test_a_month_that_goes_on_is_as_it_stands(solved: Ticket, june: Callable[..., Any]) -> None:
    shown = june(LAST_DAY + 3 * HOUR).json()
    assert (shown["month"], shown["closed"], shown["restatements"]) == ("2026-06", None, [])
    assert of(shown, "SLA", "resolve")["told"] == {
        "kept": 1,
        "missed": 0,
        "open_broken": 0,
        "left_out": 0,
        "percent": 100.0,
    }
    assert of(shown, "SLA", "resolve")["restated"] is None
    assert shown["total"] == shown["restated_total"]
    assert [(one["client"], one["told"]["kept"]) for one in shown["contracts"]] == [
        ("Acme GmbH", shown["total"]["kept"])
    ]
    assert "kept, missed" in shown["definitions"]
    assert datetime.fromisoformat(shown["start"]) == datetime(2026, 6, 1, tzinfo=BERLIN)


def test_a_closed_month_says_what_was_told_and_what_counts_by_now(
    cast: Cast,
    solved: Ticket,
    june: Callable[..., Any],
    doing: Callable[..., Any],
    live_until: Callable[[datetime], None],
) -> None:
    live_until(CLOSED + HOUR)
    before = june(CLOSED + 2 * HOUR).json()
    assert (before["closed"]["clients"], before["closed"]["restatements"]) == (before["closed"]["of"], 0)
    with doing(cast.lena, CLOSED + 3 * HOUR):
        Ticket.objects.get(pk=solved.pk).reopen("It is broken again.")
    live_until(CLOSED + 5 * HOUR)
    after = june(CLOSED + 6 * HOUR).json()
    assert after["total"] == before["total"], "what was told stands"
    assert after["restated_total"] != after["total"]
    told, by_now = (of(after, "SLA", "resolve")[name] for name in ("told", "restated"))
    assert (told["kept"], by_now["kept"]) == (1, 0)
    assert after["closed"]["restatements"] == len(after["restatements"]) > 0
    [one] = [one for one in after["restatements"] if (one["metric"], one["tier"]) == ("resolve", None)]
    assert (one["ticket"], one["told_as"], one["counts_as"]) == (solved.pk, "kept", "")
    assert solved.entries.get(pk=one["entry"]).kind == "reopened"


def test_of_one_client_only_its_own(solved: Ticket, june: Callable[..., Any]) -> None:
    at = LAST_DAY + 3 * HOUR
    assert june(at, "&client=ACME").json()["total"] == june(at).json()["total"]
    assert june(at, "&client=BOR").json()["promises"] == []


def test_it_is_for_managers_and_of_whom_they_serve(
    cast: Cast, solved: Ticket, june: Callable[..., Any]
) -> None:
    at = LAST_DAY + 3 * HOUR
    assert june(at, who=cast.lena).status_code == 404
    Agent.objects.filter(pk=cast.olga.pk).update(is_manager=True)
    assert june(at, who=cast.olga).json()["promises"] == []
    assert june(at, "&client=ACME", who=cast.olga).status_code == 422


@pytest.mark.parametrize("month", ["2026-13", "june", "2026-6", "0001-01", "2026-08", ""])
def test_a_month_that_is_none_is_refused(cast: Cast, program: Callable[[User], Program], month: str) -> None:
    with clock.frozen(CLOSED):
        assert program(cast.lou.user).get(f"/report/attainment?month={month}").status_code == 422

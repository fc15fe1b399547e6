"""The page about how work moves: for managers, over days that they choose."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core import clock


@pytest.fixture
def page(cast: Cast, client: Browser, doing: Callable[..., Any], at: datetime) -> Callable[[str], str]:
    """What Lou reads, when one ticket was resolved on Monday, 8 June 2026."""
    with doing(cast.lena, at):
        ticket = cast.ticket()
    with doing(cast.lena, at + timedelta(hours=2)):
        ticket.resolve(code="fixed")
    client.force_login(cast.lou.user)
    return lambda query: client.get(f"/report/movement/{query}").content.decode()


def test_a_manager_chooses_the_days(page: Callable[[str], str]) -> None:
    words = page("?from=2026-06-08&to=2026-06-08")
    assert "How work moved from 2026-06-08 to 2026-06-08" in words
    assert "Time by tier" in words
    assert "No ticket was resolved in this time" in page("?from=2026-06-09&to=2026-06-10")


def test_a_client_can_be_looked_at_alone(page: Callable[[str], str]) -> None:
    days = "from=2026-06-08&to=2026-06-08"
    assert "Time by tier" in page(f"?{days}&client=ACME")
    assert "No ticket was resolved in this time" in page(f"?{days}&client=BOR")


@pytest.mark.parametrize(
    "query",
    ["?from=2026-06-08", "?from=x&to=y", "?from=2026-06-09&to=2026-06-08", "?from=9999-12-31&to=9999-12-31"],
)
def test_days_that_make_no_span_are_told_and_the_last_days_shown(
    page: Callable[[str], str], query: str
) -> None:
    words = page(query)
    assert "the last days are shown meanwhile" in words
    assert "How work moved in the last 30 days" in words


def test_a_day_that_was_given_stays_in_the_form(page: Callable[[str], str]) -> None:
    assert 'value="2026-06-08"' in page("?from=2026-06-08")


@pytest.mark.parametrize("address", ["/report/", "/report/movement/?days=90"])
def test_each_figure_is_explained_by_the_name_that_it_has_on_the_page(
    page: Callable[[str], str], client: Browser, at: datetime, address: str
) -> None:
    with clock.frozen(at + timedelta(hours=3)):
        words = client.get(address).content.decode()
    shown, _, meant = words.partition("What the figures mean")
    names = re.findall(r"<dt>(.+?)</dt>", meant)
    assert len(names) > 5
    assert [name for name in names if name.casefold() not in shown.casefold()] in ([], ["Ping-pong"])

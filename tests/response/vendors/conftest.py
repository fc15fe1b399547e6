"""What the tests of vendor cases share: Nordvik makes Acme's gateways, and Kira drives the case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.directory.staff.models import Agent
from tierdesk.response.vendors.models import Case, UnderpinningContract, Vendor
from tierdesk.tickets.models import Ticket

HOUR = 3600


class Submit(Protocol):
    """Open a case with Nordvik, by Kira unless the test says otherwise."""

    def __call__(self, *, by: Agent | None = None, at: datetime = MONDAY_10, **more: Any) -> Case: ...


@pytest.fixture
def nordvik(cast: Cast) -> UnderpinningContract:
    vendor = Vendor.objects.create(
        key="nordvik", name="Nordvik", email="support@nordvik.example", domains=["nordvik.example"]
    )
    return UnderpinningContract.objects.create(
        vendor=vendor,
        product="Gateway",
        entitlement="Gold support 4711",
        calendar=cast.always,
        targets={"1": {"respond": HOUR, "resolve": 8 * HOUR}, "2": {"respond": 4 * HOUR}},
    )


@pytest.fixture
def sudmark(cast: Cast) -> UnderpinningContract:
    """Another vendor."""
    vendor = Vendor.objects.create(
        key="sudmark", name="Sudmark", email="help@sudmark.example", domains=["sudmark.example"]
    )
    return UnderpinningContract.objects.create(
        vendor=vendor, product="Mail", entitlement="4712", calendar=cast.office
    )


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """Ann's VPN does not connect, and the experts have it."""
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.hand_over(cast.experts, why="theirs", assignee=cast.kira)
    return ticket


@pytest.fixture
def submit(cast: Cast, ticket: Ticket, nordvik: UnderpinningContract, doing: Callable[..., Any]) -> Submit:
    def open_case(*, by: Agent | None = None, at: datetime = MONDAY_10, **more: Any) -> Case:
        by = by or cast.kira
        said = {"severity": 1, "subject": "Gateway drops IKE", "text": "Please look at the logs."}
        of = more.pop("ticket", ticket), more.pop("contract", nordvik)
        with doing(by, at):
            return Case.submit(*of, by=by, **(said | more))

    return open_case

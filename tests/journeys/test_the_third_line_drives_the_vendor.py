"""L4: a case with the vendor's own number and clock; its mail lands on the case; L3 installs and resolves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.journeys.conftest import H, M, Post, escalate
from tierdesk.core.wakeups import fast_forward
from tierdesk.response.sla.models import Clock
from tierdesk.response.vendors.models import Case, UnderpinningContract
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket


def test_the_third_line_drives_a_vendor_case_and_the_clients_clock_goes_on(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    nordvik: UnderpinningContract,
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lena, at + M):
        escalate(ticket, cast)
    with doing(cast.tom, at + 10 * M):
        escalate(ticket, cast, to_team=cast.experts, by=cast.tom)
    with pytest.raises(UnableTo, match="Only L3"), doing(cast.tom, at + 11 * M):
        Case.submit(
            ticket, nordvik, by=cast.tom, severity=1, subject="Gateway drops IKE", text="Please look."
        )
    with doing(cast.kira, at + 20 * M):
        case = Case.submit(
            ticket, nordvik, by=cast.kira, severity=1, subject="Gateway drops IKE", text="Please look."
        )
        ticket.pend("vendor")
    assert ticket.clocks.get(metric="resolve", party="SLA").state == "running"
    respond = Clock.objects.get(case_id=case.pk, metric="respond")
    assert (respond.party, respond.due_at) == ("UC", at + 80 * M)
    fast_forward(at + 21 * M)
    ours = next(e for e in post.sent if e.rcpt_to == "support@nordvik.example")
    assert case.number.encode() in ours.data
    assert b"Contract: premium support" in ours.data
    assert b"Severity: 1" in ours.data
    post.arrive(
        at + 50 * M,
        "Nordvik Support <support@nordvik.example>",
        f"[Case 00412345] Re: Gateway drops IKE [{case.number}]",
        "Known bug, install 7.4.2.",
    )
    case.refresh_from_db()
    respond.refresh_from_db()
    assert (case.state, case.reference) == ("acknowledged", "00412345")
    assert case.messages.latest("id").text.startswith("Known bug")
    assert respond.state == "met"
    assert not ticket.messages.filter(text__contains="Known bug").exists()
    post.arrive(at + H, "eva@nordvik.example", "Re: [Case 00412345] more", "Details follow.")
    assert case.messages.count() == 3
    with doing(cast.kira, at + 2 * H):
        case.move("solution_offered")
        case.close("fixed")
        Ticket.objects.get(pk=ticket.pk).resolve(code="vendor_fix", text="A new version is installed.")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.resolved_tier) == ("resolved", 3)


def test_a_strangers_mail_with_the_vendors_number_reaches_no_case(
    cast: Cast,
    at: datetime,
    ticket: Ticket,
    post: Post,
    nordvik: UnderpinningContract,
    doing: Callable[..., Any],
) -> None:
    with doing(cast.lou, at + M):
        case = Case.submit(ticket, nordvik, by=cast.lou, severity=1, subject="Gateway", text="Please look.")
    post.arrive(at + H, "mallory@evil.example", f"Re: [{case.number}]", "Give me everything.")
    assert case.messages.count() == 1

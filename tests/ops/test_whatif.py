"""What if another contract had applied? Tickets are replayed under a draft, and nothing is written."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.ops.settings.conftest import admin
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.contracts.models import ContractVersion
from tierdesk.ops import clocks
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import Findings, compose
from tierdesk.ops.whatif import NothingDrafted, what_if
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.whatif import Broken, Comparison
from tierdesk.response.vendors.models import Vendor
from tierdesk.tickets.models import Entry, Ticket

__all__ = ["admin"]

H = timedelta(hours=1)
DAY = timedelta(days=1)
Doing = Callable[..., Any]
Change = Callable[..., str]


@pytest.fixture
def draft(cast: Cast) -> Change:
    """The desk's file with other words in Acme's contract. The contracts say that a vendor has the fourth tier."""
    Vendor.objects.get_or_create(key="nordvik", defaults={"name": "Nordvik"})

    def write(*changes: tuple[str, str]) -> str:
        before, mark, rest = export_desk().partition("contracts:\n")
        head, acme, others = rest.partition("- client: ACME")
        acme_part, cut, tail = others.partition("- client: BOR")
        for old, new in changes:
            assert old in acme_part, acme_part
            acme_part = acme_part.replace(old, new)
        return before + mark + head + acme + acme_part + cut + tail

    return write


@pytest.fixture
def solved(cast: Cast, doing: Doing, at: datetime) -> Callable[..., Ticket]:
    """A P1 of Acme's, four hours around the clock, that is answered at once and solved after so long."""

    def solve(after: timedelta, *, opened: datetime = at, **more: Any) -> Ticket:
        with doing(cast.lena, opened) as unit:
            ticket = cast.ticket(**{"impact": 1, "urgency": 1} | more)
            unit.settle()
            ticket.take(cast.lena)
            ticket.reply("We are on it.")
        with doing(cast.lena, opened + after):
            Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
        return ticket

    return solve


def compared(text: str, at: datetime, **more: Any) -> Comparison:
    found = Findings()
    with clock.frozen(at + 2 * DAY):
        return what_if(compose(text, found), found, **more)


RESOLVE_3H = ("resolve: 4 h", "resolve: 3 h")
RESOLVE_5H = ("resolve: 4 h", "resolve: 5 h")


def sla(comparison: Comparison) -> list[tuple[int, int, int]]:
    """(ticket, promises to the client that are broken only now, only under the draft)."""
    return [
        (
            one.ticket,
            sum(b.party == "SLA" for b in one.only_now),
            sum(b.party == "SLA" for b in one.only_draft),
        )
        for one in comparison.differing
    ]


def test_a_shorter_target_breaks_what_was_kept(
    cast: Cast, at: datetime, draft: Change, solved: Callable[..., Ticket]
) -> None:
    late, _ = solved(3.5 * H), solved(2 * H)
    comparison = compared(draft(RESOLVE_3H), at)
    assert comparison.tickets == 2
    (one,) = comparison.differing
    assert (one.ticket, one.only_now) == (late.pk, ())
    assert one.only_draft == (Broken("resolve", "SLA", 1, 1),)
    now, then = comparison.by(0)[cast.acme.pk]
    assert then == now + 1
    assert comparison.by(1)[1] == comparison.by(2)[1] == (now, then)


def test_a_longer_target_keeps_what_was_broken(
    at: datetime, draft: Change, solved: Callable[..., Ticket], live_until: Callable[[datetime], None]
) -> None:
    """Also where the engine told the breach: under the draft there would have been none to tell."""
    broken = solved(1 * H)
    ticket = solved(4.5 * H)
    open_one = Entry.objects.filter(ticket=ticket, kind="breached")
    comparison = compared(draft(RESOLVE_5H), at)
    assert sla(comparison) == [(ticket.pk, 1, 0)]
    assert not open_one.exists() and broken.pk != ticket.pk


def test_a_breach_that_was_told_is_judged_anew(
    cast: Cast, at: datetime, draft: Change, doing: Doing, live_until: Callable[[datetime], None]
) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=1, urgency=1)
        unit.settle()
        ticket.take(cast.lena)
        ticket.reply("We are on it.")
    live_until(at + 4.5 * H)
    assert Entry.objects.filter(ticket=ticket, kind="breached", details__metric="resolve").exists()
    with doing(cast.lena, at + 4.5 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    assert (ticket.pk, 1, 0) in sla(compared(draft(RESOLVE_5H), at))


def test_other_hours_count_otherwise(at: datetime, draft: Change, solved: Callable[..., Ticket]) -> None:
    """Six hours from 15:00 on are broken around the clock, and two of them are in the office."""
    ticket = solved(6 * H, opened=at + 5 * H)
    text = draft(("P1:\n        calendar: always\n", "P1:\n        calendar: office-de\n"))
    assert (ticket.pk, 1, 0) in sla(compared(text, at))


def test_another_policy_pauses_otherwise(
    cast: Cast, at: datetime, draft: Change, doing: Doing, solved: Callable[..., Ticket]
) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=1, urgency=1)
        unit.settle()
        ticket.take(cast.lena)
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).pend("access")
    with doing(cast.lena, at + 5 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    text = draft(("    matrix:", "    policies: {pause_reasons: []}\n    matrix:"))
    found = [one for one in compared(text, at).differing if one.ticket == ticket.pk]
    assert Broken("resolve", "SLA", 1, 1) in found[0].only_draft


def test_the_breach_belongs_to_the_tier_that_had_the_ticket_then(
    cast: Cast, at: datetime, draft: Change, doing: Doing
) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=1, urgency=1)
        unit.settle()
        ticket.take(cast.lena)
        ticket.reply("We are on it.")
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).hand_over(cast.ops, why="skill")
    with doing(cast.tom, at + 3.5 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    (one,) = compared(draft(RESOLVE_3H), at).differing
    assert one.only_draft == (Broken("resolve", "SLA", 2, 1),)


SOFTER = ("1: [1, 2, 3]", "1: [2, 2, 3]")
"""What is worst is P2: eight hours around the clock."""


@pytest.mark.parametrize(
    ("details", "unasked", "why"),
    [
        ({}, 0, "the timeline keeps impact and urgency"),
        ({"impact": None, "urgency": None}, 0, "an older entry says them in words"),
        ({"impact": None, "urgency": None, "why": "told by another desk"}, 1, "nobody knows them"),
        ({"impact": 3, "urgency": 3}, 1, "they are not what the priority came of"),
    ],
)
def test_a_draft_s_matrix_is_asked(
    at: datetime,
    draft: Change,
    solved: Callable[..., Ticket],
    details: dict[str, Any],
    unasked: int,
    why: str,
) -> None:
    ticket = solved(5 * H)
    entry = Entry.objects.get(ticket=ticket, kind="triaged")
    assert "impact 1 × urgency 1 = P1" in entry.details["why"]
    Entry.objects.filter(pk=entry.pk).update(details=entry.details | details)
    found = compared(draft(SOFTER), at)
    assert len(found.unasked) == unasked, why
    assert sla(found) == ([] if unasked else [(ticket.pk, 1, 0)]), why


def test_what_was_assessed_anew_is_asked_from_then_on(
    cast: Cast, at: datetime, draft: Change, doing: Doing
) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=2, urgency=2)
        unit.settle()
        ticket.take(cast.lena)
        ticket.reply("We are on it.")
    with doing(cast.lena, at + H):
        Ticket.objects.get(pk=ticket.pk).assess(impact=1, urgency=1, reason="everybody has it")
    with doing(cast.lena, at + 6 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    assert (ticket.pk, 1, 0) in sla(compared(draft(SOFTER), at))


def test_what_a_lead_overrode_stays(cast: Cast, at: datetime, draft: Change, doing: Doing) -> None:
    with doing(cast.lena) as unit:
        ticket = cast.ticket(impact=2, urgency=2)
        unit.settle()
        ticket.take(cast.lena)
        ticket.reply("We are on it.")
    with doing(cast.lou, at + H):
        Ticket.objects.get(pk=ticket.pk).override_priority(1, reason="their boss called")
    with doing(cast.lena, at + 6 * H):
        Ticket.objects.get(pk=ticket.pk).resolve(code="fixed")
    found = compared(draft(SOFTER), at)
    assert (found.unasked, found.differing) == ([], []), "1 × 1 is nothing that the matrix was asked"
    softer = compared(draft(("2: [2, 3, 4]", "2: [2, 4, 4]")), at)
    (one,) = softer.differing
    assert {broken.metric for broken in one.only_now} == {"update"}, (
        "of the hour before; then it was P1 here and there"
    )


def test_a_vip_s_urgency_is_asked_as_it_was_raised(
    cast: Cast, at: datetime, draft: Change, solved: Callable[..., Ticket]
) -> None:
    """Impact 1 and urgency 2 of a VIP is asked as 1 × 1."""
    with_vip = solved(5 * H, contact=cast.arne, urgency=2)
    assert compared(draft(SOFTER), at).differing[0].ticket == with_vip.pk
    assert not compared(draft(("1: [1, 2, 3]", "1: [1, 3, 3]")), at).differing


def test_nothing_is_written(at: datetime, draft: Change, solved: Callable[..., Ticket]) -> None:
    solved(3.5 * H)
    before = (
        export_desk(),
        ContractVersion.objects.count(),
        CalendarVersion.objects.count(),
        Entry.objects.count(),
        list(Clock.objects.order_by("id").values_list("target_s", "state", "due_at")),
    )
    assert compared(draft(RESOLVE_3H), at).differing
    assert before == (
        export_desk(),
        ContractVersion.objects.count(),
        CalendarVersion.objects.count(),
        Entry.objects.count(),
        list(Clock.objects.order_by("id").values_list("target_s", "state", "due_at")),
    )


def test_other_clients_and_older_tickets_stay_out_of_it(
    cast: Cast, at: datetime, draft: Change, solved: Callable[..., Ticket]
) -> None:
    solved(3.5 * H, client=cast.borealis, contact=cast.bob)
    solved(3.5 * H, opened=at - 40 * DAY)
    comparison = compared(draft(RESOLVE_3H), at, days=30)
    assert (comparison.tickets, comparison.differing) == (1, [])


def test_the_newest_are_taken_if_there_are_too_many(
    at: datetime, draft: Change, solved: Callable[..., Ticket]
) -> None:
    _, newest = solved(3.5 * H), solved(3.5 * H)
    comparison = compared(draft(RESOLVE_3H), at, most=1)
    assert [one.ticket for one in comparison.differing] == [newest.pk]


def test_a_draft_that_changes_no_contract_has_nothing_to_compare(at: datetime, draft: Change) -> None:
    with pytest.raises(NothingDrafted):
        compared(draft(), at)


def test_the_command_prints_it(
    cast: Cast,
    at: datetime,
    draft: Change,
    solved: Callable[..., Ticket],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ticket = solved(3.5 * H)
    path = tmp_path / "draft.yaml"
    path.write_text(draft(RESOLVE_3H))
    with clock.frozen(at + 2 * DAY):
        assert clocks.run(Namespace(act="whatif", draft=path, days=90)) == 0
    said = capsys.readouterr().out
    assert said.startswith("Tickets of the last 90 days: 1; promises broken: ")
    assert "Acme GmbH" in said and "L1" in said and "P1" in said
    assert f"  {ticket.reference} broken then: resolve (SLA)" in said


def test_the_command_names_those_whose_priority_nobody_can_explain(
    at: datetime,
    draft: Change,
    solved: Callable[..., Ticket],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ticket = solved(5 * H)
    Entry.objects.filter(ticket=ticket, kind="triaged").update(
        details={"category": None, "priority": 1, "team": None}
    )
    path = tmp_path / "draft.yaml"
    path.write_text(draft(SOFTER))
    with clock.frozen(at + 2 * DAY):
        assert clocks.run(Namespace(act="whatif", draft=path, days=90)) == 0
    assert f"1 tickets came of, so it stayed as it was: {ticket.reference}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [("contracts: []\n", "no contract"), ("contracts: [{client: X}]\n", "draft.yaml:1: ")],
    ids=["nothing drafted", "refused"],
)
def test_the_command_says_what_is_wrong_with_a_draft(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(text)
    assert clocks.run(Namespace(act="whatif", draft=path, days=90)) == 1
    assert told in capsys.readouterr().err


def test_the_page_begins_with_the_contracts_and_compares(
    cast: Cast, at: datetime, admin: Browser, draft: Change, solved: Callable[..., Ticket]
) -> None:
    ticket = solved(3.5 * H)
    with clock.frozen(at + 2 * DAY):
        body = admin.get("/settings/what-if/").content.decode()
        assert "client: ACME" in body and "- key: office-de" not in body
        answer = admin.post("/settings/what-if/", {"text": draft(RESOLVE_3H), "days": "30"})
    set_scope(EVERY_CLIENT)
    words = answer.content.decode()
    assert answer.status_code == 200
    assert f"{ticket.reference} broken then: resolve (SLA)" in words
    assert "Tickets of the last 30 days: 1." in words
    assert ContractVersion.objects.filter(contract__client=cast.acme).count() == 1


def test_the_page_says_what_is_wrong_and_keeps_the_text(cast: Cast, admin: Browser) -> None:
    answer = admin.post("/settings/what-if/", {"text": "contracts: [{client: X}]\n"})
    assert answer.status_code == 422
    assert "could not be applied" in answer.content.decode()
    assert "client: X" in answer.content.decode()
    nothing = admin.post("/settings/what-if/", {"text": "contracts: []\n"})
    assert "nothing to compare" in nothing.content.decode()

"""Procedures are published in versions; the one that applies is the narrowest in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.core import clock
from tierdesk.core.scope import only, seeing
from tierdesk.response.tiers.models import Procedure, ProcedureRefused
from tierdesk.tickets.models import Ticket

STRICT = {"needs_book": True}
EASY = {"needs_book": False}


def everybodys(spec: dict[str, Any] = EASY, **more: Any) -> Procedure:
    return Procedure.publish("l1-l2", **({"name": "L1 to L2", "spec": spec, "from_tier": 1} | more))


def test_a_change_is_a_new_version_and_the_old_one_stays_as_it_was(cast: Cast) -> None:
    first = everybodys(EASY)
    second = everybodys(STRICT)
    assert (first.version, second.version) == (1, 2)
    assert Procedure.objects.get(pk=first.pk).spec == EASY
    assert list(Procedure.objects.in_force()) == [second]


def test_the_same_words_make_no_new_version(cast: Cast) -> None:
    assert everybodys(EASY) == everybodys(EASY)


def test_two_clients_may_have_a_procedure_of_the_same_key(cast: Cast) -> None:
    acme, borealis = everybodys(client=cast.acme), everybodys(client=cast.borealis)
    assert (acme.version, borealis.version) == (1, 1)
    assert set(Procedure.objects.in_force()) == {acme, borealis}


def test_what_cannot_work_is_refused_with_every_reason(cast: Cast) -> None:
    with pytest.raises(ProcedureRefused) as refused:
        everybodys({"accept_min": 0, "required": ["horoscope"]}, from_tier=None)
    assert len(refused.value.findings) == 3
    assert not Procedure.objects.exists()


def test_where_nobody_wrote_one_the_house_rule_applies(cast: Cast, ticket: Ticket) -> None:
    choice = Procedure.choice_for(ticket)
    assert str(choice.chosen) == "House rule v1"
    assert "house rule" in choice.because


def test_the_client_s_own_is_chosen_before_the_general(cast: Cast, ticket: Ticket) -> None:
    everybodys(category_scope="network/vpn")
    own = everybodys(client=cast.acme)
    everybodys(client=cast.borealis)
    choice = Procedure.choice_for(ticket)
    assert choice.chosen == own
    assert choice.because == "the client’s own, for L1; narrower than 1 more"


@pytest.mark.parametrize(
    ("priorities", "applies"), [([1, 2], False), ([3], True)], ids=["for others only", "for this priority"]
)
def test_a_scope_of_priorities_is_heeded(
    cast: Cast, ticket: Ticket, priorities: list[int], applies: bool
) -> None:
    urgent = everybodys({"scope": {"priorities": priorities}})
    assert (Procedure.for_ticket(ticket) == urgent) is applies


def test_a_scope_of_services_is_heeded(cast: Cast, ticket: Ticket) -> None:
    for_vpn = everybodys({"scope": {"services": ["vpn"]}})
    ticket.service = cast.mail
    assert Procedure.for_ticket(ticket).key == "house-rule"
    ticket.service = cast.vpn
    assert Procedure.for_ticket(ticket) == for_vpn


def test_a_procedure_leads_out_of_its_own_tier_only(
    cast: Cast, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    everybodys()
    with doing(cast.lena):
        ticket.hand_over(cast.ops, why="theirs")
    assert Procedure.for_ticket(ticket).key == "house-rule"


def test_a_ladder_alone_does_not_open_or_shut_a_gate(cast: Cast, ticket: Ticket) -> None:
    Procedure.publish("tell", name="Whom to tell", spec={}, kind="hierarchical", client=cast.acme)
    assert Procedure.for_ticket(ticket).key == "house-rule"


def test_a_retired_procedure_applies_to_nothing_not_even_its_older_versions(
    cast: Cast, ticket: Ticket
) -> None:
    everybodys(EASY)
    everybodys(STRICT).retire()
    assert Procedure.for_ticket(ticket).key == "house-rule"
    assert everybodys(STRICT).version == 3


def test_an_agent_sees_what_is_for_everybody_and_for_the_clients_they_serve(cast: Cast) -> None:
    general, acme, borealis = everybodys(), everybodys(client=cast.acme), everybodys(client=cast.borealis)
    assert set(Procedure.objects.visible_to(cast.lena.user)) == {general, acme, borealis}
    assert set(Procedure.objects.visible_to(cast.olga.user)) == {general, borealis}
    assert not Procedure.objects.visible_to(cast.ann.user).exists()


def test_the_database_hides_the_procedures_of_other_clients(cast: Cast) -> None:
    general, acme, _ = everybodys(), everybodys(client=cast.acme), everybodys(client=cast.borealis)
    with seeing(only([cast.acme.pk])):
        assert set(Procedure.objects.all()) == {general, acme}


BEGINS = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("day", "version"), [(9, 1), (10, 2), (11, 2)], ids=["the day before", "that day", "the day after"]
)
def test_a_version_holds_from_its_day_on_and_the_one_before_until_then(
    cast: Cast, ticket: Ticket, day: int, version: int
) -> None:
    everybodys(EASY)
    everybodys(STRICT, in_force_from=BEGINS)
    with clock.frozen(datetime(2026, 6, day, 12, tzinfo=UTC)):
        assert Procedure.for_ticket(ticket).version == version


def test_one_retired_before_it_began_leaves_nothing_in_force(cast: Cast, ticket: Ticket) -> None:
    everybodys(EASY)
    everybodys(STRICT, in_force_from=date(2100, 1, 1)).retire()
    assert Procedure.for_ticket(ticket).key == "house-rule"


def test_its_review_comes_after_its_beginning(cast: Cast) -> None:
    with pytest.raises(ProcedureRefused, match="reviewed before it begins"):
        everybodys(in_force_from=BEGINS, review_by=BEGINS)


def test_a_review_is_due_the_day_after(cast: Cast) -> None:
    procedure = everybodys(review_by=BEGINS)
    with clock.frozen(datetime(2026, 6, 10, 23, tzinfo=UTC)):
        assert not procedure.review_is_due
    with clock.frozen(datetime(2026, 6, 11, 1, tzinfo=UTC)):
        assert procedure.review_is_due

"""Bugs that a desk could have, each with a short way on which whoever watches the desk must see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from django.db.models import F

from tests.whatever_happens.machine import Desk
from tierdesk import flow
from tierdesk.core.work import current
from tierdesk.response.sla import dates, ledger, policy, replay, rules
from tierdesk.response.sla import facts as clocks
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers import facts as ladder
from tierdesk.response.tiers import models as tiers
from tierdesk.tickets import facts as tickets
from tierdesk.tickets import lifecycle
from tierdesk.tickets.conversation import Conversation
from tierdesk.tickets.models import Ticket

type Sow = Callable[[pytest.MonkeyPatch], None]


def nothing(*args: object, **more: object) -> None:
    """What a forgotten line does."""


def unheard(fact: type[Any], reaction: str) -> Sow:
    """A reaction is missing in the flow."""

    def sow(patch: pytest.MonkeyPatch) -> None:
        wired = flow.FLOW[fact]
        left = [one for one in wired.now if one.__name__ != reaction]
        assert len(left) < len(wired.now), f"{reaction} is not there to be forgotten"
        patch.setitem(flow.FLOW, fact, replace(wired, now=left))

    return sow


def a_vendor_stops_the_client_s_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy, "CLIENT_OWES", policy.CLIENT_OWES | {"vendor"})


def a_wait_never_ends_when_it_is_reopened(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Clock, "end_wait", nothing)


def the_time_between_solution_and_reopening_counts(patch: pytest.MonkeyPatch) -> None:
    whole = Clock.reopen

    def reopen(self: Clock, at: datetime, *, policy: str = "resume") -> None:
        whole(self, at, policy="count_through")

    patch.setattr(Clock, "reopen", reopen)


def another_target_forgives_what_was_broken(patch: pytest.MonkeyPatch) -> None:
    whole = Clock.retarget

    def retarget(self: Clock, **more: Any) -> None:
        whole(self, **more | {"forgives": True})

    patch.setattr(Clock, "retarget", retarget)


def an_absence_notice_ends_a_wait(patch: pytest.MonkeyPatch) -> None:
    whole = Conversation.heed

    def heed(self: Ticket, message: Any, **more: Any) -> None:
        was, message.automatic = message.automatic, False
        whole(self, message, **more)
        message.automatic = was

    patch.setattr(Conversation, "heed", heed)


def the_slower_of_two_wins(patch: pytest.MonkeyPatch) -> None:
    def change(self: Ticket, **values: Any) -> None:
        Ticket.objects.filter(pk=self.pk).update(version=F("version") + 1, touched_at=current().at, **values)
        self.refresh_from_db()

    patch.setattr(lifecycle.Lifecycle, "change", change)
    patch.setattr(Ticket, "change", change)


def the_second_notice_counts_again(patch: pytest.MonkeyPatch) -> None:
    whole = lifecycle.Lifecycle.acknowledge

    def acknowledge(self: Ticket) -> None:
        if self.acknowledged_at is not None:
            lifecycle.record(tickets.Acknowledged(ticket=self))
        whole(self)

    patch.setattr(Ticket, "acknowledge", acknowledge)


def the_ledger_begins_with_the_last_entry(patch: pytest.MonkeyPatch) -> None:
    whole = ledger.ledger

    def late(received_at: datetime, marks: Sequence[ledger.Mark], at: datetime) -> ledger.Ledger:
        return whole(marks[-1].at if marks else received_at, marks, at)

    patch.setattr(ledger, "ledger", late)


def a_solved_ticket_never_closes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle.Lifecycle, "close", lambda self, why: self.change(wake_at=None))
    patch.setattr(Ticket, "close", lambda self, why: self.change(wake_at=None))


def a_wait_meanwhile_is_charged_as_well(patch: pytest.MonkeyPatch) -> None:
    whole = Clock.take_back_hand_over
    patch.setattr(Clock, "take_back_hand_over", lambda self, waits: whole(self, []))


def a_return_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tiers, "F", lambda name: -1)


def a_wait_stops_a_promised_date(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy, "NEVER_PAUSED", policy.NEVER_PAUSED - {"date"})


def another_priority_drops_a_promised_date(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rules, "OWN_TARGET", ("accept",))


def a_date_counts_at_night(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dates, "_working", lambda hours, date: date)


def a_broken_date_is_moved_away(patch: pytest.MonkeyPatch) -> None:
    whole = rules.promise_date

    def move(track: rules.Track, fact: Any) -> None:
        for clock in track.going("date"):
            clock.move(datetime.fromisoformat(fact.due_at), fact.calendar, fact.at)
            clock.breached_at = None
            return
        whole(track, fact)

    patch.setattr(rules, "promise_date", move)
    patch.setitem(rules.RULES, "date_promised", (move,))  # type: ignore[arg-type]


def waits_are_lost_when_it_is_counted_anew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(replay, "CHANGES_TERMS", replay.CHANGES_TERMS | {"pended", "resumed"})


@dataclass(frozen=True)
class Bug:
    """How it is sown, and the steps on which it shows."""

    sow: Sow
    way: Sequence[Callable[[Desk], object]]


def an_hour(desk: Desk) -> None:
    desk.time_passes(60)


def waits_for(reason: str) -> Callable[[Desk], None]:
    return lambda desk: desk.it_waits(reason, None)


def goes_up(desk: Desk) -> None:
    desk.it_is_handed_up(named=False)


def promises(minutes: int) -> Callable[[Desk], None]:
    return lambda desk: desk.a_date_is_promised(minutes)


def comes_back(desk: Desk) -> None:
    desk.the_hand_over_comes_back(how="returned")


BUGS: dict[str, Bug] = {
    "a vendor stops the client's clock": Bug(
        a_vendor_stops_the_client_s_clock, [waits_for("vendor"), an_hour]
    ),
    "a wait that lasted at the solution never ends": Bug(
        a_wait_never_ends_when_it_is_reopened,
        [Desk.the_contact_is_asked, an_hour, Desk.it_is_resolved, Desk.it_is_reopened, an_hour],
    ),
    "the time between solution and reopening counts": Bug(
        the_time_between_solution_and_reopening_counts, [Desk.it_is_resolved, an_hour, Desk.it_is_reopened]
    ),
    "another target forgives a breach": Bug(
        another_target_forgives_what_was_broken,
        [lambda desk: desk.time_passes(6000), lambda desk: desk.it_is_more_or_less_urgent(3)],
    ),
    "an absence notice ends a wait": Bug(
        an_absence_notice_ends_a_wait,
        [Desk.the_contact_is_asked, lambda desk: desk.the_contact_writes(automatic=True, times=1)],
    ),
    "the slower of two wins": Bug(
        the_slower_of_two_wins, [lambda desk: desk.somebody_else_was_faster("resolve")]
    ),
    "taking notice counts twice": Bug(
        the_second_notice_counts_again, [Desk.somebody_takes_it, Desk.somebody_takes_it]
    ),
    "the ledger loses the beginning": Bug(
        the_ledger_begins_with_the_last_entry, [an_hour, Desk.somebody_takes_it, an_hour]
    ),
    "a solved ticket never closes": Bug(
        a_solved_ticket_never_closes, [Desk.it_is_resolved, lambda desk: desk.time_passes(9000)]
    ),
    "a return is not counted": Bug(a_return_is_not_counted, [goes_up, comes_back]),
    "a returned hand-over is not charged to its sender": Bug(
        unheard(ladder.EscalationReturned, "charge_returned_time"), [goes_up, an_hour, comes_back]
    ),
    "a wait meanwhile is charged to the sender as well": Bug(
        a_wait_meanwhile_is_charged_as_well, [goes_up, waits_for("access"), an_hour, comes_back]
    ),
    "the tiers' clocks do not change hands": Bug(
        unheard(tickets.HandedOver, "change_tier_clocks"), [goes_up, an_hour, comes_back]
    ),
    "nothing stands while the client owes an answer": Bug(
        unheard(tickets.Pended, "pause_clocks"), [Desk.the_contact_is_asked, an_hour]
    ),
    "a wait stops a promised date": Bug(
        a_wait_stops_a_promised_date, [promises(900), waits_for("access"), an_hour]
    ),
    "another priority drops a promised date": Bug(
        another_priority_drops_a_promised_date,
        [promises(900), lambda desk: desk.it_is_more_or_less_urgent(3)],
    ),
    "a promised date counts at night": Bug(a_date_counts_at_night, [promises(900)]),
    "a broken date is moved away": Bug(a_broken_date_is_moved_away, [promises(30), an_hour, promises(200)]),
    "a date that is taken back stands on": Bug(
        unheard(clocks.DateTakenBack, "take_back_dates"), [promises(900), Desk.the_date_is_taken_back]
    ),
    "waits are lost when it is counted anew": Bug(
        waits_are_lost_when_it_is_counted_anew,
        [waits_for("access"), an_hour, Desk.the_wait_is_ended, Desk.it_is_of_the_other_type],
    ),
    "another type changes no clock": Bug(
        unheard(tickets.Retyped, "count_anew"),
        [Desk.it_is_of_the_other_type, lambda desk: desk.time_passes(4000)],
    ),
    "a hand-over stays open after the solution": Bug(
        unheard(tickets.Resolved, "end_escalations"), [goes_up, Desk.it_is_resolved]
    ),
}

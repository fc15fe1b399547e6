"""Bugs that calling people could have, each with a short way on which whoever watches must see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.whatever_happens.bugs import Sow, nothing, unheard
from tests.whatever_happens.pager import Pager
from tierdesk.channels.pager import sending
from tierdesk.response.paging.models import Paging
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.spec import Step
from tierdesk.tickets import facts as tickets


def forgotten(owner: Any, name: str) -> Sow:
    """A line is missing."""
    return lambda patch: patch.setattr(owner, name, nothing)


def the_ladder_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sending, "_free_at", lambda pages, at: at)


def the_gravest_waits_as_well(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Page, "is_first", lambda self: False)


def every_page_of_a_p1_passes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Page, "is_first", lambda self: True)


def each_page_leaves_by_itself(patch: pytest.MonkeyPatch) -> None:
    whole = sending._by_mail

    def one_by_one(pages: Sequence[Page], at: datetime) -> None:
        for page in pages:
            whole([page], at)

    patch.setattr(sending, "_by_mail", one_by_one)


def what_left_is_not_written_down(patch: pytest.MonkeyPatch) -> None:
    whole = Page.mark_sent
    patch.setattr(Page, "mark_sent", lambda self, at: self.channel == "sms" or whole(self, at))


def a_link_works_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Page, "_use", lambda self, **changes: True)


def a_late_step_is_passed_over(patch: pytest.MonkeyPatch) -> None:
    whole = Paging._page

    def page(self: Paging, step: Step, at: datetime) -> None:
        if (at - self.began_at).total_seconds() < step.after_s + 60:
            whole(self, step, at)

    patch.setattr(Paging, "_page", page)


def taking_is_unheard(patch: pytest.MonkeyPatch) -> None:
    """Whoever takes a ticket takes notice of it as well: either would do."""
    unheard(tickets.Assigned, "stop_calling")(patch)
    unheard(tickets.Acknowledged, "stop_calling")(patch)


def patience_has_no_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Paging, "_patience_ends", lambda self: None)


@dataclass(frozen=True)
class Bug:
    """How it is sown, and the steps on which it shows."""

    sow: Sow
    way: Sequence[Callable[[Pager], object]]


def comes_in(priority: int, after: int = 0) -> Callable[[Pager], None]:
    return lambda pager: pager.trouble_comes_in(priority=priority, after=after)


def passes(seconds: int) -> Callable[[Pager], None]:
    return lambda pager: pager.time_passes(seconds)


def stands_still(seconds: int) -> Callable[[Pager], None]:
    return lambda pager: pager.everything_stands_still(seconds)


BUGS: dict[str, Bug] = {
    "an SMS leaves although somebody acknowledged": Bug(
        forgotten(Paging, "_drop_pages"), [comes_in(1), Pager.somebody_acknowledges_a_page, passes(130)]
    ),
    "the ladder is forgotten": Bug(the_ladder_is_forgotten, [comes_in(2), comes_in(2, after=10)]),
    "the first page about a P1 waits as well": Bug(
        the_gravest_waits_as_well, [comes_in(2), comes_in(1, after=10)]
    ),
    "every page about a P1 passes": Bug(
        every_page_of_a_p1_passes, [comes_in(1), passes(290), comes_in(2), passes(20)]
    ),
    "each page leaves by itself": Bug(
        each_page_leaves_by_itself, [comes_in(2), comes_in(2, after=10), comes_in(2, after=10), passes(60)]
    ),
    "what left is not written down": Bug(what_left_is_not_written_down, [comes_in(1), passes(120)]),
    "a link works for ever": Bug(
        a_link_works_for_ever,
        [comes_in(1), Pager.somebody_acknowledges_a_page, passes(1801), Pager.a_used_link_is_used_again],
    ),
    "a step that fell due in a standstill is passed over": Bug(
        a_late_step_is_passed_over, [comes_in(1), stands_still(4000)]
    ),
    "whoever falls asleep is left to sleep": Bug(
        patience_has_no_end, [comes_in(1), Pager.somebody_acknowledges_a_page, passes(1800)]
    ),
    "passing on calls nobody": Bug(
        forgotten(Paging, "_hurry"), [comes_in(1), Pager.somebody_passes_a_page_on, passes(1)]
    ),
    "a resolved ticket goes on calling": Bug(
        unheard(tickets.Resolved, "end_calling"), [comes_in(1), Pager.it_is_resolved, passes(300)]
    ),
    "a reopened ticket calls nobody": Bug(
        unheard(tickets.Reopened, "call_people"), [comes_in(1), Pager.it_is_resolved, Pager.it_is_reopened]
    ),
    "another team does not end the chain": Bug(
        unheard(tickets.HandedOver, "call_people"), [comes_in(1), Pager.another_team_gets_it, passes(300)]
    ),
    "taking it does not stop the calling": Bug(
        taking_is_unheard, [comes_in(1), Pager.somebody_takes_it, passes(300)]
    ),
}

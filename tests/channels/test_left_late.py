"""Words that waited for the mail server are a response from when it took them (promises.md F07)."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.conftest import PostOffice
from tests.replayed import _clocks_are_a_replay  # noqa: F401
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Ticket

MINUTE = timedelta(minutes=1)

type Doing = Callable[..., Any]
type Left = Callable[..., Clock]


@pytest.fixture
def ticket(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.lena, at):
        ticket = cast.ticket()
    Notice.objects.all().delete()
    return ticket


@pytest.fixture
def left(cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket) -> Left:
    """Lena answers after five minutes, and the mail server takes it `later`; returns the clock of the response."""

    def answer(later: timedelta) -> Clock:
        with doing(cast.lena, at + 5 * MINUTE):
            ticket.reply("We are on it.")
        if later > timedelta():
            post.failing = [smtplib.SMTPConnectError(421, b"away")]
            post.empty(at + 5 * MINUTE)
        assert len(_as_due(post, at + 5 * MINUTE + later)) == 1
        return ticket.clocks.get(metric="respond")

    return answer


def _as_due(post: PostOffice, at: datetime) -> list[Any]:
    Notice.objects.filter(state="pending").update(wake_at=at)
    return post.empty(at)


def test_f07_a_reply_counts_from_when_the_mail_server_took_it(
    left: Left, at: datetime, ticket: Ticket
) -> None:
    respond = left(10 * MINUTE)
    assert (respond.state, respond.stopped_at) == ("met", at + 15 * MINUTE)
    assert respond.elapsed_s == 15 * 60
    [told] = ticket.entries.filter(kind="left_late")
    assert (told.at, told.details["waited_s"]) == (at + 15 * MINUTE, 600)
    assert Notice.objects.get(kind="reply").sent_at == at + 15 * MINUTE


def test_f07_it_may_be_too_late_by_then(left: Left, at: datetime, ticket: Ticket) -> None:
    respond = left(timedelta(days=2))
    assert respond.state == "missed"
    assert respond.breached_at is not None and at < respond.breached_at < at + timedelta(days=2)


def test_f07_what_is_missed_by_that_is_told_in_the_hierarchy(
    cast: Cast, left: Left, at: datetime, ticket: Ticket
) -> None:
    respond = left(timedelta(days=2))
    [broken] = ticket.entries.filter(kind="breached", details__metric="respond")
    assert (broken.at, broken.details["crossed_at"]) == (
        at + timedelta(days=2, minutes=5),
        respond.breached_at.isoformat() if respond.breached_at else "",
    )
    assert broken.cause is not None and broken.cause.kind == "left_late"
    [told] = ticket.entries.filter(kind="hierarchy_told", cause=broken)
    assert cast.lou.pk in told.details["agents"]
    assert told.details["why"] == "the promise “respond” (SLA) is broken"


def test_f07_what_had_been_broken_before_it_was_written_is_not_told_again(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket, live_until: Callable[..., None]
) -> None:
    live_until(at + timedelta(hours=5))
    assert ticket.entries.filter(kind="breached", details__metric="respond").count() == 1
    Notice.objects.all().delete()
    with doing(cast.lena, at + timedelta(hours=5)):
        Ticket.objects.get(pk=ticket.pk).reply("We are on it.")
    assert len(_as_due(post, at + timedelta(days=1))) == 1
    assert ticket.entries.filter(kind="left_late").count() == 1
    assert ticket.entries.filter(kind="breached", details__metric="respond").count() == 1


@pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=59)])
def test_f07_what_leaves_soon_left_when_it_was_written(
    left: Left, at: datetime, ticket: Ticket, later: timedelta
) -> None:
    assert left(later).stopped_at == at + 5 * MINUTE
    assert not ticket.entries.filter(kind="left_late").exists()


def test_f07_only_the_first_response_is_meant_and_only_the_contact(
    cast: Cast, doing: Doing, left: Left, at: datetime, ticket: Ticket, post: PostOffice
) -> None:
    left(timedelta())
    with doing(cast.lena, at + 20 * MINUTE):
        ticket.reply("Still on it.")
    assert len(_as_due(post, at + 40 * MINUTE)) == 1
    assert ticket.entries.filter(kind="left_late").count() == 1
    assert ticket.clocks.get(metric="respond").stopped_at == at + 5 * MINUTE
    Notice.objects.filter(kind="reply").update(contact_id=cast.arne.pk, state="pending")
    _as_due(post, at + 80 * MINUTE)
    assert ticket.entries.filter(kind="left_late").count() == 1


def test_f07_what_left_late_and_came_back_was_no_response(
    doing: Doing, left: Left, at: datetime, ticket: Ticket, cast: Cast
) -> None:
    left(10 * MINUTE)
    notice = Notice.objects.select_related("ticket").get(kind="reply")
    with doing(cast.lena, at + 30 * MINUTE):
        notice.come_back("550 5.1.1 user unknown", dead=True)
    assert ticket.clocks.get(metric="respond").state == "running"

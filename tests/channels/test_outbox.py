"""The outbox: nothing is lost, nothing overtakes, nothing is tried for ever, and every end is visible."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.conftest import PostOffice, PowerCut
from tests.channels.test_intake import in_threads
from tierdesk.channels.email import sender
from tierdesk.channels.outbox import AT_ONCE, GIVE_UP_AFTER, LEASE, Outbox
from tierdesk.core import clock
from tierdesk.core.wakeups import fast_forward
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket

MINUTE = timedelta(minutes=1)
Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def ticket(cast: Cast, doing: Doing) -> Ticket:
    """Ann's ticket that Lena works; its receipt was sent long ago."""
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.assign(cast.lena)
    Notice.objects.all().delete()
    return ticket


def say(cast: Cast, doing: Doing, ticket: Ticket, at: datetime, *words: str) -> list[Notice]:
    ticket.refresh_from_db()
    for word in words:
        with doing(cast.lena, at):
            ticket.reply(word)
    return list(Notice.objects.mails().order_by("id"))


def refused(code: int, text: bytes) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({"ann@acme.example": (code, text)})


def test_a_reply_leaves_once_and_its_message_knows_the_mail(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    [notice] = say(cast, doing, ticket, at, "Try again, please.")
    [mail] = post.empty(at)
    notice.refresh_from_db()
    assert (notice.state, notice.sent_at, notice.tries, notice.wake_at) == ("sent", at, 1, None)
    assert notice.said is not None
    assert mail["Message-ID"] == notice.message_id == notice.said.message_id
    assert post.empty(at + LEASE) == []


def test_a_crash_after_sending_sends_the_same_mail_again(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(cast, doing, ticket, at, "Try again, please.")

    def send_then_die(notice: Notice, at: datetime) -> str:
        sender.send(notice, at)
        raise PowerCut

    with clock.frozen(at), pytest.raises(PowerCut):
        Outbox(send_then_die).send_due(at)
    assert Notice.objects.get().state == "pending"
    assert post.empty(at + LEASE / 2) == []  # not while the lease runs: the first may still be at it
    [again] = post.empty(at + LEASE)
    assert post.read(post.sent[0])["Message-ID"] == again["Message-ID"]
    assert Notice.objects.get().state == "sent"


def test_a_younger_mail_never_overtakes_an_older_one_of_its_conversation(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    first, second = say(cast, doing, ticket, at, "First.", "Second.")
    post.failing = [smtplib.SMTPDataError(451, b"busy")]
    assert post.empty(at) == []
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.wake_at is not None and second.wake_at is not None
    assert at < first.wake_at <= second.wake_at
    fast_forward(second.wake_at + MINUTE)
    assert [post.read(one).get_content().splitlines()[0] for one in post.sent] == ["First.", "Second."]


def test_a_mail_of_another_conversation_does_not_wait(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    with doing(cast.lena, at):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    Notice.objects.all().delete()
    say(cast, doing, ticket, at, "To Ann.")
    say(cast, doing, other, at, "To Bob.")
    post.failing = [smtplib.SMTPDataError(451, b"busy")]
    assert [mail["To"] for mail in post.empty(at)] == ["bob@borealis.example"]


def test_what_is_refused_for_now_is_tried_later_and_later_and_says_why(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    [notice] = say(cast, doing, ticket, at, "Hello.")
    waits, now = [], at
    for _ in range(12):
        post.failing = [refused(450, b"4.2.1 greylisted")]
        post.empty(now)
        notice.refresh_from_db()
        assert notice.wake_at is not None
        waits.append((notice.wake_at - now).total_seconds())
        now = notice.wake_at
    assert waits[:5] == [15, 30, 60, 120, 240]
    assert waits[-1] == 3600
    assert (notice.state, notice.tries, notice.error) == ("pending", 12, "450 4.2.1 greylisted")
    assert len(post.empty(now)) == 1


def test_after_five_days_it_has_failed_and_the_agent_is_told(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    [notice] = say(cast, doing, ticket, at, "Hello.")
    late = at + GIVE_UP_AFTER + MINUTE
    post.failing = [smtplib.SMTPDataError(451, b"busy")]
    post.empty(late)
    notice.refresh_from_db()
    assert (notice.state, notice.wake_at, notice.error) == ("failed", None, "451 busy")
    told = Notice.objects.on_the_desk_of(cast.lena).get()
    assert (told.kind, told.text) == ("undelivered", "ann@acme.example: 451 busy")
    assert Entry.objects.of(ticket.pk).filter(kind="undelivered").exists()


@pytest.mark.parametrize(
    ("answer", "dead"),
    [
        (refused(550, b"5.1.1 user unknown"), True),
        (refused(550, b"5.7.1 blocked by policy"), False),
        (smtplib.SMTPSenderRefused(553, b"5.1.8 we do not like you", "support@desk.localhost"), False),
        (smtplib.SMTPDataError(552, b"5.3.4 too big"), False),
    ],
    ids=lambda answer: str(answer),
)
def test_what_is_refused_for_good_is_not_tried_again(
    cast: Cast,
    doing: Doing,
    at: datetime,
    post: PostOffice,
    ticket: Ticket,
    answer: smtplib.SMTPException,
    dead: bool,
) -> None:
    [notice] = say(cast, doing, ticket, at, "Hello.")
    post.failing = [answer]
    post.empty(at)
    notice.refresh_from_db()
    cast.ann.refresh_from_db()
    assert (notice.state, notice.wake_at) == ("failed", None)
    assert (cast.ann.undeliverable_since is not None) is dead
    assert Notice.objects.on_the_desk_of(cast.lena).get().kind == "undelivered"


@pytest.mark.parametrize(
    "closed",
    [
        ConnectionRefusedError("refused"),
        TimeoutError("timed out"),
        smtplib.SMTPServerDisconnected("gone"),
        smtplib.SMTPConnectError(554, b"5.7.1 not today"),
    ],
    ids=repr,
)
def test_a_relay_that_is_away_is_asked_once_and_loses_no_mail(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket, closed: OSError
) -> None:
    """Each question to a dead relay may take a whole time-out; clocks wait behind it."""
    others = []
    with doing(cast.lena, at):
        for _ in range(3):
            others.append(cast.ticket())
    Notice.objects.all().delete()
    for one in [ticket, *others]:
        say(cast, doing, one, at, "Hello.")
    post.failing = [closed, AssertionError("asked a second time")]
    assert post.empty(at) == []
    assert len(post.failing) == 1
    assert set(Notice.objects.mails().values_list("state", "tries")) == {("pending", 1), ("pending", 0)}
    post.failing = []
    fast_forward(at + 2 * MINUTE)
    assert len(post.sent) == 4


def test_what_can_never_be_composed_fails_at_once_and_holds_up_nobody(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    with doing(cast.lena, at):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    Notice.objects.all().delete()
    say(cast, doing, ticket, at, "To nobody.")
    say(cast, doing, other, at, "To Bob.")
    Notice.objects.mails().filter(ticket=ticket).update(address="two@addresses, at@once")
    assert [mail["To"] for mail in post.empty(at)] == ["bob@borealis.example"]
    broken = Notice.objects.mails().get(ticket=ticket)
    assert broken.state == "failed"
    assert "is no address" in broken.error


def test_a_fault_of_our_own_puts_one_mail_off_and_not_the_others(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    with doing(cast.lena, at):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    Notice.objects.all().delete()
    say(cast, doing, ticket, at, "To Ann.")
    say(cast, doing, other, at, "To Bob.")
    post.failing = [KeyError("a bug")]
    assert [mail["To"] for mail in post.empty(at)] == ["bob@borealis.example"]
    assert Notice.objects.mails().get(ticket=ticket).state == "pending"


def test_a_storm_leaves_in_batches(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    say(cast, doing, ticket, at, *(f"Word {number}." for number in range(AT_ONCE + 5)))
    assert (len(post.empty(at)), len(post.empty(at))) == (AT_ONCE, 5)


@pytest.mark.django_db(transaction=True)
def test_two_engines_send_each_mail_once_and_in_order(
    transactional_db: None, cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    say(cast, doing, ticket, at, *(f"Word {number:02}." for number in range(30)))
    start = threading.Barrier(2)

    def work_off() -> None:
        start.wait(10)
        with clock.frozen(at):
            while Outbox(sender.send).send_due(at):
                pass

    in_threads(work_off, work_off)
    fast_forward(at + 2 * LEASE)  # what had to wait behind the other engine's mail comes up again
    words = [post.read(one).get_content().splitlines()[0] for one in post.sent]
    assert words == [f"Word {number:02}." for number in range(30)]


def test_an_engine_that_was_frozen_does_not_send_what_another_took_over(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice, ticket: Ticket
) -> None:
    with doing(cast.lena, at):
        other = cast.ticket(client=cast.borealis, contact=cast.bob)
    Notice.objects.all().delete()
    say(cast, doing, ticket, at, "To Ann.")
    say(cast, doing, other, at, "To Bob.")
    sent_by_frozen: list[str] = []

    def freeze_after_the_first(notice: Notice, now: datetime) -> str:
        sent_by_frozen.append(notice.address)
        if len(sent_by_frozen) == 1:
            post.empty(at + LEASE)  # the lease is over, and another engine does the work
        return "<x@desk.localhost>"

    with clock.frozen(at):
        Outbox(freeze_after_the_first).send_due(at)
    assert sent_by_frozen == ["ann@acme.example"]
    assert [envelope.rcpt_to for envelope in post.sent] == ["ann@acme.example", "bob@borealis.example"]

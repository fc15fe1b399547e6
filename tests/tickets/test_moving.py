"""Words that came to the wrong ticket go where they belong, and both tickets tell it (M11).

Ann has a ticket about her VPN that waits for her answer, and one about a printer. Her answer belongs to the printer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.response.notifications.models import Notice
from tierdesk.response.sla.models import Clock
from tierdesk.response.sla.verify import verify
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Attachment, Message, Participant, Ticket
from tierdesk.tickets.moving import can_move, move_words, split_matter, split_off, was_moved, woken_by

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(autouse=True)
def _clocks_follow_the_timeline(cast: Cast) -> Iterator[None]:
    """Whatever moved where, the timelines tell the clocks that the desk has."""
    yield
    assert [str(one) for one in verify()] == []


@pytest.fixture
def vpn(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    """Waits for Ann's answer, for at most two days."""
    with doing(cast.ann, at):
        ticket = cast.ticket()
    with doing(cast.lena, at + HOUR):
        ticket.assign(cast.lena)
        ticket.ask("Since when?", until=at + 48 * HOUR)
    return ticket


@pytest.fixture
def printer(cast: Cast, doing: Doing, at: datetime) -> Ticket:
    with doing(cast.ann, at):
        return cast.ticket(subject="Printer", text="It is on fire.")


@pytest.fixture
def stray(cast: Cast, vpn: Ticket, doing: Doing, at: datetime) -> Message:
    with doing(cast.ann, at + 2 * HOUR):
        message = vpn.hear("The fire is out.", channel="email", why="signed reply address")
    Attachment.objects.create(
        client=cast.acme, message=message, name="a.png", content_type="image/png", size=1, content=b"x"
    )
    return message


def kinds(ticket: Ticket) -> list[str]:
    return list(ticket.entries.order_by("id").values_list("kind", flat=True))


def clock_states(ticket: Ticket) -> dict[str, str]:
    return dict(Clock.objects.filter(ticket=ticket, party="SLA").values_list("metric", "state"))


def test_words_go_to_the_ticket_they_belong_to_with_their_files(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    assert [m.text for m in printer.messages.order_by("at", "id")] == ["It is on fire.", "The fire is out."]
    assert not vpn.messages.filter(pk=stray.pk).exists()
    assert Attachment.objects.get().message.ticket == printer
    moved, taken = vpn.entries.get(kind="words_moved"), printer.entries.get(kind="words_taken_in")
    assert moved.details == {
        "message": stray.pk,
        "to": printer.pk,
        "why": "it is about the printer",
        "attached_by": "signed reply address",
    }
    assert (taken.details["origin"], taken.by_name) == (vpn.pk, "Lena Lang")
    assert "heard" in kinds(printer)
    assert was_moved(stray)


def test_a_wait_that_they_had_ended_goes_on_and_so_does_its_pause(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    assert clock_states(vpn)["resolve"] == "running"
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    vpn.refresh_from_db()
    assert (vpn.state, vpn.pending_reason) == ("pending", "requester_info")
    assert vpn.wake_at == at + 48 * HOUR
    assert clock_states(vpn)["resolve"] == "paused"


def test_a_ticket_on_which_somebody_worked_since_stays_as_it_is(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 2.5 * HOUR):
        vpn.reply("Thank you, I go on.")
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    vpn.refresh_from_db()
    assert vpn.state == "open"


def test_where_they_arrive_they_end_a_wait_and_reopen(
    cast: Cast, printer: Ticket, vpn: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 2.5 * HOUR):
        printer.resolve(code="fixed", text="Put out.")
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    printer.refresh_from_db()
    assert (printer.state, clock_states(printer)["resolve"]) == ("open", "running")


def test_what_words_did_is_known_before_they_move(vpn: Ticket, stray: Message) -> None:
    woken = woken_by(stray)
    assert woken is not None
    assert woken.reason == "requester_info"


def test_a_new_ticket_counts_from_when_its_words_were_received(
    cast: Cast, vpn: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 3 * HOUR):
        ticket = split_off(stray, subject="Fire", why="another matter")
    assert (ticket.created_at, ticket.contact, ticket.channel) == (at + 2 * HOUR, cast.ann, "email")
    assert ticket.messages.get() == stray
    started = Clock.objects.filter(ticket=ticket, party="SLA").values_list("started_at", flat=True)
    assert set(started) == {at + 2 * HOUR}
    assert kinds(ticket)[0] == "opened"
    assert "words_taken_in" in kinds(ticket)
    receipt = Notice.objects.get(ticket=ticket, kind="receipt")
    assert (receipt.address, receipt.state) == ("ann@acme.example", "pending")


def test_of_a_doubtful_mail_a_ticket_is_made_but_no_receipt_is_sent(
    cast: Cast, vpn: Ticket, doing: Doing, at: datetime
) -> None:
    from tierdesk.core.facts import Actor

    with doing(Actor("contact", "arne@acme.example"), at + 2 * HOUR):
        forged = vpn.hear("Reset my password.", channel="email", trust="failed")
    with doing(cast.lena, at + 3 * HOUR):
        ticket = split_off(forged, subject="Password", why="somebody else’s words")
    assert ticket.contact == cast.arne
    receipt = Notice.objects.get(ticket=ticket, kind="receipt")
    assert (receipt.state, receipt.error) == ("withheld", "the mail fails its sender’s check")


def test_whoever_wrote_them_is_proposed_as_a_participant_and_may_read_nothing(
    cast: Cast, vpn: Ticket, doing: Doing, at: datetime
) -> None:
    with doing(cast.arne, at + 2 * HOUR):
        words = vpn.hear("I see it, too.", channel="email")
    with doing(cast.ann, at):
        other = cast.ticket(subject="Scanner")
    with doing(cast.lena, at + 3 * HOUR):
        move_words(words, to=other, why="it is about the scanner")
    assert Participant.objects.get(ticket=other).accepted is False
    assert not Ticket.objects.visible_to(cast.arne.user).filter(pk=other.pk).exists()


@pytest.mark.parametrize(
    ("why", "refused"),
    [("", "Say why"), ("   ", "Say why")],
    ids=["no reason", "blank"],
)
def test_a_reason_is_needed(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, why: str, refused: str
) -> None:
    with pytest.raises(UnableTo, match=refused), doing(cast.lena):
        move_words(stray, to=printer, why=why)


def test_never_to_another_client(cast: Cast, stray: Message, doing: Doing) -> None:
    with doing(cast.bob):
        foreign = cast.ticket(client=cast.borealis, contact=cast.bob)
    with pytest.raises(UnableTo, match="another client"), doing(cast.lena):
        move_words(stray, to=foreign, why="wrong")


def test_never_into_a_ticket_that_is_over(cast: Cast, printer: Ticket, stray: Message, doing: Doing) -> None:
    with doing(cast.lena):
        printer.cancel("no fire")
    with pytest.raises(UnableTo, match="make a new ticket"), doing(cast.lena):
        move_words(stray, to=printer, why="wrong")


def test_the_words_that_opened_a_ticket_stay(cast: Cast, vpn: Ticket, printer: Ticket, doing: Doing) -> None:
    first = vpn.messages.order_by("id")[0]
    assert not can_move(first)
    with pytest.raises(UnableTo, match="merge it"), doing(cast.lena):
        move_words(first, to=printer, why="wrong")


def test_our_own_words_stay(cast: Cast, vpn: Ticket, printer: Ticket, doing: Doing) -> None:
    with pytest.raises(UnableTo, match="Only what a contact wrote"), doing(cast.lena):
        move_words(vpn.messages.get(direction="outbound"), to=printer, why="wrong")


def test_the_slower_of_two_is_told(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    slower = Message.objects.select_related("ticket__client").get(pk=stray.pk)
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    with pytest.raises(StaleTicket), doing(cast.lou, at + 3 * HOUR):
        split_off(slower, subject="Fire", why="another matter")
    assert Ticket.objects.count() == 2


def test_they_can_be_moved_back(
    cast: Cast, vpn: Ticket, printer: Ticket, stray: Message, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena, at + 3 * HOUR):
        move_words(stray, to=printer, why="it is about the printer")
    with doing(cast.lena, at + 4 * HOUR):
        move_words(stray, to=vpn, why="I was wrong")
    vpn.refresh_from_db()
    assert vpn.state == "open"
    assert [e.details["why"] for e in printer.entries.filter(kind="words_moved")] == ["I was wrong"]


def test_i04_a_second_matter_in_one_mail_counts_from_when_it_was_received(
    cast: Cast, printer: Ticket, doing: Doing, at: datetime
) -> None:
    opening = printer.messages.get()
    Attachment.objects.create(
        client=cast.acme, message=opening, name="a.png", content_type="image/png", size=1, content=b"x"
    )
    with doing(cast.lena, at + 3 * HOUR):
        second = split_matter(opening, subject="Toner", text="And the toner is empty.", why="two matters")
    assert (second.created_at, second.contact, second.channel) == (at, cast.ann, "email")
    assert [m.text for m in second.messages.all()] == ["And the toner is empty."]
    assert [m.text for m in printer.messages.all()] == ["It is on fire."]
    assert opening.attachments.count() == 1
    started = Clock.objects.filter(ticket=second, party="SLA").values_list("started_at", flat=True)
    assert set(started) == {at}
    assert "matter_split" in kinds(printer) and "matter_taken_over" in kinds(second)
    assert Notice.objects.filter(ticket=second, kind="receipt").exists()


def test_what_we_said_holds_no_second_matter(cast: Cast, vpn: Ticket, doing: Doing, at: datetime) -> None:
    ours = vpn.messages.get(direction="outbound")
    with pytest.raises(UnableTo, match="Only what a contact said"), doing(cast.lena, at + 3 * HOUR):
        split_matter(ours, subject="Toner", text="empty", why="two matters")

"""What is mailed, to whom, in whose voice; written in the same commit as what it tells of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tierdesk.core.facts import Actor
from tierdesk.core.scope import only, seeing
from tierdesk.response.notifications import words
from tierdesk.response.notifications.models import Notice
from tierdesk.response.notifications.reactions import MOST_RECEIPTS_PER_HOUR
from tierdesk.tickets.models import Draft, Participant, Ticket

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]


def receipts() -> list[Notice]:
    return list(Notice.objects.filter(kind="receipt").order_by("id"))


def sent_receipt() -> Notice:
    notice: Notice = Notice.objects.get(kind="receipt", state="pending")
    return notice


def why_held_back() -> str:
    held: Notice = Notice.objects.get(kind="receipt")
    assert (held.state, held.wake_at) == ("withheld", None)
    return held.error


# -- receipts


def test_the_contact_gets_the_number_and_what_was_promised_in_their_own_time(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    with doing(cast.ann):
        ticket = cast.ticket(impact=3, urgency=2)
    receipt = sent_receipt()
    assert (receipt.address, receipt.contact, receipt.wake_at) == ("ann@acme.example", cast.ann, at)
    assert (receipt.sender_name, receipt.automatic) == ("Service Desk", True)
    assert receipt.subject == f"We have received your message [{ticket.reference}]"
    assert "Hello Ann Albers" in receipt.text
    assert ticket.priority == 4
    # Monday 10:00 in Berlin, 8 and 40 working hours of a day from 9 to 17.
    assert "look at it by Tuesday 9 June, 10:00 (your time)" in receipt.text
    assert "solve it by Monday 15 June, 10:00 (your time)" in receipt.text


def test_a_contact_in_new_york_reads_new_york_time(cast: Cast, doing: Doing) -> None:
    with doing(cast.bob):
        cast.ticket(client=cast.borealis, contact=cast.bob, impact=1, urgency=1)
    assert "look at it by Monday 8 June, 04:15 (your time)" in sent_receipt().text


def test_a_zone_that_does_not_exist_stops_no_ticket(cast: Cast, doing: Doing) -> None:
    cast.ann.timezone = "Europe/Atlantis"
    cast.ann.save()
    with doing(cast.ann):
        cast.ticket(impact=3, urgency=2)
    assert "by Tuesday 9 June, 08:00 UTC" in sent_receipt().text


def test_without_a_promise_nothing_is_promised(cast: Cast, doing: Doing) -> None:
    cast.acme_contract.promises.all().delete()
    with doing(cast.ann):
        cast.ticket()
    assert "(your time)" not in sent_receipt().text


def test_a_receipt_holds_no_word_of_the_sender_not_even_the_subject(cast: Cast, doing: Doing) -> None:
    with doing(cast.ann):
        cast.ticket(subject="$text YOU WON", text="see https://evil.example")
    receipt = sent_receipt()
    assert "WON" not in receipt.subject + receipt.text
    assert "evil" not in receipt.text


@pytest.mark.parametrize("channel", ["phone", "alarms"])
def test_who_was_spoken_to_or_is_a_machine_gets_none(cast: Cast, doing: Doing, channel: str) -> None:
    with doing(cast.lena):
        cast.ticket(channel=channel)
    assert receipts() == []


def test_without_an_address_there_is_nothing_to_write(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        cast.ticket(contact=None)
    assert receipts() == []


def test_a_receipt_that_must_not_go_out_says_why(cast: Cast, doing: Doing) -> None:
    with doing(cast.ann):
        cast.ticket(traits={"mail.no_receipt": "it was sent by a program"})
    assert why_held_back() == "it was sent by a program"


def test_an_address_that_bounces_gets_none(cast: Cast, doing: Doing, at: datetime) -> None:
    cast.ann.undeliverable_since = at
    cast.ann.save()
    with doing(cast.ann):
        cast.ticket()
    assert why_held_back() == "mail to this address comes back"


def test_who_has_left_gets_none(cast: Cast, doing: Doing) -> None:
    cast.ann.is_active = False
    cast.ann.save()
    with doing(cast.ann):
        cast.ticket()
    assert why_held_back() == "the contact is not active"


def test_one_address_gets_only_so_many_in_an_hour_and_again_in_the_next(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    for minute in range(MOST_RECEIPTS_PER_HOUR + 3):
        with doing(cast.ann, at + timedelta(minutes=minute)):
            cast.ticket()
    with doing(cast.ann, at + timedelta(minutes=2)):
        cast.ticket(client=cast.borealis, contact=cast.bob)
    with doing(cast.ann, at + 2 * HOUR):
        cast.ticket()
    states = [receipt.state for receipt in receipts()]
    assert states == ["pending"] * MOST_RECEIPTS_PER_HOUR + ["withheld"] * 3 + ["pending"] * 2


def test_the_cap_holds_within_one_batch_as_well(cast: Cast, doing: Doing) -> None:
    with doing(cast.ann):
        Ticket.open_many([_draft(cast, number) for number in range(MOST_RECEIPTS_PER_HOUR + 1)])
    assert [r.state for r in receipts()].count("withheld") == 1


def test_what_is_rolled_back_tells_nobody(cast: Cast, doing: Doing) -> None:
    with pytest.raises(ZeroDivisionError), doing(cast.ann):
        cast.ticket()
        _ = 1 / 0
    assert not Notice.objects.exists()


def test_a_batch_of_tickets_costs_as_many_questions_as_one(cast: Cast, doing: Doing) -> None:
    def statements(count: int) -> int:
        with (
            CaptureQueriesContext(
                connection,
            ) as asked,
            doing(cast.ann),
        ):
            Ticket.open_many([_draft(cast, number) for number in range(count)])
        return sum("notifications_notice" in query["sql"] for query in asked)

    assert statements(1) == statements(40)


def _draft(cast: Cast, number: int) -> Draft:
    return Draft(client=cast.acme, contact=cast.ann, subject=f"No. {number}", text="…", channel="email")


# -- replies and resolutions


def test_our_words_go_to_the_contact_in_the_voice_of_the_first_line(
    cast: Cast, doing: Doing, at: datetime
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject="VPN is down")
        ticket.hand_over(cast.experts, why="it is deep")
    with doing(cast.kira, at + HOUR):
        message = ticket.reply("Please restart the $client and <b>wait</b>.")
    reply = Notice.objects.get(kind="reply")
    assert (reply.sender_name, reply.address, reply.said) == ("Service Desk", "ann@acme.example", message)
    assert reply.subject == f"Re: VPN is down [{ticket.reference}]"
    assert reply.text.startswith("Please restart the $client and <b>wait</b>.\n")
    assert not reply.automatic


@pytest.mark.parametrize(
    ("subject", "mailed"),
    [
        ("Printer", "Re: Printer [{}]"),
        ("Re: Printer", "Re: Printer [{}]"),
        ("RE: [NV-77] Printer", "RE: [NV-77] Printer [{}]"),
        ("x" * 300, "Re: " + "x" * 286 + " [{}]"),
    ],
    ids=["new", "a reply", "another desk’s number stays", "too long"],
)
def test_the_subject_is_stable_and_carries_our_number_once(
    cast: Cast, doing: Doing, at: datetime, subject: str, mailed: str
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject=subject)
    Ticket.objects.filter(pk=ticket.pk).update(subject=f"{subject[:280]} [{ticket.reference}]"[:300])
    for hour in (1, 2):
        with doing(cast.lena, at + hour * HOUR):
            ticket.reply("Hello.")
    subjects = set(Notice.objects.filter(kind="reply").values_list("subject", flat=True))
    assert subjects == {mailed.format(ticket.reference)}
    assert all(len(one) <= 300 for one in subjects)


def test_mails_keep_the_subject_that_they_began_with(cast: Cast, doing: Doing, at: datetime) -> None:
    with doing(cast.lena):
        ticket = cast.ticket(subject="Help!!!")
    for hour, subject in enumerate(("The tunnel is down", "The tunnel to Oslo is down"), start=1):
        with doing(cast.lena, at + hour * HOUR):
            ticket.rename(subject)
            ticket.reply("Hello.")
    subjects = Notice.objects.filter(kind="reply").values_list("subject", flat=True)
    assert list(subjects) == [f"Re: Help!!! [{ticket.reference}]"] * 2


def test_who_was_accepted_reads_along_and_who_was_only_proposed_does_not(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        _follow(cast, ticket, email="arne@acme.example", contact=cast.arne, accepted=True)
        _follow(cast, ticket, email="ann@acme.example", contact=cast.ann, accepted=True)
        _follow(cast, ticket, email="evil@x.example")
        ticket.reply("Hello.")
        ticket.resolve(code="fixed", text="Done.")
    for kind in ("reply", "resolved"):
        addresses = Notice.objects.filter(kind=kind).order_by("id").values_list("address", "contact")
        assert list(addresses) == [("ann@acme.example", cast.ann.pk), ("arne@acme.example", cast.arne.pk)]


def _follow(cast: Cast, ticket: Ticket, **values: Any) -> None:
    Participant.objects.create(client=cast.acme, ticket=ticket, **values)


def test_a_resolution_says_how_to_reopen_it(cast: Cast, doing: Doing) -> None:
    with doing(cast.tom):
        ticket = cast.ticket()
        ticket.resolve(code="fixed", text="A new certificate is in place.")
    mail = Notice.objects.get(kind="resolved")
    assert mail.text.startswith("A new certificate is in place.")
    assert "answer this mail within 5 days" in mail.text
    assert mail.sender_name == "Service Desk"


@pytest.mark.parametrize(
    ("days", "told", "not_told"),
    [
        (1, "answer this mail within a day and we take it up\nagain", "days"),
        (
            0,
            "is solved and closed. If it is not as it should be, answer this mail: we open a new one",
            "within",
        ),
    ],
)
def test_a_resolution_counts_the_days_as_people_do(
    cast: Cast, doing: Doing, days: int, told: str, not_told: str
) -> None:
    cast.acme_contract.reopen_days = days
    cast.acme_contract.save(update_fields=["reopen_days"])
    with doing(cast.tom):
        ticket = cast.ticket()
        ticket.resolve(code="fixed", text="Done.")
    mail = Notice.objects.get(kind="resolved")
    assert told in mail.text and not_told not in mail.text


def test_a_resolution_without_words_still_tells_the_contact(cast: Cast, doing: Doing) -> None:
    with doing(cast.tom):
        cast.ticket(subject="VPN down").resolve(code="cleared")
    mail = Notice.objects.get(kind="resolved")
    assert "we have solved your request “VPN down”" in mail.text


def test_notes_are_mailed_to_nobody(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.note("The client is difficult.")
    assert not Notice.objects.mails().exclude(kind="receipt").exists()


# -- who may see them


def test_notices_are_for_agents_of_the_client(cast: Cast, doing: Doing) -> None:
    with doing(cast.lena):
        cast.ticket()
    assert Notice.objects.visible_to(cast.lena.user).count() == 1
    assert Notice.objects.visible_to(cast.olga.user).count() == 0
    assert Notice.objects.visible_to(cast.ann.user).count() == 0
    with seeing(only([cast.borealis.pk])):
        assert Notice.objects.count() == 0


def test_an_agent_of_one_client_causes_notices_under_the_lock_of_that_client(
    cast: Cast, doing: Doing
) -> None:
    with seeing(only([cast.borealis.pk])), doing(cast.olga):
        ticket = cast.ticket(client=cast.borealis, contact=cast.bob)
        ticket.reply("Hello.")
    assert Notice.objects.mails().filter(client=cast.borealis).count() == 2


# -- what came back


@pytest.mark.parametrize("dead", [True, False])
def test_a_mail_that_came_back_marks_its_contact_only_if_the_address_is_dead(
    cast: Cast, doing: Doing, at: datetime, dead: bool
) -> None:
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.reply("Hello.")
    notice: Notice = Notice.objects.get(kind="reply")
    with doing(Actor("engine", "Tierdesk"), at + HOUR):
        notice.come_back("user unknown", dead=dead)
    notice.refresh_from_db()
    cast.ann.refresh_from_db()
    assert (notice.state, notice.error, notice.wake_at) == ("bounced", "user unknown", None)
    assert cast.ann.undeliverable_since == (at + HOUR if dead else None)
    entry = ticket.entries.get(kind="undelivered")
    assert entry.details["message"] == notice.said_id


# -- the words


def test_a_placeholder_takes_a_plain_value_and_nothing_that_stands_in_one() -> None:
    assert words.fill("$a and $b", {"a": "$b ${b} {b.__class__}", "b": 2}) == "$b ${b} {b.__class__} and 2"


@pytest.mark.parametrize("kind", words.DESK)
def test_every_word_on_the_desk_is_a_short_line(kind: str) -> None:
    values = {name: name for name in ("number", "team", "client", "subject", "priority", "note", "why")}
    subject, text = words.desk_notice(kind, values)
    assert subject and text
    assert "\n" not in subject and len(subject) <= 300

"""Mail cases that must work (mail-and-channels.md §15) and mail that must not (security.md §4).

Each is a complaint that recurs across desks. Ann and Arne are Acme's, Bob is Borealis's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.conftest import SUPPORT, PostOffice
from tests.channels.email.letters import multipart
from tierdesk.channels.email.models import Mailbox, secret
from tierdesk.channels.email.token import mint_address, mint_message_id
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.clients.models import Contact
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import Case, UnderpinningContract, Vendor
from tierdesk.tickets.models import Message, Participant, Ticket
from tierdesk.tickets.moving import split_off

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]

BOB = "Bob Byrne <bob@borealis.example>"
ARNE = "Arne Voss <arne@acme.example>"
PASSED = "mx.desk.example; dkim=pass header.d=acme.example; dmarc=pass header.from=acme.example"
FAILED = "mx.desk.example; dkim=none; dmarc=fail header.from=acme.example"


@pytest.fixture
def ticket(at: datetime, post: PostOffice) -> Ticket:
    """Ann's ticket about a printer, opened by mail `<opening@acme.example>`."""
    opened = post.arrive(at, subject="Printer", message_id="<opening@acme.example>").ticket
    assert opened is not None
    return opened


@pytest.fixture
def asked(cast: Cast, ticket: Ticket, at: datetime, doing: Doing, post: PostOffice) -> Ticket:
    """The same ticket, waiting for Ann's answer to a question that was mailed."""
    with doing(cast.lena, at + HOUR):
        ticket.assign(cast.lena)
        ticket.ask("Which printer is it?")
    post.empty(at + HOUR)
    return ticket


@pytest.fixture
def border(settings: Any) -> None:
    """Our own mail server looks at senders and writes down what it found."""
    settings.MAIL_AUTHSERV_ID = "mx.desk.example"


def reply_address(ticket: Ticket, recipient: str = "ann@acme.example") -> str:
    return mint_address(SUPPORT, ticket=ticket.pk, recipient=recipient, secret=secret())


def said(ticket: Ticket) -> list[str]:
    return list(ticket.messages.order_by("id").values_list("text", flat=True))


def only_heard(ticket: Ticket) -> Message:
    """What was said on the ticket since it was opened, by anybody but us."""
    message: Message = ticket.messages.filter(direction="inbound").order_by("id")[1:].get()
    return message


def is_new(inbound: Inbound, than: Ticket) -> bool:
    assert inbound.state == "done", inbound.reason
    return inbound.ticket is not None and inbound.ticket != than


# -- threading


def test_m01_a_reply_with_our_id_in_references_joins(asked: Ticket, at: datetime, post: PostOffice) -> None:
    ours = post.read(post.sent[-1])["Message-ID"]
    post.arrive(
        at + 2 * HOUR, "The one upstairs.", in_reply_to=ours, references=f"<opening@acme.example> {ours}"
    )
    asked.refresh_from_db()
    heard = only_heard(asked)
    assert (heard.text, heard.why) == ("The one upstairs.", "answers a mail of this ticket")
    assert asked.state == "open"


def test_m02_it_joins_when_a_provider_rewrote_our_message_id(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    post.arrive(
        at + 2 * HOUR,
        "The one upstairs.",
        to=reply_address(asked),
        in_reply_to="<rewritten@provider.example>",
    )
    assert only_heard(asked).why == "signed reply address"


def test_m03_it_joins_by_the_address_when_headers_were_stripped(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    address = reply_address(asked).upper()  # and some gateway folded its case
    post.arrive(at + 2 * HOUR, "The one upstairs.", to=None, subject=None, recipients=(address,))
    assert only_heard(asked).text == "The one upstairs."


def test_m04_it_joins_by_the_headers_when_a_gateway_stripped_the_address(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    post.arrive(at + 2 * HOUR, in_reply_to=post.read(post.sent[-1])["Message-ID"], to=SUPPORT)
    assert only_heard(asked).why == "answers a mail of this ticket"


def test_m05_a_stranger_who_quotes_our_number_gets_a_ticket_of_their_own(
    ticket: Ticket, cast: Cast, at: datetime, post: PostOffice
) -> None:
    """SEC-002. And nothing tells whether the number exists."""
    before = said(ticket)
    real = post.arrive(at + HOUR, **{"from": BOB, "subject": f"Re: [{ticket.reference}]"})
    imagined = post.arrive(at + HOUR, **{"from": BOB, "subject": "Re: [TD-999999]"})
    assert is_new(real, ticket) and is_new(imagined, ticket)
    assert real.ticket is not None and real.ticket.client == cast.borealis
    assert not real.ticket.relations.exists()
    assert said(ticket) == before
    receipts = [re.sub(r"TD-\d+", "TD-n", mail.as_string()) for mail in post.empty(at + HOUR)[-2:]]
    assert strip_ids(receipts[0]) == strip_ids(receipts[1])


def strip_ids(mail: str) -> str:
    return re.sub(r"(?m)^(Message-ID|Reply-To|References|In-Reply-To):.*\n([ \t].*\n)*", "", mail)


def test_m05_a_colleague_who_quotes_the_number_gets_a_ticket_that_may_be_related(
    ticket: Ticket, at: datetime, post: PostOffice
) -> None:
    inbound = post.arrive(at + HOUR, **{"from": ARNE, "subject": f"Re: Printer [{ticket.reference}]"})
    assert is_new(inbound, ticket) and inbound.ticket is not None
    assert inbound.ticket.relations.get().other == ticket


def test_the_contact_who_quotes_the_number_joins(ticket: Ticket, at: datetime, post: PostOffice) -> None:
    post.arrive(at + HOUR, "More smoke.", subject=f"it is worse, see {ticket.reference.lower()}")
    assert only_heard(ticket).why == "number in the subject, from a participant"


def test_m06_the_same_subject_from_another_client_is_another_ticket(
    ticket: Ticket, at: datetime, post: PostOffice
) -> None:
    assert is_new(post.arrive(at + HOUR, **{"from": BOB, "subject": "Re: Printer"}), ticket)
    assert is_new(post.arrive(at + HOUR, subject="Re: Printer"), ticket)


@pytest.mark.parametrize("spoil", ["flip", "truncate", "guess", "return path"])
def test_m07_a_forged_token_leads_nowhere(ticket: Ticket, at: datetime, post: PostOffice, spoil: str) -> None:
    local, _, domain = reply_address(ticket).partition("@")
    forged = {
        "flip": local[:-1] + ("a" if local[-1] != "a" else "b"),
        "truncate": local[:-3],
        "guess": f"support+id{ticket.pk}",  # SEC-013
        "return path": local.replace("+t", "+b"),
    }[spoil]
    inbound = post.arrive(at + HOUR, **{"from": BOB}, recipients=(f"{forged}@{domain}",))
    assert is_new(inbound, ticket)
    assert len(said(ticket)) == 1


def test_m08_a_reply_to_another_of_our_mailboxes_joins(asked: Ticket, at: datetime, post: PostOffice) -> None:
    Mailbox.objects.create(address="Sales@desk.localhost")
    ours = post.read(post.sent[-1])["Message-ID"]
    post.arrive(
        at + 2 * HOUR, to="sales@desk.localhost", recipients=("sales@desk.localhost",), in_reply_to=ours
    )
    assert only_heard(asked).why == "answers a mail of this ticket"


def test_m09_a_reply_to_all_of_a_conversation_that_we_were_copied_on_is_one_ticket(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    headers = {"to": ARNE, "cc": SUPPORT, "message_id": "<between-us@acme.example>"}
    first = post.arrive(at, "Arne, is the printer broken?", **headers).ticket
    assert first is not None
    answer = {
        "from": ARNE,
        "to": "ann@acme.example",
        "cc": SUPPORT,
        "in_reply_to": "<between-us@acme.example>",
    }
    again = post.arrive(at + HOUR, "Yes, it smokes.", **answer)
    assert again.ticket == first
    assert only_heard(first).by_name == "Arne Voss"
    assert Ticket.objects.count() == 1


def test_m11_an_agent_sees_why_a_mail_was_attached(asked: Ticket, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at + 2 * HOUR, to=reply_address(asked))
    assert inbound.reason == only_heard(asked).why == "signed reply address"


@pytest.fixture
def moved(cast: Cast, asked: Ticket, at: datetime, doing: Doing, post: PostOffice) -> Ticket:
    """Ann answered `asked` with `<stray@acme.example>` about something else; Lena made a ticket of it."""
    post.arrive(
        at + 2 * HOUR, "And my phone is dead.", to=reply_address(asked), message_id="<stray@acme.example>"
    )
    asked.refresh_from_db()
    with doing(cast.lena, at + 3 * HOUR):
        return split_off(only_heard(asked), subject="Phone", why="another matter")


def test_m11_a_mail_is_taken_off_the_wrong_ticket(asked: Ticket, moved: Ticket, at: datetime) -> None:
    asked.refresh_from_db()
    assert said(moved) == ["And my phone is dead."]
    assert "And my phone is dead." not in said(asked)
    assert (asked.state, moved.created_at) == ("pending", at + 2 * HOUR)


def test_m11_what_answers_a_moved_mail_follows_it(
    asked: Ticket, moved: Ticket, at: datetime, post: PostOffice
) -> None:
    ours = post.read(post.sent[-1])["Message-ID"]
    post.arrive(
        at + 4 * HOUR,
        "It rings again.",
        to=reply_address(asked),
        in_reply_to="<stray@acme.example>",
        references=f"<opening@acme.example> {ours} <stray@acme.example>",
    )
    assert said(moved) == ["And my phone is dead.", "It rings again."]
    assert only_heard(moved).why == "answers words that were moved to this ticket"


def test_m11_what_answers_the_ticket_that_it_was_taken_from_stays_there(
    asked: Ticket, moved: Ticket, at: datetime, post: PostOffice
) -> None:
    ours = next(
        post.read(one)["Message-ID"]
        for one in post.sent
        if "Which printer" in str(post.read(one).get_content())
    )
    post.arrive(
        at + 4 * HOUR,
        "The one upstairs.",
        to=reply_address(asked),
        in_reply_to=ours,
        references=f"<stray@acme.example> {ours}",
    )
    assert said(asked)[-1] == "The one upstairs."


def test_m11_the_moved_mail_when_it_comes_again_counts_once(
    asked: Ticket, moved: Ticket, at: datetime, post: PostOffice
) -> None:
    again = post.arrive(
        at + 4 * HOUR, "And my phone is dead.", to=reply_address(asked), message_id="<stray@acme.example>"
    )
    assert (again.ticket, said(moved)) == (moved, ["And my phone is dead."])


def test_m11_a_stranger_does_not_follow_a_moved_mail(
    asked: Ticket, moved: Ticket, at: datetime, post: PostOffice
) -> None:
    inbound = post.arrive(at + 4 * HOUR, **{"from": BOB}, in_reply_to="<stray@acme.example>")
    assert is_new(inbound, moved)
    assert said(moved) == ["And my phone is dead."]


@pytest.fixture
def merged(cast: Cast, asked: Ticket, at: datetime, doing: Doing, post: PostOffice) -> Ticket:
    """Arne wrote about the same printer, by `<second@acme.example>`; Lena merged his ticket into Ann's."""
    double = post.arrive(
        at + HOUR, **{"from": ARNE}, subject="Printer", message_id="<second@acme.example>"
    ).ticket
    assert double is not None
    with doing(cast.lena, at + 2 * HOUR):
        double.merge_into(asked, why="the same printer")
    return double


@pytest.mark.parametrize("how", ["address", "headers", "subject"])
def test_m41_what_is_mailed_to_a_duplicate_goes_to_the_ticket_that_goes_on(
    asked: Ticket, merged: Ticket, at: datetime, post: PostOffice, how: str
) -> None:
    headers: dict[str, Any] = {
        "address": {"to": reply_address(merged, "arne@acme.example")},
        "headers": {"in_reply_to": "<second@acme.example>"},
        "subject": {"subject": f"Re: Printer [{merged.reference}]"},
    }[how]
    inbound = post.arrive(at + 3 * HOUR, "It smokes.", **{"from": ARNE} | headers)
    assert inbound.ticket == asked
    heard = only_heard(asked)
    assert (heard.text, heard.by_name, heard.trust) == ("It smokes.", "Arne Voss", "unverified")
    asked.refresh_from_db()
    assert asked.state == "open"


def test_m41_the_polite_words_are_mailed_once_and_their_answer_finds_its_way(
    asked: Ticket, merged: Ticket, at: datetime, post: PostOffice
) -> None:
    [mail] = [
        m
        for m in post.empty(at + 3 * HOUR)
        if m["To"] == "arne@acme.example" and "same matter" in str(m.get_content())
    ]
    assert mail["Auto-Submitted"] == "auto-generated"
    post.arrive(at + 4 * HOUR, "Thank you, it smokes, too.", **{"from": ARNE}, to=mail["Reply-To"])
    assert only_heard(asked).text == "Thank you, it smokes, too."


def test_m41_nobody_joins_a_ticket_by_naming_a_duplicate(
    asked: Ticket, merged: Ticket, at: datetime, post: PostOffice
) -> None:
    inbound = post.arrive(at + 3 * HOUR, **{"from": BOB}, subject=f"Re: [{merged.reference}]")
    assert is_new(inbound, asked)


def test_m13_a_number_that_no_ticket_has_is_no_error(cast: Cast, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at, subject="Re: [TD-999999999999999] 123e4567-e89b-12d3-a456-426614174000")
    assert inbound.state == "done"


def test_only_what_is_new_is_put_on_the_ticket(asked: Ticket, at: datetime, post: PostOffice) -> None:
    body = "The one upstairs.\n\nOn Mon, 8 Jun 2026, Service Desk wrote:\n> Which printer is it?\n"
    inbound = post.arrive(at + 2 * HOUR, body, to=reply_address(asked), subject="Re: Printer")
    assert only_heard(asked).text == "The one upstairs."
    assert b"> Which printer" in bytes(inbound.raw)


def test_a_new_ticket_keeps_what_it_answers_because_nobody_here_has_it(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    body = "Who can help?\n\nOn Mon, 8 Jun 2026, Arne wrote:\n> error 0x80070005\n"
    inbound = post.arrive(at, body, subject="Re: our talk", in_reply_to="<elsewhere@acme.example>")
    assert inbound.ticket is not None
    assert "0x80070005" in inbound.ticket.description


def test_a_mail_that_comes_late_wakes_the_ticket_from_when_it_was_received(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    """J08, M39: the worker was down for three hours; the contact did not wait that long to answer."""
    pk, _ = Inbound.store("email", late_answer(asked), meta={"recipients": []}, at=at + 2 * HOUR)
    fast_forward(at + 2 * HOUR)
    resolve = asked.clocks.get(metric="resolve", party="SLA")
    from_, until, _ = resolve.pauses[-1]
    assert (datetime.fromisoformat(from_), datetime.fromisoformat(until)) == (at + HOUR, at + 2 * HOUR)
    assert Inbound.objects.get(pk=pk).state == "done"


def test_an_answer_never_counts_from_before_what_was_done_since(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    pk, _ = Inbound.store("email", late_answer(asked), meta={"recipients": []}, at=at + 2 * HOUR)
    asked.refresh_from_db()
    with doing(cast.lena, at + 3 * HOUR):
        asked.override_priority(2, reason="the boss prints")
    take_in(pk, at + 4 * HOUR)
    assert Inbound.objects.get(pk=pk).state == "done"
    assert only_heard(asked).at == at + 3 * HOUR


def late_answer(ticket: Ticket) -> bytes:
    return (
        f"From: ann@acme.example\r\nTo: {reply_address(ticket)}\r\nSubject: Re: Printer\r\n"
        "Message-ID: <late@acme.example>\r\nDate: Mon, 01 Jan 2001 00:00:00 +0000\r\n\r\nUpstairs.\r\n"
    ).encode()


def test_a_late_answer_to_a_closed_ticket_opens_its_follow_up(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    with doing(cast.lena, at + 2 * HOUR):
        asked.resume("found out")
        asked.resolve(code="fixed", text="Done.")
    fast_forward(at + timedelta(days=6))
    inbound = post.arrive(at + timedelta(days=7), "It smokes again.", to=reply_address(asked))
    assert is_new(inbound, asked) and inbound.ticket is not None
    relation = inbound.ticket.relations.get()
    assert (relation.other, relation.kind, inbound.ticket.contact) == (asked, "follow_up_of", cast.ann)


def test_a_leaked_address_of_a_closed_ticket_opens_no_follow_up_in_the_contacts_name(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    with doing(cast.lena, at + 2 * HOUR):
        asked.resume("no")
        asked.cancel("a mistake")
    inbound = post.arrive(at + 3 * HOUR, **{"from": BOB}, to=reply_address(asked))
    assert is_new(inbound, asked) and inbound.ticket is not None
    assert (inbound.ticket.client, inbound.ticket.contact) == (cast.borealis, cast.bob)


# -- loops and bounces


def bounce_of(
    notice: Notice, *, status: str = "5.1.1", action: str = "failed", text: str = "user unknown"
) -> bytes:
    return multipart(
        "Content-Type: text/plain\n\nYour message could not be delivered.",
        "Content-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.acme.example\n\nFinal-Recipient: rfc822; {notice.address}\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550 {status} {text}\n",
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {notice.message_id}\nSubject: whatever\n",
        kind="report",
        **{"from": "MAILER-DAEMON@mx.acme.example", "return_path": "<>", "subject": "Undelivered"},
    )


def test_m20_an_absence_notice_is_kept_and_wakes_nothing_and_gets_no_answer(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    notices = Notice.objects.count()
    headers = {"subject": "Automatic reply: Printer", "auto_submitted": "auto-replied"}
    post.arrive(at + 2 * HOUR, "I am away.", to=reply_address(asked), **headers)
    asked.refresh_from_db()
    assert only_heard(asked).automatic
    assert (asked.state, asked.pending_reason) == ("pending", "requester_info")
    assert Notice.objects.count() == notices


def test_m20_an_absence_notice_reopens_nothing(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    with doing(cast.lena, at + 2 * HOUR):
        asked.resume("found out")
        asked.resolve(code="fixed", text="Done.")
    post.arrive(at + 3 * HOUR, to=reply_address(asked), auto_submitted="auto-replied")
    asked.refresh_from_db()
    assert asked.state == "resolved"


@pytest.fixture
def resolved(cast: Cast, asked: Ticket, at: datetime, doing: Doing) -> Ticket:
    """The same ticket, solved two hours after it was opened."""
    with doing(cast.lena, at + 2 * HOUR):
        asked.resume("found out")
        asked.resolve(code="fixed", text="Done.")
    return asked


def test_m27_d05_a_thank_you_reopens_nothing_and_is_told_to_whoever_solved_it(
    resolved: Ticket, at: datetime, post: PostOffice
) -> None:
    told = Notice.objects.filter(kind="heard").count()
    words = "Hi Lena,\n\nthank you very much, it works again!\n\nBest regards\nAnn"
    post.arrive(at + 3 * HOUR, words, to=reply_address(resolved))
    resolved.refresh_from_db()
    assert (resolved.state, resolved.reopen_count) == ("resolved", 0)
    assert only_heard(resolved).why == "signed reply address; only a thank you, so it stays resolved"
    assert Notice.objects.filter(kind="heard").count() == told + 1


@pytest.mark.parametrize(
    "words", ["Thanks, but it still does not print.", "Thank you. And the other one?", "No."]
)
def test_m27_whatever_says_more_reopens(resolved: Ticket, at: datetime, post: PostOffice, words: str) -> None:
    post.arrive(at + 3 * HOUR, words, to=reply_address(resolved))
    resolved.refresh_from_db()
    assert resolved.state == "open"


def test_m27_thanks_with_a_file_are_more_than_thanks(
    resolved: Ticket, at: datetime, post: PostOffice
) -> None:
    raw = multipart(
        "Content-Type: text/plain\n\nThanks!",
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=error.log\n\nerror 5",
        to=reply_address(resolved),
        **{"from": "Ann Albers <ann@acme.example>"},
    )
    post.arrive(at + 3 * HOUR, raw=raw, recipients=(reply_address(resolved),))
    resolved.refresh_from_db()
    assert resolved.state == "open"


def test_m25_a_machine_that_says_so_nowhere_reopens_once_and_not_for_ever(
    cast: Cast, resolved: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    """Each answer of ours makes it answer; its words give it away, and that it is quicker than a person."""
    notice = "We have received your message and will answer within two days."
    when = at + 2 * HOUR
    for loop in range(4):
        post.arrive(when + timedelta(seconds=5), notice, to=reply_address(resolved))
        resolved.refresh_from_db()
        assert resolved.state == ("open" if loop == 0 else "resolved")
        when += HOUR
        with doing(cast.lena, when):
            if resolved.state == "open":
                resolved.resolve(code="fixed", text="Done, again.")
            else:
                Ticket.objects.filter(pk=resolved.pk).update(resolved_at=when)
    assert resolved.reopen_count == 1


def test_m25_a_person_who_says_the_same_again_is_heard(
    cast: Cast, resolved: Ticket, at: datetime, post: PostOffice, doing: Doing
) -> None:
    post.arrive(at + 3 * HOUR, "Still broken.", to=reply_address(resolved))
    with doing(cast.lena, at + 4 * HOUR):
        resolved.refresh_from_db()
        resolved.resolve(code="fixed", text="Now it is.")
    post.arrive(at + 5 * HOUR, "Still broken.", to=reply_address(resolved))
    resolved.refresh_from_db()
    assert (resolved.state, resolved.reopen_count) == ("open", 2)


def test_m25_one_address_gets_a_few_receipts_an_hour(cast: Cast, at: datetime, post: PostOffice) -> None:
    for n in range(12):
        post.arrive(at, f"Trouble {n}.", subject=f"Trouble {n}", message_id=f"<{n}@acme.example>")
    receipts = Notice.objects.filter(kind="receipt")
    assert receipts.filter(state="pending").count() == 10
    assert {one.error for one in receipts.filter(state="withheld")} == {
        "10 receipts to this address within an hour"
    }


def test_m40_a_stored_mail_that_is_read_again_leads_to_the_same_ticket(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    """Whatever release reads it: what was kept is what came, and reading it is a function of it alone."""
    answer = post.arrive(
        at + 2 * HOUR, "The one upstairs.", to=reply_address(asked), message_id="<a@acme.example>"
    )
    for inbound in Inbound.objects.order_by("id"):
        before = inbound.ticket
        Inbound.objects.filter(pk=inbound.pk).update(state="new", wake_at=at, tries=0)
        assert take_in(inbound.pk, at + 3 * HOUR) == before == asked
    assert Ticket.objects.count() == 1
    assert answer.ticket == asked
    assert asked.messages.filter(direction="inbound").count() == 2


def test_m12_somebody_without_a_right_on_the_ticket_gets_one_of_their_own(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    """glpi#5283: never silence."""
    sent = Notice.objects.filter(ticket=asked).exclude(message_id="").latest("pk").message_id
    came = post.arrive(at + 2 * HOUR, "Mine, too.", in_reply_to=sent, **{"from": BOB})
    assert came.ticket is not None
    assert came.ticket != asked
    assert came.ticket.client.key == "BOR"


def test_a_null_return_path_says_that_a_program_wrote(asked: Ticket, at: datetime, post: PostOffice) -> None:
    """Many absence notices have no header of RFC 3834; the envelope tells."""
    post.arrive(at + 2 * HOUR, "I am away.", to=reply_address(asked), mail_from="")
    assert only_heard(asked).automatic


@pytest.mark.parametrize("named_by", ["its id", "the return path"])
def test_m21_a_bounce_is_put_to_the_mail_that_did_not_arrive(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice, named_by: str
) -> None:
    notice = Notice.objects.mails().get(kind="reply")
    raw, recipients = bounce_of(notice), (SUPPORT,)
    if named_by == "the return path":
        raw, recipients = raw.replace(notice.message_id.encode(), b"<gone@x>"), (post.sent[-1].mail_from,)
    inbound = post.arrive(at + 2 * HOUR, raw=raw, recipients=recipients)
    notice.refresh_from_db()
    cast.ann.refresh_from_db()
    assert (inbound.state, inbound.ticket, notice.state) == ("done", asked, "bounced")
    assert cast.ann.undeliverable_since is not None
    told = Notice.objects.on_the_desk_of(cast.lena).get(kind="undelivered")
    assert "user unknown" in told.text
    assert Ticket.objects.count() == 1


def test_a_full_mailbox_bounces_one_mail_and_not_the_address(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    notice = Notice.objects.mails().get(kind="reply")
    post.arrive(at + 2 * HOUR, raw=bounce_of(notice, status="5.2.2", text="mailbox full"))
    notice.refresh_from_db()
    cast.ann.refresh_from_db()
    assert (notice.state, cast.ann.undeliverable_since) == ("bounced", None)


def test_m22_a_bounce_of_an_agents_mail_is_told_on_the_desk_and_mails_nobody(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    warning = Notice.objects.create(
        client=cast.acme,
        ticket=asked,
        agent=cast.lou,
        kind="hierarchy",
        address="lou@desk.example",
        subject="respond breached",
        text="Look at it.",
        automatic=True,
        message_id="<t1.n1.x@desk.localhost>",
        state="sent",
        created_at=at,
    )
    mails = Notice.objects.mails().count()
    post.arrive(at + 2 * HOUR, raw=bounce_of(warning))
    assert Notice.objects.mails().count() == mails
    assert Notice.objects.on_the_desk_of(cast.lena).filter(kind="undelivered").count() == 1


def test_a_bounce_of_what_we_never_sent_opens_nothing(cast: Cast, at: datetime, post: PostOffice) -> None:
    never = Notice(address="ann@acme.example", message_id="<never@desk.localhost>")
    inbound = post.arrive(at, raw=bounce_of(never))
    assert inbound.state == "done"
    assert "did not send" in inbound.reason
    assert not Ticket.objects.exists()


def test_m23_two_desks_that_answer_each_other_stop(cast: Cast, at: datetime, post: PostOffice) -> None:
    """Theirs sends no header that tells, and a new subject each time."""
    for number in range(30):
        post.arrive(
            at + timedelta(minutes=number), f"Your case {number} was opened.", subject=f"Case {number}"
        )
    receipts = Notice.objects.filter(kind="receipt")
    assert receipts.filter(state="pending").count() == 10
    held = receipts.filter(state="withheld").first()
    assert held is not None
    assert "within an hour" in held.error
    assert Ticket.objects.count() == 30  # SEC-008: all stored, whatever is answered


def test_m24_mail_that_claims_to_come_from_ourselves_is_never_answered(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    inbound = post.arrive(at, **{"from": f"Desk <{SUPPORT}>"})
    assert (inbound.state, Notice.objects.count()) == ("parked", 0)


def test_m24_our_own_mail_that_comes_back_is_nothing(asked: Ticket, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at + 2 * HOUR, raw=post.sent[-1].data)
    assert (inbound.state, inbound.reason) == ("done", "our own mail came back")
    assert Ticket.objects.count() == 1


def test_m26_a_delay_is_no_failure(cast: Cast, asked: Ticket, at: datetime, post: PostOffice) -> None:
    notice = Notice.objects.mails().get(kind="reply")
    raw = bounce_of(notice, status="4.4.1", action="delayed", text="will be retried")
    inbound = post.arrive(at + 2 * HOUR, raw=raw)
    notice.refresh_from_db()
    assert (notice.state, inbound.state, inbound.ticket) == ("sent", "done", asked)
    assert inbound.reason.startswith("delayed")


# -- silent loss


def test_m30_what_cannot_be_read_is_parked_with_its_bytes(cast: Cast, at: datetime, post: PostOffice) -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(80))
    raw = b"From: ann@acme.example\r\nSubject: deep\r\nMIME-Version: 1.0\r\n" + nested.encode()
    inbound = post.arrive(at, raw=raw)
    assert inbound.state == "parked"
    assert inbound.reason.startswith("The mail could not be read:")
    assert bytes(inbound.raw) == raw


@pytest.mark.parametrize(
    "body", [b"\x00null\x00", b"\xff\xfe\xfa", "\ud800 lone".encode("utf-8", "surrogatepass"), b""], ids=repr
)
def test_odd_bytes_become_a_ticket_with_what_can_be_read(
    cast: Cast, at: datetime, post: PostOffice, body: bytes
) -> None:
    raw = b"From: ann@acme.example\r\nTo: support@desk.localhost\r\nSubject: odd \x00 subject\r\n\r\n" + body
    inbound = post.arrive(at, raw=raw)
    assert (inbound.state, inbound.ticket is not None) == ("done", True), inbound.reason


def test_m36_one_mail_to_two_mailboxes_is_one_ticket(cast: Cast, at: datetime, post: PostOffice) -> None:
    mail = {"message_id": "<once@acme.example>", "to": "support@desk.localhost, sales@desk.localhost"}
    first = post.arrive(at, recipients=("support@desk.localhost",), **mail)
    second = post.arrive(at + HOUR, recipients=("sales@desk.localhost",), received="by other.example", **mail)
    assert first.ticket == second.ticket == Ticket.objects.get()
    assert second.reason.startswith("the same mail as one on")


def test_m36_a_reply_that_is_delivered_twice_is_heard_once(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    for hour in (2, 3):
        post.arrive(at + hour * HOUR, "Upstairs.", to=reply_address(asked), message_id="<one@acme.example>")
    assert only_heard(asked).text == "Upstairs."


def test_lm37_different_mails_with_one_id_are_different_mails(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    for number in range(2):
        post.arrive(at, f"Disk {number} is full.", message_id="<always-the-same@printer.acme.example>")
    assert Ticket.objects.count() == 2


def test_a_device_that_repeats_itself_every_day_is_heard_every_day(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    for day in range(2):
        post.arrive(
            at + timedelta(days=day, hours=day), "Toner low.", message_id="<same@printer.acme.example>"
        )
    assert Ticket.objects.count() == 2


def test_files_come_along(asked: Ticket, at: datetime, post: PostOffice) -> None:
    raw = multipart(
        "Content-Type: text/plain\n\nSee the picture.",
        'Content-Type: image/png\nContent-Disposition: attachment; filename="../../smoke.png"\n\npixels',
        **{"from": "ann@acme.example", "to": reply_address(asked), "message_id": "<p@acme.example>"},
    )
    post.arrive(at + 2 * HOUR, raw=raw)
    file = only_heard(asked).attachments.get()
    assert (file.name, file.content_type, file.client_id) == ("smoke.png", "image/png", asked.client_id)
    assert bytes(file.content).startswith(b"pixels")


def test_lm06_of_a_mail_that_was_too_large_the_beginning_is_heard_and_nothing_is_attached(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    box = Mailbox.objects.create(address="help@desk.localhost", imap_host="mail.example")
    head = multipart(
        "Content-Type: text/plain\n\nHere is the disk image.",
        'Content-Type: application/zip\nContent-Disposition: attachment; filename="disk.zip"\n\nPK',
        **{"from": "ann@acme.example"},
    )[:-20]
    pk, _ = Inbound.store("email", head, meta={"mailbox": box.pk, "whole_size": 2 * 1024**3}, at=at)
    ticket = take_in(pk, at)
    assert ticket is not None
    assert ticket.description.startswith("Here is the disk image.")
    assert "2048 MB" in ticket.description
    assert "help@desk.localhost" in ticket.description
    assert not ticket.messages.get().attachments.exists()


# -- who it is


def test_a_known_contact_opens_a_ticket_in_their_own_name(cast: Cast, at: datetime, post: PostOffice) -> None:
    ticket = post.arrive(at, **{"from": '"The President" <Ann@ACME.example>'}).ticket
    assert ticket is not None
    assert (ticket.contact, ticket.messages.get().by_name) == (cast.ann, "Ann Albers")


def test_somebody_new_at_a_known_client_becomes_a_contact_but_gets_no_receipt_unproven(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    """Else anybody could make us write to any address of a client's, with a name of their choice in it."""
    post.arrive(at, **{"from": "Buy cheap pills <noel@acme.example>"})
    receipt = Notice.objects.get(kind="receipt")
    assert (receipt.state, receipt.error) == ("withheld", "the sender is new and not proven")
    assert Contact.objects.get(email="noel@acme.example").client == cast.acme


@pytest.mark.usefixtures("border")
def test_somebody_new_whose_domain_signed_gets_a_receipt(cast: Cast, at: datetime, post: PostOffice) -> None:
    post.arrive(at, **{"from": "Noel New <noel@acme.example>", "authentication_results": PASSED})
    assert Notice.objects.get(kind="receipt").state == "pending"
    assert Ticket.objects.get().messages.get().trust == "verified"


def test_a_name_that_is_an_address_is_not_taken_for_the_name(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    """SEC-006: the list of contacts must not say ann@acme.example where evil@acme.example is meant."""
    post.arrive(at, **{"from": '"ann@acme.example" <evil@acme.example>'})
    assert Contact.objects.get(email="evil@acme.example").name == "evil@acme.example"


@pytest.mark.parametrize(
    "from_",
    [
        '"ann@acme.example" <x@evil.example>',
        "ann@acme.example@evil.example",
        "x@evil.example, ann@acme.example",
        "x@evil.example (ann@acme.example)",
        "ann@аcme.example",  # the first letter of the domain is Cyrillic
        "",
    ],
)
def test_sec006_nobody_is_ann_by_looking_like_her(
    cast: Cast, ticket: Ticket, at: datetime, post: PostOffice, from_: str
) -> None:
    inbound = post.arrive(at + HOUR, **{"from": from_, "subject": f"[{ticket.reference}]"})
    assert (inbound.state, inbound.ticket) == ("parked", None)
    assert len(said(ticket)) == 1


def test_an_address_of_two_clients_is_asked_about_unless_the_mailbox_tells(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    freelancer = {"name": "Flo", "email": "flo@freelance.example"}
    Contact.objects.create(client=cast.acme, **freelancer)
    theirs = Contact.objects.create(client=cast.borealis, **freelancer)
    Mailbox.objects.create(address="borealis@desk.localhost", client=cast.borealis)
    asked = post.arrive(at, **{"from": "flo@freelance.example"})
    told = post.arrive(at, **{"from": "flo@freelance.example"}, to="borealis@desk.localhost")
    assert (asked.state, "several clients" in asked.reason) == ("parked", True)
    assert told.ticket is not None and told.ticket.contact == theirs


def test_a_stranger_at_a_clients_own_mailbox_is_shown_to_that_clients_agents_alone(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    Mailbox.objects.create(address="borealis@desk.localhost", client=cast.borealis)
    inbound = post.arrive(at, **{"from": "x@nowhere.example"}, to="borealis@desk.localhost")
    assert (inbound.state, inbound.client) == ("parked", cast.borealis)
    assert inbound in Inbound.objects.visible_to(cast.olga.user)
    assert not Contact.objects.filter(email="x@nowhere.example").exists()


def test_a_person_says_whose_mail_it_is(cast: Cast, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at, **{"from": "Ann at home <ann@home.example>"})
    assert inbound.state == "parked"
    inbound.replay(at + HOUR, client=cast.acme)
    fast_forward(at + HOUR)
    ticket = Ticket.objects.get()
    assert (ticket.client, ticket.contact.email) == (cast.acme, "ann@home.example")


def test_an_agents_mail_is_never_put_into_a_contacts_mouth(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    """SEC-004. Agents write on the desk."""
    address = mint_address(SUPPORT, ticket=asked.pk, recipient="lena@desk.example", secret=secret())
    inbound = post.arrive(at + 2 * HOUR, **{"from": "lena@desk.example"}, to=address)
    assert (inbound.state, inbound.ticket) == ("parked", None)
    assert "Agents write on the desk" in inbound.reason
    assert post.empty(at + 2 * HOUR) == []


# -- what is proven


def test_sec001_a_copy_gives_nobody_a_right_and_mails_nobody(
    cast: Cast, at: datetime, post: PostOffice, doing: Doing
) -> None:
    cc = f"evil@x.example, {ARNE}, new@acme.example, {SUPPORT}"
    ticket = post.arrive(at, cc=cc).ticket
    assert ticket is not None
    assert ticket.messages.get().trust == "unverified"
    proposed = Participant.objects.filter(ticket=ticket)
    assert sorted(proposed.values_list("email", "contact", "accepted")) == [
        ("arne@acme.example", cast.arne.pk, False),
        ("new@acme.example", None, False),
    ]
    assert ticket not in Ticket.objects.visible_to(cast.arne.user)
    with doing(cast.lena, at + HOUR):
        ticket.reply("We look at it.")
    assert {mail["To"] for mail in post.empty(at + HOUR)} == {"ann@acme.example"}


def test_sec003_a_signed_address_in_other_hands_is_kept_but_wakes_nothing(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    post.arrive(at + 2 * HOUR, "Please close it.", **{"from": "evil@x.example"}, to=reply_address(asked))
    asked.refresh_from_db()
    heard = only_heard(asked)
    assert (heard.trust, heard.by_name) == ("failed", "evil@x.example")
    assert "used by evil@x.example" in heard.why
    assert asked.state == "pending"
    assert Notice.objects.on_the_desk_of(cast.lena).filter(kind="heard").exists()


def test_an_accepted_participant_may_add_and_wake(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    Participant.objects.create(
        client=cast.acme, ticket=asked, contact=cast.arne, email="arne@acme.example", accepted=True
    )
    post.arrive(at + 2 * HOUR, **{"from": ARNE}, in_reply_to=post.read(post.sent[-1])["Message-ID"])
    asked.refresh_from_db()
    assert (only_heard(asked).by_name, asked.state) == ("Arne Voss", "open")


def test_our_message_id_in_a_strangers_hands_opens_another_ticket(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    """Whoever got the mail knows its id; it proves nothing about the sender."""
    ours = mint_message_id("desk.localhost", ticket=asked.pk, serial="n1", secret=secret())
    inbound = post.arrive(at + 2 * HOUR, **{"from": BOB}, in_reply_to=ours)
    assert is_new(inbound, asked)


@pytest.mark.usefixtures("border")
def test_a_failed_check_marks_the_ticket_and_joins_nothing_private(
    cast: Cast, asked: Ticket, at: datetime, post: PostOffice
) -> None:
    ours = post.read(post.sent[-1])["Message-ID"]
    forged = {"authentication_results": FAILED, "in_reply_to": ours, "subject": f"Re: [{asked.reference}]"}
    inbound = post.arrive(at + 2 * HOUR, "Reset my password.", **forged)
    assert is_new(inbound, asked) and inbound.ticket is not None
    assert inbound.ticket.messages.get().trust == "failed"
    assert inbound.ticket.relations.get().other == asked
    assert Notice.objects.get(ticket=inbound.ticket, kind="receipt").state == "withheld"


@pytest.mark.usefixtures("border")
def test_a_failed_check_with_a_signed_address_is_kept_and_wakes_nothing(
    asked: Ticket, at: datetime, post: PostOffice
) -> None:
    post.arrive(at + 2 * HOUR, to=reply_address(asked), authentication_results=FAILED)
    asked.refresh_from_db()
    assert (only_heard(asked).trust, asked.state) == ("failed", "pending")


@pytest.mark.usefixtures("border")
def test_a_failed_check_makes_nobody_a_contact(cast: Cast, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at, **{"from": "ceo@acme.example", "authentication_results": FAILED})
    assert (inbound.state, inbound.client) == ("parked", cast.acme)
    assert not Contact.objects.filter(email="ceo@acme.example").exists()


def test_a_fetched_mailbox_has_a_border_of_its_own(cast: Cast, at: datetime, post: PostOffice) -> None:
    """Google and Microsoft each sign with a name of theirs, below more Received lines than a server of the house."""
    box = Mailbox.objects.create(
        address="help@desk.localhost", imap_host="imap.example", authserv_id="mx.google.example", hops=2
    )
    raw = (
        b"Received: by 2002:a05; Mon, 8 Jun 2026 10:00:02 +0200\r\n"
        b"Received: from acme.example by mx.google.example; Mon, 8 Jun 2026 10:00:01 +0200\r\n"
        b"Authentication-Results: mx.google.example; dkim=pass header.i=@acme.example\r\n"
        b"From: ann@acme.example\r\nTo: help@desk.localhost\r\nSubject: hi\r\n\r\nhi\r\n"
    )
    trusts = []
    for number, meta in enumerate(({"mailbox": box.pk}, {})):
        pk, _ = Inbound.store("email", raw + b" " * number, meta=meta, at=at)
        ticket = take_in(pk, at)
        assert ticket is not None
        trusts.append(ticket.messages.get().trust)
    assert trusts == ["verified", "unverified"]


@pytest.mark.usefixtures("border")
def test_sec005_headers_that_came_from_outside_prove_nothing(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    raw = (
        "Authentication-Results: mx.evil.example; dmarc=pass header.from=acme.example\r\n"
        "Received: from evil.example by mx.desk.example; Mon, 8 Jun 2026 10:00:01 +0200\r\n"
        "Received: from nowhere by evil.example; Mon, 8 Jun 2026 10:00:00 +0200\r\n"
        f"Authentication-Results: {PASSED}\r\n"
        "From: ann@acme.example\r\nTo: support@desk.localhost\r\nMessage-ID: <e@x>\r\n"
        "X-Desk-Ticket: 1\r\nX-Desk-Client: BOR\r\nX-Zammad-Customer: bob\r\nSubject: hi\r\n\r\nhi\r\n"
    ).encode()
    ticket = post.arrive(at, raw=raw).ticket
    assert ticket is not None
    assert (ticket.client, ticket.messages.get().trust) == (cast.acme, "unverified")


def test_a_receipt_says_nothing_that_its_sender_wrote(cast: Cast, at: datetime, post: PostOffice) -> None:
    post.arrive(
        at, "Visit https://evil.example", subject="You have won", **{"from": "WIN NOW <ann@acme.example>"}
    )
    [receipt] = post.empty(at)
    for words in ("won", "evil", "WIN"):
        assert words not in receipt.as_string()


# -- programs that write by themselves


def test_a_report_of_a_program_opens_a_ticket_and_gets_no_receipt(
    cast: Cast, at: datetime, post: PostOffice
) -> None:
    report = {"from": "backup@acme.example", "auto_submitted": "auto-generated", "subject": "Backup failed"}
    assert post.arrive(at, **report).ticket is not None
    assert Notice.objects.get(kind="receipt").state == "withheld"


def test_a_person_who_writes_through_a_list_is_heard(cast: Cast, at: datetime, post: PostOffice) -> None:
    assert post.arrive(at, list_id="<all.acme.example>", precedence="list").ticket is not None
    assert Notice.objects.get(kind="receipt").state == "withheld"


def test_an_absence_notice_on_nothing_of_ours_is_parked(cast: Cast, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at, subject="Out of office: holidays", auto_submitted="auto-replied")
    assert (inbound.state, inbound.client) == ("parked", cast.acme)
    assert inbound.reason.startswith("Written by a machine")


# -- vendors


@pytest.fixture
def case(cast: Cast, ticket: Ticket, at: datetime, doing: Doing, post: PostOffice) -> Case:
    """A case with Nordvik on Ann's ticket, mailed to them by Kira."""
    vendor = Vendor.objects.create(
        key="nordvik", name="Nordvik", email="support@nordvik.example", domains=["nordvik.example"]
    )
    contract = UnderpinningContract.objects.create(
        vendor=vendor, product="Printer", entitlement="Gold 4711", calendar=cast.always
    )
    with doing(cast.kira, at + HOUR):
        case = Case.submit(ticket, contract, by=cast.kira, severity=2, subject="Smoke", text="It smokes.")
    post.empty(at + HOUR)
    return case


NORDVIK = "Nordvik Support <case-desk@nordvik.example>"


def test_m10_a_vendor_answers_with_its_own_number(
    case: Case, ticket: Ticket, at: datetime, post: PostOffice
) -> None:
    subject = f"[NV-7781] Smoke [{case.number}]"
    first = post.arrive(at + 2 * HOUR, "We look.", **{"from": NORDVIK, "subject": subject})
    again = post.arrive(
        at + 3 * HOUR, "Still looking.", **{"from": NORDVIK, "subject": "Re: [NV-7781] your case"}
    )
    case.refresh_from_db()
    assert (first.ticket, again.ticket, case.reference) == (ticket, ticket, "NV-7781")
    assert [m.text for m in case.messages.filter(inbound=True)] == ["We look.", "Still looking."]
    assert len(said(ticket)) == 1  # no contact ever reads what a vendor wrote


@pytest.mark.parametrize("by", ["our Message-ID", "the signed address"])
def test_a_vendor_who_drops_every_number_is_still_understood(
    case: Case, at: datetime, post: PostOffice, by: str
) -> None:
    opening = post.read(post.sent[-1])
    headers = {
        "our Message-ID": {"in_reply_to": opening["Message-ID"]},
        "the signed address": {"to": opening["Reply-To"]},
    }
    post.arrive(at + 2 * HOUR, "We look.", subject="Hello", **{"from": NORDVIK} | headers[by])
    assert case.messages.get(inbound=True).text == "We look."


def test_a_vendors_receipt_numbers_the_case_and_is_no_answer(
    case: Case, at: datetime, post: PostOffice
) -> None:
    headers = {
        "from": NORDVIK,
        "subject": f"Case NV-7781 opened [{case.number}]",
        "auto_submitted": "auto-replied",
    }
    post.arrive(at + 2 * HOUR, "We have opened NV-7781.", **headers)
    case.refresh_from_db()
    assert (case.reference, case.state) == ("NV-7781", "submitted")
    assert case.messages.get(inbound=True).automatic


def test_a_vendors_mail_that_comes_twice_is_heard_once(case: Case, at: datetime, post: PostOffice) -> None:
    for hour in (2, 3):
        headers = {"from": NORDVIK, "subject": f"[{case.number}]", "message_id": "<1@nordvik.example>"}
        post.arrive(at + hour * HOUR, "We look.", **headers)
    assert case.messages.filter(inbound=True).count() == 1


def test_a_vendors_files_are_kept_out_of_the_contacts_sight(
    case: Case, ticket: Ticket, at: datetime, post: PostOffice
) -> None:
    raw = multipart(
        "Content-Type: text/plain\n\nTry this.",
        'Content-Type: application/zip\nContent-Disposition: attachment; filename="fix.zip"\n\nPK',
        **{"from": NORDVIK, "subject": f"[{case.number}]"},
    )
    post.arrive(at + 2 * HOUR, raw=raw)
    note = ticket.messages.get(direction="internal")
    assert (note.attachments.get().name, note.is_public) == ("fix.zip", False)


def test_a_vendor_who_names_no_case_is_parked(case: Case, at: datetime, post: PostOffice) -> None:
    inbound = post.arrive(at + 2 * HOUR, subject="Our new prices", **{"from": NORDVIK})
    assert inbound.state == "parked"
    assert "names no case" in inbound.reason


@pytest.mark.usefixtures("border")
def test_a_forged_vendor_moves_no_case(case: Case, at: datetime, post: PostOffice) -> None:
    failed = "mx.desk.example; dmarc=fail header.from=nordvik.example"
    headers = {"from": NORDVIK, "subject": f"[{case.number}]", "authentication_results": failed}
    inbound = post.arrive(at + 2 * HOUR, "Run this script.", **headers)
    assert inbound.state == "parked"
    assert not case.messages.filter(inbound=True).exists()

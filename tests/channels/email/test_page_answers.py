"""An agent acknowledges by answering the mail of a page: whoever has seen that mail, and from their own address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.conftest import SUPPORT, PostOffice
from tests.conftest import MONDAY_10
from tierdesk.channels.email.models import Mailbox
from tierdesk.core.wakeups import run_due
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.tickets.models import Message, Ticket

LENA = "lena@desk.example"
MINUTE = timedelta(minutes=1)
type Paged = tuple[list[Ticket], EmailMessage]


@pytest.fixture
def page(cast: Cast, post: PostOffice, doing: Callable[..., Any]) -> Callable[..., Paged]:
    """Lena is paged about so many tickets at once; the tickets, and the mail that she got."""

    def paged(many: int = 1) -> Paged:
        steps = [{"after": 0, "page": [f"user:{LENA}"]}]
        Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
        with doing(cast.ann.user):
            tickets = [cast.ticket(impact=1, urgency=1, subject=f"Number {n}") for n in range(many)]
        before = len(post.sent)
        for _look in range(2):  # the pager writes the mail, the outbox sends it
            run_due(MONDAY_10)
        [mail] = [post.read(one) for one in post.sent[before:] if one.rcpt_to == LENA]
        return tickets, mail

    return paged


def answer(post: PostOffice, mail: EmailMessage, text: str, **headers: str | None) -> Any:
    fields = {
        "from": f"Lena Lang <{LENA}>",
        "in_reply_to": mail["Message-ID"],
        "subject": f"Re: {mail['Subject']}",
    }
    to = headers.pop("to", None) or SUPPORT
    return post.arrive(MONDAY_10 + 2 * MINUTE, text, to=to, **fields | headers)


def said_back(post: PostOffice) -> list[str]:
    mails = post.empty(MONDAY_10 + 3 * MINUTE)
    return [one.get_content().strip() for one in mails if one["To"] == LENA]


def states(tickets: list[Ticket]) -> list[str]:
    return [Paging.objects.get(ticket=ticket).state for ticket in tickets]


def test_ack_in_the_first_line_acknowledges_and_is_said_back(
    cast: Cast, post: PostOffice, page: Callable[..., Paged]
) -> None:
    [ticket], mail = page()
    inbound = answer(post, mail, "Ack.\n\nLena\n-- \nsent from my phone\n\n> you are paged")
    assert (inbound.state, inbound.reason, inbound.ticket) == ("done", "an answer to a page", None)
    paging = Paging.objects.get(ticket=ticket)
    assert (paging.state, paging.acked_by) == ("acknowledged", cast.lena)
    assert said_back(post) == [f"You acknowledged {ticket.reference}."]
    assert Message.objects.count() == 1, "it is no word on the ticket"


def test_the_mail_offers_it_where_the_desk_hears_mail(post: PostOffice, page: Callable[..., Paged]) -> None:
    _tickets, mail = page()
    assert "ACK" not in mail.get_content()
    Mailbox.objects.create(address=SUPPORT)
    _tickets, mail = page()
    assert "Or answer this mail with ACK; with PASS, if you cannot look." in mail.get_content()


def test_of_several_a_number_chooses_one(post: PostOffice, page: Callable[..., Paged]) -> None:
    tickets, mail = page(3)
    answer(post, mail, f"ack {tickets[1].pk}")
    assert states(tickets) == ["calling", "acknowledged", "calling"]
    answer(post, mail, "pass", message_id="<second@desk.example>")
    assert states(tickets) == ["calling", "acknowledged", "calling"]
    assert "You passed on" in said_back(post)[-1]


def test_where_a_gateway_took_the_headers_away_the_signed_address_leads_there(
    post: PostOffice, page: Callable[..., Paged]
) -> None:
    [ticket], mail = page()
    answer(post, mail, "ok", in_reply_to=None, to=mail["Reply-To"])
    assert states([ticket]) == ["acknowledged"]


def test_other_words_are_answered_with_what_to_write(post: PostOffice, page: Callable[..., Paged]) -> None:
    [ticket], mail = page()
    answer(post, mail, "I will look at this in ten minutes.")
    assert states([ticket]) == ["calling"]
    assert said_back(post) == [f"Answer ACK to acknowledge {ticket.reference}."]


def test_too_late_is_told_who_looks(
    cast: Cast, post: PostOffice, page: Callable[..., Paged], doing: Callable[..., Any]
) -> None:
    [ticket], mail = page()
    with doing(cast.lou, MONDAY_10 + MINUTE):
        Ticket.objects.get(pk=ticket.pk).take(cast.lou)
    answer(post, mail, "ack")
    assert said_back(post) == [f"Nothing to do: Lou Lead looks at {ticket.reference}."]


STRANGE: list[tuple[str, dict[str, Any]]] = [
    ("somebody else, who has the mail", {"from": "tom@desk.example"}),
    ("somebody who has not seen the mail", {"in_reply_to": "<t1.n1.aaaaaaaaaaaaaaaa@desk.example>"}),
    ("a mail that answers nothing", {"in_reply_to": None}),
    ("a machine", {"auto_submitted": "auto-replied"}),
]


@pytest.mark.parametrize("why, headers", STRANGE, ids=[row[0] for row in STRANGE])
def test_nobody_else_acknowledges(
    post: PostOffice, page: Callable[..., Paged], why: str, headers: dict[str, Any]
) -> None:
    [ticket], mail = page()
    inbound = answer(post, mail, "ack", **headers)
    assert states([ticket]) == ["calling"], why
    assert inbound.state == "parked" and "Agents write on the desk" in inbound.reason
    assert said_back(post) == []


def test_a_forged_sender_acknowledges_nothing(
    settings: Any, post: PostOffice, page: Callable[..., Paged]
) -> None:
    settings.MAIL_AUTHSERV_ID = "mx.desk.example"
    [ticket], mail = page()
    failed = "mx.desk.example; dmarc=fail header.from=desk.example"
    answer(post, mail, "ack", authentication_results=failed)
    assert states([ticket]) == ["calling"]


def test_an_account_that_was_closed_acknowledges_nothing(
    cast: Cast, post: PostOffice, page: Callable[..., Paged]
) -> None:
    [ticket], mail = page()
    cast.lena.user.is_active = False
    cast.lena.user.save(update_fields=["is_active"])
    answer(post, mail, "ack")
    assert states([ticket]) == ["calling"]

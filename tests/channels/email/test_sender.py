"""What a notice becomes as a mail, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.cast import Cast
from tests.channels.conftest import PostOffice
from tierdesk.channels.email import sender
from tierdesk.channels.email.models import Mailbox, mailbox_for, secret
from tierdesk.channels.email.sender import Folder, Relay
from tierdesk.channels.email.token import verify_address, verify_message_id
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import Case, UnderpinningContract, Vendor
from tierdesk.tickets.models import Participant

HOUR = timedelta(hours=1)
Doing = Callable[..., AbstractContextManager[Any]]


def test_a_reply_answers_the_mail_of_the_contact_and_brings_the_answer_home(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    ticket = post.arrive(at, subject="Printer", message_id="<first@acme.example>").ticket
    assert ticket is not None
    post.empty(at)
    with doing(cast.lena, at + HOUR):
        ticket.reply("Is it plugged in?")
    [mail] = post.empty(at + HOUR)
    assert mail["From"] == "Service Desk <support@desk.localhost>"
    assert mail["To"] == "ann@acme.example"
    assert mail["Subject"] == f"Re: Printer [{ticket.reference}]"
    assert mail["In-Reply-To"] == "<first@acme.example>"
    assert mail["Auto-Submitted"] is None
    assert verify_message_id(mail["Message-ID"], secret=secret()) == ticket.pk
    back = verify_address(mail["Reply-To"].addresses[0].addr_spec, secret=secret())
    assert back is not None
    assert back.ticket == ticket.pk
    assert back.is_for("ann@acme.example", secret=secret())


def test_the_second_reply_continues_the_chain(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    ticket = post.arrive(at, message_id="<first@acme.example>").ticket
    assert ticket is not None
    for hour in (1, 2):
        with doing(cast.lena, at + hour * HOUR):
            ticket.reply(f"Answer {hour}.")
        post.empty(at + hour * HOUR)
    one, two = (post.read(envelope) for envelope in post.sent[-2:])
    assert two["References"].split() == ["<first@acme.example>", one["Message-ID"]]


def test_every_follower_gets_an_envelope_of_their_own_that_answers_what_they_have_seen(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    ticket = post.arrive(at, message_id="<first@acme.example>").ticket
    assert ticket is not None
    post.empty(at)
    Participant.objects.create(
        client=cast.acme, ticket=ticket, contact=cast.arne, email="arne@acme.example", accepted=True
    )
    Participant.objects.create(client=cast.acme, ticket=ticket, email="not.yet@acme.example")
    with doing(cast.lena, at + HOUR):
        ticket.reply("Is it plugged in?")
    mails = post.empty(at + HOUR)
    assert [mail["To"] for mail in mails] == ["ann@acme.example", "arne@acme.example"]
    assert {mail["In-Reply-To"] for mail in mails} == {"<first@acme.example>"}
    assert len({mail["Message-ID"] for mail in mails}) == 2
    assert len({mail["Reply-To"] for mail in mails}) == 2


def test_mail_about_a_clients_ticket_comes_from_the_clients_own_address(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    Mailbox.objects.create(address="borealis@desk.localhost", client=cast.borealis)
    with doing(cast.lena, at):
        cast.ticket()
        cast.ticket(client=cast.borealis, contact=cast.bob)
    addresses = {mail["To"]: mail["From"].addresses[0].addr_spec for mail in post.empty(at)}
    assert addresses == {
        "ann@acme.example": "support@desk.localhost",
        "bob@borealis.example": "borealis@desk.localhost",
    }


def test_programs_are_told_that_a_program_wrote(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    with doing(cast.lena, at):
        ticket = cast.ticket()
    [receipt] = post.empty(at)
    assert (receipt["Auto-Submitted"], post.sent[0].mail_from) == ("auto-replied", "")
    Notice.objects.create(
        client=cast.acme,
        ticket=ticket,
        agent=cast.lou,
        kind="hierarchy",
        address="lou@desk.example",
        subject="TD-1: respond breached",
        text="Look at it.",
        automatic=True,
        created_at=at,
        wake_at=at,
    )
    [warning] = post.empty(at)
    assert (warning["Auto-Submitted"], warning["References"]) == ("auto-generated", None)


def test_mail_to_a_vendor_has_a_chain_of_its_own(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    vendor = Vendor.objects.create(
        key="nordvik", name="Nordvik", email="support@nordvik.example", domains=["nordvik.example"]
    )
    contract = UnderpinningContract.objects.create(
        vendor=vendor, product="Gateway", entitlement="Gold 4711", calendar=cast.always
    )
    ticket = post.arrive(at, message_id="<first@acme.example>").ticket
    assert ticket is not None
    post.empty(at)
    with doing(cast.kira, at + HOUR):
        case = Case.submit(ticket, contract, by=cast.kira, severity=2, subject="Crash", text="It crashes.")
    [opening] = post.empty(at + HOUR)
    with doing(cast.kira, at + 2 * HOUR):
        case.hear("Send logs.", message_id="<answer@nordvik.example>")
        case.say("Here they are.")
    [second] = post.empty(at + 2 * HOUR)
    assert opening["References"] is None
    assert second["References"].split() == [opening["Message-ID"], "<answer@nordvik.example>"]
    assert case.number in second["Subject"]


def test_without_a_relay_each_mail_is_a_file_that_a_mail_program_opens(
    cast: Cast, doing: Doing, at: datetime, tmp_path: Path
) -> None:
    with doing(cast.lena, at):
        cast.ticket()
    envelope = sender.envelope_of(Notice.objects.mails().get(), at, mailbox_for(cast.acme))
    Folder(tmp_path / "outbox").send(envelope)
    Folder(tmp_path / "outbox").send(envelope)  # sent again after a crash, it is still one
    [file] = (tmp_path / "outbox").iterdir()
    assert message_from_bytes(file.read_bytes(), policy=default)["To"] == "ann@acme.example"


def test_the_settings_say_where_mail_goes(settings: Any, tmp_path: Path) -> None:
    settings.SMTP_RELAY_HOST, settings.HOME = "", tmp_path
    assert isinstance(sender.sender(Mailbox()), Folder)
    settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT = "mail.desk.example", 2525
    relay = sender.sender(Mailbox())
    assert isinstance(relay, Relay)
    assert (relay.host, relay.port) == ("mail.desk.example", 2525)


def test_what_an_agent_set_as_markdown_is_set_in_the_mail_too(
    cast: Cast, doing: Doing, at: datetime, post: PostOffice
) -> None:
    ticket = post.arrive(at, subject="Printer").ticket
    assert ticket is not None
    post.empty(at)
    with doing(cast.lena, at + HOUR):
        ticket.reply("Please:\n\n1. press **both** buttons\n2. type `# reset <all>`")
    [mail] = post.empty(at + HOUR)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and "press **both** buttons" in plain.get_content()
    assert html is not None
    assert "<li>press <strong>both</strong> buttons</li>" in html.get_content()
    assert "<code># reset &lt;all&gt;</code>" in html.get_content()
    assert f"Service Desk · {ticket.reference}" in html.get_content()


def test_plain_words_stay_a_plain_mail(cast: Cast, doing: Doing, at: datetime, post: PostOffice) -> None:
    ticket = post.arrive(at, subject="Printer").ticket
    assert ticket is not None
    post.empty(at)
    with doing(cast.lena, at + HOUR):
        ticket.reply("Is it plugged in?\nAnd switched on?\n\nLena")
    [mail] = post.empty(at + HOUR)
    assert mail.get_content_type() == "text/plain"


def test_mail_about_a_client_leaves_from_its_own_mailbox_else_from_the_default_one(cast: Cast) -> None:
    assert mailbox_for(cast.acme).address == settings.MAIL_FROM
    default = Mailbox.objects.create(address="desk@desk.example", is_default=True)
    assert {mailbox_for(client) for client in (cast.acme, cast.borealis, None)} == {default}
    own, *_ = (Mailbox.objects.create(address=f"acme{n}@desk.example", client=cast.acme) for n in range(2))
    assert [mailbox_for(client) for client in (cast.acme, cast.borealis, None)] == [own, default, default]

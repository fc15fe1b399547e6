"""What the browser finds when the story begins: the named world with passwords, books, a vendor, an alarm source.

Runs as a program of its own (`python -m tests.browser.scene`) and prints what a test must know as JSON: the browser's
process stays free of the ORM, whose connections do not like the browser's event loop.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

PASSWORD = "correct-horse-battery"
BOOKS = Path(__file__).parents[2] / "tierdesk/ops/demo/books"
PEOPLE = ("lena", "tom", "kira", "lou", "ann")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from tierdesk.core import clock, jobs
    from tierdesk.core.roles import owner
    from tierdesk.core.scope import EVERY_CLIENT, seeing

    with owner():
        call_command("migrate", verbosity=0)
    with seeing(EVERY_CLIENT), jobs.inline():
        print(json.dumps(fill(clock.now())))


def fill(now: datetime) -> dict[str, Any]:
    """Make the world; returns the tickets by name, the alarm source's token and everybody's address."""
    from tests.cast import settle_in
    from tests.exchange import connect
    from tierdesk.channels.models import Inbound, InboundState
    from tierdesk.directory.staff.models import User
    from tierdesk.response.runbooks.models import Book

    cast = settle_in()
    emails = {name: _with_password(getattr(cast, name).user) for name in PEOPLE}
    ada = User.objects.create_user("ada@desk.example", name="Ada Admin", is_admin=True)
    emails["ada"] = _with_password(ada)
    for book in ("vpn-not-connecting", "printer-offline"):
        Book.publish((BOOKS / f"{book}.md").read_text())
    _sign_with_a_vendor(cast)
    connect(cast)
    _ask_by_forms(cast)
    _offer_chats(cast)
    _fetch_mail(cast)
    _go_on_call(cast, now)
    pk, _ = Inbound.store("email", b"From: who@nowhere.example\n\nHello?", meta={"recipients": []}, at=now)
    Inbound.objects.filter(pk=pk).update(state=InboundState.PARKED, reason="Nobody we know wrote this.")
    return {
        "emails": emails,
        "token": _watch_acme(cast),
        "tickets": _old_trouble(cast, now) | _fresh_trouble(cast, now - timedelta(minutes=20)),
    }


def _with_password(user: Any) -> str:
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return str(user.email)


def _go_on_call(cast: Any, now: datetime) -> None:
    """The first line by weeks, day and night; the experts only in office hours."""
    from datetime import time

    from tierdesk.directory.oncall.models import Layer, Schedule, Turn

    for key, team, people, calendar in (
        ("desk-duty", cast.desk, (cast.lena, cast.lou), None),
        ("experts-duty", cast.experts, (cast.kira,), cast.office.calendar),
    ):
        schedule = Schedule.objects.create(
            key=key, name=f"{team.name} on call", team=team, timezone="Europe/Berlin"
        )
        layer = Layer.objects.create(
            schedule=schedule,
            order=0,
            name="Weeks",
            starts_date=now.date() - timedelta(days=3),
            handover=time(9),
            calendar=calendar,
        )
        for order, agent in enumerate(people):
            Turn.objects.create(layer=layer, agent=agent, order=order)


def _fetch_mail(cast: Any) -> None:
    """A mailbox that is handed to us, and one of a server that is not there, whose provider nobody has asked."""
    from tierdesk.channels.email.models import Grant, Mailbox

    Mailbox.objects.create(address="acme@desk.example", client=cast.acme)
    away = Mailbox.objects.create(
        address="help@desk.example", imap_host="mail.example", smtp_host="mail.example"
    )
    Grant.objects.create(mailbox=away, provider="microsoft", application_id="6731de76")


def _sign_with_a_vendor(cast: Any) -> None:
    from tierdesk.response.vendors.models import UnderpinningContract, Vendor

    nordvik = Vendor.objects.create(
        key="nordvik", name="Nordvik Networks", email="support@nordvik.example", domains=["nordvik.example"]
    )
    UnderpinningContract.objects.create(
        vendor=nordvik,
        product="Gateway",
        entitlement="Gold support 4711",
        calendar=cast.always,
        targets={"1": {"respond": 3600, "resolve": 8 * 3600}, "2": {"respond": 4 * 3600}},
    )


def _ask_by_forms(cast: Any) -> None:
    """A form of Acme's for contacts, and one for everybody."""
    from tierdesk.channels.web_form.models import Form

    device = {"key": "device", "label": "Which device?", "kind": "choice", "choices": ["Laptop", "Telephone"]}
    Form.objects.create(
        client=cast.acme,
        key="starter",
        name="A new colleague starts",
        service=cast.mail,
        intro="We need **three working days**.",
        subject="New colleague: {name}",
        fields=[
            {"key": "name", "label": "Who starts?"},
            {"key": "starts", "label": "From when on?", "kind": "date"},
            device,
            {"key": "screens", "label": "How many screens?", "kind": "number", "when": {"device": "Laptop"}},
            {"key": "more", "label": "What else?", "kind": "long", "required": False},
            {"key": "paper", "label": "The signed form", "kind": "file", "types": ["pdf"], "required": False},
        ],
        advice=[{"words": ["loan"], "say": "A loan device is at the **reception**."}],
        next_steps="1. We order the device.\n2. We call you.",
    )
    Form.objects.create(
        client=cast.acme,
        key="hello",
        name="Write to Acme’s support",
        access="public",
        fields=[{"key": "words", "label": "What is it about?", "kind": "long"}, device],
        next_steps="Somebody answers by mail.",
    )


def _offer_chats(cast: Any) -> None:
    """Acme's contract has chat, around the clock. Who sits in their seat is for the stories to say."""
    from tierdesk.channels.chat.models import Widget

    cast.acme_contract.channels = [*cast.acme_contract.channels, "chat"]
    cast.acme_contract.save()
    Widget.objects.create(client=cast.acme, key="acme-help", name="Acme help", greeting="How can we help?")


def _watch_acme(cast: Any) -> str:
    from tierdesk.channels.alarms.models import Source

    source = Source(client=cast.acme, key="prometheus", name="Prometheus", shape="plain")
    source.storm_alarms = 0  # each story wants its alarm in the queue, however many stories there are
    token = source.take_new_token()
    source.save()
    return token


def _old_trouble(cast: Any, now: datetime) -> dict[str, int]:
    """A ticket whose promise broke a day ago, because nobody touched it; everything due since has happened."""
    from tierdesk.core.wakeups import fast_forward

    opened = now - timedelta(days=1)
    late = _open(cast, opened, subject="Nobody can print invoices", impact=1, urgency=2)
    fast_forward(now - timedelta(minutes=25))
    return {"late": late.pk}


def _fresh_trouble(cast: Any, at: datetime) -> dict[str, int]:
    """A ticket for every story that needs one of its own."""
    vpn = {"category": cast.vpn_category, "text": "Since this morning it says:\nError 809: time-out."}
    subjects: dict[str, dict[str, Any]] = {
        "book": {"subject": "VPN times out at home", **vpn},
        "ladder": {"subject": "Gateway refuses the branch office"},
        "race": {"subject": "Calendar shows yesterday"},
        "plain": {"subject": "Mail search finds nothing"},
        "wide": {"subject": "Nobody gets a line out"},
        "narrow": {"subject": "My telephone is dead"},
    }
    tickets = {name: _open(cast, at, **words).pk for name, words in subjects.items()}
    vendor = _climbed(cast, at, subject="Gateway drops every tunnel at noon").pk
    return tickets | {"vendor": vendor, "outage": _outage(cast, at)}


def _outage(cast: Any, at: datetime) -> int:
    """A major incident that Lou leads, and one ticket that follows it."""
    from tierdesk.core import clock
    from tierdesk.core.work import work
    from tierdesk.response.major.models import MajorIncident

    parent, child = (_open(cast, at, subject=words) for words in ("The ERP is down", "No orders arrive"))
    with clock.frozen(at), work(by=cast.lou.actor(), at=at):
        incident = MajorIncident.declare(parent, by=cast.lou, why="Acme sells nothing.", manager=cast.lou)
        incident.link([child.pk])
    return int(parent.pk)


def _open(cast: Any, at: datetime, **words: Any) -> Any:
    from tierdesk.core import clock
    from tierdesk.core.work import work

    with clock.frozen(at), work(by=cast.ann.actor(), at=at):
        return cast.ticket(**words)


def _climbed(cast: Any, at: datetime, **words: Any) -> Any:
    """A ticket that the first two tiers could not solve; Kira of the third has accepted it."""
    from tierdesk.core import clock
    from tierdesk.core.work import work
    from tierdesk.response.tiers.models import Escalation
    from tierdesk.response.tiers.pack import Pack
    from tierdesk.tickets.models import Ticket

    ticket = _open(cast, at, **words)
    pack = Pack(symptom="Tunnels drop", scope="Acme", steps_tried="Restart", exact_ask="Look at the log")
    hands = [(cast.lena, cast.ops, cast.tom), (cast.tom, cast.experts, cast.kira)]
    for minute, (giver, team, taker) in enumerate(hands, 1):
        then = at + timedelta(minutes=minute)
        ticket = Ticket.objects.get(pk=ticket.pk)
        with clock.frozen(then), work(by=giver.actor(), at=then):
            sent = Escalation.send(ticket, team, by=giver, reason="skill", pack=pack)
        with clock.frozen(then), work(by=taker.actor(), at=then):
            sent.ticket = ticket
            sent.accept(taker)
    return ticket


if __name__ == "__main__":
    main()

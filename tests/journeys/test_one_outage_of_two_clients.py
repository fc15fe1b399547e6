"""One outage of two clients: both write, both hear the same in time, both are solved; neither hears of the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import Post
from tierdesk.core.wakeups import fast_forward
from tierdesk.response.major.models import MajorIncident, RoleKind
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Ticket

M = timedelta(minutes=1)


def test_from_the_first_mail_to_the_last_word(
    cast: Cast, at: datetime, post: Post, doing: Callable[..., Any]
) -> None:
    post.arrive(at, "Ann Albers <ann@acme.example>", "Acme cannot telephone", "The secret of Acme.")
    post.arrive(at + 3 * M, "Bob Byrne <bob@borealis.example>", "Phones are dead", "The secret of Borealis.")
    parent, child = Ticket.objects.order_by("pk")

    with doing(cast.lou, at + 5 * M):
        incident = MajorIncident.declare(
            _fresh(parent), by=cast.lou, why="A carrier is down.", manager=cast.tom, every_min=30
        )
        incident.hand_role(RoleKind.COMMUNICATIONS, cast.lena, by=cast.lou)
        incident.link([child.pk])
    post.sent.clear()

    fast_forward(at + 30 * M)
    assert Notice.objects.filter(kind="update_due", agent=cast.lena, channel="desk").count() == 1
    with doing(cast.lena, at + 32 * M):
        _again(incident).broadcast("A line is down. You hear from us by noon.", by=cast.lena)
    fast_forward(at + 33 * M)
    assert _addresses(post, "You hear from us by noon.") == {"ann@acme.example", "bob@borealis.example"}

    with doing(cast.tom, at + 50 * M):
        _fresh(parent).resolve(code="vendor_fix", text="The line works again.")
    fast_forward(at + 51 * M)
    assert _addresses(post, "The line works again.") == {"ann@acme.example", "bob@borealis.example"}
    assert not Entry.objects.filter(kind="update_missed").exists()
    _neither_hears_of_the_other(post, parent, child)

    to_bob = next(mail for mail in _mails(post) if mail["To"] == "bob@borealis.example")
    post.arrive(at + 60 * M, "bob@borealis.example", "Re: Phones are dead", "Not here.", answers=to_bob)
    child.refresh_from_db()
    assert (child.state, child.majors.get().state) == ("open", "ended"), "his own ticket goes on by itself"
    assert _fresh(parent).state == "resolved"


def _neither_hears_of_the_other(post: Post, parent: Ticket, child: Ticket) -> None:
    secrets = {
        "ann@acme.example": ("Borealis", "Bob", "Phones are dead", child.reference),
        "bob@borealis.example": ("Acme", "Ann", "cannot telephone", parent.reference),
    }
    for mail in _mails(post):
        for secret in secrets.get(mail["To"], ()):
            assert secret not in mail["Subject"] + mail.get_content(), secret


def _addresses(post: Post, words: str) -> set[str]:
    return {mail["To"] for mail in _mails(post) if words in mail.get_content()}


def _mails(post: Post) -> list[EmailMessage]:
    return [post.read(number) for number in range(len(post.sent))]


def _fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("client", "contact", "contract_version").get(pk=ticket.pk)


def _again(incident: MajorIncident) -> MajorIncident:
    found: MajorIncident = MajorIncident.objects.select_related("ticket__client").get(pk=incident.pk)
    return found

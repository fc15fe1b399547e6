"""Ann of Acme forwards what troubles Bob of Borealis: the ticket goes to Borealis, and mails where they belong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.cast import Cast
from tests.journeys.conftest import H, M, Post
from tierdesk.core.scope import only, seeing
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.clients.models import Contact
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Message, Ticket
from tierdesk.tickets.resettling import move_to_client

type Doing = Callable[..., Any]

ANN, BOB = "Ann Albers <ann@acme.example>", "Bob Byrne <bob@borealis.example>"


def test_nobody_of_the_old_client_hears_of_it_again_and_the_new_contact_is_answered(
    cast: Cast, post: Post, ticket: Ticket, doing: Doing, at: datetime
) -> None:
    receipt = post.read()
    with doing(cast.lena, at + 10 * M):
        ticket = Ticket.objects.get()
        ticket.take(cast.lena)
        move_to_client(ticket, cast.borealis, by=cast.lena, why="It is Bob’s VPN", contact=cast.bob)
    fast_forward(at + 11 * M)
    told = len(post.sent)

    with doing(cast.lena, at + 20 * M):
        Ticket.objects.get().reply("Hello Bob, which gateway do you use?")
    fast_forward(at + 21 * M)
    (answer,) = [post.read(n) for n in range(told, len(post.sent))]
    assert (answer["To"], "Ann" in answer.get_body().get_content()) == ("bob@borealis.example", False)

    post.arrive(at + H, ANN, "Re: VPN", "Is there any news for Bob?", answers=receipt)
    own = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (own.client, own.contact, own.relations.count()) == (cast.acme, cast.ann, 0)
    assert "any news" not in str(
        list(Ticket.objects.get(pk=ticket.pk).messages.values_list("text", flat=True))
    )

    post.arrive(at + 2 * H, BOB, "Re: VPN", "The blue one.", answers=answer)
    said = Ticket.objects.get(pk=ticket.pk).messages.filter(direction="inbound").get()
    assert (said.by_name, said.text, said.why) == ("Bob Byrne", "The blue one.", "signed reply address")

    with seeing(only([cast.acme.pk])):
        assert set(Message.objects.values_list("ticket", flat=True)) == {own.pk}
        assert set(Notice.objects.values_list("ticket", flat=True)) == {own.pk}
        assert not Contact.objects.filter(name="Bob Byrne").exists()

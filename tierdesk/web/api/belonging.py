"""Where words and tickets belong: duplicates are merged and parted again, words go to the ticket they are about."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404, HttpRequest
from ninja import Router
from pydantic import Field

from tierdesk.tickets.models import Message, Ticket
from tierdesk.tickets.moving import move_words, split_matter, split_off
from tierdesk.web.api.actions import ANSWERS, Answer, Version, act
from tierdesk.web.api.bearer import caller
from tierdesk.web.api.errors import Invalid
from tierdesk.web.api.fields import Line, Strict, Text

router = Router(tags=["actions"])

type Number = Annotated[int, Field(ge=1, lt=2**63)]


class Merging(Strict):
    """`into`: the `id` of the ticket that this one is a duplicate of. The answer is this one, which is over."""

    version: Version
    into: Number
    why: Line


class Parting(Strict):
    version: Version
    why: Line


class Placing(Strict):
    """`to`: the `id` of the ticket that the words are about; null makes a new one of them, with this `subject`."""

    version: Version
    to: Number | None
    subject: Line | None = None
    why: Line


class Dividing(Strict):
    """`text`: what of the words the second matter is about. They stay where they are."""

    version: Version
    subject: Line
    text: Text
    why: Line


@router.post("/{int:pk}/merge", response=ANSWERS)
def merge(request: HttpRequest, pk: int, body: Merging) -> Answer:
    """It is a duplicate: whoever followed it follows the other one, and it goes on there alone."""
    return act(
        request,
        pk,
        body.version,
        lambda ticket: ticket.merge_into(_ticket(request, "into", body.into), why=body.why),
    )


@router.post("/{int:pk}/parting", response=ANSWERS)
def part(request: HttpRequest, pk: int, body: Parting) -> Answer:
    """It was no duplicate: it goes on by itself, and its clocks count on."""
    return act(request, pk, body.version, lambda ticket: ticket.part(why=body.why))


@router.post("/{int:pk}/messages/{int:message}/place", response=ANSWERS)
def place(request: HttpRequest, pk: int, message: int, body: Placing) -> Answer:
    """The contact's words came to the wrong ticket: they go where they belong. The answer is the ticket they left."""
    return act(request, pk, body.version, lambda ticket: _place(request, ticket, message, body))


@router.post("/{int:pk}/messages/{int:message}/division", response=ANSWERS)
def divide(request: HttpRequest, pk: int, message: int, body: Dividing) -> Answer:
    """One mail, two matters: the second becomes a ticket that counts from when the mail came."""
    return act(
        request,
        pk,
        body.version,
        lambda ticket: split_matter(
            _words(request, ticket, message), subject=body.subject, text=body.text, why=body.why
        ),
    )


def _place(request: HttpRequest, ticket: Ticket, message: int, body: Placing) -> None:
    words = _words(request, ticket, message)
    if body.to is None and body.subject is None:
        raise Invalid("subject", "a new ticket needs one")
    if body.to is not None and body.subject is not None:
        raise Invalid("subject", "the ticket that they go to has one")
    if body.to is None:
        split_off(words, subject=body.subject or "", why=body.why)
    else:
        move_words(words, to=_ticket(request, "to", body.to), why=body.why)


def _ticket(request: HttpRequest, field: str, pk: int) -> Ticket:
    """The other ticket. What the caller may not see does not exist."""
    mine = Ticket.objects.visible_to(caller(request)).select_related("client", "contact", "contract_version")
    found: Ticket | None = mine.filter(pk=pk).first()
    if found is None:
        raise Invalid(field, "there is no such ticket that you can see")
    return found


def _words(request: HttpRequest, ticket: Ticket, message: int) -> Message:
    """A message of this ticket; unknown and forbidden look the same (404)."""
    found: Message | None = (
        Message.objects.visible_to(caller(request)).filter(pk=message, ticket=ticket).first()
    )
    if found is None:
        raise Http404
    found.ticket = ticket
    return found

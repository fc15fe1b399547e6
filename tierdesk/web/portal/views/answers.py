"""What a contact does to a request: answer, say that it is solved, say that it is not."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import current, work
from tierdesk.directory.clients.models import Contact
from tierdesk.response.tiers.complaints import Complaint
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import State, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.portal.forms import WordsForm
from tierdesk.web.portal.guard import contact_of, contact_page, ticket_of
from tierdesk.web.portal.standing import standing_of
from tierdesk.web.portal.views.requests import request_form
from tierdesk.web.portal.views.tickets import conversation

MOST_LETTERS = 2000
"""Of what is going wrong."""


@contact_page
@require_POST
def words(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer. On a request that is closed by now, the words come back in the form of a new one."""
    found, form = ticket_of(request, pk), WordsForm(request.POST)
    if not form.is_valid():
        return conversation(request, found, text=request.POST.get("text", ""), errors=dict(form.errors))
    text, seen = form.cleaned_data["text"], form.cleaned_data["seen"]
    if not standing_of(found, clock.now()).may_write:
        return request_form(request, related=found, text=text)
    return _act(
        request, found, lambda ticket: _hear_once(ticket, text, contact_of(request), seen), _("Sent.")
    )


@contact_page
@require_POST
def complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell those who answer for it. It moves nothing."""
    reason, contact = request.POST.get("reason", ""), contact_of(request)
    return _act(
        request,
        ticket_of(request, pk),
        lambda ticket: Complaint.make(ticket, contact, reason=reason[:MOST_LETTERS]),
        _("Those who answer for this request have been told. Who works on it stays the same."),
    )


@contact_page
@require_POST
def closure(request: HttpRequest, pk: int) -> HttpResponse:
    """Yes, solved."""
    return _act(request, ticket_of(request, pk), _close, _("Thank you. The request is closed."))


@contact_page
@require_POST
def reopening(request: HttpRequest, pk: int) -> HttpResponse:
    """Not solved: the words, if there are any, reopen it by themselves."""
    text, contact = request.POST.get("text", "").strip(), contact_of(request)
    found = ticket_of(request, pk)
    if text and not standing_of(found, clock.now()).may_write:
        return request_form(request, related=found, text=text)
    return _act(
        request, found, lambda ticket: _reopen(ticket, text, contact), _("We are working on it again.")
    )


def _act(request: HttpRequest, found: Ticket, verb: Callable[[Ticket], object], done: str) -> HttpResponse:
    """Let `verb` change the ticket as this contact, now, while nobody else changes it: no answer is lost to a race."""
    try:
        with work(by=contact_of(request).actor(), at=clock.now()):
            verb(Ticket.objects.select_for_update(of=("self",)).get(pk=found.pk))
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("portal:ticket", found.pk)


def _hear_once(ticket: Ticket, text: str, contact: Contact, seen: int | None) -> None:
    """The same words of the same person after the same message came twice by a double click: heard once."""
    said = ticket.messages.filter(
        direction=Direction.INBOUND, by_kind="contact", by_id=contact.pk, text=text, pk__gt=seen or 0
    )
    if seen is None or not said.exists():
        ticket.hear(text, channel="web_form")


def _close(ticket: Ticket) -> None:
    if ticket.is_major:
        raise UnableTo(_("We look back at this disturbance before we close the request."))
    if ticket.state != State.CLOSED:
        ticket.close("the contact says that it is solved")


def _reopen(ticket: Ticket, text: str, contact: Contact) -> None:
    if ticket.is_unresolved():
        return  # the second click of a double
    if not ticket.can_reopen(current().at):
        raise UnableTo(_("The time to reopen it is over. Send a new request; it will be tied to this one."))
    if text:
        ticket.hear(text, channel="web_form")
    else:
        ticket.reopen("the contact says that it is not solved")

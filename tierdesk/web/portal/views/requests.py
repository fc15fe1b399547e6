"""The request form and its receipt."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from tierdesk.channels.models import Inbound
from tierdesk.channels.web_form.models import Form
from tierdesk.channels.web_form.submissions import submit
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.services.models import Service
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.relations import Relation, RelationKind
from tierdesk.web.portal.forms import URGENCIES, RequestForm
from tierdesk.web.portal.guard import contact_of, contact_page, ticket_of, user_of
from tierdesk.web.portal.promises import promises_of
from tierdesk.web.portal.sizes import of_sane_size


@of_sane_size
@contact_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form; sent, it becomes a ticket and leads to its receipt. `related` names the closed request it follows."""
    contact = contact_of(request)
    if request.method != "POST":
        return request_form(request, related=_related(request, request.GET.get("related")))
    form = RequestForm(request.POST, request.FILES, client_id=contact.client_id)
    related = _related(request, request.POST.get("related"))
    if not form.is_valid():
        return request_form(request, form, related=related)
    delivery = _delivery(form)
    ticket = _submit(form, contact, key=str(delivery))
    if ticket is not None and related is not None:
        _follow_up(ticket, related, contact)
    return redirect("portal:receipt", delivery)


def request_form(
    request: HttpRequest,
    form: RequestForm | None = None,
    *,
    related: Ticket | None = None,
    text: str = "",
) -> HttpResponse:
    """The form, empty, with words of an answer that came too late (`text`), or with what is wrong about it."""
    initial = {"subject": _follow_up_subject(related), "text": text, "service": "", "urgency": ""}
    values: dict[str, Any] = {name: form.data.get(name, "") for name in initial} if form else initial
    context = {
        "contact": contact_of(request),
        "key": _key(form),
        "values": values,
        "errors": dict(form.errors) if form else {},
        "services": Service.objects.of_client(contact_of(request).client_id),
        "forms": Form.objects.offered_to(contact_of(request)) if related is None and not text else [],
        "urgencies": URGENCIES,
        "related": related,
        "too_late": bool(text),
    }
    return render(request, "portal/new.html", context, status=422 if form or text else 200)


def _delivery(form: RequestForm) -> uuid.UUID:
    """The same form with the same words is one delivery; with other words (back, changed, sent) it is another."""
    said = form.cleaned_data
    return uuid.uuid5(said["key"], f"{said['subject']}\n{said['text']}")


def _submit(form: RequestForm, contact: Contact, *, key: str) -> Ticket | None:
    """A delivery belongs to no client until it is understood, so the intake works without the contact's lock."""
    said = form.cleaned_data
    with seeing(EVERY_CLIENT):
        return submit(
            contact,
            subject=said["subject"],
            text=said["text"],
            key=key,
            service=said["service"].pk if said["service"] else None,
            urgency=said["urgency"],
            files=said["attachments"],
        )


def _key(form: RequestForm | None) -> str:
    """The key that was sent, so that a form mended and sent again stays the same form; else a new one."""
    sent = form.cleaned_data.get("key") if form else None
    return str(sent or uuid.uuid4())


def _related(request: HttpRequest, raw: str | None) -> Ticket | None:
    return ticket_of(request, int(raw)) if raw and raw.isdecimal() and len(raw) <= 18 else None


def _follow_up_subject(related: Ticket | None) -> str:
    return _("Again: %(subject)s") % {"subject": related.subject} if related else ""


def _follow_up(ticket: Ticket, related: Ticket, contact: Contact) -> None:
    """Tie the new ticket to the old one, once."""
    kind = RelationKind.FOLLOW_UP
    if Relation.objects.filter(ticket=ticket, other=related, kind=kind).exists() or ticket.pk == related.pk:
        return
    with work(by=contact.actor(), at=clock.now()):
        ticket.relate(related, kind)


@contact_page
@require_safe
def receipt(request: HttpRequest, delivery: uuid.UUID) -> HttpResponse:
    """What became of a form: its number and by when somebody looks at it; or, if it was parked, that somebody will."""
    contact = contact_of(request)
    with seeing(EVERY_CLIENT):
        own = Inbound.objects.filter(channel="web_form", ext_key=f"{contact.pk}:{delivery}")
        inbound = own.only("ticket", "meta").first()
    if inbound is None:
        raise Http404
    tickets = Ticket.objects.visible_to(user_of(request))
    found = tickets.filter(pk=inbound.ticket_id).first() if inbound.ticket_id else None
    context = {
        "contact": contact,
        "ticket": found,
        "promises": promises_of(found, contact.zone) if found else [],
        "zone": contact.zone,
        "form": Form.objects.offered_to(contact).filter(pk=inbound.meta.get("form")).first(),
    }
    return render(request, "portal/receipt.html", context)

"""The contact's requests: the list, one conversation, its files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tierdesk.core import clock
from tierdesk.response.tiers.complaints import entitlement_of
from tierdesk.response.waiting.models import silence_ends_at
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import UNRESOLVED, WOKEN_BY_CONTACT, State
from tierdesk.tickets.models import Attachment, Message, Ticket, Tickets
from tierdesk.web.portal.guard import contact_of, contact_page, ticket_of, user_of
from tierdesk.web.portal.promises import date_promised_to
from tierdesk.web.portal.standing import standing_of

PAGE = 25
NEEDING_AT_MOST = 5
STATES = {"open": UNRESOLVED, "solved": (State.RESOLVED, State.CLOSED, State.CANCELLED)}


@contact_page
@require_safe
def tickets(request: HttpRequest) -> HttpResponse:
    """One page of the requests that this contact may see, newest first; `before` and `after` are numbers."""
    show = request.GET.get("show", "open")
    if show not in STATES:
        raise Http404
    mine = Ticket.objects.visible_to(user_of(request))
    first = not {"before", "after"} & request.GET.keys()
    rows, newer, older = _page(mine.filter(state__in=STATES[show]), request)
    context = {
        "contact": contact_of(request),
        "show": show,
        "rows": _shown(rows, clock.now()),
        "newer": newer,
        "older": older,
        "needing": _needing(mine, clock.now()) if first and show == "open" else [],
    }
    return render(request, "portal/tickets.html", context)


def _page(found: Tickets, request: HttpRequest) -> tuple[list[Any], int | None, int | None]:
    """(the rows, cursor of the newer page, cursor of the older page); a cursor is a ticket's key."""
    before, after = (_number(request.GET.get(name)) for name in ("before", "after"))
    last = Message.objects.public().filter(ticket=OuterRef("pk")).order_by("-at", "-id").values("at")[:1]
    ordered = found.select_related("contact", "contract_version").annotate(last_word_at=Subquery(last))
    if after is not None:
        climbing = list(ordered.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        rows = climbing[:PAGE][::-1]
        return rows, rows[0].pk if len(climbing) > PAGE else None, rows[-1].pk if rows else None
    falling = list(
        (ordered.filter(pk__lt=before) if before is not None else ordered).order_by("-pk")[: PAGE + 1]
    )
    rows = falling[:PAGE]
    newer = rows[0].pk if rows and before is not None else None
    return rows, newer, rows[-1].pk if len(falling) > PAGE else None


def _number(raw: str | None) -> int | None:
    if raw is None:
        return None
    if not (raw.isdecimal() and raw.isascii() and len(raw) <= 18):
        raise Http404("This page address is damaged.")
    return int(raw)


def _shown(rows: list[Ticket], at: datetime) -> list[dict[str, Any]]:
    return [{"ticket": ticket, "standing": standing_of(ticket, at)} for ticket in rows]


def _needing(mine: Tickets, at: datetime) -> list[dict[str, Any]]:
    """What waits for the contact, longest first."""
    waiting = mine.filter(state=State.PENDING, pending_reason__in=WOKEN_BY_CONTACT)
    return _shown(
        list(waiting.select_related("contract_version").order_by("touched_at")[:NEEDING_AT_MOST]), at
    )


@contact_page
@require_safe
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    return conversation(request, ticket_of(request, pk))


def conversation(
    request: HttpRequest, found: Ticket, *, text: str = "", errors: dict[str, Any] | None = None
) -> HttpResponse:
    """The page of one request; with `errors`, what was written comes back with what is wrong about it."""
    messages = list(found.messages.all().public().prefetch_related("attachments"))
    context = {
        "contact": contact_of(request),
        "ticket": found,
        "standing": standing_of(found, clock.now()),
        "solved_at": silence_ends_at(found) if found.state == State.PENDING else None,
        "date": date_promised_to(found, contact_of(request).zone) if found.is_unresolved() else "",
        "entitled": entitlement_of(found, clock.now()) if found.is_unresolved() else None,
        "escalated": found.complaints.select_related("contact").last(),
        "known": found.complaints.standing(clock.now()).exists(),
        "goes_on_as": _goes_on_as(request, found),
        "conversation": messages,
        "speakers": _speakers(found, messages),
        "seen": max((message.pk for message in messages), default=0),
        "text": text,
        "errors": errors or {},
    }
    return render(request, "portal/ticket.html", context, status=422 if errors else 200)


def _speakers(found: Ticket, messages: Iterable[Message]) -> dict[int, str]:
    """Who speaks in each message: its writer; for those of other teams the one that talks to the contact."""
    team = found.voice_team
    talks = set(team.agents.values_list("pk", flat=True)) if team else set()
    speakers = {}
    for message in messages:
        if message.by_kind == "agent" and team and message.by_id not in talks:
            speakers[message.pk] = team.name
        else:
            speakers[message.pk] = (
                message.by_name if message.by_kind in ("agent", "contact") else _("Support")
            )
    return speakers


def _goes_on_as(request: HttpRequest, found: Ticket) -> Ticket | None:
    """The request that this one was merged into, if its reader may see that one."""
    if not found.is_merged:
        return None
    mine = Ticket.objects.visible_to(user_of(request))
    goes_on: Ticket | None = mine.filter(pk=found.goes_on_as().pk).first()
    return goes_on


@contact_page
@require_safe
def attachment(request: HttpRequest, pk: int, attachment_id: int) -> HttpResponse:
    """A file of a public message, always as a download that no browser interprets."""
    files = Attachment.objects.visible_to(user_of(request)).exclude(message__direction=Direction.INTERNAL)
    file = get_object_or_404(files, pk=attachment_id, message__ticket=ticket_of(request, pk))
    response = HttpResponse(bytes(file.content), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

"""The desk's own forms: for who has signed in, for who shows their mailbox, and for everybody."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tierdesk.channels.models import Inbound
from tierdesk.channels.registry import File
from tierdesk.channels.web_form.fields import Filled, Kind, filled, is_address
from tierdesk.channels.web_form.models import Access, Form, Turnstile
from tierdesk.channels.web_form.submissions import Sender, public_key, submit_form
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.learning.knowledge.models import SelfService
from tierdesk.tickets.models import Ticket
from tierdesk.web.portal.advice import LONGEST_TYPED, advice_for
from tierdesk.web.portal.forms import check_files
from tierdesk.web.portal.guard import contact_of, contact_page, user_of
from tierdesk.web.portal.promises import promises_of
from tierdesk.web.portal.sign_in_link import GOOD_FOR, send_link
from tierdesk.web.portal.sizes import of_sane_size

TRAP = "website"
"""A field that people do not see; only a machine fills it in."""

UNSAID = {"csrfmiddlewaretoken", "key", "shown", "urgency", "service", "related", TRAP}
"""What a form sends along that nobody has typed."""


@of_sane_size
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest, key: str) -> HttpResponse:
    """One form of a contact's. Who has not signed in is asked for their address, if the form lets them in by link."""
    if not request.user.is_authenticated:
        return _ask_for_mailbox(request, key)
    return _own_form(request, key)


@contact_page
def _own_form(request: HttpRequest, key: str) -> HttpResponse:
    contact = contact_of(request)
    found = _offered(request, key)
    if request.method != "POST":
        return _show(request, found, Sheet())
    sheet = _read(request, found)
    if sheet.errors:
        return _show(request, found, sheet, status=422)
    delivery = sheet.delivery()
    with seeing(EVERY_CLIENT):
        submit_form(found, sheet.filled, contact, key=str(delivery))
    return redirect("portal:receipt", delivery)


def _offered(request: HttpRequest, key: str) -> Form:
    """The client's own form before the one that is for all."""
    offered = Form.objects.offered_to(contact_of(request)).filter(key=key)
    found: Form | None = offered.order_by("client_id").first()
    if found is None:
        raise Http404
    return found


def _ask_for_mailbox(request: HttpRequest, key: str) -> HttpResponse:
    """The same answer whether we know the address or not, and whose form it is."""
    by_link = Form.objects.filter(key=key, access=Access.LINK, is_active=True)
    with seeing(EVERY_CLIENT):
        if not by_link.exists():
            return redirect_to_login(request.get_full_path())
    address = request.POST.get("email", "").strip()[:254]
    failed = request.method == "POST" and not is_address(address)
    if request.method == "POST" and not failed:
        send_link(address, to=request.path)
        return redirect(f"{request.path}?sent=1")  # whoever loads the page anew asks for no other link
    context = {
        "sent": "sent" in request.GET and not failed,
        "failed": failed,
        "email": address,
        "minutes": int(GOOD_FOR.total_seconds() // 60),
        "here": request.path,
    }
    return render(request, "portal/form_link.html", context, status=422 if failed else 200)


@contact_page
@require_POST
def suggestions(request: HttpRequest, key: str) -> HttpResponse:
    """What may help, while somebody types. It changes nothing; it is a POST because words are long."""
    found = _offered(request, key)
    context = {
        "advice": advice_for(found, _typed(request, found), user_of(request)),
        "contact": contact_of(request),
    }
    return render(request, "portal/suggestions.html", context)


@contact_page
@require_POST
def suggestions_for_request(request: HttpRequest) -> HttpResponse:
    """The same for the plain request form."""
    typed = f"{request.POST.get('subject', '')} {request.POST.get('text', '')}"
    context = {"advice": advice_for(None, typed, user_of(request)), "contact": contact_of(request)}
    return render(request, "portal/suggestions.html", context)


@contact_page
@of_sane_size
@require_POST
def solved_without_us(request: HttpRequest) -> HttpResponse:
    """What they were shown has solved it: nothing is sent, and it is counted once, however often they click."""
    said = request.POST
    try:
        key = uuid.UUID(said.get("key", ""))
    except ValueError:
        return redirect("portal:new")
    asked = " ".join(text for name in said if name not in UNSAID for text in said.getlist(name))
    shown = said.get("shown", "")
    SelfService.note(
        contact_of(request),
        asked=asked[:LONGEST_TYPED],
        shown=int(shown) if shown.isdecimal() and len(shown) < 4 else 0,
        key=key,
        at=clock.now(),
    )
    messages.success(request, _("Good to hear. Nothing was sent."))
    return redirect("portal:tickets")


# -- forms for everybody


@of_sane_size
@require_http_methods(["GET", "HEAD", "POST"])
def public_form(request: HttpRequest, client: str, key: str) -> HttpResponse:
    """A form that anybody may send, now and then."""
    with seeing(EVERY_CLIENT):
        found = _public(client, key)
        if request.method != "POST":
            return _show(request, found, Sheet(), public=True)
        sheet = _read(request, found, public=True)
        if sheet.errors:
            return _show(request, found, sheet, public=True, status=422)
        remote = request.META.get("REMOTE_ADDR", "")
        wait = Turnstile.turn(found, remote, clock.now())
        if wait is not None:
            minutes = max(1, round(wait.total_seconds() / 60))
            answer = _show(request, found, sheet, public=True, wait=minutes, status=429)
            answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
            return answer
        delivery = sheet.delivery()
        said = request.POST
        sender = Sender(
            name=said["sender_name"].strip()[:200],
            email=said["sender_email"].strip(),
            remote=remote,
            was_seen_through=bool(said.get(TRAP)),
        )
        submit_form(found, sheet.filled, sender, key=str(delivery))
    return redirect("portal:public-receipt", client, key, delivery)


@require_safe
def public_receipt(request: HttpRequest, client: str, key: str, delivery: uuid.UUID) -> HttpResponse:
    """What became of a public form: its number, the promises, what happens next; and not a word of what was sent."""
    with seeing(EVERY_CLIENT):
        found = _public(client, key)
        own = Inbound.objects.filter(
            channel="web_form", ext_key=public_key(str(delivery)), client=found.client
        )
        inbound = get_object_or_404(own.only("ticket"))
        ticket = Ticket.objects.filter(pk=inbound.ticket_id).first() if inbound.ticket_id else None
        zone = found.client.timezone if found.client else "UTC"
        promises = promises_of(ticket, zone) if ticket else ()
    context = {"form": found, "ticket": ticket, "promises": promises, "zone": zone}
    return render(request, "portal/public_receipt.html", context)


@require_POST
def public_suggestions(request: HttpRequest, client: str, key: str) -> HttpResponse:
    with seeing(EVERY_CLIENT):
        found = _public(client, key)
    advice = advice_for(found, _typed(request, found), None)
    return render(request, "portal/suggestions.html", {"advice": advice, "contact": None})


def _public(client: str, key: str) -> Form:
    found: Form = get_object_or_404(
        Form.objects.public().select_related("client", "service"), client__key=client, key=key
    )
    return found


# -- one form, filled in


@dataclass(frozen=True)
class Sheet:
    """A form as it was sent: the answers, what is wrong, and the words to show again."""

    key: str = ""
    filled: Filled = field(default_factory=lambda: Filled({}, (), {}))
    values: Mapping[str, Sequence[str]] | None = None
    errors: Mapping[str, Sequence[str]] | None = None

    def delivery(self) -> uuid.UUID:
        """The same form with the same words is one delivery; with other words (back, changed, sent) it is another."""
        said = repr(sorted(self.filled.answers.items()))
        return uuid.uuid5(uuid.UUID(self.key), said)


def _read(request: HttpRequest, found: Form, *, public: bool = False) -> Sheet:
    sent = {name: request.POST.getlist(name) for name in request.POST}
    uploads = {
        name: [
            File(one.name or "file", one.content_type or "", one.read())
            for one in request.FILES.getlist(name)
            if one
        ]
        for name in request.FILES
    }
    read = filled(found.questions(), sent, uploads)
    errors = dict(read.errors) | _wrong_together(read) | (_wrong_sender(request) if public else {})
    key = request.POST.get("key", "")
    return Sheet(key if _is_key(key) else str(uuid.uuid4()), read, sent, errors)


def _wrong_sender(request: HttpRequest) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    if not request.POST.get("sender_name", "").strip():
        wrong["sender_name"] = [_("Please tell us your name.")]
    if not is_address(request.POST.get("sender_email", "").strip()):
        wrong["sender_email"] = [_("This is no e-mail address. Check it and try again.")]
    return wrong


def _wrong_together(read: Filled) -> dict[str, list[str]]:
    """The files of all fields together are no more than a request may bring."""
    try:
        check_files([(file.name, len(file.content)) for file in read.files])
    except ValidationError as error:
        return {"": list(error.messages)}
    return {}


def _show(
    request: HttpRequest,
    found: Form,
    sheet: Sheet,
    *,
    public: bool = False,
    wait: int | None = None,
    status: int = 200,
) -> HttpResponse:
    address = [found.client.key, found.key] if public and found.client else [found.key]
    context = {
        "form": found,
        "fields": found.questions(),
        "values": sheet.values or {},
        "errors": sheet.errors or {},
        "key": sheet.key or str(uuid.uuid4()),
        "public": public,
        "wait": wait,
        "trap": TRAP,
        "kinds": Kind,
        "action": reverse("portal:public-form" if public else "portal:form", args=address),
        "ask": reverse("portal:public-suggestions" if public else "portal:suggestions", args=address),
        "contact": None if public else contact_of(request),
    }
    return render(
        request, "portal/public_form.html" if public else "portal/form.html", context, status=status
    )


def _typed(request: HttpRequest, found: Form) -> str:
    words = [each.key for each in found.questions() if each.kind in (Kind.TEXT, Kind.LONG)]
    return " ".join(request.POST.get(key, "") for key in words)


def _is_key(said: str) -> bool:
    try:
        uuid.UUID(said)
    except ValueError:
        return False
    return True

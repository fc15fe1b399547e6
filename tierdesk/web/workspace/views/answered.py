"""`POST /pages/answers/sms/`: what a person answers to a page by SMS, as the provider tells it, signed by the account.

Only a number that is proved to be somebody's acknowledges, and only the newest page that was sent there.
A signature is no guard against a replay; that a page is acknowledged once is.
"""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tierdesk.channels.phone import twilio
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.response.paging.models import SMS, WAITING, Page, PageState

YES = frozenset({"ack", "ok", "yes", "ja", "y", "1"})


@csrf_exempt  # a machine has no page to get a token from; its signature says who it is
@require_POST
def sms(request: HttpRequest) -> HttpResponse:
    fields = {name: request.POST.getlist(name) for name in request.POST}
    url = settings.BASE_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not twilio.is_signed(url, fields, signature, settings.TWILIO_AUTH_TOKEN):
        return HttpResponse(status=401)
    with seeing(EVERY_CLIENT):
        said = _heard(request.POST.get("From", ""), request.POST.get("Body", ""), clock.now())
    body = f"<Message>{escape(said)}</Message>" if said else ""
    twiml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'
    return HttpResponse(twiml, content_type="text/xml")


def _heard(number: str, text: str, at: datetime) -> str:
    """Acknowledge, and what the person is told; a number that nobody proved is told nothing."""
    page = _newest(number)
    if page is None:
        return ""
    ticket = page.paging.ticket
    if text.strip().lower() not in YES:
        return _("Answer ACK to acknowledge %(number)s.") % {"number": ticket.reference}
    with work(by=page.agent.actor(), at=at):
        page.acknowledge()
    return _("You acknowledged %(number)s.") % {"number": ticket.reference}


def _newest(number: str) -> Page | None:
    sent = Page.objects.filter(
        channel=SMS,
        address=number,
        state=PageState.SENT,
        paging__state__in=WAITING,
        agent__user__is_active=True,
        agent__ways__address=number,
        agent__ways__verified_at__isnull=False,
    )
    return (
        sent.select_related("paging__ticket", "paging__policy", "agent__user")
        .order_by("-sent_at", "-id")
        .first()
    )

"""Where chat platforms knock: kept, then acknowledged at once; understood by the worker."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tierdesk.channels.chat.bridged import hear
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms import Knock, NotAdmitted, platforms
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, only, seeing

LARGEST_BODY = 2 * 1024 * 1024

log = logging.getLogger(__name__)


@csrf_exempt  # no cookie counts here: the platform signs, or shows its token
def bridge(request: HttpRequest, key: str, rest: str = "") -> HttpResponse:
    with seeing(EVERY_CLIENT):
        found: Bridge | None = Bridge.objects.filter(key=key, is_active=True, client__is_active=True).first()
    if found is None or found.kind not in platforms():
        raise Http404
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        with seeing(only([found.client_id])):
            admitted = hear(
                found, Knock(request.method or "", rest.lstrip("/"), headers, request.body), clock.now()
            )
    except NotAdmitted as reason:
        log.warning("bridge %s turned a request away: %s", found.key, reason)
        return HttpResponse(status=401)
    return HttpResponse(admitted.answer, content_type=admitted.content_type)

"""`POST /phone/<token>/`: what exchanges tell us. 200 when it is kept, also if it was known; 400 if it is no call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from tierdesk.channels.phone import cti, twilio
from tierdesk.channels.phone.cti import MalformedCall
from tierdesk.channels.phone.hear import hear
from tierdesk.channels.phone.models import Exchange, ExchangeKind, digest
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing

LARGEST_BODY = 64 * 1024

type Fields = Mapping[str, Sequence[str]]


@csrf_exempt  # a machine has no page to get a token from; it shows the one in the address
@require_POST
@sensitive_variables("token")
def calls(request: HttpRequest, token: str = "") -> HttpResponse:
    """One event of one call. The token stands in the address, or in `Authorization: Bearer`."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        return JsonResponse({"error": "An event of a call is smaller."}, status=413)
    with seeing(EVERY_CLIENT):
        exchange = _exchange(token or _bearer(request))
        if exchange is None:
            return JsonResponse({"error": "No exchange has this token."}, status=401)
        try:
            return (
                _twilio(request, exchange)
                if exchange.kind == ExchangeKind.TWILIO
                else _cti(request, exchange)
            )
        except MalformedCall as error:
            return JsonResponse({"error": str(error)}, status=400)


def _exchange(token: str) -> Exchange | None:
    found: Exchange | None = (
        Exchange.objects.select_related("client").filter(token_sha256=digest(token), enabled=True).first()
    )
    return found


def _cti(request: HttpRequest, exchange: Exchange) -> HttpResponse:
    hear(exchange, cti.read(_fields(request)), clock.now())
    return JsonResponse({})


def _twilio(request: HttpRequest, exchange: Exchange) -> HttpResponse:
    fields = _fields(request)
    url = settings.BASE_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not twilio.is_signed(url, fields, signature, settings.TWILIO_AUTH_TOKEN):
        return JsonResponse({"error": "The signature is not the account’s."}, status=401)
    event = twilio.read(fields)
    if event is not None:
        hear(exchange, event, clock.now())
    return HttpResponse(twilio.answer(request.GET.get("then", "")), content_type="text/xml")


def _fields(request: HttpRequest) -> Fields:
    """The body's fields, each with all its values, from a form or from JSON. Raises MalformedCall."""
    if request.content_type != "application/json":
        return {name: _texts(request.POST.getlist(name)) for name in request.POST}
    try:
        said = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise MalformedCall("The body is no JSON.") from error
    if not isinstance(said, dict):
        raise MalformedCall("The body is no JSON object.")
    return {str(name): _texts(value) for name, value in said.items()}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).replace("\0", "") for one in values if isinstance(one, str | int)]


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""

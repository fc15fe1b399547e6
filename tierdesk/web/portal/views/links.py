"""Signing in by a link: asking for it, and using it. Opening the link changes nothing; only the button signs in."""

from __future__ import annotations

from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from tierdesk.web.portal.sign_in_link import (
    GOOD_FOR,
    DeadLink,
    account_behind,
    asked_at,
    page_behind,
    send_link,
)


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest) -> HttpResponse:
    """Ask for a link. The answer is the same whether we know the address or not."""
    address = request.POST.get("email", "").strip()[:254]
    if request.method == "POST" and _is_address(address):
        send_link(address)
        return redirect(reverse("portal:link") + "?sent=1")
    failed = request.method == "POST"
    context = {
        "sent": "sent" in request.GET and not failed,
        "failed": failed,
        "email": address,
        "minutes": int(GOOD_FOR.total_seconds() // 60),
    }
    return render(request, "portal/link.html", context, status=422 if failed else 200)


@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def link_use(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm, then sign in. A mail scanner that opens the link uses nothing up."""
    try:
        if request.method == "POST":
            with transaction.atomic():
                login(request, account_behind(token, lock=True))
            return redirect(page_behind(token))
        return render(request, "portal/link_use.html", {"account": account_behind(token)})
    except DeadLink:
        return render(request, "portal/link_dead.html", {"again": asked_at(token)}, status=410)


def _is_address(raw: str) -> bool:
    try:
        validate_email(raw)
    except ValidationError:
        return False
    return True

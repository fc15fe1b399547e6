"""What every answer of every face has in common: what the user may see, and what the browser may do."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tierdesk.core import clock
from tierdesk.core.scope import NO_CLIENT, set_scope
from tierdesk.directory.clients.visibility import scope_of

Answer = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
)


class SecurityHeaders:
    """One content policy for the whole house; pages of clients' data are never kept by a shared cache."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


ASKED_AT = "tierdesk.asked_at"


class AskedAt:
    """Notes when a page was asked for, in milliseconds: what changes from then on is news to it (web/live.py)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META[ASKED_AT] = int(clock.now().timestamp() * 1000)
        return self.get_response(request)


class ClientScope:
    """Sets the second lock (core/scope.py) for the request's user, and closes it afterwards."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        set_scope(scope_of(request.user))
        try:
            return self.get_response(request)
        finally:
            set_scope(NO_CLIENT)

"""A page's own page: what it is about, for whom, and the button that acknowledges. Nobody signs in: the link is secret.

Opening it changes nothing, since scanners of mail open links; the button works once.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.response.paging.models import Page


@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    with seeing(EVERY_CLIENT):
        found = Page.by_token(token)
        if found is None:
            raise Http404
        if request.method == "POST":
            with work(by=found.agent.actor(), at=clock.now()):
                found.acknowledge()
            found.paging.refresh_from_db()
        answer = render(request, "workspace/page.html", {"page": found, "paging": found.paging})
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer

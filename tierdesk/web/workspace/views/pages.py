"""A page's own page: what it is about, for whom, and the buttons. Nobody signs in: the link is secret.

Opening it changes nothing, since scanners of mail open links; a button works once. Where several pages left in one
message, all of them are here, except those of clients that its person serves no longer.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.response.paging.pages import Page
from tierdesk.web.workspace.local import zone_of


@sensitive_variables("token")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    with seeing(EVERY_CLIENT):
        found = Page.by_token(token)
        if found is None:
            raise Http404
        if request.method == "POST":
            _act(found, only=request.POST.get("page", ""), passes_on=bool(request.POST.get("pass_on")))
        pages = found.message()
        answer = render(
            request,
            "workspace/page.html",
            {
                "pages": pages,
                "agent": found.agent,
                "acting": [one for one in pages if one.can_act],
                "zone": zone_of(found.agent.user),
            },
            status=200 if pages else 403,
        )
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _act(found: Page, *, only: str, passes_on: bool) -> None:
    """On all pages of the message that can still act, or on the one named by `only`."""
    acting = [one for one in found.message() if one.can_act and only in ("", str(one.pk))]
    with work(by=found.agent.actor(), at=clock.now()):
        for one in acting:
            if passes_on:
                one.pass_on()
            else:
                one.acknowledge()

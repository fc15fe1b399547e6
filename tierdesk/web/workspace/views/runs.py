"""Following books, and the tasks to improve them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.response.runbooks.models import Book, Gap, Revision, Run
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

WORKED = {"yes": True, "no": False}


@agent_page
@require_POST
def runs(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to follow a book on the ticket."""
    books = Book.objects.visible_to(user_of(request))
    revision = get_object_or_404(Revision, pk=_number(request, "revision"), book__in=books)
    return act_on(
        request, pk, lambda ticket: Run.start(ticket, revision, agent_of(request)), "You follow the book now."
    )


@agent_page
@require_POST
def answer(request: HttpRequest, pk: int, run_id: int) -> HttpResponse:
    """Say what came of the step that the page showed; or that the book is not enough there."""

    def write(ticket: Ticket) -> None:
        run = get_object_or_404(Run.objects.select_related("revision__book"), pk=run_id, ticket=ticket)
        run.answer(
            request.POST.get("step", ""),
            answer=request.POST.get("answer"),
            out=request.POST.get("out", ""),
            ok=WORKED.get(request.POST.get("ok", "")),
            gap=request.POST.get("gap", ""),
            remark=request.POST.get("remark", ""),
        )

    return act_on(request, pk, write, "Written down.")


@agent_page
def books(request: HttpRequest) -> HttpResponse:
    """All books that this agent may see, by tier."""
    found = Book.objects.visible_to(user_of(request)).select_related("client", "owner")
    return render(request, "workspace/books.html", {"books": found} | navigation(request, "books"))


@agent_page
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """A book as people read it, with how it fared."""
    found = get_object_or_404(
        Book.objects.visible_to(user_of(request)).select_related("client", "owner"), pk=pk
    )
    ended = Run.objects.visible_to(user_of(request)).filter(revision__book=found).exclude(state="running")
    how = {state: ended.filter(state=state).count() for state in ("done", "escalate", "left")}
    context = {"book": found, "revision": found.latest, "how": how}
    return render(request, "workspace/book.html", context | navigation(request, "books"))


@agent_page
def gaps(request: HttpRequest) -> HttpResponse:
    """Books that were not enough, oldest first, until somebody improves them."""
    found = Gap.objects.visible_to(user_of(request)).filter(closed_at=None)
    related = found.select_related("ticket", "revision__book", "owner", "client").order_by("opened_at")[:200]
    kinds = dict([*Reason.choices, *ReturnReason.choices])
    return render(
        request, "workspace/gaps.html", {"gaps": related, "kinds": kinds} | navigation(request, "gaps")
    )


@agent_page
@require_POST
def gap(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the task with what was done about the book."""
    found = get_object_or_404(Gap.objects.visible_to(user_of(request)).select_related("ticket"), pk=pk)
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            found.close(request.POST.get("outcome", ""))
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Closed.")
    return redirect("workspace:gaps")


def _number(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    return int(raw) if raw.isdecimal() and len(raw) < 18 else 0

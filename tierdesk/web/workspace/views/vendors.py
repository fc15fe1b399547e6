"""L4: cases with vendors, opened and driven by the third line."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.response.vendors.models import Case, UnderpinningContract, may_open_cases
from tierdesk.response.vendors.states import FOLLOWS, CaseState, CloseCode
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.navigation import navigation


@agent_page
def new_case(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a case with a vendor: severity in the vendor's own terms, and the words that are mailed."""
    ticket = ticket_of(request, pk)
    if not may_open_cases(agent_of(request)):
        raise Http404
    if request.method == "POST":
        contract = get_object_or_404(UnderpinningContract, pk=_number(request, "contract"))
        try:
            with work(by=agent_of(request).actor(), at=clock.now()):
                Case.submit(
                    ticket,
                    contract,
                    by=agent_of(request),
                    severity=_number(request, "severity"),
                    subject=request.POST.get("subject", ""),
                    text=request.POST.get("text", ""),
                )
                if request.POST.get("wait") and ticket.state in ("new", "open"):
                    ticket.pend("vendor")
        except UnableTo as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"The case with {contract.vendor.name} is open.")
            return redirect("workspace:ticket", pk)
    contracts = UnderpinningContract.objects.select_related("vendor")
    context = {"ticket": ticket, "contracts": contracts, "values": request.POST.dict()}
    return render(request, "workspace/new_case.html", context | navigation(request))


@agent_page
def case(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """The case: what was said between us and the vendor, its clock, what can follow."""
    ticket = ticket_of(request, pk)
    found = get_object_or_404(
        Case.objects.visible_to(user_of(request)).select_related("contract__vendor", "driver__user"),
        pk=case_id,
        ticket=ticket,
    )
    labels = dict(CaseState.choices)
    moves = [
        (state, labels[state])
        for state in CaseState.values
        if state in FOLLOWS[found.state] and state != "closed"
    ]
    context = {
        "ticket": ticket,
        "case": found,
        "messages_": found.messages.all(),
        "moves": moves,
        "close_codes": CloseCode.choices,
    }
    clocks = ticket.clocks.filter(party="UC", case_id=found.pk)
    return render(request, "workspace/case.html", context | {"clocks": clocks} | navigation(request))


@agent_page
@require_POST
def move(request: HttpRequest, pk: int, case_id: int, verb: str) -> HttpResponse:
    """Write to the vendor, move the case on, note the vendor's number, or close it."""

    def act(ticket: Ticket) -> None:
        if not may_open_cases(agent_of(request)):
            raise UnableTo("Only L3 or a manager drives a case.")
        found = get_object_or_404(Case.objects.select_related("contract__vendor"), pk=case_id, ticket=ticket)
        found.ticket = ticket
        VERBS[verb](found, request.POST)

    if verb not in VERBS:
        raise Http404
    response = act_on(request, pk, act, "Done.")
    return redirect("workspace:case", pk, case_id) if response.status_code == 302 else response


VERBS = {
    "words": lambda case, form: case.say(form.get("text", "")),
    "state": lambda case, form: case.move(form.get("state", "")),
    "heard": lambda case, form: case.hear(form.get("text", ""), reference=form.get("reference", "")),
    "closing": lambda case, form: case.close(form.get("code", "")),
}


def _number(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    return int(raw) if raw.isdigit() and len(raw) < 18 else 0

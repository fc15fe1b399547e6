"""L4: cases with vendors, opened and driven by the third line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.response.vendors.models import Case, UnderpinningContract, may_open_cases
from tierdesk.response.vendors.states import CHASER, CHASES, FOLLOWS, CaseState, CloseCode
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket
from tierdesk.web.workspace.answer import act_on
from tierdesk.web.workspace.clocks import faces_of
from tierdesk.web.workspace.guard import agent_of, agent_page, ticket_of, user_of
from tierdesk.web.workspace.local import instant_of
from tierdesk.web.workspace.navigation import navigation

MOST_LETTERS = 80
"""Of a version, a defect’s name or a release."""


@agent_page
def new_case(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepare a case with a vendor, which any tier may, or open it, which is for the third line and managers.

    Severity in the vendor's own terms, and the words that are mailed.
    """
    ticket = ticket_of(request, pk)
    if request.method == "POST":
        contract = get_object_or_404(UnderpinningContract, pk=_number(request, "contract"))
        is_draft = bool(request.POST.get("draft"))
        try:
            with work(by=agent_of(request).actor(), at=clock.now()):
                case = (Case.draft if is_draft else Case.submit)(
                    ticket, contract, by=agent_of(request), **_told(request)
                )
                if not is_draft and request.POST.get("wait") and ticket.state in ("new", "open"):
                    ticket.pend("vendor")
        except UnableTo as refusal:
            messages.error(request, str(refusal))
        else:
            done = f"{case.number} is prepared; the vendor has not heard of it yet."
            opened = f"The case with {contract.vendor.name} is open."
            messages.success(request, done if is_draft else opened)
            return redirect("workspace:case", pk, case.pk) if is_draft else redirect("workspace:ticket", pk)
    return _form(request, ticket, request.POST.dict())


@agent_page
def draft(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """Say a draft anew, before the vendor hears of it; any tier may."""
    ticket = ticket_of(request, pk)
    found = _case(request, ticket, case_id)
    if request.method != "POST":
        return _form(request, ticket, _said_in(found), case=found)
    contract = get_object_or_404(UnderpinningContract, pk=_number(request, "contract"))
    try:
        with work(by=agent_of(request).actor(), at=clock.now()):
            found.rewrite(contract, **_told(request))
    except StaleTicket:
        messages.warning(request, f"{found.number} was handed in, or discarded, meanwhile.")
    except UnableTo as refusal:
        messages.error(request, str(refusal))
        return _form(request, ticket, request.POST.dict(), case=found)
    else:
        messages.success(request, f"{found.number} is written anew; the vendor has not heard of it yet.")
    return redirect("workspace:case", pk, case_id)


def _form(
    request: HttpRequest, ticket: Ticket, values: Mapping[str, object], *, case: Case | None = None
) -> HttpResponse:
    """What a vendor is told; `case`: the draft that it is of."""
    context = {
        "ticket": ticket,
        "case": case,
        "contracts": UnderpinningContract.objects.select_related("vendor"),
        "values": values,
        "may_open": may_open_cases(agent_of(request)),
    }
    return render(request, "workspace/new_case.html", context | navigation(request))


def _told(request: HttpRequest) -> dict[str, Any]:
    return {
        "severity": _number(request, "severity"),
        "subject": _said(request, "subject"),
        "text": _said(request, "text"),
        "product_version": " ".join(_said(request, "product_version").split())[:MOST_LETTERS],
    }


def _said_in(case: Case) -> dict[str, object]:
    fields = ("subject", "text", "product_version")
    chosen = {"contract": case.contract_id, "severity": str(case.severity)}
    return chosen | {name: getattr(case, name) for name in fields}


def _case(request: HttpRequest, ticket: Ticket, case_id: int) -> Case:
    seen = Case.objects.visible_to(user_of(request)).select_related("contract__vendor", "driver__user")
    found: Case = get_object_or_404(seen, pk=case_id, ticket=ticket)
    found.ticket = ticket
    return found


@agent_page
def case(request: HttpRequest, pk: int, case_id: int) -> HttpResponse:
    """The case: what was said between us and the vendor, its clock, what can follow."""
    ticket = ticket_of(request, pk)
    found = _case(request, ticket, case_id)
    labels = dict(CaseState.choices)
    moves = [
        (state, labels[state])
        for state in CaseState.values
        if state in FOLLOWS[found.state] and state not in (CaseState.SUBMITTED, CaseState.CLOSED)
    ]
    context = {
        "ticket": ticket,
        "case": found,
        "messages_": found.messages.all(),
        "moves": moves,
        "close_codes": CloseCode.choices,
        "may_drive": may_open_cases(agent_of(request)),
        "is_promising": found.state in CHASES,
        "chaser": CHASER,
    }
    faces = [face for face in faces_of(ticket, clock.now()) if face.clock.case_id == found.pk]
    return render(request, "workspace/case.html", context | {"faces": faces} | navigation(request))


@agent_page
@require_POST
def move(request: HttpRequest, pk: int, case_id: int, verb: str) -> HttpResponse:
    """Hand a draft in, write to the vendor or chase it, note its number, its promise or its defect, move the case on,
    change its severity, or close it.
    """

    def act(ticket: Ticket) -> None:
        if not may_open_cases(agent_of(request)):
            raise UnableTo("Only L3 or a manager drives a case.")
        found = get_object_or_404(Case.objects.select_related("contract__vendor"), pk=case_id, ticket=ticket)
        found.ticket = ticket
        VERBS[verb](found, request)

    if verb not in VERBS:
        raise Http404
    response = act_on(request, pk, act, "Done.")
    return redirect("workspace:case", pk, case_id) if response.status_code == 302 else response


def _chase(case: Case, request: HttpRequest) -> None:
    case.chase(_said(request, "text"), again_at=_when(request, "again_at"))


def _expect(case: Case, request: HttpRequest) -> None:
    until = _when(request, "until")
    if until is None:
        raise UnableTo("Say by when the vendor promised it.")
    case.expect(until, words=_said(request, "words").strip())


def _hear(case: Case, request: HttpRequest) -> None:
    case.hear(_said(request, "text"), reference=_said(request, "reference"))


def _change_severity(case: Case, request: HttpRequest) -> None:
    case.change_severity(_number(request, "severity"), why=_said(request, "why"))


def _track(case: Case, request: HttpRequest) -> None:
    bug, release = (
        " ".join(_said(request, name).split())[:MOST_LETTERS] for name in ("bug", "target_release")
    )
    case.track(bug=bug, target_release=release)


VERBS: Mapping[str, Callable[[Case, HttpRequest], object]] = {
    "submission": lambda case, request: case.hand_in(agent_of(request)),
    "words": lambda case, request: case.say(_said(request, "text")),
    "chaser": _chase,
    "promise": _expect,
    "severity": _change_severity,
    "defect": _track,
    "state": lambda case, request: case.move(_said(request, "state")),
    "heard": _hear,
    "closing": lambda case, request: case.close(_said(request, "code")),
}


def _said(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "")


def _when(request: HttpRequest, name: str) -> datetime | None:
    return instant_of(_said(request, name), user_of(request).timezone)


def _number(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    return int(raw) if raw.isdecimal() and len(raw) < 18 else 0

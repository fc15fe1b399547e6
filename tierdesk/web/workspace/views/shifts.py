"""The change of shifts: the board of a team, the signature of whoever goes, and of whoever comes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tierdesk.core import clock
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Team
from tierdesk.response.shifts.models import HOURS, Section, ShiftHandOver, ShiftLine, may_sign
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.web.workspace.duty import duty
from tierdesk.web.workspace.guard import agent_of, agent_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.shift import board
from tierdesk.web.workspace.views.on_call import reader_of

KEPT = 10
"""Earlier changes of shifts that the board's page lists."""

NEXT = 8
"""Hours that are looked ahead if nobody says."""


@agent_page
def shifts(request: HttpRequest) -> HttpResponse:
    """The board of the agent's team; of the first of several, which lists the others."""
    team = _teams(request).first()
    if team is not None:
        return redirect("workspace:shift", team.key)
    return render(request, "workspace/shift.html", {"team": None} | navigation(request, "shifts"))


@agent_page
def shift(request: HttpRequest, key: str) -> HttpResponse:
    """What the next shift must know. POST signs it as it is now, and freezes it."""
    team: Team = get_object_or_404(_teams(request), key=key)
    note = request.POST.get("note", "")
    if request.method == "POST":
        refused = _sign(request, team, note)
        if refused is None:
            messages.success(request, _("Signed. Whoever comes can take it now."))
            return redirect("workspace:shift", key)
        messages.error(request, refused)
    hours = _hours(request)
    newest = list(_signed(request, team)[:KEPT])
    context = {
        "team": team,
        "teams": list(_teams(request)),
        "hours": hours,
        "choices": HOURS,
        "board": board(team, user_of(request), clock.now(), hours),
        "sections": Section.choices,
        "duties": _duties(request, team),
        "earlier": newest,
        "waiting": next((one for one in newest[:1] if one.taken_at is None), None),
        "seen": newest[0].pk if newest else "",
        "may_sign": may_sign(team, agent_of(request)),
        "note": note,
    }
    status = 409 if request.method == "POST" else 200
    return render(request, "workspace/shift.html", context | navigation(request, "shifts"), status=status)


@agent_page
def handed(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """One change of shifts as it was signed, with what became of its tickets since."""
    one: ShiftHandOver = get_object_or_404(_signed(request, _team(request, key)), pk=pk)
    lines = ShiftLine.objects.visible_to(user_of(request)).filter(hand_over=one)
    context = {
        "one": one,
        "lines": list(lines.select_related("ticket__client")),
        "sections": Section.choices,
        "may_take": one.taken_at is None
        and one.handed_by_id != agent_of(request).pk
        and may_sign(one.team, agent_of(request), besides=one.handed_by_id),
    }
    return render(request, "workspace/shift_handed.html", context | navigation(request, "shifts"))


@agent_page
@require_POST
def taking(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Whoever comes signs too."""
    one: ShiftHandOver = get_object_or_404(_signed(request, _team(request, key)), pk=pk)
    try:
        one.take(agent_of(request), at=clock.now(), remark=request.POST.get("remark", ""))
    except UnableTo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The shift is yours."))
    return redirect("workspace:shift-handed", key, pk)


def _sign(request: HttpRequest, team: Team, note: str) -> str | None:
    """Freeze the board as it is now; returns why not, in words, or None."""
    at, hours, seen = clock.now(), _hours(request), request.POST.get("seen", "")
    lines = board(team, user_of(request), at, hours).lines
    try:
        ShiftHandOver.sign(
            team,
            by=agent_of(request),
            at=at,
            hours=hours,
            note=note,
            lines=lines,
            seen=int(seen) if seen.isdecimal() else None,
        )
    except UnableTo as refusal:
        return str(refusal)
    return None


def _teams(request: HttpRequest) -> Any:
    """The agent's own, or all for an administrator; nearest the client first."""
    teams = Team.objects.order_by("tier", "name")
    return teams if user_of(request).is_admin else teams.filter(pk__in=agent_of(request).team_ids)


def _team(request: HttpRequest, key: str) -> Team:
    found: Team = get_object_or_404(_teams(request), key=key)
    return found


def _signed(request: HttpRequest, team: Team) -> Any:
    signed = ShiftHandOver.objects.visible_to(user_of(request)).filter(team=team)
    return signed.select_related("team", "handed_by__user", "taken_by__user")


def _duties(request: HttpRequest, team: Team) -> list[Any]:
    """Who of the team is called now and next."""
    schedules = Schedule.objects.visible_to(user_of(request)).with_rota().filter(team=team)
    return [duty(schedule, reader_of(request)) for schedule in schedules.order_by("name")]


def _hours(request: HttpRequest) -> int:
    """As the address or the form says; otherwise a usual shift."""
    said = request.POST.get("hours") or request.GET.get("hours", "")
    return int(said) if said.isdecimal() and int(said[:6]) in HOURS else NEXT

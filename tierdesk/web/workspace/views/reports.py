"""The service report: a table and a chart, and the same figures as a file."""

from __future__ import annotations

import csv

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.learning.analytics.late_pauses import MINUTES, late_pauses
from tierdesk.learning.analytics.movement import DEFINITIONS as MEANINGS
from tierdesk.learning.analytics.movement import movement
from tierdesk.learning.analytics.report import DEFINITIONS, Line, Report, last_days, report
from tierdesk.web.workspace.guard import manager_page, user_of
from tierdesk.web.workspace.navigation import navigation

PERIODS = (7, 30, 90)
CLOSENESS = (5, 10, 30, 60)


@manager_page
def report_page(request: HttpRequest) -> HttpResponse:
    """Per tier and per client, over the last 7, 30 or 90 days."""
    days = _days(request)
    figures = report(user_of(request), *last_days(days, clock.now()))
    context = {
        "figures": figures,
        "days": days,
        "periods": PERIODS,
        "definitions": DEFINITIONS,
        "closeness": CLOSENESS,
        "waits": late_pauses(user_of(request), *last_days(days, clock.now()), minutes=_minutes(request)),
    }
    return render(request, "workspace/report.html", context | navigation(request, "report"))


@manager_page
def movement_page(request: HttpRequest) -> HttpResponse:
    """Where resolved tickets spent their time, how often they changed hands, and which came back."""
    days, user = _days(request), user_of(request)
    clients = Client.objects.visible_to(user).order_by("name")
    client = clients.filter(key=request.GET.get("client", "")).first()
    context = {
        "m": movement(user, *last_days(days, clock.now()), client=client),
        "days": days,
        "periods": PERIODS,
        "client": client,
        "clients": [("", _("All clients")), *clients.values_list("key", "name")],
        "definitions": MEANINGS,
    }
    return render(request, "workspace/movement.html", context | navigation(request, "report"))


@manager_page
def report_csv(request: HttpRequest) -> HttpResponse:
    """The figures of the report page, one line per client and tier."""
    figures = report(user_of(request), *last_days(_days(request), clock.now()))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="tierdesk-report.csv"'
    write_csv(response, figures)
    return response


HEAD = [
    "client",
    "tier",
    "open",
    "at_risk",
    "breached",
    "resolved",
    "first_tier_resolved",
    "escalations",
    "returns",
    "hours",
]


def write_csv(file: HttpResponse, figures: Report) -> None:
    writer = csv.writer(file)
    writer.writerow(HEAD)
    for (client, tier), line in sorted(figures.cells.items()):
        writer.writerow([_harmless(figures.clients.get(client, "")), f"L{tier}", *_cells(line)])


def _cells(line: Line) -> list[object]:
    return [getattr(line, name) for name in HEAD[2:]]


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula (security.md, SEC-069)."""
    return f"'{text}" if text[:1] in set("=+-@\t\r\n＝") else text


def _minutes(request: HttpRequest) -> int:
    raw = request.GET.get("minutes", "")
    return int(raw) if raw.isdigit() and int(raw) in CLOSENESS else MINUTES


def _days(request: HttpRequest) -> int:
    raw = request.GET.get("days", "")
    return int(raw) if raw.isdigit() and int(raw) in PERIODS else PERIODS[1]

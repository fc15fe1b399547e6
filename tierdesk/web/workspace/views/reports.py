"""The service report: a table and a chart, and the same figures as a file."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tierdesk.core import clock
from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.services.models import TicketType
from tierdesk.learning.analytics import advice as advising
from tierdesk.learning.analytics.advice import advice
from tierdesk.learning.analytics.attainment import DEFINITIONS as PROMISED
from tierdesk.learning.analytics.attainment import Restated, attainment, trend
from tierdesk.learning.analytics.closing import bounds, closes_at, month_on
from tierdesk.learning.analytics.late_pauses import MINUTES, late_pauses
from tierdesk.learning.analytics.models import Counts
from tierdesk.learning.analytics.movement import DEFINITIONS as MEANINGS
from tierdesk.learning.analytics.movement import movement
from tierdesk.learning.analytics.report import DEFINITIONS, Line, Report, last_days, report
from tierdesk.tickets.lifecycle import PendingReason
from tierdesk.web.workspace.guard import manager_page, user_of
from tierdesk.web.workspace.navigation import navigation
from tierdesk.web.workspace.sentences import sentence_of

PERIODS = (7, 30, 90)
FIRST_YEAR, LAST_YEAR = 1970, 9998
MONTHS_SHOWN = 6
CLOSENESS = (5, 10, 30, 60)
COLUMNS = {
    "open": gettext_noop("Open"),
    "open_requests": gettext_noop("of them requests"),
    "at_risk": gettext_noop("At risk"),
    "breached": gettext_noop("Breached"),
    "resolved": gettext_noop("Resolved"),
    "resolved_requests": gettext_noop("of them requests"),
    "first_tier": gettext_noop("First tier"),
    "escalations": gettext_noop("Escalated"),
    "returns": gettext_noop("Returned"),
    "time": gettext_noop("Hours"),
}
"""What the page calls the figures of the report, in the order of its columns."""


@manager_page
def report_page(request: HttpRequest) -> HttpResponse:
    """Per tier and per client, over the last 7, 30 or 90 days."""
    days = _days(request)
    figures = report(user_of(request), *last_days(days, clock.now()))
    context = {
        "figures": figures,
        "days": days,
        "periods": PERIODS,
        "columns": COLUMNS.values(),
        "definitions": [(name, DEFINITIONS[figure]) for figure, name in COLUMNS.items()],
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
    first, last, refused = _span(request)
    start, end = last_days(days, clock.now())
    if first and last:
        zone = ZoneInfo(user.timezone)
        start, end = (datetime.combine(day, time.min, zone) for day in (first, last + timedelta(days=1)))
    advised = advice(user, start, end, client=client)
    context = {
        "m": movement(user, start, end, client=client),
        "advice": advised,
        "days": days,
        "periods": PERIODS,
        "first": first,
        "last": last,
        "refused": refused,
        "asked": {name: request.GET.get(name, "")[:10] for name in ("from", "to")},
        "client": client,
        "clients": [("", _("All clients")), *clients.values_list("key", "name")],
        "definitions": {**MEANINGS, **(advising.DEFINITIONS if advised else {})},
    }
    return render(request, "workspace/movement.html", context | navigation(request, "report"))


@manager_page
def attainment_page(request: HttpRequest) -> HttpResponse:
    """Which promises of a month were kept, missed, or are open and broken."""
    user, now = user_of(request), clock.now()
    zone = ZoneInfo(user.timezone)
    clients = Client.objects.visible_to(user).order_by("name")
    client = clients.filter(key=request.GET.get("client", "")).first()
    this_month = now.astimezone(zone).date().replace(day=1)
    month = min(_month(request) or this_month, this_month)
    start, end = bounds(month, zone)
    since, _end = bounds(month_on(month, 1 - MONTHS_SHOWN), zone)
    is_running = month == this_month
    closes = closes_at(month, ZoneInfo(client.timezone) if client else zone)
    found = attainment(user, start, end, now, client=client, month=None if is_running else month)
    context = {
        "a": found,
        "restated": [(one, _why(one)) for one in found.closing.restated] if found.closing else [],
        "counted_as": dict(Counts.choices),
        "closes_at": closes if closes > now else None,
        "trend": trend(user, since, end, zone, client=client),
        "month": month,
        "before": month_on(month, -1),
        "after": month_on(month, 1) if month < this_month else None,
        "is_running": is_running,
        "client": client,
        "clients": [("", _("All clients")), *clients.values_list("key", "name")],
        "definitions": PROMISED,
        "metrics": dict(Metric.choices),
        "types": TicketType.choices,
        "reasons": dict(PendingReason.choices),
    }
    return render(request, "workspace/attainment.html", context | navigation(request, "report"))


def _why(restated: Restated) -> str:
    """What happened, in the words of the timeline."""
    return sentence_of(restated.entry)[0] if restated.entry else ""


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
    "open_requests",
    "resolved_requests",
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


def _span(request: HttpRequest) -> tuple[date | None, date | None, str]:
    """The first and the last day that the address asks for, or why it cannot be; none of them for the last days."""
    said = [request.GET.get(name, "").strip() for name in ("from", "to")]
    if not any(said):
        return None, None, ""
    try:
        first, last = (date.fromisoformat(day) for day in said)
    except ValueError:
        return None, None, _("Give both days, as 2026-01-31; the last days are shown meanwhile.")
    if first > last or last.year > LAST_YEAR:
        return None, None, _("The first day comes before the last; the last days are shown meanwhile.")
    return first, last, ""


def _month(request: HttpRequest) -> date | None:
    """The first day of the month that the address asks for, 2026-11; None for none that can be shown."""
    try:
        month = date.fromisoformat(f"{request.GET.get('month', '')[:7]}-01")
    except ValueError:
        return None
    return month if FIRST_YEAR <= month.year <= LAST_YEAR else None


def _minutes(request: HttpRequest) -> int:
    raw = request.GET.get("minutes", "")
    return int(raw) if raw.isdecimal() and int(raw) in CLOSENESS else MINUTES


def _days(request: HttpRequest) -> int:
    raw = request.GET.get("days", "")
    return int(raw) if raw.isdecimal() and int(raw) in PERIODS else PERIODS[1]

"""What was promised about a request, in words for who sent it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tierdesk.directory.contracts.models import Metric, Party
from tierdesk.response.sla.dates import standing_dates
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Ticket

WORDS = {
    Metric.ACKNOWLEDGE: lambda when: _("A colleague will look at it by %(when)s.") % {"when": when},
    Metric.RESPOND: lambda when: _("You have an answer by %(when)s.") % {"when": when},
    Metric.RESOLVE: lambda when: _("We mean to have it solved by %(when)s.") % {"when": when},
}


def promises_of(ticket: Ticket, zone: str) -> list[str]:
    """A sentence for each promise to the client that runs, the nearest first; times in `zone`."""
    going = Clock.objects.of([ticket]).going()
    running = going.filter(party=Party.SLA, metric__in=WORDS, due_at__isnull=False).order_by("due_at")
    return [
        WORDS[Metric(metric)](_when(due_at, zone))
        for metric, due_at in running.values_list("metric", "due_at")
    ]


def date_promised_to(ticket: Ticket, zone: str) -> str:
    """The date that was promised for a request, if whoever promised it wanted the contact to read it."""
    date = standing_dates([ticket]).get(ticket.pk)
    if date is None or not date.shown:
        return ""
    return str(_("We promised that it is solved by %(when)s.") % {"when": _when(date.said_at, zone)})


def _when(at: datetime, zone: str) -> str:
    return date_format(at.astimezone(ZoneInfo(zone)), "l, j F Y, H:i")

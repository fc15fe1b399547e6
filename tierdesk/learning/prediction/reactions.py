"""An outlook follows its ticket: looked at again when something changes, and gone when there is nothing to tell."""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core.work import current
from tierdesk.learning.prediction.models import Outlook
from tierdesk.tickets.facts import TicketFact


def look_again(facts: Sequence[TicketFact]) -> None:
    Outlook.look_again((fact.ticket for fact in facts), current().at)


def stop_looking(facts: Sequence[TicketFact]) -> None:
    Outlook.objects.filter(pk__in={fact.ticket.pk for fact in facts}).delete()

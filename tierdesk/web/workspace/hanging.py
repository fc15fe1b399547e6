"""Which things hang on a ticket at all: most tickets have none of them, and one statement says so instead of six."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from tierdesk.channels.phone.models import Call
from tierdesk.core.written import Written
from tierdesk.learning.problems.models import Occurrence
from tierdesk.response.runbooks.models import Run
from tierdesk.response.tiers.models import Consultation, Escalation
from tierdesk.response.vendors.models import Case
from tierdesk.tickets.models import Attachment, Ticket

_LOOKED_FOR = {
    "escalations": Escalation.objects.filter(ticket=OuterRef("pk")),
    "consultations": Consultation.objects.filter(ticket=OuterRef("pk")),
    "cases": Case.objects.filter(ticket=OuterRef("pk")),
    "runs": Run.objects.filter(ticket=OuterRef("pk")),
    "calls": Call.objects.filter(ticket=OuterRef("pk")),
    "problems": Occurrence.objects.filter(ticket=OuterRef("pk")),
    "files": Attachment.objects.filter(message__ticket=OuterRef("pk")),
}
_HANGING = Written(
    lambda pk: (
        Ticket.objects.filter(pk=pk)
        .only("pk")
        .annotate(**{f"has_{name}": Exists(rows) for name, rows in _LOOKED_FOR.items()})
    )
)


def hanging_on(ticket: Ticket) -> frozenset[str]:
    """The names of _LOOKED_FOR of which the ticket has any."""
    found = _HANGING(pk=ticket.pk)
    return frozenset(name for name in _LOOKED_FOR for row in found if getattr(row, f"has_{name}"))

"""Whether a promise to resolve will be kept, as far as such tickets tell: a band, never a date.

An outlook wakes when its band would change if nothing happened, and when something happens to its ticket. While a
ticket waits its clock stands still, and so does its outlook.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tierdesk.core.words import Word
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.tickets.models import Ticket

KEPT_FROM, LATE_UNTIL = 2 / 3, 1 / 3


class Band(models.TextChoices):
    UNKNOWN = "unknown", _("Too little is known")
    KEPT = "kept", _("Likely in time")
    OPEN = "open", _("May be late")
    LATE = "late", _("Likely late")


def band_of(chance: float) -> Band:
    """The band of a chance to be in time."""
    if chance >= KEPT_FROM:
        return Band.KEPT
    return Band.LATE if chance <= LATE_UNTIL else Band.OPEN


class Outlooks(ClientRows):
    def likely_late(self, tickets: Iterable[int]) -> set[int]:
        """Which of these tickets are likely late. Asked for the few that are shown, it costs no list its plan."""
        return set(self.filter(pk__in=list(tickets), band=Band.LATE).values_list("pk", flat=True))

    def told_of(self, ticket: Ticket) -> Outlooks:
        """What there is to tell of a ticket; nothing where too little is known."""
        return self.filter(ticket=ticket).exclude(band=Band.UNKNOWN)


class Outlook(models.Model):
    """The outlook of one open ticket. `chance`: to be resolved in time; `alike`: of how many tickets it is told.

    `like`: what these have in common, from general to special, such as ["P2", "L2", "network"].
    """

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, primary_key=True, related_name="outlook")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    band = Word(max_length=7, choices=Band.choices, default=Band.UNKNOWN)
    chance = models.FloatField(null=True, blank=True)
    alike = models.PositiveIntegerField(default=0)
    like = models.JSONField(default=list)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Outlooks.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="outlooks_to_wake", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["chance", "ticket"], name="outlooks_likely_late", condition=Q(band="late")),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.band}"

    @property
    def in_ten(self) -> int:
        """Of ten such tickets, how many are in time."""
        return round(10 * (self.chance or 0.0))

    @classmethod
    def look_again(cls, tickets: Iterable[Ticket], at: datetime) -> None:
        """Something happened to these: their outlook is to be told anew."""
        clients = {ticket.pk: ticket.client_id for ticket in tickets}
        with connection.cursor() as cursor:
            cursor.execute(LOOK_AGAIN, [at, list(clients), list(clients.values())])


LOOK_AGAIN = """
INSERT INTO prediction_outlook (ticket_id, client_id, band, alike, "like", wake_at)
SELECT ticket_id, client_id, 'unknown', 0, '[]', %s
FROM unnest(%s::bigint[], %s::bigint[]) AS these (ticket_id, client_id)
ON CONFLICT (ticket_id) DO UPDATE SET wake_at = excluded.wake_at
"""

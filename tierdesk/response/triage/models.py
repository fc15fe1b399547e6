"""Where tickets go first: routes, as the desk's administrators wrote them."""

from __future__ import annotations

from django.db import models

from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Team


class Route(models.Model):
    """Tickets of this client, service, category and channel go to `team`. Empty means any; the most specific wins."""

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="routes")
    service = models.ForeignKey(Service, null=True, blank=True, on_delete=models.CASCADE)
    category_scope = models.CharField(max_length=80, default="*")
    channel = models.CharField(max_length=12, blank=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "service", "category_scope", "channel"],
                nulls_distinct=False,
                name="one_route_per_scope",
            )
        ]

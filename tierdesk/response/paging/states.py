"""How a ticket's calling of people stands."""

from __future__ import annotations

from django.db import models


class PagingState(models.TextChoices):
    CALLING = "calling", "People are called"
    ACKNOWLEDGED = "acknowledged", "Somebody looks"
    EXHAUSTED = "exhausted", "Nobody acknowledged"
    ENDED = "ended", "Over"


WAITING = [PagingState.CALLING.value, PagingState.EXHAUSTED.value]
"""Somebody is still to acknowledge."""

NEEDED = frozenset({PagingState.CALLING, PagingState.ACKNOWLEDGED, PagingState.EXHAUSTED})
"""Acknowledged as well: pages that stand then belong to steps that an acknowledgement does not spare."""

"""The page on which a ticket is handed up tells whoever may not, and lets those through who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.tiers.models import Escalation, Procedure
from tierdesk.tickets.models import Ticket

PACK = {"symptom": "no tunnel", "scope": "one site", "steps_tried": "restarted", "exact_ask": "look at it"}
REFUSED = "a lead of its team hands this up: ask them"


@pytest.fixture
def ticket(cast: Cast, doing: Any) -> Ticket:
    Procedure.publish("leads", name="Leads", from_tier=1, spec={"who_may": ["lead"]})
    with doing(cast.lena):
        ticket = cast.ticket()
        ticket.take(cast.lena)
    return ticket


def test_whoever_may_not_is_told_whom_to_ask(cast: Cast, client: Browser, ticket: Ticket) -> None:
    client.force_login(cast.lena.user)
    page = f"/tickets/{ticket.pk}/escalation/"
    assert REFUSED in client.get(page).content.decode()
    told = client.post(page, {"team": cast.ops.pk, "reason": "skill"} | PACK).content.decode()
    set_scope(EVERY_CLIENT)
    assert REFUSED in told
    assert not Escalation.objects.exists()


def test_a_lead_hands_it_up(cast: Cast, client: Browser, ticket: Ticket) -> None:
    client.force_login(cast.lou.user)
    page = f"/tickets/{ticket.pk}/escalation/"
    assert REFUSED not in client.get(page).content.decode()
    client.post(page, {"team": cast.ops.pk, "reason": "skill"} | PACK)
    set_scope(EVERY_CLIENT)
    assert Escalation.objects.get().sent_by == cast.lou

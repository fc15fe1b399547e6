"""The page on which a ticket is handed up tells whoever may not, and lets those through who may."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import User
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


def test_what_is_left_of_the_clients_time_stands_beside_the_button(
    cast: Cast, client: Browser, ticket: Ticket
) -> None:
    """On a telephone the clocks come after the form; whoever presses the button has read this."""
    client.force_login(cast.lou.user)
    page = client.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    form, beside, _aside = page.partition("page-aside")
    assert beside and "Left of the promises to the client:" in form
    assert "Resolve · " in form.partition("Left of the promises")[2]


def test_a_lead_hands_it_up(cast: Cast, client: Browser, ticket: Ticket) -> None:
    client.force_login(cast.lou.user)
    page = f"/tickets/{ticket.pk}/escalation/"
    assert REFUSED not in client.get(page).content.decode()
    client.post(page, {"team": cast.ops.pk, "reason": "skill"} | PACK)
    set_scope(EVERY_CLIENT)
    assert Escalation.objects.get().sent_by == cast.lou


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "UTC"])
def test_since_when_is_asked_in_the_time_of_whoever_sends_it_and_names_its_zone(
    cast: Cast, client: Browser, ticket: Ticket, zone: str
) -> None:
    User.objects.filter(pk=cast.lou.user.pk).update(timezone=zone)
    client.force_login(cast.lou.user)
    local = ticket.created_at.astimezone(ZoneInfo(zone))
    page = client.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    assert f"{local:%Y-%m-%d %H:%M} ({zone})</textarea>" in page


def test_where_a_senders_zone_does_not_exist_it_is_utc(cast: Cast, client: Browser, ticket: Ticket) -> None:
    User.objects.filter(pk=cast.lou.user.pk).update(timezone="Nowhere/Land")
    client.force_login(cast.lou.user)
    page = client.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    assert f"{ticket.created_at:%Y-%m-%d %H:%M} (UTC)" in page


def test_the_short_way_is_offered_where_it_is_open_and_taken(cast: Cast, client: Browser, doing: Any) -> None:
    spec = {"emergency": {"priorities": [3], "to": ["team:ops"], "accept_min": 5}, "who_may": ["lead"]}
    Procedure.publish(
        "hurry", name="Hurry", from_tier=1, spec=spec, review_by=date(2026, 1, 1), approved_by="Lou"
    )
    with doing(cast.lena):
        ticket = cast.ticket()
    client.force_login(cast.lou.user)
    page = f"/tickets/{ticket.pk}/escalation/"
    usual = client.get(page).content.decode()
    assert "This ticket may take the short way: it is for P3 and major incidents" in usual
    assert "approved by Lou" in usual
    assert "Review overdue since 2026-01-01" in usual
    short = client.get(f"{page}?emergency=1").content.decode()
    assert "It is to be accepted within 5 minutes" in short
    said = {"team": cast.ops.pk, "reason": "other", "symptom": "dark", "exact_ask": "light", "emergency": "1"}
    client.post(page, said)
    set_scope(EVERY_CLIENT)
    sent = Escalation.objects.get()
    assert sent.emergency
    body = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "It took the short way up." in body
    assert "Answer: What was tried, with which result?" in body


def test_the_short_way_is_not_offered_where_it_is_not_open(
    cast: Cast, client: Browser, ticket: Ticket
) -> None:
    client.force_login(cast.lou.user)
    assert "short way" not in client.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    closed = client.get(f"/tickets/{ticket.pk}/escalation/?emergency=1").content.decode()
    assert "has no emergency path" in closed


def test_the_team_that_the_procedure_leads_to_is_proposed(cast: Cast, client: Browser, doing: Any) -> None:
    Procedure.publish("far", name="Far", from_tier=1, spec={"to": ["team:experts"]})
    with doing(cast.lena):
        ticket = cast.ticket()
    client.force_login(cast.lena.user)
    page = client.get(f"/tickets/{ticket.pk}/escalation/").content.decode()
    assert f'<option value="{cast.experts.pk}" selected>' in page
    told = client.post(
        f"/tickets/{ticket.pk}/escalation/", {"team": cast.ops.pk, "reason": "skill"} | PACK
    ).content.decode()
    assert "leads to experts: say why it goes elsewhere" in told

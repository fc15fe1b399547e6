"""The link of a page: it says what and for whom without signing in; opening it changes nothing, the button acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.pages import Page
from tierdesk.tickets.models import Ticket


@pytest.fixture
def page(
    cast: Cast, settings: Any, tmp_path: Any, doing: Callable[..., Any], live_until: Callable[..., None]
) -> Page:
    settings.HOME = tmp_path
    steps = [{"after": 0, "page": ["user:lena@desk.example", "user:lou@desk.example"]}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
    with doing(cast.ann.user):
        cast.ticket(impact=1, urgency=1)
    live_until(MONDAY_10 + timedelta(minutes=1))
    return Page.objects.select_related("paging__ticket", "agent__user").get(agent=cast.lena)


def paging(page: Page) -> Paging:
    set_scope(EVERY_CLIENT)
    return Paging.objects.get(pk=page.paging_id)


def test_opening_the_link_tells_and_changes_nothing(client: Browser, page: Page) -> None:
    answer = client.get(f"/pages/{page.token}/")
    said = answer.content.decode()
    assert answer.status_code == 200
    assert "Lena Lang" in said and "VPN does not connect" in said and "Acme GmbH" in said
    assert paging(page).state == "calling"
    # With no-referrer a browser sends its form as from nowhere, and it is turned away as forged.
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_the_button_acknowledges_for_the_person_paged(client: Browser, cast: Cast, page: Page) -> None:
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        answer = client.post(f"/pages/{page.token}/")
    assert "Lena Lang acknowledged at 08:02 UTC" in answer.content.decode()
    assert (paging(page).state, paging(page).acked_by) == ("acknowledged", cast.lena)
    ticket = Ticket.objects.get(pk=page.paging.ticket_id)
    assert (ticket.state, ticket.acknowledged_at) == ("open", MONDAY_10 + timedelta(minutes=2))


def test_the_second_one_learns_who_was_first(client: Browser, cast: Cast, page: Page) -> None:
    set_scope(EVERY_CLIENT)
    lous = Page.objects.get(agent=cast.lou)
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        client.post(f"/pages/{page.token}/")
        answer = client.post(f"/pages/{lous.token}/")
    assert "Lena Lang acknowledged" in answer.content.decode()
    assert paging(page).acked_by == cast.lena


def test_a_link_works_once_also_when_people_are_called_again(client: Browser, page: Page) -> None:
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        client.post(f"/pages/{page.token}/")
    set_scope(EVERY_CLIENT)
    Paging.objects.filter(pk=page.paging_id).update(state="calling", acked_by=None, acked_at=None)
    with clock.frozen(MONDAY_10 + timedelta(hours=1)):
        answer = client.post(f"/pages/{page.token}/")
    assert "It works once" in answer.content.decode()
    assert paging(page).state == "calling"


def test_a_forged_link_opens_nothing(client: Browser, page: Page) -> None:
    assert client.get(f"/pages/{page.pk}~AAAA/").status_code == 404
    assert client.post(f"/pages/{page.pk}/").status_code == 404
    assert paging(page).state == "calling"


def test_who_may_not_sign_in_any_more_cannot_acknowledge(client: Browser, cast: Cast, page: Page) -> None:
    cast.lena.user.is_active = False
    cast.lena.user.save(update_fields=["is_active"])
    assert client.post(f"/pages/{page.token}/").status_code == 404
    assert paging(page).state == "calling"

"""The link of a page: it says what and for whom without signing in; opening it changes nothing, the button acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.staff.models import Membership
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.pages import Page
from tierdesk.tickets.models import Ticket


@pytest.fixture
def page(
    cast: Cast, settings: Any, tmp_path: Any, doing: Callable[..., Any], live_until: Callable[..., None]
) -> Page:
    settings.HOME = tmp_path
    steps = [
        {"after": 0, "page": ["user:lena@desk.example", "user:lou@desk.example"]},
        {"after": 300, "page": ["team:ops"]},
    ]
    Policy.publish(
        "p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps, "ack_timeout": 1800}
    )
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
    told = answer.content.decode()
    assert "Lena Lang acknowledged at 10:02 (Europe/Berlin). Nobody else is called." in told
    assert "within 30 min, people are called again" in told
    assert (paging(page).state, paging(page).acked_by) == ("acknowledged", cast.lena)
    ticket = Ticket.objects.get(pk=page.paging.ticket_id)
    assert (ticket.state, ticket.acknowledged_at) == ("open", MONDAY_10 + timedelta(minutes=2))


def test_whoever_is_paged_can_pass_it_on_from_their_own_pages(
    client: Browser, cast: Cast, page: Page
) -> None:
    client.force_login(cast.lena.user)
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        mine = client.get("/on-call/me/").content.decode()
        form = mine.partition(f'action="/pages/{page.token}/"')[2].partition("</form>")[0]
        assert 'name="pass_on" value="1"' in form and "I cannot look" in form
        answer = client.post(f"/pages/{page.token}/", {"page": page.pk, "pass_on": "1"})
    assert "You passed it on: others are called." in answer.content.decode()
    assert paging(page).state == "calling"


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


def test_whoever_cannot_look_passes_it_on_once_all_with_them_have(
    client: Browser, cast: Cast, page: Page, live_until: Callable[..., None]
) -> None:
    set_scope(EVERY_CLIENT)
    lous = Page.objects.get(agent=cast.lou)
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        answer = client.post(f"/pages/{page.token}/", {"pass_on": "1"})
        assert "You passed it on" in answer.content.decode()
        assert paging(page).wake_at == MONDAY_10 + timedelta(minutes=5), "Lou was called with her"
        client.post(f"/pages/{lous.token}/", {"pass_on": "1"})
        assert paging(page).wake_at == MONDAY_10 + timedelta(minutes=2), "nobody is left to wait for"
        client.post(f"/pages/{lous.token}/")
    assert paging(page).state == "calling", "a link works once"


def test_who_serves_the_client_no_longer_is_told_nothing_and_acknowledges_nothing(
    client: Browser, cast: Cast, page: Page
) -> None:
    set_scope(EVERY_CLIENT)
    Membership.objects.filter(agent=cast.lena).delete()
    for answer in (client.get(f"/pages/{page.token}/"), client.post(f"/pages/{page.token}/")):
        said = answer.content.decode()
        assert answer.status_code == 403
        assert "You do not serve this client any more" in said
        assert "VPN does not connect" not in said and "Acme GmbH" not in said and "TD-" not in said
    assert paging(page).state == "calling"


class TestSeveral:
    """Three pages to Lena that left in one mail."""

    @pytest.fixture
    def first(
        self, page: Page, cast: Cast, doing: Callable[..., Any], live_until: Callable[..., None]
    ) -> Page:
        set_scope(EVERY_CLIENT)
        with doing(cast.ann.user, MONDAY_10 + timedelta(minutes=3)):
            for number in (1, 2, 3):
                cast.ticket(impact=1, urgency=1, subject=f"Number {number}")
        live_until(MONDAY_10 + timedelta(minutes=3, seconds=1))
        [leader] = Page.objects.filter(agent=cast.lena, companions__isnull=False).distinct()
        return leader

    def acknowledged(self) -> int:
        set_scope(EVERY_CLIENT)
        return Paging.objects.filter(state="acknowledged").count()

    def test_those_of_a_client_that_is_served_no_longer_are_left_out(
        self, client: Browser, cast: Cast, first: Page
    ) -> None:
        """Lena serves Acme no longer, and one of the tickets was Borealis’s."""
        set_scope(EVERY_CLIENT)
        other = Page.objects.filter(sent_with=first).latest("id")
        for row in (other.paging.ticket, other.paging, other):
            type(row).objects.filter(pk=row.pk).update(client=cast.borealis)
        Membership.objects.filter(agent=cast.lena).update(team=cast.northern)
        said = client.get(f"/pages/{first.token}/").content.decode()
        assert other.paging.ticket.subject in said
        assert sum(f"Number {number}" in said for number in (1, 2, 3)) == 1

    def test_its_link_shows_them_all(self, client: Browser, first: Page) -> None:
        said = client.get(f"/pages/{first.token}/").content.decode()
        assert all(f"Number {number}" in said for number in (1, 2, 3))
        assert "Acknowledge all 3" in said and "VPN does not connect" not in said
        assert self.acknowledged() == 0

    def test_one_button_acknowledges_all_of_them(self, client: Browser, first: Page) -> None:
        with clock.frozen(MONDAY_10 + timedelta(minutes=4)):
            client.post(f"/pages/{first.token}/")
        assert self.acknowledged() == 3

    def test_another_acknowledges_one(self, client: Browser, first: Page) -> None:
        set_scope(EVERY_CLIENT)
        [second, _third] = first.companions.order_by("id")
        with clock.frozen(MONDAY_10 + timedelta(minutes=4)):
            said = client.post(f"/pages/{first.token}/", {"page": second.pk}).content.decode()
        assert self.acknowledged() == 1
        assert "Acknowledge all 2" in said

    def test_a_page_of_another_message_is_not_reached_by_it(
        self, client: Browser, first: Page, page: Page
    ) -> None:
        client.post(f"/pages/{first.token}/", {"page": page.pk})
        assert self.acknowledged() == 0

    def test_its_queries_do_not_grow_with_it(
        self, client: Browser, first: Page, page: Page, django_assert_max_num_queries: Any
    ) -> None:
        with CaptureQueriesContext(connection) as alone:
            client.get(f"/pages/{page.token}/")
        with django_assert_max_num_queries(len(alone)):
            client.get(f"/pages/{first.token}/")


def test_a_forged_link_opens_nothing(client: Browser, page: Page) -> None:
    assert client.get(f"/pages/{page.pk}~AAAA/").status_code == 404
    assert client.post(f"/pages/{page.pk}/").status_code == 404
    assert paging(page).state == "calling"


def test_who_may_not_sign_in_any_more_cannot_acknowledge(client: Browser, cast: Cast, page: Page) -> None:
    cast.lena.user.is_active = False
    cast.lena.user.save(update_fields=["is_active"])
    assert client.post(f"/pages/{page.token}/").status_code == 404
    assert paging(page).state == "calling"

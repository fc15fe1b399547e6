"""The page “What happens if”: for managers alone, about clients they serve; a link says it all, nothing is written."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.paging.conftest import on_call, publish
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Assignment
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Membership, Team
from tierdesk.tickets.models import Ticket

__all__ = ["on_call"]

CHRISTMAS = "/what-happens/?client=ACME&at=2026-12-25T03:10&priority=1"

type Visit = Callable[[str], str]


@pytest.fixture
def lou(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lou.user)
    return client


def words(response: Any) -> str:
    set_scope(EVERY_CLIENT)
    main = response.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_the_link_says_who_is_called_and_when(cast: Cast, on_call: None, lou: Browser) -> None:
    publish()
    page = words(lou.get(CHRISTMAS))
    assert "Fri 25 Dec, 03:10: a P1 of Acme GmbH" in page
    assert "Fri 25 Dec, 03:20 after 10 min pages Tom Tran (on call: L2) by mail" in page
    assert "Fri 25 Dec, 07:10 after 4 h broken: resolve (promise to the client)" in page
    assert "30 min of Around the clock due Fri 25 Dec, 03:40" in page
    assert "Tom Tran are called by mail alone" in page
    assert not Ticket.objects.exists()


def test_times_stand_in_the_client_s_zone_and_in_the_reader_s(cast: Cast, lou: Browser) -> None:
    page = words(lou.get("/what-happens/?client=BOR&at=2026-12-25T03:10"))
    assert "Times are those of America/New_York; yours, Europe/Berlin, stand beside them" in page
    assert "it is Fri 25 Dec, 09:10 for you" in page
    assert "Fri 25 Dec, 07:10 after 4 h · Fri 25 Dec, 13:10 for you broken: resolve" in page


def test_nothing_asked_is_a_form_and_no_answer(cast: Cast, lou: Browser) -> None:
    response = lou.get("/what-happens/")
    page = words(response)
    assert response.status_code == 200
    assert "What happens if a ticket comes in and nobody touches it?" in page
    assert "What holds" not in page


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("client=ACME&at=soon", "Say when, such as 2026-12-25T03:10."),
        ("client=YACHT&at=2026-12-25T03:10", "Say whose ticket it is"),
        ("client=ACME&at=2026-12-25T03:10&priority=9", "A priority is a number from 1 to 5."),
        ("client=ACME&at=2026-12-25T03:10&zone=../etc", "There is no such time zone"),
        ("client=ACME&at=2026-12-25T03:10&service=x%00", "has no such service"),
        ("client=A%00&at=2026-12-25T03:10", "Say whose ticket it is"),
        (f"client={'A' * 9000}", "Say whose ticket it is"),
    ],
    ids=["when", "client", "priority", "zone", "nul-service", "nul-client", "long"],
)
def test_nonsense_is_refused_beside_its_field(cast: Cast, lou: Browser, told: str, sentence: str) -> None:
    response = lou.get(f"/what-happens/?{told}")
    assert response.status_code == 422
    assert sentence in words(response)


def test_what_was_asked_stays_in_the_form(cast: Cast, lou: Browser) -> None:
    body = lou.get(
        "/what-happens/?client=ACME&at=2026-12-25T03:10&category=network/vpn&zone=Asia/Tokyo"
    ).content.decode()
    for kept in (
        'value="2026-12-25T03:10"',
        '"network/vpn" selected',
        '"Asia/Tokyo" selected',
        '"ACME" selected',
    ):
        assert kept in body


def test_a_service_that_two_clients_have_is_offered_once(cast: Cast, lou: Browser) -> None:
    Service.objects.create(client=cast.borealis, key="vpn", name="VPN")
    body = lou.get("/what-happens/").content.decode()
    set_scope(EVERY_CLIENT)
    assert body.count('<option value="vpn">') == 1
    assert "VPN · Acme GmbH, Borealis Inc." in body
    assert '<option value="mail">Mail</option>' in body


def test_a_form_is_no_way_to_change_anything(cast: Cast, lou: Browser) -> None:
    assert lou.post("/what-happens/", {"client": "ACME"}).status_code == 405


def test_outsiders_do_not_get_in(cast: Cast, client: Browser) -> None:
    assert client.get(CHRISTMAS).headers["Location"].startswith("/sign-in/?next=/what-happens/")
    client.force_login(cast.ann.user)
    assert client.get(CHRISTMAS).headers["Location"] == "/portal/"
    client.force_login(cast.lena.user)
    assert client.get(CHRISTMAS).status_code == 404, "for an agent who manages nobody the page does not exist"


def test_a_manager_asks_only_about_clients_they_serve(cast: Cast, client: Browser) -> None:
    """Olga's team serves Borealis alone; that another client exists is not said."""
    cast.olga.is_manager = True
    cast.olga.save(update_fields=["is_manager"])
    client.force_login(cast.olga.user)
    response = client.get(CHRISTMAS)
    assert response.status_code == 422
    assert "ACME" not in words(response).replace("ACME,", "") and "Acme" not in response.content.decode()
    ours = client.get("/what-happens/?client=BOR&at=2026-12-25T03:10")
    assert "a P1 of Borealis Inc." in words(ours)
    assert not Ticket.objects.exists()


def test_whoever_serves_nobody_is_told_so(cast: Cast, client: Browser) -> None:
    Membership.objects.filter(agent=cast.olga).delete()
    Assignment.objects.all().delete()
    Membership.objects.create(agent=cast.olga, team=Team.objects.get(key="northern"))
    cast.olga.is_manager = True
    cast.olga.save(update_fields=["is_manager"])
    client.force_login(cast.olga.user)
    assert "No client yet" in words(client.get("/what-happens/"))

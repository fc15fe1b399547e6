"""Sections as lists: found by words, page by page, and empty ones say what to do first."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.ops.settings.conftest import Visitor
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.staff.models import User
from tierdesk.ops.settings.views import A_PAGE


def words(browser: Browser, address: str) -> str:
    return browser.get(address).content.decode()


def test_the_home_counts_what_there_is(cast: Cast, admin: Browser) -> None:
    body = words(admin, "/settings/")
    assert 'Contacts</span><span class="link-card-count">3</span>' in body
    assert 'Sites</span><span class="link-card-count">0</span>' in body


def test_a_list_is_searched_by_any_of_its_words(cast: Cast, admin: Browser) -> None:
    everybody = words(admin, "/settings/contacts/")
    assert all(name in everybody for name in ("Ann Albers", "Arne Voss", "Bob Byrne"))
    by_client = words(admin, "/settings/contacts/?q=borealis")
    assert "Bob Byrne" in by_client and "Ann Albers" not in by_client
    by_number = words(admin, "/settings/contacts/?q=4930123+ann")
    assert "Ann Albers" in by_number and "Arne Voss" not in by_number
    assert "Nothing has these words" in words(admin, "/settings/contacts/?q=zzz")


def test_all_settings_are_searched_at_once(cast: Cast, admin: Browser) -> None:
    body = words(admin, "/settings/?q=vpn")
    assert 'href="/settings/services/ACME~vpn/"' in body
    assert 'href="/settings/categories/network%252Fvpn/"' in body
    assert "Nothing has these words" in words(admin, "/settings/?q=zzz")


def test_a_long_list_has_pages(cast: Cast, admin: Browser) -> None:
    Contact.objects.bulk_create(
        Contact(client=cast.acme, name=f"Person {i:03}", email=f"p{i}@acme.example") for i in range(A_PAGE)
    )
    first = words(admin, "/settings/contacts/")
    assert "1 to 100 of 103" in first and "Person 099" not in first
    assert "Person 099" in words(admin, "/settings/contacts/?page=2")
    assert "Person 099" in words(admin, "/settings/contacts/?q=person+099")


def test_a_list_asks_the_database_the_same_however_long_it_is(
    cast: Cast, admin: Browser, django_assert_max_num_queries: object
) -> None:
    Contact.objects.bulk_create(
        Contact(client=cast.acme, name=f"Person {i:03}", email=f"p{i}@acme.example") for i in range(50)
    )
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        admin.get("/settings/contacts/")


@pytest.mark.parametrize(
    ("section", "first"),
    [
        ("clients", "Add client"),
        ("contacts", "First add client"),
        ("schedules", "First add team"),
        ("contracts", "First add calendar"),
        ("underpinning_contracts", "First add vendor"),
        ("components", "First add service"),
    ],
)
def test_an_empty_section_says_what_to_do_first(db: None, section: str, first: str) -> None:
    visitor = Visitor()
    visitor.force_login(User.objects.create_user("ada@desk.example", name="Ada", is_admin=True))
    body = words(visitor, f"/settings/{section}/")
    assert " yet</h2>" in body
    assert f"<span>{first}</span>" in body


def test_an_empty_desk_is_shown_the_way(db: None) -> None:
    visitor = Visitor()
    visitor.force_login(User.objects.create_user("ada@desk.example", name="Ada", is_admin=True))
    body = words(visitor, "/settings/")
    assert "Set up your desk" in body
    assert body.count('<li data-done="false">') == 7


def test_a_thing_tells_who_names_it(cast: Cast, admin: Browser) -> None:
    body = words(admin, "/settings/clients/ACME/")
    aside = body.partition('<aside class="page-aside"')[2]
    assert "Ann Albers" in aside and "Acme GmbH standard support" in aside and "Bob Byrne" not in aside
    aside = words(admin, "/settings/calendars/office-ny/").partition('<aside class="page-aside"')[2]
    assert "Borealis Inc. standard support" in aside and "Acme" not in aside

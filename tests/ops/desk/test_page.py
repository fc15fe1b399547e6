"""The desk's file in the browser: administrators only, the difference first, nothing half-done."""

from __future__ import annotations

import html

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.directory.staff.models import Team
from tierdesk.response.vendors.models import Vendor

PAGE = "/settings/desk/"


@pytest.fixture
def admin(cast: Cast, client: Browser) -> Browser:
    Vendor.objects.create(key="nordvik", name="Nordvik")
    cast.lou.user.is_admin = True
    cast.lou.user.save(update_fields=["is_admin"])
    client.force_login(cast.lou.user)
    return client


def text_of(browser: Browser) -> str:
    """What stands in the editor."""
    body = browser.get(PAGE).content.decode()
    return html.unescape(body.split('name="text"', 1)[1].split(">", 1)[1].split("</textarea>", 1)[0]).lstrip()


def test_it_is_for_administrators(cast: Cast, client: Browser) -> None:
    client.force_login(cast.lena.user)
    assert client.get(PAGE).status_code == 404
    client.force_login(cast.ann.user)
    assert client.get(PAGE).status_code == 302
    client.logout()
    assert client.get(PAGE).headers["Location"].startswith("/sign-in/")


def test_the_difference_is_shown_before_anything_changes(cast: Cast, admin: Browser) -> None:
    changed = text_of(admin).replace("name: Service Desk", "name: Front Desk")
    shown = admin.post(PAGE, {"text": changed}).content.decode()
    assert "Front Desk" in shown and "What it would change" in shown
    assert Team.objects.get(key="desk").name == "Service Desk"
    assert admin.post(PAGE, {"text": changed, "apply": "1"}).status_code == 302
    assert Team.objects.get(key="desk").name == "Front Desk"


def test_nonsense_is_refused_with_its_line(cast: Cast, admin: Browser) -> None:
    answer = admin.post(PAGE, {"text": "teams:\n  - {key: x, nonsense: 1}\n", "apply": "1"})
    assert answer.status_code == 422
    assert "desk.yaml:2" in answer.content.decode()
    assert not Team.objects.filter(key="x").exists()

"""Settings are for administrators: for agents they do not exist, others are shown to their own face."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.directory.staff.models import User
from tierdesk.ops.desk.sections import SECTIONS

PAGES = [
    "/settings/",
    "/settings/?q=acme",
    "/settings/check/",
    "/settings/desk/",
    "/settings/what-if/",
    "/settings/desk/desk.yaml",
    "/settings/clients/ACME/",
    "/settings/contracts/ACME~standard/",
    *(f"/settings/{section.name}/" for section in SECTIONS),
    *(f"/settings/new/{section.name}/" for section in SECTIONS),
]


@pytest.mark.parametrize("page", PAGES)
def test_an_administrator_sees_the_page(admin: Browser, page: str) -> None:
    assert admin.get(page).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", PAGES)
def test_nobody_else_does(cast: Cast, client: Browser, page: str, method: str) -> None:
    visit = getattr(client, method)
    assert visit(page).headers["Location"].startswith("/sign-in/?next=/settings/"), (
        "a stranger signs in first"
    )
    client.force_login(cast.ann.user)
    assert visit(page).headers["Location"] == "/portal/", "a contact has a portal"
    client.force_login(cast.lou.user)
    assert visit(page).status_code == 404, "for an agent, even a manager, the page does not exist"


def test_an_administrator_who_is_no_agent_is_at_home_in_the_settings(db: None, client: Browser) -> None:
    ada = User.objects.create_user("ada@desk.example", name="Ada", is_admin=True)
    client.force_login(ada)
    assert client.get("/").headers["Location"] == "/settings/"
    body = client.get("/settings/").content.decode()
    assert "Back to the desk" not in body
    assert client.get("/settings/agents/").status_code == 200


@pytest.mark.parametrize(
    "page", ["/settings/nonsense/", "/settings/clients/NOBODY/", "/settings/new/nonsense/"]
)
def test_what_is_not_there_is_not_found(admin: Browser, page: str) -> None:
    assert admin.get(page).status_code == 404

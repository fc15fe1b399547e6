"""Administrators see how each bridge does and try it out; others see no such page, and nobody sees a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms.fakes import FakeSlack
from tierdesk.core.scope import EVERY_CLIENT, set_scope


@pytest.fixture
def slack(settings: Any) -> Iterator[FakeSlack]:
    with FakeSlack().running() as fake:
        settings.PRIVATE_HOSTS = [fake.url.removeprefix("http://")]
        assert isinstance(fake, FakeSlack)
        yield fake


@pytest.fixture
def bridge(cast: Cast, slack: FakeSlack) -> Bridge:
    one = Bridge(client=cast.acme, key="acme", kind="slack", name="Slack at Acme", url=slack.url, bot="UDESK")
    one.secret, one.token = slack.secret, slack.token
    one.save()
    return one


@pytest.fixture
def admin(cast: Cast, client: Browser) -> Browser:
    cast.lou.user.is_admin = True
    cast.lou.user.save(update_fields=["is_admin"])
    client.force_login(cast.lou.user)
    return client


def shown(browser: Browser, page: str) -> str:
    body = browser.get(page).content.decode()
    set_scope(EVERY_CLIENT)
    return body


@pytest.mark.parametrize("page", ["", "{pk}/trial/"])
def test_it_is_for_administrators(cast: Cast, client: Browser, bridge: Bridge, page: str) -> None:
    address = f"/settings/bridges/{page.format(pk=bridge.pk)}"
    assert client.post(address).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.post(address).headers["Location"].startswith("/portal/")
    client.force_login(cast.lena.user)
    assert client.post(address).status_code == 404


def test_the_page_gives_the_address_and_no_secret(admin: Browser, bridge: Bridge) -> None:
    page = shown(admin, "/settings/bridges/")
    assert "/portal/bridge/acme/" in page
    assert "Has its secrets" in page
    assert "/settings/chat_bridges/acme/" in page
    for other in ("/settings/chat_bridges/acme/", "/settings/desk/desk.yaml"):
        page += shown(admin, other)
    assert bridge.secret not in page
    assert bridge.token not in page


def test_trying_it_out_says_as_whom_we_are_let_in(admin: Browser, bridge: Bridge) -> None:
    admin.post(f"/settings/bridges/{bridge.pk}/trial/")
    assert "Slack lets us in as desk of Acme." in shown(admin, "/settings/bridges/")
    bridge.token = "revoked"
    bridge.save()
    admin.post(f"/settings/bridges/{bridge.pk}/trial/")
    assert "Slack does not let us in: Slack: invalid_auth" in shown(admin, "/settings/bridges/")


def test_a_bridge_for_another_address_wants_its_token_anew(admin: Browser, bridge: Bridge) -> None:
    """SEC-102: or whoever changes the address would be shown the token of the old one."""
    Bridge.objects.update(url="https://evil.example")
    assert "enter it again" in shown(admin, "/settings/bridges/")

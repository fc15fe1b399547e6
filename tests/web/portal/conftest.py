"""A browser of the portal. A request ends with the view closed; tests look at the rows with every client in view."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.cast import Cast
from tests.channels.chat.conftest import widget  # noqa: F401  # a fixture
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.tickets.models import Ticket

FORM_TOKEN = re.compile(r'(?<=csrf-token" content=")\w+|(?<=csrfmiddlewaretoken" value=")\w+')


class Browser(Client):
    """The test client of Django, after which the test sees every client again."""

    def request(self, **request: Any) -> HttpResponse:
        try:
            return super().request(**request)
        finally:
            set_scope(EVERY_CLIENT)

    def reads(self, address: str) -> str:
        """The page at `address`, which must open; without its form tokens, whose letters spell anything by chance."""
        response = self.get(address)
        assert response.status_code == 200, response.content.decode()[:2000]
        return FORM_TOKEN.sub("", response.content.decode())


@pytest.fixture
def stranger(db: None) -> Browser:
    return Browser()


@pytest.fixture
def ann(cast: Cast) -> Browser:
    """Ann of Acme, signed in."""
    browser = Browser()
    browser.force_login(cast.ann.user)
    return browser


@pytest.fixture
def arne(cast: Cast) -> Browser:
    """Arne, Ann's colleague, who sees only what is his own."""
    browser = Browser()
    browser.force_login(cast.arne.user)
    return browser


@pytest.fixture
def bob(cast: Cast) -> Browser:
    """Bob of Borealis, another client."""
    browser = Browser()
    browser.force_login(cast.bob.user)
    return browser


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """Ann's ticket."""
    with doing(cast.lena):
        return cast.ticket()

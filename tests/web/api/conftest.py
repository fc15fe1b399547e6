"""Programs with tokens: `call(agent)` is one that calls the API as that agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Http

from tests.cast import Cast
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, seeing, set_scope
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.models import Token

type Caller = Callable[..., Any]


class Program:
    """Calls the API with a token. After each call the test sees every client again, as tests do."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret
        self.http = Http(raise_request_exception=False)

    def get(self, path: str, **query: Any) -> Any:
        return self._send("get", path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, content_type="application/json", headers=headers)

    def _send(self, method: str, path: str, data: Any, headers: Any = None, **extra: Any) -> HttpResponse:
        bearer = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        try:
            return getattr(self.http, method)(
                f"/api/v1{path}", data, headers=bearer | (headers or {}), **extra
            )
        finally:
            set_scope(EVERY_CLIENT)


@pytest.fixture
def program(db: None) -> Callable[[User], Program]:
    def of(user: User) -> Program:
        with seeing(EVERY_CLIENT):
            return Program(Token.issue(user, "a test", clock.now()))

    return of


@pytest.fixture
def lena(cast: Cast, program: Callable[[User], Program]) -> Program:
    """Lena's program: it serves every client."""
    return program(cast.lena.user)


@pytest.fixture
def olga(cast: Cast, program: Callable[[User], Program]) -> Program:
    """Olga's program: it serves Borealis only."""
    return program(cast.olga.user)


@pytest.fixture
def stranger(db: None) -> Program:
    return Program()


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """Ann's ticket, of Acme, opened just now."""
    with doing(cast.lena, clock.now()):
        return cast.ticket()

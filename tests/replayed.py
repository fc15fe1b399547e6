"""At the end of a test: the clocks that the desk has are those that its timelines tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.sla.verify import verify


@pytest.fixture(autouse=True)
def _clocks_are_a_replay(request: pytest.FixtureRequest, _sees_every_client: None) -> Iterator[None]:
    """Where a test has a desk."""
    yield
    if "cast" in request.fixturenames:
        if connection.needs_rollback:
            return
        set_scope(EVERY_CLIENT)
        assert [str(one) for one in verify()] == []

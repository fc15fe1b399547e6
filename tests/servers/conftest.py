"""One running desk for all plain tests; it starts in a few seconds and is stopped at the end of the session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.desk import Desk
from tests.servers.post import Relay, relay_running


@pytest.fixture(scope="session")
def relay() -> Iterator[Relay]:
    with relay_running() as relay:
        yield relay


@pytest.fixture(scope="session")
def desk(relay: Relay) -> Iterator[Desk]:
    with Desk(relay_port=relay.port) as desk:
        yield desk

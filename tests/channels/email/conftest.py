"""A Dovecot for the tests of mailboxes: one per file of tests, a mailbox of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.channels.email.mailboxes import Box, set_up
from tests.servers.dovecot import DOVECOT, Dovecot
from tests.servers.wire import Wire, wired


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    if DOVECOT is None:
        pytest.skip("no Dovecot on this machine: `bin/setup --tests` installs one")
    with Dovecot() as server:
        yield server


@pytest.fixture
def private(settings: Any, dovecot: Dovecot) -> list[str]:
    """The operator allows the servers of the tests."""
    settings.PRIVATE_HOSTS = [f"127.0.0.1:{dovecot.port}", f"localhost:{dovecot.tls_port}"]
    hosts: list[str] = settings.PRIVATE_HOSTS
    return hosts


@pytest.fixture
def fresh(db: None, dovecot: Dovecot, private: list[str]) -> Box:
    """A mailbox that nobody has looked into yet."""
    return Box(dovecot, set_up(dovecot))


@pytest.fixture
def box(fresh: Box) -> Box:
    """A mailbox that has been looked into once, and was empty."""
    fresh.look()
    return fresh


@pytest.fixture
def wire(dovecot: Dovecot, private: list[str]) -> Iterator[Wire]:
    with wired(dovecot.port) as wire:
        private.append(f"127.0.0.1:{wire.port}")
        yield wire


@pytest.fixture
def wired_box(db: None, dovecot: Dovecot, wire: Wire) -> Box:
    """A mailbox at the other end of a wire that can be cut; it has been looked into once."""
    box = Box(dovecot, set_up(dovecot, imap_port=wire.port))
    box.look()
    return box

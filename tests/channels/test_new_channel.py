"""A new channel is a folder and nothing else: a toy one, made while the test runs, opens a ticket."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import tierdesk.channels
from tests.cast import Cast
from tierdesk.channels import registry
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.tickets.models import Ticket

PIGEON = """
import json

from tierdesk.channels.registry import Channel, NewTicket, Refused
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.models import Client
from tierdesk.tickets.models import Draft


def understand(inbound):
    words = json.loads(bytes(inbound.raw))
    client = Client.objects.filter(key=words["client"]).first()
    if client is None:
        return Refused("The pigeon names no client of ours.")
    draft = Draft(client=client, subject=words["subject"], text=words["text"], channel="pigeon")
    return NewTicket(draft, by=Actor("channel", "Pigeon"))


CHANNEL = Channel("pigeon", "Pigeon post", understand)
"""


@pytest.fixture
def pigeons(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "pigeon").mkdir()
    (tmp_path / "pigeon" / "__init__.py").write_text("")
    (tmp_path / "pigeon" / "channel.py").write_text(PIGEON)
    tierdesk.channels.__path__.append(str(tmp_path))
    registry.registered.cache_clear()
    yield
    tierdesk.channels.__path__.remove(str(tmp_path))
    registry.registered.cache_clear()
    for name in [name for name in sys.modules if name.startswith("tierdesk.channels.pigeon")]:
        del sys.modules[name]


def send(words: dict[str, str], at: datetime) -> Inbound:
    pk, _ = Inbound.store("pigeon", json.dumps(words).encode(), at=at)
    take_in(pk, at)
    return Inbound.objects.get(pk=pk)


@pytest.mark.usefixtures("pigeons")
def test_a_folder_with_a_channel_opens_tickets(cast: Cast, at: datetime) -> None:
    cast.acme_contract.channels = ["pigeon"]
    cast.acme_contract.save()
    inbound = send({"client": "ACME", "subject": "Coo", "text": "The printer is jammed."}, at)
    assert inbound.ticket == Ticket.objects.get()
    assert inbound.ticket is not None and inbound.ticket.channel == "pigeon"


@pytest.mark.usefixtures("pigeons")
def test_what_it_refuses_is_parked_with_its_reason(cast: Cast, at: datetime) -> None:
    inbound = send({"client": "NOBODY", "subject": "Coo", "text": "?"}, at)
    assert (inbound.state, inbound.reason) == ("parked", "The pigeon names no client of ours.")


@pytest.mark.usefixtures("pigeons")
def test_what_fails_three_times_is_parked_and_kept(cast: Cast, at: datetime) -> None:
    pk, _ = Inbound.store("pigeon", b"not json", at=at)
    for _ in range(3):
        take_in(pk, at)
    inbound = Inbound.objects.get(pk=pk)
    assert inbound.state == "parked"
    assert "3 times" in inbound.reason
    assert bytes(inbound.raw) == b"not json"

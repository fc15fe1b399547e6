"""What the journeys share: a mailbox that really understands, an outbox that can be read, a day that passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast
from tests.replayed import _clocks_are_a_replay  # noqa: F401
from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.store import INTAKE, intake_arguments
from tierdesk.channels.alarms.understanding import understood
from tierdesk.channels.email import sender
from tierdesk.channels.email.compose import Envelope
from tierdesk.channels.models import Inbound
from tierdesk.core.wakeups import fast_forward
from tierdesk.directory.clients.models import Client
from tierdesk.response.runbooks.models import Book, Revision
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.response.vendors.models import UnderpinningContract, Vendor
from tierdesk.tickets.models import Ticket

BOOKS = Path(__file__).parents[2] / "tierdesk" / "ops" / "demo" / "books"


class Post:
    """Mail in and out of the desk, as raw bytes."""

    def __init__(self) -> None:
        self.sent: list[Envelope] = []

    def send(self, envelope: Envelope) -> None:
        self.sent.append(envelope)

    def read(self, number: int = -1) -> EmailMessage:
        message = BytesParser(policy=default).parsebytes(self.sent[number].data)
        assert isinstance(message, EmailMessage)
        return message

    def arrive(
        self,
        at: datetime,
        sender: str,
        subject: str,
        text: str,
        *,
        to: str = "support@desk.localhost",
        answers: EmailMessage | None = None,
        headers: dict[str, str] | None = None,
    ) -> Inbound:
        """A mail arrives and is understood at `at`; `answers`: the mail of ours that it replies to."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Message-ID"] = f"<{abs(hash((sender, subject, text, at)))}@client.example>"
        if answers is not None:
            del mail["To"]
            mail["To"] = answers["Reply-To"]
            mail["In-Reply-To"] = answers["Message-ID"]
        for name, value in (headers or {}).items():
            mail[name] = value
        mail.set_content(text)
        pk, _ = Inbound.store("email", mail.as_bytes(), meta={"recipients": []}, at=at)
        fast_forward(at)
        return Inbound.objects.get(pk=pk)


class Monitoring:
    """An Alertmanager of Acme's that says one thing about one disk. The real one is in tests/servers."""

    def __init__(self, client: Client) -> None:
        self.source = Source(client=client, key="prometheus", name="Prometheus", shape="alertmanager")
        self.source.take_new_token()
        self.source.save()

    def says(self, at: datetime, status: str, started: datetime | None = None) -> None:
        """A webhook arrives and everything that follows from it happens at `at`."""
        alert = {
            "status": status,
            "labels": {"alertname": "DiskFull", "instance": "db1:9100", "severity": "critical"},
            "annotations": {"summary": "/var is 96 % full"},
            "startsAt": (started or at).isoformat(),
            "endsAt": at.isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
            "fingerprint": "a1b2c3d4e5f60718",
        }
        body = {"version": "4", "status": status, "groupKey": "g", "alerts": [alert], "truncatedAlerts": 0}
        known = KnownSource(self.source.pk, self.source.client_id, "alertmanager")
        arrival = understood(Arrival(source=known, received_at=at, raw=json.dumps(body).encode()), {})
        assert arrival.refusal == ""
        with connection.cursor() as cursor:
            cursor.execute(INTAKE, intake_arguments([arrival]))
        fast_forward(at)


@pytest.fixture
def monitoring(cast: Cast) -> Monitoring:
    return Monitoring(cast.acme)


@pytest.fixture
def post(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Post:
    box = Post()
    monkeypatch.setattr(sender, "sender", lambda mailbox: box)
    return box


@pytest.fixture
def vpn_book(cast: Cast) -> Revision:
    return Book.publish((BOOKS / "vpn-not-connecting.md").read_text())


@pytest.fixture
def nordvik(cast: Cast) -> UnderpinningContract:
    vendor = Vendor.objects.create(
        key="nordvik", name="Nordvik Networks", email="support@nordvik.example", domains=["nordvik.example"]
    )
    return UnderpinningContract.objects.create(
        vendor=vendor,
        product="Gateway",
        entitlement="premium support",
        calendar=cast.always,
        targets={"1": {"respond": 3600, "resolve": 8 * 3600}, "2": {"respond": 4 * 3600}},
    )


@pytest.fixture
def minutes() -> Callable[[float], timedelta]:
    return lambda n: timedelta(minutes=n)


H = timedelta(hours=1)
M = timedelta(minutes=1)
FULL = Pack(symptom="VPN refuses", scope="Ann only", steps_tried="the book", exact_ask="Look at the gateway")


@pytest.fixture
def ticket(cast: Cast, at: datetime, post: Post) -> Ticket:
    post.arrive(at, "Ann Albers <ann@acme.example>", "VPN does not connect", "Error 809: time-out.")
    return Ticket.objects.get()


def escalate(ticket: Ticket, cast: Cast, **more: Any) -> Escalation:
    values = {"by": cast.lena, "reason": "skill", "pack": FULL} | more
    return Escalation.send(ticket, values.pop("to_team", cast.ops), **values)

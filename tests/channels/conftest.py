"""What tests of channels share: a post office for mail in and out, and a channel that does as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from tests.cast import Cast
from tests.channels.email.letters import raw_mail
from tierdesk.channels import intake
from tierdesk.channels.email import sender
from tierdesk.channels.email.compose import Envelope
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.outbox import Outbox
from tierdesk.channels.registry import Channel, NewTicket, Understood
from tierdesk.core import clock
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.models import Client
from tierdesk.tickets.models import Draft

SUPPORT = "support@desk.localhost"


@dataclass
class PostOffice:
    """Mail that arrives and is understood, and mail that left. `failing`: raised instead of sending."""

    sent: list[Envelope] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    letters: int = 0

    def send(self, envelope: Envelope) -> None:
        if self.failing:
            raise self.failing.pop(0)
        self.sent.append(envelope)

    def arrive(
        self,
        at: datetime,
        body: str = "The printer is on fire.",
        *,
        raw: bytes | None = None,
        recipients: tuple[str, ...] = (SUPPORT,),
        mail_from: str | None = None,
        **headers: str | None,
    ) -> Inbound:
        """A mail of Ann's, unless `headers` say otherwise, is stored and understood at `at`."""
        self.letters += 1
        fields = {
            "from": "Ann Albers <ann@acme.example>",
            "to": SUPPORT,
            "message_id": f"<{self.letters}@acme.example>",
        }
        meta: dict[str, object] = {"recipients": list(recipients)}
        if mail_from is not None:
            meta["mail_from"] = mail_from
        mail = raw if raw is not None else raw_mail(body, **fields | headers)
        pk, _ = Inbound.store("email", mail, ext_key=f"mail {self.letters}", meta=meta, at=at)
        with clock.frozen(at):
            take_in(pk, at)
        return Inbound.objects.get(pk=pk)

    def empty(self, at: datetime) -> list[EmailMessage]:
        """Send what is due at `at`, and read what left."""
        before = len(self.sent)
        with clock.frozen(at):
            Outbox(sender.send).send_due(at)
        return [self.read(envelope) for envelope in self.sent[before:]]

    @staticmethod
    def read(envelope: Envelope) -> EmailMessage:
        message = message_from_bytes(envelope.data, policy=default)
        assert isinstance(message, EmailMessage)
        return message


@pytest.fixture
def post(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    office = PostOffice()
    monkeypatch.setattr(sender, "sender", lambda mailbox: office)
    return office


class PowerCut(BaseException):
    """The process ends here: nothing catches it, nothing more is done."""


@dataclass
class Pigeons:
    """A channel of the tests. What arrives opens a ticket of `client`; `before` may do something else first."""

    client: Client
    before: Callable[[Inbound], None] = lambda inbound: None
    looked_at: list[int] = field(default_factory=list)

    def arrive(self, at: datetime, words: str, ext_key: str = "") -> Inbound:
        pk, _ = Inbound.store("pigeon", words.encode(), ext_key=ext_key, at=at)
        return Inbound.objects.get(pk=pk)

    def understand(self, inbound: Inbound) -> Understood:
        self.looked_at.append(inbound.pk)
        self.before(inbound)
        words = bytes(inbound.raw).decode()
        draft = Draft(client=self.client, subject=words, text=words, channel="pigeon")
        return NewTicket(draft, by=Actor("channel", "Pigeon post"))


@pytest.fixture
def pigeons(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Pigeons:
    cast.acme_contract.channels = []
    cast.acme_contract.save()
    loft = Pigeons(cast.acme)
    channel = Channel("pigeon", "Pigeon post", loft.understand)
    monkeypatch.setattr(intake, "registered", lambda: {"pigeon": channel})
    return loft

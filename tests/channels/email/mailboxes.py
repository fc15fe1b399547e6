"""A mailbox of the desk on a real server, and looks into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from tests.channels.email.letters import raw_mail
from tests.servers.dovecot import PASSWORD, Dovecot
from tierdesk.channels.email.collect import look
from tierdesk.channels.email.imap import connected
from tierdesk.channels.email.models import Collection, Mailbox, Security
from tierdesk.channels.models import Inbound

_numbers = count(1)


@dataclass
class Box:
    """A mailbox of the desk on a real server. `name` is its owner's, different in each test."""

    dovecot: Dovecot
    mailbox: Mailbox

    @property
    def name(self) -> str:
        return self.mailbox.login

    @property
    def state(self) -> Collection:
        return Collection.objects.get(mailbox=self.mailbox)

    def arrive(self, *bodies: str, at: datetime | None = None, **headers: str | None) -> list[bytes]:
        """Mails of Ann's arrive at the server; returns their bytes."""
        mails = [
            raw_mail(
                body,
                **{"from": "ann@acme.example", "message_id": f"<{next(_numbers)}@acme.example>"} | headers,
            )
            for body in bodies
        ]
        self.dovecot.deliver(self.name, *mails, at=at)
        return mails

    def look(self) -> int:
        """One look into the mailbox, over a connection of its own; returns how many mails were new."""
        with connected(self.mailbox) as server:
            return look(self.mailbox, server)

    def stored(self) -> list[bytes]:
        """What is stored of it, byte by byte, in the order in which it came."""
        mine = Inbound.objects.filter(meta__mailbox=self.mailbox.pk).order_by("id")
        return [bytes(raw) for raw in mine.values_list("raw", flat=True)]

    def lies_there(self, folder: str = "INBOX") -> list[bytes]:
        return list(self.dovecot.lies_in(self.name, folder))


def set_up(dovecot: Dovecot, **settings: Any) -> Mailbox:
    """A mailbox with a name of its own, which somebody has set up on the desk."""
    name = f"support{next(_numbers)}@desk.example"
    given: dict[str, Any] = {
        "address": name,
        "imap_host": "127.0.0.1",
        "imap_port": dovecot.port,
        "imap_security": Security.PLAIN,
    }
    mailbox = Mailbox(**given | settings)
    mailbox.password = PASSWORD
    mailbox.save()
    Collection.objects.create(mailbox=mailbox)
    return mailbox

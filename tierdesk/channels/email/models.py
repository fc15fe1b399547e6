"""The desk's own mail addresses, and the key that signs what stands in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tierdesk.channels.email.automatic import without_detail
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows


class Mailbox(models.Model):
    """An address that the desk receives at and writes from. With a client, mail about that client's tickets uses it."""

    address = models.EmailField(unique=True)
    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="mailboxes"
    )

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.address


def our_addresses() -> set[str]:
    """All addresses that are ours, in lower case and without details."""
    boxes = Mailbox.objects.values_list("address", flat=True)
    return {without_detail(address).lower() for address in (settings.MAIL_FROM, *boxes)}


def address_for(client: Client | None) -> str:
    """The address that mail about a client's tickets comes from."""
    own = Mailbox.objects.filter(client=client).first() if client else None
    address: str = own.address if own else settings.MAIL_FROM
    return address


def secret() -> bytes:
    """The key that our reply addresses and Message-IDs are signed with."""
    return settings.SECRET_KEY.encode()

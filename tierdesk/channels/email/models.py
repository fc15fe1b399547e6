"""The desk's own mail addresses."""

from __future__ import annotations

from django.db import models

from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows


class Mailbox(models.Model):
    """An address that the desk receives at and writes from. With a client, what arrives there is that client's."""

    address = models.EmailField(unique=True)
    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="mailboxes"
    )

    objects = ClientRows.as_manager()

    def __str__(self) -> str:
        return self.address

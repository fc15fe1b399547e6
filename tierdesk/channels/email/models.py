"""The desk's own mail addresses, how mail is fetched there and sent from there, and how that goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from tierdesk.channels.email.automatic import without_detail
from tierdesk.core.seal import seal, unseal
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows

SILENT_AFTER = timedelta(minutes=2)
"""A mailbox that was not looked into for so long counts as not fetched, whatever the reason."""


class Security(models.TextChoices):
    TLS = "tls", "TLS"
    STARTTLS = "starttls", "STARTTLS"
    PLAIN = "plain", "None"


class Afterwards(models.TextChoices):
    """What becomes of a mail on its server once it is stored here. It is never deleted: the server is a second copy."""

    MOVE = "move", "Move it to a folder"
    KEEP = "keep", "Leave it where it is, marked as read"


class Mailboxes(ClientRows):
    def fetched(self) -> Self:
        """Those whose mail we fetch ourselves; mail for the others is handed to us."""
        return self.filter(is_active=True).exclude(imap_host="")


class Mailbox(models.Model):
    """An address that the desk receives at and writes from. With a client, mail about that client's tickets uses it.

    `is_default`: the address of everybody else's. Without `imap_host` its mail is handed to us by a mail server of the
    house; without `smtp_host` what we write there leaves by the relay of the house. `user` signs in at both, unless
    `smtp_user` says otherwise. `takes_old`: what lay there before we came is taken in as well.
    `authserv_id`, `hops`: see authentication.py; the name with which this mailbox's own server signs its findings.
    """

    address = models.EmailField(unique=True)
    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="mailboxes"
    )
    is_default = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    user = models.CharField(max_length=254, blank=True)
    password_sealed = models.BinaryField(default=b"", blank=True)
    imap_host = models.CharField(max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(default=993)
    imap_security = models.CharField(max_length=8, choices=Security.choices, default=Security.TLS)
    folder = models.CharField(max_length=200, default="INBOX")
    afterwards = models.CharField(max_length=4, choices=Afterwards.choices, default=Afterwards.MOVE)
    done_folder = models.CharField(max_length=200, default="Tierdesk")
    takes_old = models.BooleanField(default=False)
    smtp_host = models.CharField(max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(default=587)
    smtp_security = models.CharField(max_length=8, choices=Security.choices, default=Security.STARTTLS)
    smtp_user = models.CharField(max_length=254, blank=True)
    smtp_password_sealed = models.BinaryField(default=b"", blank=True)
    authserv_id = models.CharField(max_length=200, blank=True)
    hops = models.PositiveSmallIntegerField(default=1)

    objects = Mailboxes.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_mailbox"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(client=None), name="the_default_mailbox_is_nobodys"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_fetched(self) -> bool:
        return self.is_active and bool(self.imap_host)

    @property
    def login(self) -> str:
        return self.user or self.address

    @property
    def password(self) -> str:
        """Raises Unsealable once the mailbox is on other servers: a password is only for those it was given for."""
        return unseal(bytes(self.password_sealed), purpose=self._servers) if self.password_sealed else ""

    @password.setter
    def password(self, text: str) -> None:
        self.password_sealed = seal(text, purpose=self._servers) if text else b""

    @property
    def smtp_password(self) -> str:
        """Raises Unsealable, as `password` does."""
        if not self.smtp_user:
            return self.password
        sealed = bytes(self.smtp_password_sealed)
        return unseal(sealed, purpose=f"smtp {self.smtp_host}") if sealed else ""

    @smtp_password.setter
    def smtp_password(self, text: str) -> None:
        self.smtp_password_sealed = seal(text, purpose=f"smtp {self.smtp_host}") if text else b""

    @property
    def _servers(self) -> str:
        return f"imap {self.imap_host} smtp {'' if self.smtp_user else self.smtp_host}"


class Collection(models.Model):
    """How far a mailbox has been fetched, and how that goes.

    `uid_validity`, `first_uid`, `last_uid`: what is ours and stored, in the server's numbering (RFC 3501 §2.3.1.1).
    `began_at`: the first look; what lay there before is not ours. `skipped`: uid → [tries, why, when to try again] of
    mails that the server would not give. `looked_at`: the last look that went through; `waiting`: how many mails were
    not fetched then. `held_by`, `held_until`: which process looks after it, so that two do not. `told_at`: when
    somebody was told that it fails; `wake_at`: when to look again whether it does.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="collection")
    uid_validity = models.BigIntegerField(null=True, blank=True)
    first_uid = models.BigIntegerField(default=1)
    last_uid = models.BigIntegerField(default=0)
    began_at = models.DateTimeField(null=True, blank=True)
    skipped = models.JSONField(default=dict)
    waiting = models.PositiveIntegerField(default=0)
    fetched_count = models.BigIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    held_by = models.CharField(max_length=100, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="collections_to_watch", condition=Q(wake_at__isnull=False))
        ]

    def trouble(self, at: datetime) -> str:
        """Why its mail is not being fetched; empty if it is."""
        seen = self.looked_at or self.began_at
        if self.error:
            return self.error
        if seen is not None and at - seen > SILENT_AFTER:
            return "Nobody looks into it: the worker does not run, or hangs."
        return ""


def our_addresses(boxes: Iterable[Mailbox]) -> set[str]:
    """All addresses that are ours, in lower case and without details."""
    return {
        without_detail(address).lower() for address in (settings.MAIL_FROM, *(box.address for box in boxes))
    }


def mailbox_for(client: Client | None) -> Mailbox:
    """Where mail about a client's tickets is written from: the client's own mailbox, the default one, or MAIL_FROM."""
    own = Mailbox.objects.filter(client=client).first() if client else None
    return own or Mailbox.objects.filter(is_default=True).first() or Mailbox(address=settings.MAIL_FROM)


def secret() -> bytes:
    """The key that our reply addresses and Message-IDs are signed with."""
    return settings.SECRET_KEY.encode()

"""The desk's own mail addresses, how mail is fetched there and sent from there, and how that goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from tierdesk.channels.email.automatic import without_detail
from tierdesk.core.seal import Sealed
from tierdesk.directory.calendars.models import Calendar
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
    `quiet_hours`: longer than that, in the hours of `quiet_in`, it is never without mail; `canary_minutes`: within so
    many minutes a mail that the desk writes to it comes back. Both are 0 for no such promise; see vigil.py.
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
    quiet_hours = models.PositiveSmallIntegerField(default=0)
    quiet_in = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    canary_minutes = models.PositiveSmallIntegerField(default=0)

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
    def promises_mail(self) -> bool:
        """Whether its silence would be trouble."""
        return self.is_active and bool(self.quiet_hours or self.canary_minutes)

    @property
    def login(self) -> str:
        return self.user or self.address

    password = Sealed("sign in at", of="servers")
    smtp_password = Sealed("sign in at", of="smtp_host")

    @property
    def servers(self) -> str:
        """The servers that `password` is for."""
        return f"{self.imap_host} {'' if self.smtp_user else self.smtp_host}"


class Collection(models.Model):
    """How far a mailbox has been fetched, and how that goes.

    `uid_validity`, `first_uid`, `last_uid`: what is ours and stored, in the server's numbering (RFC 3501 §2.3.1.1).
    `began_at`: the first look; what lay there before is not ours. `skipped`: uid → [tries, why, when to try again] of
    mails that the server would not give. `looked_at`: the last look that went through; `waiting`: how many mails were
    not fetched then. `held_by`, `held_until`: which process looks after it, so that two do not. `told_of`, `told_at`:
    what administrators were told, and when; `wake_at`: when to look again whether there is something to tell.
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
    told_of = models.CharField(max_length=20, blank=True)
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


class Vigil(models.Model):
    """Whether what is expected of a mailbox comes, whoever fetches its mail or hands it over.

    `since_at`: when the waiting began. `heard_at`: the newest mail that came, canaries not counted. `sent_at`: the
    newest canary, a mail of the desk to this mailbox. `back_sent_at`: when the newest one that came back was sent, and
    `took_s` how long it was on its way. `missed_at`: when one was sent that was late; None once one is in time again.
    `told_of`, `told_at`, `wake_at`: as for a collection.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="vigil")
    since_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    back_sent_at = models.DateTimeField(null=True, blank=True)
    took_s = models.PositiveIntegerField(default=0)
    missed_at = models.DateTimeField(null=True, blank=True)
    told_of = models.CharField(max_length=20, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="vigils_to_keep", condition=Q(wake_at__isnull=False))
        ]


class Provider(models.TextChoices):
    MICROSOFT = "microsoft", "Microsoft 365"
    GOOGLE = "google", "Google"
    OTHER = "other", "Another provider (OAuth 2)"


class Grant(models.Model):
    """What a provider allows us: to act as a mailbox, without its password, until it takes that back (RFC 6749).

    `application_id` and its secret name us as a program that the provider knows; `secret_ends_date` is when that secret
    does, if somebody wrote it down. `refresh_expires_at`: when the permission ends, if the provider tells. `error`: why
    it could not be renewed at `tried_at`; until `access_expires_at` it holds all the same.
    """

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="grant")
    provider = models.CharField(max_length=9, choices=Provider.choices)
    tenant = models.CharField(max_length=200, blank=True)
    authorize_url = models.URLField(max_length=500, blank=True)
    token_url = models.URLField(max_length=500, blank=True)
    scope = models.CharField(max_length=500, blank=True)
    application_id = models.CharField(max_length=200)
    secret_ends_date = models.DateField(null=True, blank=True)
    application_secret_sealed = models.BinaryField(default=b"", blank=True)
    refresh_token_sealed = models.BinaryField(default=b"", blank=True)
    access_token_sealed = models.BinaryField(default=b"", blank=True)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    renewed_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    granted_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    application_secret = Sealed("the application", of="token_url")
    refresh_token = Sealed("renewal", of="token_url")
    access_token = Sealed("access", of="token_url")

    def write_down(self, told: Mapping[str, Any]) -> None:
        """What an administrator was told by the provider. Unless it is only a date, it must be allowed anew."""
        for column, value in told.items():
            setattr(self, column, value)
        if told.keys() != {"secret_ends_date"}:
            self.access_token = self.refresh_token = self.error = ""
            self.access_expires_at = self.refresh_expires_at = self.granted_at = None
            self.renewed_at = self.tried_at = None
        self.save()


def our_addresses(boxes: Iterable[Mailbox]) -> set[str]:
    """All addresses that are ours, in lower case and without details."""
    return {
        without_detail(address).lower() for address in (settings.MAIL_FROM, *(box.address for box in boxes))
    }


def mailbox_for(client: Client | None) -> Mailbox:
    """Where mail about a client's tickets is written from: the client's own mailbox, the default one, or MAIL_FROM."""
    own = Q(client=client) if client else Q()
    written_from = Mailbox.objects.filter(own | Q(is_default=True)).order_by("is_default", "id")
    return written_from.first() or Mailbox(address=settings.MAIL_FROM)


def secret() -> bytes:
    """The key that our reply addresses and Message-IDs are signed with."""
    return settings.SECRET_KEY.encode()

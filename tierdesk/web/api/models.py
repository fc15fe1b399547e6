"""The secrets of programs. Only a digest is kept: who reads the database cannot call the API."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q, QuerySet

from tierdesk.directory.staff.models import User

PREFIX = "td_"
SECRET_BYTES = 32
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class UnableToIssue(Exception):
    """This account gets no token; the text says why."""


def digest(secret: str) -> str:
    """What is stored of a secret and looked up: its SHA-256 in hexadecimal. 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


class Tokens(QuerySet["Token"]):
    def valid(self, at: datetime) -> Self:
        """Tokens that open the door at `at`: not revoked, not expired, of an active agent or administrator."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=at),
            Q(user__is_admin=True) | Q(user__agent__isnull=False),
            revoked_at=None,
            user__is_active=True,
        )


class Token(models.Model):
    """A key to the API, with all rights of its user. `last_used_at` is coarse: written at most once a minute."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = Tokens.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, user: User, name: str, at: datetime, *, expires_at: datetime | None = None) -> str:
        """Make a token and return its secret, which nobody can show again. Raises UnableToIssue for contacts."""
        if not (user.is_active and (user.is_admin or hasattr(user, "agent"))):
            raise UnableToIssue(f"{user.email} is no active agent or administrator; only they use the API.")
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        cls.objects.create(
            user=user, name=name[:100], sha256=digest(secret), created_at=at, expires_at=expires_at
        )
        return secret

    def revoke(self, at: datetime) -> None:
        """It opens nothing any more. The first time counts."""
        type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=at)
        self.refresh_from_db(fields=["revoked_at"])

    def note_use(self, at: datetime) -> None:
        """Remember that it was used, at most once a minute: a read should not cost a write."""
        if self.last_used_at is None or at - self.last_used_at >= USE_IS_NOTED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=at)

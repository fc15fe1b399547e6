"""How somebody is reached besides the mail address of their account: a number that they have proved to be theirs."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.directory.staff.models import Agent

CODE_IS_GOOD_FOR = timedelta(minutes=10)
MOST_GUESSES = 5
MOST_CODES = 3
PER = timedelta(hours=1)


class UnableToReach(ValueError):
    """This is no way to reach somebody. The text says why, to the person who asked for it."""


class Way(models.Model):
    """A way to reach an agent, the only one of its kind. `is_urgent`: a policy's `via: urgent` takes it.

    It is used once its code, which was sent to `address`, has come back: `verified_at`. `codes`: how many were sent
    since `codes_since`; nobody makes the desk send messages to strangers without end.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="ways")
    kind = models.CharField(max_length=8)
    address = models.CharField(max_length=300)
    is_urgent = models.BooleanField(default=True)
    code_digest = models.CharField(max_length=64, blank=True)
    code_ends_at = models.DateTimeField(null=True)
    guesses = models.PositiveSmallIntegerField(default=0)
    codes = models.PositiveSmallIntegerField(default=0)
    codes_since = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "kind"], name="one_way_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.agent}: {self.kind}"

    @classmethod
    def propose(cls, agent: Agent, number: str, *, is_urgent: bool, at: datetime) -> tuple[Way, str]:
        """A number to be verified, and its code; the number before is not used any more. Raises UnableToReach."""
        if not number.strip().startswith("+"):
            raise UnableToReach(_("Write the number with its country code, such as +47 22 12 34 56."))
        try:
            address = to_e164(number, "DE")
        except NotANumber as fault:
            raise UnableToReach(str(fault)) from fault
        codes, since = cls._count(agent, at)
        code = f"{secrets.randbelow(10**6):06d}"
        proposed = {
            "codes": codes,
            "codes_since": since,
            "address": address,
            "is_urgent": is_urgent,
            "code_digest": _digest(address, code),
            "code_ends_at": at + CODE_IS_GOOD_FOR,
            "guesses": 0,
            "verified_at": None,
        }
        way, _new = cls.objects.update_or_create(agent=agent, kind="sms", defaults=proposed)
        return way, code

    @classmethod
    def _count(cls, agent: Agent, at: datetime) -> tuple[int, datetime]:
        """How many codes this one makes, and since when; raises UnableToReach when there were too many."""
        known = cls.objects.filter(agent=agent, kind="sms").first()
        if known is None or known.codes_since is None or at - known.codes_since >= PER:
            return 1, at
        if known.codes >= MOST_CODES:
            raise UnableToReach(_("Three codes were sent within an hour; ask again later."))
        return known.codes + 1, known.codes_since

    def remove(self) -> None:
        """Use it no more. What was sent is still counted, so that a removal does not begin anew."""
        type(self).objects.filter(pk=self.pk).update(
            address="", code_digest="", code_ends_at=None, verified_at=None
        )

    def verify(self, code: str, *, at: datetime) -> None:
        """The code came back. Raises UnableToReach when it is wrong, too late, or was guessed at too often."""
        mine = Way.objects.filter(pk=self.pk, guesses__lt=MOST_GUESSES, code_ends_at__gt=at)
        if not mine.update(guesses=F("guesses") + 1):
            raise UnableToReach(_("This code is over; ask for a new one."))
        if not hmac.compare_digest(self.code_digest, _digest(self.address, code.strip())):
            raise UnableToReach(_("That is not the code that we sent."))
        right = Way.objects.filter(pk=self.pk, code_digest=self.code_digest)
        right.update(verified_at=at, code_digest="", code_ends_at=None)


def ways_of(agent: Agent, via: str) -> dict[str, str]:
    """Channel → address. The account's mail always, but not beside an urgent way where only those are asked for."""
    known = {way.kind: way for way in agent.ways.exclude(verified_at=None)}
    urgent = {kind: way.address for kind, way in known.items() if way.is_urgent}
    if via == "urgent" and urgent:
        return urgent
    return {"mail": agent.user.email} | {kind: way.address for kind, way in known.items()}


def _digest(address: str, code: str) -> str:
    return salted_hmac("tierdesk way", f"{address} {code}", algorithm="sha256").hexdigest()

"""How somebody is reached: by mail always, and by whatever they have proved to be theirs, in an order of their own."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.db import models, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tierdesk.core.seal import Sealed
from tierdesk.core.words import Word
from tierdesk.directory.clients.identify import NotANumber, to_e164
from tierdesk.directory.staff.models import Agent

MAIL, PUSH, CHAT, WEBHOOK, SMS, VOICE = "mail", "push", "chat", "webhook", "sms", "voice"
CHANNELS: Final[Mapping[str, str]] = {
    MAIL: gettext_noop("mail"),
    PUSH: gettext_noop("push notice"),
    CHAT: gettext_noop("chat"),
    WEBHOOK: gettext_noop("webhook"),
    SMS: gettext_noop("SMS"),
    VOICE: gettext_noop("voice call"),
}
"""In the order in which they are told where nobody waits."""

CODE_IS_GOOD_FOR = timedelta(minutes=10)
MOST_GUESSES = 5
MOST_CODES = 3
PER = timedelta(hours=1)
MOST_WAIT = timedelta(minutes=60)
MINUTE = timedelta(minutes=1)
MOST_DIGITS = 4


class UnableToReach(ValueError):
    """This is no way to reach somebody. The text says why, to the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One way that a page takes: to this address, so long after it was due."""

    kind: str
    address: str
    wait: timedelta = timedelta(0)


class Way(models.Model):
    """A way to reach an agent, the only one of its kind. `is_urgent`: a policy's `via: urgent` takes it.

    It is used once its code, which was sent to `address`, has come back: `verified_at`. `codes`: how many were sent
    since `codes_since`; nobody makes the desk send messages to strangers without end. `wait_s`: so many seconds after
    a page was due it takes this way, unless somebody acknowledged before. `secret` is what a webhook is signed
    with, or the keys of a browser. `identity`: who they are in the chat of `address`, as the platform knows them, once
    they said so there themselves. The row of `mail` holds its wait alone: the address is the account's.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="ways")
    kind = Word(max_length=8)
    address = models.CharField(max_length=1000)
    is_urgent = models.BooleanField(default=True)
    wait_s = models.PositiveSmallIntegerField(default=0, db_default=0)
    secret_sealed = models.BinaryField(default=b"", blank=True, db_default=b"")
    code_digest = models.CharField(max_length=64, blank=True)
    code_ends_at = models.DateTimeField(null=True)
    guesses = models.PositiveSmallIntegerField(default=0)
    codes = models.PositiveSmallIntegerField(default=0)
    codes_since = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    identity = models.CharField(max_length=300, blank=True, db_default="")

    secret = Sealed("the secret of a way to", of="address")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "kind"], name="one_way_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.agent}: {self.kind}"

    @classmethod
    def propose(
        cls, agent: Agent, kind: str, address: str, *, is_urgent: bool, at: datetime, secret: str = ""
    ) -> tuple[Way, str]:
        """An address to be verified, and its code; the one before is not used any more. Raises UnableToReach.

        `secret`: the keys of a browser; that of a webhook is made here.
        """
        proper = READ[kind](address.strip())
        with transaction.atomic():
            return cls._propose(agent, kind, proper, is_urgent=is_urgent, at=at, secret=secret)

    @classmethod
    def _propose(
        cls, agent: Agent, kind: str, proper: str, *, is_urgent: bool, at: datetime, secret: str
    ) -> tuple[Way, str]:
        Agent.objects.select_for_update().get(pk=agent.pk)  # who asks twice at once is counted in turn
        codes, since = cls._count(agent, kind, at)
        code = f"{secrets.randbelow(10**6):06d}"
        proposed = {
            "codes": codes,
            "codes_since": since,
            "address": proper,
            "is_urgent": is_urgent,
            "secret_sealed": b"",
            "code_digest": _digest(proper, code),
            "code_ends_at": at + CODE_IS_GOOD_FOR,
            "guesses": 0,
            "verified_at": None,
            "identity": "",
        }
        way, _new = cls.objects.update_or_create(agent=agent, kind=kind, defaults=proposed)
        if kind == WEBHOOK:
            secret = f"{SECRET_PREFIX}{base64.b64encode(secrets.token_bytes(32)).decode()}"
        if secret:
            way.secret = secret
            way.save(update_fields=["secret_sealed"])
        return way, code

    @classmethod
    def _count(cls, agent: Agent, kind: str, at: datetime) -> tuple[int, datetime]:
        """How many codes this one makes, and since when; raises UnableToReach when there were too many."""
        known = cls.objects.filter(agent=agent, kind=kind).first()
        if known is None or known.codes_since is None or at - known.codes_since >= PER:
            return 1, at
        if known.codes >= MOST_CODES:
            raise UnableToReach(_("Three codes were sent within an hour; ask again later."))
        return known.codes + 1, known.codes_since

    @classmethod
    def let_wait(cls, agent: Agent, kind: str, minutes: str) -> None:
        """Take this way so many minutes after a page was due. Raises UnableToReach for what is no such number."""
        is_short = minutes.isdecimal() and minutes.isascii() and len(minutes) <= MOST_DIGITS
        if not is_short or int(minutes) * MINUTE > MOST_WAIT:
            raise UnableToReach(
                _("Write the minutes that %(way)s waits as a whole number from 0 to 60.")
                % {"way": _(CHANNELS[kind])}
            )
        wait_s = int(minutes) * int(MINUTE.total_seconds())
        if kind == MAIL:
            cls.objects.update_or_create(agent=agent, kind=MAIL, defaults={"wait_s": wait_s})
        else:
            cls.objects.filter(agent=agent, kind=kind).update(wait_s=wait_s)

    def remove(self) -> None:
        """Use it no more. What was sent is still counted, so that a removal does not begin anew."""
        type(self).objects.filter(pk=self.pk).update(
            address="", code_digest="", code_ends_at=None, verified_at=None, secret_sealed=b"", identity=""
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

    def ask_who(self, *, at: datetime) -> str:
        """A code that its person writes in the chat, so that we learn who they are there. Raises UnableToReach."""
        if self.kind != CHAT or self.verified_at is None:
            raise UnableToReach(_("Confirm first that this chat is yours."))
        code = f"{secrets.randbelow(10**6):06d}"
        mine = Way.objects.filter(pk=self.pk, kind=CHAT, address=self.address, verified_at__isnull=False)
        digest = _digest(f"{self.address} who", code)
        mine.update(code_digest=digest, code_ends_at=at + CODE_IS_GOOD_FOR, guesses=0)
        return code

    def recognise(self, code: str, identity: str, *, at: datetime) -> bool:
        """Whether the code is the one that its person was shown: whoever wrote it is them from now on."""
        mine = Way.objects.filter(
            pk=self.pk, guesses__lt=MOST_GUESSES, code_ends_at__gt=at, verified_at__isnull=False
        )
        if not mine.update(guesses=F("guesses") + 1):
            return False
        if not hmac.compare_digest(self.code_digest, _digest(f"{self.address} who", code)):
            return False
        bridge = self.address.partition("/")[0]
        same = Way.objects.filter(kind=CHAT, address__startswith=f"{bridge}/", identity=identity)
        same.exclude(pk=self.pk).update(identity="")
        right = Way.objects.filter(pk=self.pk, code_digest=self.code_digest)
        return bool(right.update(identity=identity, code_digest="", code_ends_at=None))


def ways_of(agent: Agent, via: str) -> list[Reach]:
    """In their order. The account's mail always, but not beside an urgent way where only those are asked for.

    The first of them is taken at once, however long it would wait behind one that is not asked for.
    """
    rows = {way.kind: way for way in agent.ways.all()}
    known = {kind: way for kind, way in rows.items() if way.verified_at is not None}
    urgent = {kind: way for kind, way in known.items() if way.is_urgent}
    taken = urgent if via == "urgent" and urgent else known
    found = [Reach(kind, way.address, timedelta(seconds=way.wait_s)) for kind, way in taken.items()]
    if taken is known:
        mail = rows.get(MAIL)
        found.append(Reach(MAIL, agent.user.email, timedelta(seconds=mail.wait_s if mail else 0)))
    earliest = min(reach.wait for reach in found)
    told = list(CHANNELS)
    return sorted(
        (Reach(reach.kind, reach.address, reach.wait - earliest) for reach in found),
        key=lambda reach: (reach.wait, told.index(reach.kind)),
    )


def said(reaches: Sequence[Reach]) -> str:
    """`mail, SMS after 2 min and voice call after 5 min`."""
    words = [
        _("%(way)s after %(minutes)s min") % {"way": _(CHANNELS[one.kind]), "minutes": one.wait // MINUTE}
        if one.wait
        else _(CHANNELS[one.kind])
        for one in reaches
    ]
    return _(" and ").join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _number(text: str) -> str:
    if not text.startswith("+"):
        raise UnableToReach(_("Write the number with its country code, such as +47 22 12 34 56."))
    try:
        return to_e164(text, "DE")
    except NotANumber as fault:
        raise UnableToReach(str(fault)) from fault


def _web_address(text: str) -> str:
    """Whether the desk may call it is looked at when it is called."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username
        fits = fits and parts.port != 0  # a port that is none is told when it is read
    except ValueError:
        fits = False
    is_plain = text.isascii() and text.isprintable() and " " not in text
    if not fits or "#" in text or len(text) > LONGEST_ADDRESS or not is_plain:
        raise UnableToReach(_("Write the whole address, such as https://hooks.example.com/pages."))
    return text


def _room(text: str) -> str:
    """`bridge/room`: what stands before the first slash is one of the desk's own bridges."""
    bridge, _slash, room = text.partition("/")
    if not bridge or not room or len(text) > LONGEST_ADDRESS or not text.isprintable():
        raise UnableToReach(_("Say where in the chat: a room, a channel or a person, by its ID there."))
    return text


LONGEST_ADDRESS = 1000
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every such secret begins with
READ = {SMS: _number, VOICE: _number, WEBHOOK: _web_address, PUSH: _web_address, CHAT: _room}


def _digest(address: str, code: str) -> str:
    return salted_hmac("tierdesk way", f"{address} {code}", algorithm="sha256").hexdigest()

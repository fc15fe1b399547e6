"""Pages: one message to one person on one channel, about one paging. Those that leave together are one message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q, QuerySet

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows, visible_clients
from tierdesk.directory.staff.models import Agent
from tierdesk.response.paging.facts import PageFailed
from tierdesk.response.paging.states import NEEDED, WAITING
from tierdesk.response.paging.ways import MAIL

if TYPE_CHECKING:
    from tierdesk.response.paging.models import Paging


class PageState(models.TextChoices):
    PENDING = "pending", "Waiting to be sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be sent"
    DROPPED = "dropped", "Not needed any more"


MOVED = "somebody else is on call"
"""Why a page was dropped that goes to somebody else instead."""


class Pages(InternalRows):
    def stayed(self) -> Self:
        """Without those that went to somebody else instead."""
        return self.exclude(state=PageState.DROPPED, error=MOVED)

    def whole(self) -> Self:
        """With all that a message about them says."""
        return self.select_related(
            "paging__ticket__client", "paging__policy", "paging__acked_by__user", "agent__user"
        )


class Page(models.Model):
    """One message to one person on one channel, about a paging; `why` says why them. `wake_at`: when it is tried.

    `target`: the duty by which they are called, or for which they are next: whoever that is when the page leaves gets
    it; else empty. `shift_at`: when the shift begins for which it is held.

    `sent_with`: the page in whose message it left, if that is another one. `handed_at`: when that message was last
    handed to its way out; empty again where that did not take it. `used_at`: when its link or an answer to it did
    something: it does so once, whoever is called again is called by a page of their own. `passed_on_at`: when its
    person said that somebody else has to look.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    paging: models.ForeignKey[Paging, Paging] = models.ForeignKey(
        "paging.Paging", on_delete=models.CASCADE, related_name="pages"
    )
    loop = models.PositiveSmallIntegerField()
    step = models.PositiveSmallIntegerField()
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="pages")
    why = models.CharField(max_length=300)
    target = models.CharField(max_length=60, blank=True, db_default="")
    shift_at = models.DateTimeField(null=True)
    channel = Word(max_length=8)
    address = models.CharField(max_length=1000)
    state = Word(max_length=8, choices=PageState.choices, default=PageState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    sent_with = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="companions")
    handed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    passed_on_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)

    objects = Pages.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="pages_to_send", condition=Q(wake_at__isnull=False)),
            models.Index(
                fields=["address", "handed_at"],
                name="what_an_address_was_sent",
                condition=Q(handed_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["paging", "loop", "step", "agent", "channel"], name="each_page_is_one"
            )
        ]

    @property
    def token(self) -> str:
        """What its link carries; the same at every try, so that a double opens the same page."""
        return SIGNER.sign(str(self.pk))

    @classmethod
    def by_token(cls, token: str) -> Page | None:
        """The page that a link opens; None if the token is not ours, or its person may not sign in any more."""
        try:
            pk = SIGNER.unsign(token)
        except BadSignature:
            return None
        return cls.objects.whole().filter(pk=pk, agent__user__is_active=True).first()

    def message(self) -> list[Page]:
        """All pages that left in the message of this one, itself among them, the gravest first; a ticket once.

        Without those of clients that their person serves no longer.
        """
        leader = self.sent_with_id or self.pk
        left = Q(pk=leader) | Q(sent_with=leader)
        together = Page.objects.whole().filter(left & ~Q(state=PageState.DROPPED) | Q(pk=self.pk))
        found = list(together.order_by("-id"))
        for page in found:
            page.agent = self.agent  # one person's, whose clients are looked up once
        return gravest_first({page.paging_id: page for page in found if page.is_theirs}.values())

    @property
    def is_theirs(self) -> bool:
        """Whether its person serves its client, now: nobody else is shown what it is about."""
        ids = visible_clients(self.agent.user)
        return ids is None or self.client_id in ids

    def is_needed(self) -> bool:
        """Whether its subject still waits for somebody, looked at when the page is to be sent."""
        return self.paging.state in NEEDED and self.paging.ticket.is_unresolved()

    @property
    def can_act(self) -> bool:
        """Whether its link or an answer to it still does something."""
        return self.used_at is None and self.paging.state in WAITING and self.is_theirs

    def acknowledge(self) -> None:
        """Its person looks: nobody else is called, and the ticket is acknowledged as well. It works once."""
        if not self._use():
            return
        self.paging.acknowledge(self.agent)
        if self.paging.ticket.is_unresolved():
            self.paging.ticket.acknowledge()

    def pass_on(self) -> None:
        """Its person cannot look: whoever is called next is called. It works once."""
        if self._use(passed_on_at=current().at):
            self.paging.pass_on(self)

    def _use(self, **changes: Any) -> bool:
        unused = type(self).objects.filter(pk=self.pk, used_at=None)
        return bool(unused.update(used_at=current().at, **changes))

    def is_first(self) -> bool:
        """Whether nothing about its paging was handed to this address before."""
        before = type(self).objects.filter(
            paging=self.paging_id, channel=self.channel, address=self.address, state=PageState.SENT
        )
        return not before.exists()

    def drop(self) -> None:
        self._settle(PageState.DROPPED)

    def mark_sent(self, at: datetime) -> None:
        self._settle(PageState.SENT, sent_at=at, tries=self.tries + 1, error="")

    def put_off(self, until: datetime, *, error: str = "", tried: bool = False, **changes: Any) -> None:
        """It is tried again at `until`; `tried`: it was, and did not leave."""
        pending = type(self).objects.filter(pk=self.pk, state=PageState.PENDING)
        pending.update(wake_at=until, error=error[:500], tries=self.tries + tried, **changes)

    def fail(self, why: str) -> None:
        """It will not leave. Its person is written to by mail instead, where that is another way."""
        self._write_instead()
        self._settle(PageState.FAILED, error=why[:500], tries=self.tries + 1, handed_at=None)
        self._record_failure(why)

    def miss(self, why: str) -> None:
        """It left, and reached nobody: a call that was not taken. It is told once, and mail is written instead.

        Also in the instant between handing it over and writing down that it left.
        """
        is_leaving = Q(handed_at__isnull=False) | Q(sent_with__handed_at__isnull=False)
        is_handed = Q(state=PageState.SENT) | Q(is_leaving, state=PageState.PENDING)
        handed = type(self).objects.filter(is_handed, pk=self.pk)
        missed = {"state": PageState.FAILED, "error": why[:500], "wake_at": None}
        if handed.update(**missed) and self.is_needed():
            self._write_instead()
            self._record_failure(why)

    def _write_instead(self) -> None:
        """By mail, now: also where that was to come later."""
        if self.channel == MAIL:
            return
        at = current().at
        other = Page(
            client_id=self.client_id,
            paging_id=self.paging_id,
            loop=self.loop,
            step=self.step,
            agent_id=self.agent_id,
            why=self.why,
            channel=MAIL,
            address=self.agent.user.email,
            created_at=at,
            wake_at=at,
        )
        Page.objects.bulk_create([other], ignore_conflicts=True)
        mails = Page.objects.filter(
            paging=self.paging_id, loop=self.loop, step=self.step, agent=self.agent_id, channel=MAIL
        )
        mails.filter(state=PageState.PENDING, wake_at__gt=at).update(wake_at=at)

    def _record_failure(self, why: str) -> None:
        record(
            PageFailed(
                ticket=self.paging.ticket,
                paging=self.paging_id,
                page=self.pk,
                name=self.agent.name,
                channel=self.channel,
                why=why[:500],
            )
        )

    def _settle(self, state: PageState, **changes: Any) -> None:
        pending = type(self).objects.filter(pk=self.pk, state=PageState.PENDING)
        pending.update(state=state, wake_at=None, **changes)


SIGNER = Signer(salt="tierdesk page", sep="~")


def gravest_first(pages: Iterable[Page]) -> list[Page]:
    return sorted(pages, key=lambda page: (page.paging.ticket.priority, page.pk))


def answered_by(pages: QuerySet[Page]) -> Sequence[Page]:
    """What an answer to the newest message among `pages` is about: its pages that still can act."""
    waiting = pages.filter(state=PageState.SENT, paging__state__in=WAITING, agent__user__is_active=True)
    newest = waiting.order_by("-sent_at", "-id").first()
    return [page for page in newest.message() if page.can_act] if newest else []

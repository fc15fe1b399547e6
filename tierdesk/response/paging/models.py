"""Who gets called: policies, pagings of tickets, pages to people. Rows and wake-up times; nothing lives in a timer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.paging import people, spec
from tierdesk.response.paging.facts import (
    AcknowledgementExpired,
    HandDue,
    NobodyOnCall,
    PageFollowed,
    PagePassedOn,
    PagingAcknowledged,
    PagingExhausted,
    PagingStarted,
    PeoplePaged,
    StepPassedOver,
)
from tierdesk.response.paging.pages import MOVED, Page, PageState
from tierdesk.response.paging.people import Called
from tierdesk.response.paging.spec import Step
from tierdesk.response.paging.states import WAITING, PagingState
from tierdesk.response.paging.ways import said, ways_of
from tierdesk.tickets.models import Entry, Ticket


class PolicyRefused(ValueError):
    """A policy that cannot be published; `findings` are sentences."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(" ".join(findings))
        self.findings = list(findings)


class Policies(models.QuerySet["Policy"]):
    def newest(self) -> Self:
        """The newest version of each, retired or not."""
        return self.order_by("key", "-version").distinct("key")

    def in_force(self) -> Self:
        return self.filter(pk__in=Policy.objects.newest().values("pk"), is_active=True).order_by("key")


class Policy(models.Model):
    """Who is called about a ticket, and when: one version of it. spec.py says what `spec` may hold.

    A version is never edited: `publish` writes the next one, and a paging keeps the one that it began with.
    """

    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=300)
    version = models.PositiveIntegerField(default=1)
    spec = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)

    objects = Policies.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [models.UniqueConstraint(fields=["key", "version"], name="policy_versions_count")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return spec.steps(self.spec)

    @property
    def lasts(self) -> timedelta:
        return timedelta(seconds=spec.length_s(self.steps))

    @property
    def patience(self) -> timedelta:
        """How long whoever acknowledged may do nothing more; none at all is for ever."""
        return timedelta(seconds=self.spec.get("ack_timeout", 0))

    @classmethod
    def publish(cls, key: str, *, name: str, said: Mapping[str, Any]) -> Policy:
        """Publish a policy or, if anything in it changed, its next version. Raises PolicyRefused."""
        if refused := spec.findings(said):
            raise PolicyRefused(refused)
        newest = cls.objects.filter(key=key).order_by("-version").first()
        if newest and newest.is_active and (newest.name, newest.spec) == (name, dict(said)):
            return newest
        version = newest.version + 1 if newest else 1
        return cls.objects.create(key=key, name=name, version=version, spec=dict(said))

    def retire(self) -> None:
        """From now on it calls nobody; what it began goes on."""
        type(self).objects.filter(pk=self.pk).update(is_active=False)
        self.is_active = False

    def is_for(self, ticket: Ticket) -> bool:
        team = ticket.team.key if ticket.team else ""
        return team in self.spec.get("teams", ()) and ticket.priority in self.spec.get("priorities", ())

    def is_open(self, at: datetime) -> bool:
        """Whether `at` lies in the hours of the policy's calendar, by its newest version."""
        calendar = Calendar.objects.get(key=self.spec["calendar"])
        return calendar.current().hours.is_open(at)


class Pagings(InternalRows):
    def standing(self) -> Self:
        """Those of tickets that are not over: they call, were heard, or were not."""
        return self.filter(state__in=[*WAITING, PagingState.ACKNOWLEDGED.value])


class Paging(models.Model):
    """One ticket's calling of people: how far it has come in its policy, and who acknowledged.

    `loop` counts the repeats; the repeats that the policy allows count from `first_loop`, as does an expired
    acknowledgement. `began_at`: when this loop began. `step`: the next one. `wake_at`: when something is due.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="pagings")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT)
    state = Word(max_length=12, choices=PagingState.choices, default=PagingState.CALLING)
    step = models.PositiveSmallIntegerField(default=0)
    loop = models.PositiveSmallIntegerField(default=0)
    first_loop = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField()
    acked_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    acked_at = models.DateTimeField(null=True)
    wake_at = models.DateTimeField(null=True)

    objects = Pagings.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="pagings_to_go_on", condition=Q(wake_at__isnull=False))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(state__in=["calling", "exhausted", "acknowledged"]),
                name="one_paging_per_ticket",
            )
        ]

    @classmethod
    def start(cls, ticket: Ticket, policy: Policy) -> Paging:
        """Call people about this ticket, from now on."""
        at = current().at
        paging = cls.objects.create(
            client_id=ticket.client_id, ticket=ticket, policy=policy, began_at=at, wake_at=at
        )
        record(PagingStarted(ticket=ticket, paging=paging.pk, policy=str(policy)))
        return paging

    @property
    def is_calling(self) -> bool:
        """Whether it waits for somebody to acknowledge; also after everybody was called in vain."""
        return self.state in WAITING

    def acknowledge(self, agent: Agent) -> None:
        """Somebody looks. Later ones, and those that come too late, change nothing."""
        at = current().at
        waiting = type(self).objects.filter(pk=self.pk, state__in=WAITING)
        if not waiting.update(state=PagingState.ACKNOWLEDGED, acked_by=agent, acked_at=at):
            return
        self.refresh_from_db(fields=AS_IT_GOES)  # the engine may have gone a step further meanwhile
        self._save(wake_at=self._next_at())
        self._drop_pages()
        record(PagingAcknowledged(ticket=self.ticket, paging=self.pk, agent=agent.pk, agent_name=agent.name))

    def pass_on(self, page: Page) -> None:
        """Who got this page cannot look. Once all have said so who were called with it, the next step is due."""
        self.refresh_from_db(fields=AS_IT_GOES, from_queryset=type(self).objects.select_for_update())
        self.pages.filter(agent=page.agent_id, state=PageState.PENDING).update(
            state=PageState.DROPPED, wake_at=None
        )
        record(
            PagePassedOn(ticket=self.ticket, paging=self.pk, agent=page.agent_id, agent_name=page.agent.name)
        )
        if self.state != PagingState.CALLING or (page.loop, page.step + 1) != (self.loop, self.step):
            return
        called = self.pages.stayed().filter(loop=page.loop, step=page.step)
        could_not = called.exclude(passed_on_at=None).values("agent")
        if not called.exclude(agent__in=could_not).exists():
            self._hurry(self.step, current().at)
            self._save(wake_at=self._next_at())

    def end(self) -> None:
        """There is nothing to call anybody about any more."""
        self._save(state=PagingState.ENDED, wake_at=None)
        self._drop_pages()

    def go_on(self, at: datetime) -> None:
        """Do what is due at `at`, and say when the next thing is."""
        if not self.ticket.is_unresolved():
            self.end()
            return
        self._expire(at)
        while self._is_calling_or_acked() and (due := self._next_at()) is not None and due <= at:
            if self.step < len(self.policy.steps):
                self._act(self.policy.steps[self.step], at)
            else:
                self._turn_over(at)
        self._save(wake_at=self._next_at() if self._is_calling_or_acked() else None)

    def _is_calling_or_acked(self) -> bool:
        return self.state in (PagingState.CALLING, PagingState.ACKNOWLEDGED)

    def _next_at(self) -> datetime | None:
        """When something is due: the next step that is not spared, the next loop, or the end of patience."""
        if self.state == PagingState.ACKNOWLEDGED:
            self._skip_spared()
        due = []
        if self.step < len(self.policy.steps):
            due.append(self.began_at + timedelta(seconds=self.policy.steps[self.step].after_s))
        elif self.state == PagingState.CALLING:
            due.append(self.began_at + self.policy.lasts)
        if patience := self._patience_ends():
            due.append(patience)
        return min(due, default=None)

    def _skip_spared(self) -> None:
        steps = self.policy.steps
        while self.step < len(steps) and steps[self.step].is_spared(acknowledged=True):
            self.step += 1

    def _patience_ends(self) -> datetime | None:
        patience = self.policy.patience
        if self.state != PagingState.ACKNOWLEDGED or not patience or self.acked_at is None:
            return None
        return None if self.has_progress() else self.acked_at + patience

    def has_progress(self) -> bool:
        """Whether anybody did more to the ticket than say that they look."""
        later = Entry.objects.filter(ticket=self.ticket_id, by_kind="agent", at__gt=self.acked_at)
        return later.exclude(
            kind__in=("paging_acknowledged", "page_passed_on", "acknowledged", "assigned")
        ).exists()

    def _expire(self, at: datetime) -> None:
        ends = self._patience_ends()
        if ends is None or ends > at:
            return
        name = self.acked_by.name if self.acked_by else ""
        self._begin_loop(at, state=PagingState.CALLING, acked_by=None, acked_at=None)
        self._save(first_loop=self.loop)
        record(AcknowledgementExpired(ticket=self.ticket, paging=self.pk, agent_name=name))

    def _turn_over(self, at: datetime) -> None:
        if self.loop - self.first_loop < self.policy.spec.get("repeat", 0):
            self._begin_loop(at)
            return
        record(PagingExhausted(ticket=self.ticket, paging=self.pk, loops=self.loop - self.first_loop + 1))
        self._page(Step(0, page=tuple(self.policy.spec.get("when_exhausted", ()))), at)
        self._save(state=PagingState.EXHAUSTED)

    def _begin_loop(self, at: datetime, **changes: Any) -> None:
        self._save(loop=self.loop + 1, step=0, began_at=at, **changes)

    def _act(self, step: Step, at: datetime) -> None:
        if step.is_spared(acknowledged=self.state == PagingState.ACKNOWLEDGED):
            self._save(step=self.step + 1)
            return
        if why := self._why_nothing_is_done(step, at):
            record(StepPassedOver(ticket=self.ticket, paging=self.pk, step=self.step + 1, why=why))
        elif step.hand:
            # Nobody of the next tier has acknowledged anything yet.
            self._save(state=PagingState.CALLING, acked_by=None, acked_at=None)
            record(HandDue(ticket=self.ticket, paging=self.pk, to=step.hand, policy=str(self.policy)))
        else:
            self._page(step, at)
        self._save(step=self.step + 1)

    def _why_nothing_is_done(self, step: Step, at: datetime) -> str:
        """It is not the step's hour, or an earlier loop or somebody has handed the ticket on; else empty."""
        if step.during != "always" and self.policy.is_open(at) != (step.during == "hours"):
            return spec.DURING[step.during]
        if step.hand and self._is_handed(step.hand):
            return _("the ticket has been handed on already")
        return ""

    def _is_handed(self, to: str) -> bool:
        """Whether the ticket is where this hand would bring it, or further up."""
        kind, _colon, key = to.partition(":")
        if kind != "team":
            return self.ticket.tier >= int(to[1:])
        team = Team.objects.filter(key=key).first()
        return team is not None and (self.ticket.team_id == team.pk or self.ticket.tier > team.tier)

    def _page(self, step: Step, at: datetime) -> None:
        found: dict[int, Called] = {}
        hurry = False
        for target in step.page:
            those = people.called(target, at)
            if not those:
                those, then = self._instead(target, at)
                hurry |= self.policy.spec.get("nobody_on_call") == "next_step"
                record(NobodyOnCall(ticket=self.ticket, paging=self.pk, target=target, then=then))
            found |= {one.agent.pk: one for one in those if one.agent.pk not in found}
        if found:
            told = [self._call(one, step.via, loop=self.loop, step=self.step) for one in found.values()]
            record(
                PeoplePaged(
                    ticket=self.ticket, paging=self.pk, loop=self.loop, step=self.step + 1, people=told
                )
            )
        elif hurry:
            self._hurry(self.step + 1, at)

    def _instead(self, target: str, at: datetime) -> tuple[list[Called], str]:
        """Whom to call where nobody is meant, and what that is in words."""
        match self.policy.spec.get("nobody_on_call"):
            case "page_lead":
                return people.leads(target, at), _("the team’s leads are paged")
            case "next_step":
                return [], _("the next step follows at once")
        held = people.next_in(target, at)
        if not held:
            return [], _("nobody has a shift later either")
        return held, _("held for %(who)s, on call from %(at)s UTC") % {
            "who": held[0].agent.name,
            "at": f"{held[0].at:%Y-%m-%d %H:%M}",
        }

    def _hurry(self, step: int, at: datetime) -> None:
        """This step is due now: the trigger is moved back by as much as it would have been waited for."""
        steps = self.policy.steps
        after = steps[step].after_s if step < len(steps) else spec.length_s(steps)
        self._save(began_at=min(self.began_at, at - timedelta(seconds=after)))

    def move(self, page: Page, to: Called) -> None:
        """What waits for this page's person goes to `to`, who has that duty instead."""
        told = {"loop": page.loop, "step": page.step}
        waiting = self.pages.filter(agent=page.agent_id, target=page.target, state=PageState.PENDING, **told)
        waiting.update(state=PageState.DROPPED, error=MOVED, wake_at=None)
        steps = self.policy.steps
        via = steps[page.step].via if page.step < len(steps) else "all"
        said = self._call(to, via, **told)
        record(PageFollowed(ticket=self.ticket, paging=self.pk, name=page.agent.name, to=said))

    def _call(self, one: Called, via: str, *, loop: int, step: int) -> str:
        """A page on each way. One that had gone to somebody else waits for its person again.

        Whoever was called as the next one and is on call by now keeps the page of who is on call: it goes no further.
        """
        reaches = ways_of(one.agent, via)
        for reach in reaches:
            theirs = self.pages.filter(loop=loop, step=step, agent=one.agent, channel=reach.kind)
            if one.target.startswith("schedule:"):
                theirs.filter(state=PageState.PENDING, target__startswith="next:").update(target=one.target)
            theirs.filter(state=PageState.DROPPED, error=MOVED).update(
                state=PageState.PENDING,
                error="",
                why=one.why,
                target=one.target,
                address=reach.address,
                shift_at=one.at if one.is_held else None,
                wake_at=one.at + reach.wait,
            )
        Page.objects.bulk_create(
            [
                Page(
                    client_id=self.client_id,
                    paging=self,
                    loop=loop,
                    step=step,
                    agent=one.agent,
                    why=one.why,
                    target=one.target,
                    shift_at=one.at if one.is_held else None,
                    channel=reach.kind,
                    address=reach.address,
                    created_at=current().at,
                    wake_at=one.at + reach.wait,
                )
                for reach in reaches
            ],
            ignore_conflicts=True,
        )
        told = {"who": one.agent.name, "why": one.why, "ways": said(reaches)}
        return _("%(who)s (%(why)s) by %(ways)s") % told

    def _drop_pages(self) -> None:
        waiting = self.pages.filter(state=PageState.PENDING)
        waiting.update(state=PageState.DROPPED, wake_at=None)

    def _save(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self, name, value)
        self.save(update_fields=[*changes, "step"])


AS_IT_GOES = ["state", "step", "loop", "first_loop", "began_at", "acked_by", "acked_at"]


def wake_pagings(pagings: Iterable[Paging], at: datetime) -> None:
    """Every paging that is due goes on."""
    for paging in pagings:
        paging.go_on(at)

"""Books in revisions, runs of them on tickets, and the gaps that runs reveal. What is next is decided in walk.py."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.core.written import Written
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.response.runbooks import book as paper
from tierdesk.response.runbooks import walk
from tierdesk.response.runbooks.facts import GapClosed, GapOpened, RunEnded, RunStarted, StepDone
from tierdesk.response.runbooks.lint import Severity, check
from tierdesk.response.runbooks.match import suggest
from tierdesk.response.runbooks.parse import parse_book
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket


class BookRefused(ValueError):
    """A book that cannot be published; `findings` are sentences with the line they speak of."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("; ".join(findings))
        self.findings = list(findings)


class Books(QuerySet["Book"]):
    def visible_to(self, user: User) -> Self:
        ids = visible_clients(user)
        return self if ids is None else self.filter(Q(client_id__in=ids) | Q(client=None))

    def for_client(self, client_id: int) -> Self:
        return self.filter(Q(client_id=client_id) | Q(client=None), is_active=True)


class Book(models.Model):
    """A cookbook (L1) or run-book (L2, L3). Its words live in revisions; runs keep the revision they began with."""

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE, related_name="books")
    key = models.SlugField(max_length=80)
    title = models.CharField(max_length=200)
    tier = models.PositiveSmallIntegerField()
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="books")
    is_active = models.BooleanField(default=True)

    objects = Books.as_manager()

    class Meta:
        ordering = ["tier", "title"]
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], nulls_distinct=False, name="one_book_per_key")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def latest(self) -> Revision:
        return self.revisions.order_by("-number")[0]

    @classmethod
    def publish(cls, source: str, *, client: Client | None = None, owner: Team | None = None) -> Revision:
        """Publish a book or, if its words changed, its next revision.

        Raises BookRefused with every reason (runbooks.md §4), or with the first thing that cannot be read.
        """
        content = read_book(source)
        refused = [f"line {f.line}: {f.sentence}" for f in check(content) if f.severity is Severity.REFUSAL]
        if refused:
            raise BookRefused(refused)
        book, _ = cls.objects.update_or_create(
            client=client,
            key=content.id,
            defaults={"title": content.title, "tier": content.tier, "owner": owner, "is_active": True},
        )
        newest = book.revisions.order_by("-number").first()
        if newest is not None and newest.source == source:
            return newest
        number = max(content.revision, newest.number + 1 if newest else 1)
        return Revision.objects.create(client=client, book=book, number=number, source=source)


def read_book(source: str) -> paper.Book:
    """The book that `source` says. Raises BookRefused where it cannot be read."""
    try:
        return parse_book(source)
    except paper.BookError as error:
        raise BookRefused([str(error)]) from error


class Revision(models.Model):
    """One edition of a book's words, never edited."""

    client = models.ForeignKey(Client, null=True, blank=True, on_delete=models.CASCADE)
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    source = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "number"], name="book_revisions_count")]

    def __str__(self) -> str:
        return f"{self.book.title}, revision {self.number}"

    @property
    def content(self) -> paper.Book:
        return content_of(self.pk)


@lru_cache(maxsize=1024)
def content_of(revision: int) -> paper.Book:
    """What a revision says, read. Revisions are never edited, so the answer is kept."""
    return parse_book(Revision.objects.values_list("source", flat=True).get(pk=revision))


class RunState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    ESCALATE = "escalate", "Escalate"
    LEFT = "left", "Left"


class Run(models.Model):
    """One execution of one revision on one ticket: its results are its attempts, its end is how it went."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="runs")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="runs")
    agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL)
    inputs = models.JSONField(default=dict)
    state = Word(max_length=8, choices=RunState.choices, default=RunState.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    words = models.TextField(blank=True)
    reason = models.CharField(max_length=24, blank=True)
    to_tier = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", ended_at__isnull=True)
                | (~Q(state="running") & Q(ended_at__isnull=False)),
                name="a_run_that_ended_says_when",
            )
        ]

    @classmethod
    def start(
        cls, ticket: Ticket, revision: Revision, agent: Agent, inputs: dict[str, Any] | None = None
    ) -> Run:
        """Begin to follow a book. Raises UnableTo for a tier that may not run it."""
        if not ticket.is_unresolved():
            raise UnableTo(f"{ticket.reference} is {ticket.state}; reopen it before you follow a book.")
        highest = agent.memberships.order_by("-team__tier").values_list("team__tier", flat=True).first() or 0
        if revision.book.tier > highest:
            raise UnableTo(
                f"“{revision.book.title}” is an L{revision.book.tier} book; hand the ticket over instead."
            )
        ticket.acknowledge()
        run = cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            revision=revision,
            agent=agent,
            inputs=inputs if inputs is not None else known_inputs(revision.content, facts_of(ticket)),
            started_at=current().at,
        )
        record(RunStarted(ticket=ticket, run=run.pk, book=str(revision)))
        return run

    @property
    def results(self) -> list[walk.Result]:
        return [attempt.result for attempt in self.attempts.order_by("number")]

    @property
    def next(self) -> walk.Next:
        """What is next: a step to show, an answer to give, or the end."""
        content = self.revision.content
        values = {
            one.name: one.read(str(self.inputs[one.name]))
            for one in content.inputs
            if one.name in self.inputs
        }
        return walk.decide(content, self.results, values)

    def answer(
        self,
        step: str,
        *,
        answer: str | None = None,
        out: str = "",
        ok: bool | None = None,
        gap: str = "",
        remark: str = "",
    ) -> walk.Next:
        """Write down what came of `step`; returns what is next, and ends the run where the book does.

        Raises UnableTo when the answer does not fit, StaleTicket when somebody answered the step already.
        """
        if self.state != RunState.RUNNING:
            raise UnableTo("This run has ended; start the book again if you need it.")
        results = self.results
        before = walk.decide(self.revision.content, results, self._values())
        if before.step.id != step:
            raise StaleTicket(self.ticket)
        result = walk.Result(
            step, out=out[:65536], ok=ok, answer=answer, gap=walk.Gap(gap) if gap else None, remark=remark
        )
        if isinstance(before, walk.Answer):
            result = walk.Result(
                step, out=results[-1].out, ok=results[-1].ok, answer=answer, gap=result.gap, remark=remark
            )
        return self._write(results, before, result)

    def leave(self, why: str) -> None:
        """Stop following the book without an end of its own."""
        if self.state == RunState.RUNNING:
            self._end(RunState.LEFT, why or "left")

    def _values(self) -> dict[str, Any]:
        content = self.revision.content
        return {
            one.name: one.read(str(self.inputs[one.name]))
            for one in content.inputs
            if one.name in self.inputs
        }

    def _write(self, results: list[walk.Result], before: walk.Next, result: walk.Result) -> walk.Next:
        replaces = isinstance(before, walk.Answer)
        number = len(results) if replaces else len(results) + 1
        kept = [*results[:-1], result] if replaces else [*results, result]
        try:
            after = walk.decide(self.revision.content, kept, self._values())
        except walk.UnableToWalk as error:
            raise UnableTo(str(error)) from error
        values = {
            "answer": result.answer,
            "out": result.out,
            "ok": result.ok,
            "gap": result.gap or "",
            "remark": result.remark,
        }
        if replaces:
            self.attempts.filter(number=number).update(**values)
        else:
            self._insert(number, result.step, values)
        words = _words(before.step, result)
        record(
            StepDone(
                ticket=self.ticket, run=self.pk, step=before.step.title, result=words, gap=result.gap or ""
            )
        )
        if isinstance(after, walk.Finish):
            self._end(RunState.DONE, after.words)
        elif isinstance(after, walk.HandUp):
            self._end(RunState.ESCALATE, after.words, reason=after.reason.value, tier=after.tier)
        return after

    def _insert(self, number: int, step: str, values: dict[str, Any]) -> None:
        unit = current()
        try:
            with transaction.atomic():
                Attempt.objects.create(
                    client_id=self.client_id,
                    run=self,
                    number=number,
                    step=step,
                    at=unit.at,
                    by_name=unit.by.name,
                    **values,
                )
        except IntegrityError as error:
            raise StaleTicket(self.ticket) from error

    def _end(self, state: str, words: str, *, reason: str = "", tier: int | None = None) -> None:
        ended = {"state": state, "words": words, "reason": reason, "to_tier": tier, "ended_at": current().at}
        if not type(self).objects.filter(pk=self.pk, state=RunState.RUNNING).update(**ended):
            raise StaleTicket(self.ticket)
        for name, value in ended.items():
            setattr(self, name, value)
        record(
            RunEnded(
                ticket=self.ticket,
                run=self.pk,
                book=str(self.revision),
                outcome=state,
                words=words,
                reason=reason,
                tier=tier,
            )
        )


def _words(step: paper.Step, result: walk.Result) -> str:
    """What came of a step, as one line for the timeline and the hand-over."""
    if result.gap:
        return f"the book was not enough ({result.gap.replace('_', ' ')}): {result.remark}".removesuffix(": ")
    parts = [
        result.answer or "",
        f"→ {result.out.strip()[:200]}" if result.out.strip() else "",
        result.remark,
    ]
    if result.ok is not None:
        parts.insert(0, "it worked" if result.ok else "it failed")
    return "; ".join(part for part in parts if part) or "done"


class Attempt(models.Model):
    """What came of one visit of one step; `number` counts within the run, so that one step is answered once."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=80)
    at = models.DateTimeField()
    by_name = models.CharField(max_length=200)
    answer = models.CharField(max_length=300, null=True, blank=True)  # null: nobody was asked
    out = models.TextField(blank=True)
    ok = models.BooleanField(null=True)
    gap = models.CharField(max_length=16, blank=True)
    remark = models.TextField(blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="a_step_is_answered_once")]

    @property
    def result(self) -> walk.Result:
        gap = walk.Gap(self.gap) if self.gap else None
        return walk.Result(
            self.step, out=self.out, ok=self.ok, answer=self.answer, gap=gap, remark=self.remark
        )

    @property
    def title(self) -> str:
        step = self.run.revision.content.step(self.step)
        return step.title if step else self.step

    @property
    def words(self) -> str:
        step = self.run.revision.content.step(self.step)
        return _words(step, self.result) if step else self.answer or ""


class Gap(models.Model):
    """A task to write or improve a book, opened by an escalation whose reason was the book."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="gaps")
    revision = models.ForeignKey(
        Revision, null=True, blank=True, on_delete=models.SET_NULL, related_name="gaps"
    )
    step = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=24)
    note = models.TextField(blank=True)
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return str(self.revision.book) if self.revision else "a book that is missing"

    @property
    def step_title(self) -> str:
        """The step at which the book was not enough, as its reader knows it."""
        step = self.revision.content.step(self.step) if self.revision and self.step else None
        return step.title if step else self.step

    @classmethod
    def open_for(cls, ticket: Ticket, *, kind: str, owner_id: int | None) -> Gap:
        """A task to improve the book that was last followed on the ticket, or to write one.

        A hand-over that came back and is sent again asks the same team for the same thing: that is one task.
        """
        run = ticket.runs.select_related("revision__book").order_by("-started_at", "-id").first()
        last = run.attempts.last() if run else None
        same = cls.objects.filter(ticket=ticket, owner_id=owner_id, closed_at=None)
        asked: Gap | None = same.filter(
            revision=run.revision if run else None, step=last.step if last else ""
        ).first()
        if asked is not None:
            return asked
        gap = cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            revision=run.revision if run else None,
            step=last.step if last else "",
            kind=kind,
            note=(run.words if run else "") or (last.remark if last else ""),
            owner_id=owner_id,
            opened_at=current().at,
        )
        record(GapOpened(ticket=ticket, gap=gap.pk, book=str(gap), kind_of_gap=kind))
        return gap

    def close(self, outcome: str) -> None:
        """The book was improved, or it cannot be: say which. Raises UnableTo without an outcome."""
        if not outcome.strip():
            raise UnableTo("Say what was done about the book, or why nothing can be.")
        closed = type(self).objects.filter(pk=self.pk, closed_at=None)
        if not closed.update(closed_at=current().at, outcome=outcome[:200]):
            raise UnableTo("Somebody has closed this task already.")
        record(GapClosed(ticket=self.ticket, gap=self.pk, outcome=outcome))


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """What books can match on: the ticket and everything around it, flat (match.FACTS); absent things are left out."""
    facts: dict[str, Any] = {
        "ticket.number": str(ticket.pk),
        "ticket.title": ticket.subject,
        "ticket.description": ticket.description[:4000],
        "ticket.priority": ticket.priority,
        "ticket.impact": ticket.impact,
        "ticket.urgency": ticket.urgency,
        "ticket.channel": ticket.channel,
        "ticket.tier": ticket.tier,
        "client.name": ticket.client.name,
        "category": ticket.category.path if ticket.category else None,
        "service.name": ticket.service.name if ticket.service else None,
        "service.kind": ticket.service.kind if ticket.service else None,
        "component.name": ticket.component.name if ticket.component else None,
        "contact.name": ticket.contact.name if ticket.contact else None,
        "contact.email": ticket.contact.email if ticket.contact else None,
    } | ticket.traits
    return {name: value for name, value in facts.items() if value is not None}


def known_inputs(content: paper.Book, facts: dict[str, Any]) -> dict[str, str]:
    """The inputs of a book that are already known: from the facts, else by default."""
    known: dict[str, str] = {}
    for one in content.inputs:
        value = facts.get(one.source) if one.source else None
        if value is None:
            value = one.default
        if value is not None:
            known[one.name] = str(value)
    return known


_LATEST = Written(
    lambda client: (
        Revision.objects.filter(book__in=Book.objects.for_client(client))
        .order_by("book_id", "-number")
        .distinct("book_id")
        .select_related("book")
        .defer("source")
    )
)


def told_runs(ticket: Ticket) -> list[tuple[str, list[tuple[str, str]], str, str, str]]:
    """The runs of a ticket, oldest first, in plain words: book, (step, what came of it) each, how it ended, its outcome
    and coded reason. A run that goes on has only its steps; one that was just opened has tried nothing.
    """
    told = []
    for run in ticket.runs.select_related("revision__book").order_by("started_at"):
        steps = []
        for attempt in run.attempts.all():
            attempt.run = run
            steps.append((attempt.title, attempt.words))
        if steps or run.state != RunState.RUNNING:
            told.append((str(run.revision), steps, run.words, str(run.state), run.reason))
    return told


def matching(ticket: Ticket, tier: int) -> list[tuple[Revision, list[str]]]:
    """The books that apply to a ticket, best first for somebody of `tier`, each with the facts that say so."""
    by_content = {id(one.content): one for one in _LATEST(client=ticket.client_id)}
    found = suggest([one.content for one in by_content.values()], facts_of(ticket), tier=tier)
    return [(by_content[id(s.book)], [f"{name} is {value}" for name, value in s.because]) for s in found]

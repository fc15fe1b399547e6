"""Problems: read them, open one on an incident, say how far it is, link incidents and take wrong links away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Self

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from tierdesk.core import clock
from tierdesk.core.work import work
from tierdesk.learning.problems.models import ClosedAs, Finding, Occurrence, Problem, ProblemState
from tierdesk.learning.problems.recurrences import Recurrence, RecurrenceState
from tierdesk.tickets.lifecycle import StaleTicket
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.actions import Stale, Version, caller_as_agent
from tierdesk.web.api.bearer import caller, ticket_of
from tierdesk.web.api.errors import REFUSALS, Error, Invalid
from tierdesk.web.api.fields import Line, Paging, Strict, Text, Word
from tierdesk.web.api.tickets import TicketShown

router = Router(tags=["problems"])
of_tickets = Router(tags=["problems"])

MOST_LINKED = 500

type Number = Annotated[int, Field(ge=1, lt=2**63)]


class FindingShown(BaseModel):
    """What somebody found or did, and the state since."""

    at: datetime
    by: str
    state: ProblemState
    text: str


class ProblemShown(BaseModel):
    """A problem. `version` is sent back with a change; `incidents`: the numbers of those that you may see."""

    id: int
    reference: str
    client: str
    title: str
    state: ProblemState
    cause: str
    workaround: str
    owner: str | None
    opened_at: datetime
    closed_at: datetime | None
    closed_as: ClosedAs | None
    version: int
    incidents: list[int]
    findings: list[FindingShown]

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Of one that was read by `_seen`."""
        occurrences: list[Occurrence] = problem.linked  # type: ignore[attr-defined]
        findings: list[Finding] = problem.found  # type: ignore[attr-defined]
        looked_up: dict[str, Any] = {
            "client": problem.client.key,
            "owner": problem.owner.user.email if problem.owner else None,
            "closed_as": problem.closed_as or None,
            "incidents": [one.ticket_id for one in occurrences],
            "findings": [
                FindingShown(at=one.at, by=one.by_name, state=ProblemState(one.state), text=one.text)
                for one in findings
            ],
        }
        own = {name: getattr(problem, name) for name in cls.model_fields if name not in looked_up}
        return cls(**own, **looked_up)


class ProblemPage(BaseModel):
    """Newest first. `next` is the cursor of the next page; null: this was the last."""

    items: list[ProblemShown]
    next: int | None


class RepeatsShown(BaseModel):
    """Incidents of one client, service and category that may have one cause; `answer`: why it was accepted, or not."""

    id: int
    client: str
    service: str | None
    category: str
    state: RecurrenceState
    since: datetime
    incidents: int
    proposed_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    answer: str
    problem: int | None

    @classmethod
    def of(cls, one: Recurrence) -> Self:
        looked_up: dict[str, Any] = {
            "client": one.client.key,
            "service": one.service.key if one.service else None,
            "category": one.category.path,
            "answered_by": one.answered_by.user.email if one.answered_by else None,
            "problem": one.problem_id,
        }
        own = {name: getattr(one, name) for name in cls.model_fields if name not in looked_up}
        return cls(**own, **looked_up)


class Filters(Paging):
    """`ticket`: what is behind this incident."""

    state: ProblemState | None = None
    client: Word | None = None
    ticket: Number | None = None


class Opening(Strict):
    title: Line
    why: Text


class Moving(Strict):
    """How it stands now, and what was found. What `cause` and `workaround` leave out stays as it is known."""

    version: Version
    state: ProblemState
    note: Text
    cause: Text = ""
    workaround: Text = ""


class Closing(Strict):
    version: Version
    closed_as: ClosedAs
    note: Text


class Taking(Strict):
    version: Version


class Linking(Strict):
    """Why these incidents have this cause, or have not."""

    tickets: Annotated[list[Number], Field(min_length=1, max_length=MOST_LINKED)]
    why: Line


class Accepting(Strict):
    """A known `problem`, or the `title` of a new one."""

    why: Line
    title: Word = ""
    problem: Number | None = None


class Dismissing(Strict):
    why: Line


ANSWERS = {200: ProblemShown, 409: Stale, **REFUSALS}

type Answer = ProblemShown | Status[Any]


@router.get("", response={200: ProblemPage, **REFUSALS})
def list_problems(request: HttpRequest, filters: Query[Filters]) -> ProblemPage:
    """The problems of the clients that you serve, newest first."""
    seen = _seen(request)
    if filters.state is not None:
        seen = seen.filter(state=filters.state)
    if filters.client is not None:
        seen = seen.filter(client__key=filters.client)
    if filters.ticket is not None:
        seen = seen.filter(occurrences__ticket__in=_mine(request).filter(pk=filters.ticket))
    page, following = filters.newest_first(seen)
    return ProblemPage(items=[ProblemShown.of(one) for one in page], next=following)


@router.get("/repeats", response={200: list[RepeatsShown], **REFUSALS})
def proposed(request: HttpRequest) -> list[RepeatsShown]:
    """The repeats that wait for an answer, newest first."""
    return [RepeatsShown.of(one) for one in _repeats(request).proposed()]


@router.post("/repeats/{int:pk}/accepting", response=ANSWERS)
def accept(request: HttpRequest, pk: int, body: Accepting) -> Answer:
    """They have one cause: all of them are linked to a known problem, or to a new one."""
    by, repeats = caller_as_agent(request), _one_of_repeats(request, pk)
    if (body.problem is None) == (not body.title.strip()):
        raise Invalid("problem", "name a problem that is known, or give the title of a new one")
    known = _problem(request, body.problem) if body.problem is not None else None

    def acted() -> Problem:
        if known is None:
            return Problem.open_for_repeats(repeats, title=body.title, why=body.why, by=by)
        known.take_on(repeats, why=body.why, by=by)
        return known

    return _tried(request, acted)


@router.post("/repeats/{int:pk}/dismissing", response={200: RepeatsShown, **REFUSALS})
def dismiss(request: HttpRequest, pk: int, body: Dismissing) -> RepeatsShown:
    """They have nothing to do with each other."""
    by, repeats = caller_as_agent(request), _one_of_repeats(request, pk)
    with work(by=caller(request).actor(), at=clock.now()):
        repeats.dismiss(by=by, why=body.why)
    return RepeatsShown.of(repeats)


@router.get("/{int:pk}", response={200: ProblemShown, **REFUSALS})
def show_problem(request: HttpRequest, pk: int) -> ProblemShown:
    return ProblemShown.of(_problem(request, pk))


@of_tickets.post("/{int:pk}/problem", response={201: ProblemShown, 409: Stale, **REFUSALS})
def open_problem(request: HttpRequest, pk: int, body: Opening) -> Answer:
    """Open one: the cause behind this incident is to be found. The incident goes on, and its clocks with it."""
    ticket, by = ticket_of(request, pk), caller_as_agent(request)
    return _tried(
        request, lambda: Problem.open_for(ticket, title=body.title, why=body.why, by=by), status=201
    )


@router.post("/{int:pk}/state", response=ANSWERS)
def move(request: HttpRequest, pk: int, body: Moving) -> Answer:
    """It is further, or back. What waits for it wakes when there is a workaround, and when it is solved."""
    said = {"note": body.note, "cause": body.cause, "workaround": body.workaround}
    return _act(request, pk, lambda one: one.move(body.state.value, **said), version=body.version)


@router.post("/{int:pk}/closing", response=ANSWERS)
def close(request: HttpRequest, pk: int, body: Closing) -> Answer:
    return _act(
        request, pk, lambda one: one.close(body.closed_as.value, note=body.note), version=body.version
    )


@router.post("/{int:pk}/owner", response=ANSWERS)
def take(request: HttpRequest, pk: int, body: Taking) -> Answer:
    """You look for the cause from now on."""
    by = caller_as_agent(request)
    return _act(request, pk, lambda one: one.take(by), version=body.version)


@router.post("/{int:pk}/incidents", response=ANSWERS)
def link(request: HttpRequest, pk: int, body: Linking) -> Answer:
    """These incidents have this cause: all of them are linked, or none."""
    return _with_tickets(request, pk, body, lambda one, ticket: one.link(ticket, why=body.why))


@router.post("/{int:pk}/incidents/unlinking", response=ANSWERS)
def unlink(request: HttpRequest, pk: int, body: Linking) -> Answer:
    """These were linked by mistake: all links are taken away, or none. What waited for the problem wakes."""
    return _with_tickets(request, pk, body, lambda one, ticket: one.unlink(ticket, why=body.why))


def _with_tickets(
    request: HttpRequest, pk: int, body: Linking, verb: Callable[[Problem, Ticket], object]
) -> Answer:
    found = {ticket.pk: ticket for ticket in _mine(request).filter(pk__in=body.tickets).order_by("pk")}
    if missing := sorted(set(body.tickets) - set(found)):
        raise Invalid("tickets", f"you can see no ticket {', '.join(map(str, missing[:5]))}")

    def each(problem: Problem) -> None:
        for ticket in found.values():
            verb(problem, ticket)

    return _act(request, pk, each)


def _act(
    request: HttpRequest, pk: int, verb: Callable[[Problem], object], *, version: int | None = None
) -> Answer:
    """Let `verb` change it as the caller, now, as they saw it."""
    problem = _problem(request, pk)
    caller_as_agent(request)
    problem.version = version or problem.version

    def acted() -> Problem:
        verb(problem)
        return problem

    return _tried(request, acted)


def _tried(request: HttpRequest, verb: Callable[[], Problem], *, status: int = 200) -> Answer:
    """Do it in one unit of work; 409 with the ticket as it stands, if somebody changed that meanwhile."""
    try:
        with work(by=caller(request).actor(), at=clock.now()):
            made = verb()
    except StaleTicket as stale:
        error = Error(code="stale", message=f"{stale}; nothing was done.")
        return Status(409, Stale(error=error, ticket=TicketShown.of(ticket_of(request, stale.ticket.pk))))
    return Status(status, ProblemShown.of(_problem(request, made.pk)))


def _seen(request: HttpRequest) -> QuerySet[Problem]:
    """What the caller may see, with all that is shown of it, in the same number of statements for one or many."""
    mine = Occurrence.objects.visible_to(caller(request)).order_by("ticket_id")
    seen: QuerySet[Problem] = Problem.objects.visible_to(caller(request))
    return (
        seen.select_related("client", "owner__user")
        .prefetch_related(Prefetch("occurrences", mine, to_attr="linked"))
        .prefetch_related(Prefetch("findings", Finding.objects.order_by("id"), to_attr="found"))
    )


def _problem(request: HttpRequest, pk: int) -> Problem:
    """Unknown and forbidden look the same (404)."""
    found = _seen(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _repeats(request: HttpRequest) -> Any:
    return Recurrence.objects.visible_to(caller(request)).whole()


def _one_of_repeats(request: HttpRequest, pk: int) -> Recurrence:
    found: Recurrence | None = _repeats(request).exclude(state=RecurrenceState.COUNTING).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _mine(request: HttpRequest) -> QuerySet[Ticket]:
    mine: QuerySet[Ticket] = Ticket.objects.visible_to(caller(request))
    return mine

"""What the ladder does when something happens elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F, Q

from tierdesk.core.work import record
from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.tiers.choose import Matter, choose
from tierdesk.response.tiers.climbing import receiving
from tierdesk.response.tiers.complaints import Complaint
from tierdesk.response.tiers.consultations import Consultation
from tierdesk.response.tiers.facts import Complained, EscalationSent, HandRefused, HierarchyTold
from tierdesk.response.tiers.ladder import DEFAULT_LADDER, DUTY, PERSON, Rung, rungs, to_tell
from tierdesk.response.tiers.models import Escalation, Procedure, ProcedureKind, overtake
from tierdesk.response.tiers.pack import QUESTIONS, Pack
from tierdesk.response.tiers.reasons import Reason
from tierdesk.tickets.facts import Cancelled, ClientChanged, HandedOver, Resolved
from tierdesk.tickets.lifecycle import UnableTo
from tierdesk.tickets.models import Ticket

WARNED, BREACHED = 75, 100
"""The percentages of a target at which the clocks speak up (response/sla/policy.py)."""


SHOWN = 200
"""Letters of a reason in a subject."""


class ClockTold(Protocol):
    """What the hierarchy needs to know of a clock that warned or breached. `id`: its entry, the cause."""

    id: int
    ticket: Ticket
    metric: str
    party: str
    tier: int | None
    at: datetime


class OnRung(ClockTold, Protocol):
    """A clock that reached rungs of its contract's ladder."""

    marks: list[str]
    tell: list[str]


class OfMajor(Protocol):
    """What the hierarchy needs to know of a major incident: `telling` is the roles that hear of it, and what."""

    ticket: Ticket
    at: datetime

    @property
    def telling(self) -> tuple[Sequence[str], str]: ...


class Hand(Protocol):
    """What the ladder needs to know of a policy that hands a ticket on: `to` is a tier (`L2`) or `team:<key>`."""

    ticket: Ticket
    to: str
    policy: str


def warn_hierarchy(facts: Sequence[ClockTold]) -> None:
    """Three quarters of a target are used: whoever stands on a rung up to there is told."""
    _tell(facts, WARNED, since=0, what="is about to be broken")


def tell_hierarchy(facts: Sequence[ClockTold]) -> None:
    """A promise is broken: the hierarchy is told. The ticket stays where it is."""
    _tell(facts, BREACHED, since=WARNED, what="is broken")


def climb_hierarchy(facts: Sequence[OnRung]) -> None:
    """A rung is reached that the contract asks for beside those: it says itself who is told."""
    people = _People()
    for fact in facts:
        rung = ", ".join(fact.marks)
        telling = _telling(fact, fact.tell, people, f"has reached a rung: {rung}")
        record(HierarchyTold(ticket=fact.ticket, rung=rung, **telling), because=fact.id)


def tell_about_complaints(facts: Sequence[Complained]) -> None:
    """A client escalated: whoever the contract names is told, and managers where nobody holds those roles."""
    people = _People()
    for fact in facts:
        roles = fact.tell
        agents = people.in_roles(roles, fact.ticket, fact.at)
        if not agents:
            roles = ["managers"]
            agents = people.in_roles(roles, fact.ticket, fact.at)
        why = f"{fact.contact_name} escalates: {fact.reason[:SHOWN]}"
        record(
            HierarchyTold(ticket=fact.ticket, rung="complaint", roles=roles, agents=sorted(agents), why=why)
        )


def tell_about_emergencies(facts: Sequence[EscalationSent]) -> None:
    """A ticket takes the short way up: whoever the procedure names is told, before anybody accepts it."""
    people = _People()
    for fact in facts:
        if not fact.tell:
            continue
        agents = sorted(people.in_roles(fact.tell, fact.ticket, fact.at))
        why = f"it is handed up as an emergency, from L{fact.from_tier} to L{fact.to_tier}"
        if not agents:
            why += f"; nobody is {' or '.join(fact.tell)}"
        record(HierarchyTold(ticket=fact.ticket, rung="emergency", roles=fact.tell, agents=agents, why=why))


def tell_about_major_incidents(facts: Sequence[OfMajor]) -> None:
    """One was declared, has nobody who leads it, or its clients heard nothing in time; managers, where nobody holds
    those roles."""
    people = _People()
    for fact in facts:
        roles, why = fact.telling
        agents = people.in_roles(roles, fact.ticket, fact.at)
        if not agents:
            roles = ["managers"]
            agents = people.in_roles(roles, fact.ticket, fact.at)
        record(
            HierarchyTold(
                ticket=fact.ticket, rung="major", roles=list(roles), agents=sorted(agents), why=why[:SHOWN]
            )
        )


def overtake_escalations(facts: Sequence[HandedOver]) -> None:
    """A ticket that went to another team has overtaken the hand-over that still waited to be accepted."""
    tickets = [fact.ticket.pk for fact in facts]
    waiting = Escalation.objects.unanswered().filter(ticket__in=tickets)
    overtake(waiting.exclude(to_team=F("ticket__team")))


def end_escalations(facts: Sequence[Resolved | Cancelled]) -> None:
    """Nobody needs to accept a ticket that is resolved or cancelled."""
    overtake(Escalation.objects.unanswered().filter(ticket__in=[fact.ticket.pk for fact in facts]))


def climb(facts: Sequence[Hand]) -> None:
    """A paging policy hands a ticket on: it climbs like any other, and the pack says that nobody has looked."""
    for fact in facts:
        try:
            with transaction.atomic():
                _climb(fact)
        except UnableTo as unable:
            record(HandRefused(ticket=fact.ticket, to=fact.to, why=str(unable)))


def _climb(fact: Hand) -> None:
    team = receiving(fact.to, fact.ticket)
    if team is None:
        raise UnableTo(f"no team that serves {fact.ticket.client.name} is meant by {fact.to}")
    if not fact.ticket.is_unresolved():
        raise UnableTo(f"{fact.ticket.reference} is {fact.ticket.state}")
    unseen = dict.fromkeys(QUESTIONS, "Not known: nobody has looked at it yet.")
    pack = Pack.of(unseen | {"symptom": fact.ticket.subject, "exact_ask": "Take it up now."})
    why = f"The policy “{fact.policy}” hands it on: it was not taken care of in time."
    Escalation.send(
        fact.ticket,
        team,
        by=None,
        reason=Reason.TIME,
        pack=pack,
        bypass=why,
        emergency=_hurries(fact.ticket, team),
    )


def _hurries(ticket: Ticket, team: Team) -> bool:
    """What has a short way takes it, as it would by hand: it is accepted as soon, and the same people hear of it."""
    rules = Procedure.for_ticket(ticket).rules
    return rules.hurries_to(team.tier, team.key, priority=ticket.priority, is_major=ticket.is_major)


def _tell(facts: Sequence[ClockTold], percent: int, *, since: int, what: str) -> None:
    ladders, people = _Ladders([fact.ticket for fact in facts], percent, since=since), _People()
    known: dict[tuple[object, ...], dict[str, Any]] = {}
    for fact in facts:
        ticket = fact.ticket
        alike = (
            ticket.client_id,
            ticket.team_id,
            ticket.assignee_id,
            ticket.category_id,
            ticket.service_id,
            ticket.tier,
            ticket.priority,
            fact.metric,
            fact.party,
        )
        telling = known.get(alike)
        if telling is None:
            telling = known[alike] = _telling(fact, ladders.roles_for(ticket), people, what)
        if telling["roles"]:
            record(HierarchyTold(ticket=ticket, percent=percent, **telling), because=fact.id)


def _telling(fact: ClockTold, roles: Sequence[str], people: _People, what: str) -> dict[str, Any]:
    """Who is told of it and what, as `HierarchyTold` says it."""
    agents = sorted(people.in_roles(roles, fact.ticket, fact.at))
    why = f"the promise “{Metric(fact.metric).label.lower()}” ({fact.party}) {what}"
    if not agents:
        why += f"; nobody is {' or '.join(roles)}"
    return {"roles": list(roles), "agents": agents, "why": why}


class _Ladders:
    """Whom the ladder of each ticket of a batch names at `percent`, read in three queries however many there are.

    A hierarchical procedure says whom to tell; where none applies, the functional one does; else the default.
    """

    def __init__(self, tickets: Sequence[Ticket], percent: int, *, since: int) -> None:
        self._percent, self._since = percent, since
        in_force = Procedure.objects.in_force().for_clients({ticket.client_id for ticket in tickets})
        self._procedures: list[Procedure] = list(in_force)
        wanted = tickets if self._procedures else []
        self._categories = Category.objects.in_bulk({t.category_id for t in wanted if t.category_id})
        self._services = Service.objects.in_bulk({t.service_id for t in wanted if t.service_id})

    def roles_for(self, ticket: Ticket) -> Sequence[str]:
        return to_tell(self._look_up(ticket), self._percent, since=self._since)

    def _look_up(self, ticket: Ticket) -> Sequence[Rung]:
        for kind in (ProcedureKind.HIERARCHICAL, ProcedureKind.FUNCTIONAL):
            procedure = self._choose(kind, ticket)
            if procedure is not None:
                return rungs(procedure.spec.get("ladder", ()))
        return DEFAULT_LADDER

    def _choose(self, kind: str, ticket: Ticket) -> Procedure | None:
        service = self._services.get(ticket.service_id) if ticket.service_id else None
        matter = Matter(
            client=ticket.client_id,
            tier=ticket.tier,
            category=self._categories.get(ticket.category_id) if ticket.category_id else None,
            service=service.key if service else None,
            priority=ticket.priority,
        )
        of_kind = ((p.key, p.scope, p) for p in self._procedures if p.kind == kind)
        return choose(of_kind, matter, default=None).chosen


class _People:
    """Who holds which role, looked up once for a whole batch; only people who may see the ticket's client."""

    def __init__(self) -> None:
        self._leads: dict[int | None, set[int]] = {}
        self._duty: dict[str, set[int]] = {}
        self._named: dict[str, set[int]] = {}
        self._everywhere: set[int] | None = None
        self._serving: dict[int, set[int]] = defaultdict(set)
        self._managers: set[int] | None = None

    def in_roles(self, roles: Iterable[str], ticket: Ticket, at: datetime) -> set[int]:
        found: set[int] = set()
        for role in roles:
            found |= self._in_role(role, ticket, at)
        return found & self._who_serves(ticket.client_id)

    def _in_role(self, role: str, ticket: Ticket, at: datetime) -> set[int]:
        if role == "assignee":
            return {ticket.assignee_id} if ticket.assignee_id else set()
        if role == "team_lead":
            return self._leads_of(ticket.team_id)
        if role == "managers":
            return self._all_managers()
        if role.startswith(f"{PERSON}:"):
            return self._person(role.removeprefix(f"{PERSON}:"))
        return self._on_duty(role.removeprefix(DUTY).removeprefix(":"), ticket.team_id, at)

    def _person(self, email: str) -> set[int]:
        if email not in self._named:
            named = Agent.objects.filter(user__email=email, user__is_active=True)
            self._named[email] = set(named.values_list("pk", flat=True))
        return self._named[email]

    def _leads_of(self, team: int | None) -> set[int]:
        if team not in self._leads:
            leads = Agent.objects.filter(memberships__team=team, memberships__is_lead=True)
            self._leads[team] = set(leads.values_list("pk", flat=True))
        return self._leads[team]

    def _on_duty(self, key: str, team: int | None, at: datetime) -> set[int]:
        """Who is on call: for the schedule of this key, or for all schedules of the team."""
        place = key or f"team {team}"
        if place not in self._duty:
            schedules = Schedule.objects.filter(key=key) if key else Schedule.objects.filter(team=team)
            holders = [schedule.on_call(at) for schedule in schedules]
            self._duty[place] = {agent.pk for agent in holders if agent is not None}
        return self._duty[place]

    def _all_managers(self) -> set[int]:
        if self._managers is None:
            self._managers = set(Agent.objects.filter(is_manager=True).values_list("pk", flat=True))
        return self._managers

    def _who_serves(self, client: int) -> set[int]:
        if self._everywhere is None:
            active = Agent.objects.filter(user__is_active=True)
            everyone = active.filter(Q(teams__serves_every_client=True) | Q(user__is_admin=True))
            self._everywhere = set(everyone.values_list("pk", flat=True))
            for served, agent in active.filter(teams__clients__isnull=False).values_list(
                "teams__clients", "pk"
            ):
                self._serving[served].add(agent)
        return self._everywhere | self._serving[client]


def keep_with_its_client(facts: Sequence[ClientChanged]) -> None:
    """What another team owes an answer to is answered first, and what a client escalated is theirs. Raises UnableTo."""
    moved = [fact.ticket.pk for fact in facts]
    if Escalation.objects.unanswered().filter(ticket__in=moved).exists():
        raise UnableTo("A hand-over waits to be accepted; let it be accepted or withdrawn first.")
    if Consultation.objects.open().filter(ticket__in=moved).exists():
        raise UnableTo(
            "Advice is owed on it, by a team that may not serve the other client; wait for it first."
        )
    if Complaint.objects.filter(ticket__in=moved).exists():
        raise UnableTo("Its client has escalated it by themselves, so it is theirs.")

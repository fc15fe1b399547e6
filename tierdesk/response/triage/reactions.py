"""Triage: what the desk decides the moment trouble becomes a ticket, for one or for five hundred at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tierdesk.core.work import record
from tierdesk.directory.clients.models import Assignment
from tierdesk.directory.contracts.boundary import boundary_of
from tierdesk.directory.contracts.models import ContractVersion, applying
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Team
from tierdesk.response.triage.decide import (
    SURE,
    Keywords,
    Offered,
    Offers,
    Rule,
    first_tier,
    recognise,
    route,
    suggest,
    words_of,
)
from tierdesk.response.triage.models import Route
from tierdesk.tickets.facts import Opened, Triaged
from tierdesk.tickets.models import Course, Draft, Ticket
from tierdesk.tickets.priority import Reading


def decide(tickets: Sequence[Ticket], drafts: Sequence[Draft]) -> None:
    """Sort tickets that are about to be written down: category, service, priority, team. Keeps why for `tell`."""
    room = _Room.for_tickets(tickets)
    for ticket, draft in zip(tickets, drafts, strict=True):
        reading, why = room.decide(ticket, draft)
        category = ticket.category.path if ticket.category else None
        team = ticket.team.name if ticket.team else None
        ticket.course = Course(
            category, ticket.priority, team, why, impact=reading.impact, urgency=reading.urgency
        )


def tell(facts: Sequence[Opened]) -> None:
    """Say what was decided, and why."""
    for fact in facts:
        course = fact.ticket.course
        record(
            Triaged(
                ticket=fact.ticket,
                category=course.category,
                priority=course.priority,
                team=course.team,
                why=course.why,
                impact=course.impact,
                urgency=course.urgency,
            )
        )


@dataclass
class _Room:
    """What triage needs to know, read once for the whole batch."""

    categories: dict[int, Category]
    services: dict[int, Service]
    offers: dict[int, Offers]
    keywords: list[Keywords]
    rules: list[Rule]
    teams: dict[int, Team]
    first_lines: dict[tuple[int, int], int]
    contracts: dict[int, list[ContractVersion]]

    @classmethod
    def for_tickets(cls, tickets: Sequence[Ticket]) -> _Room:
        clients = {ticket.client_id for ticket in tickets}
        on = max(ticket.created_at for ticket in tickets).date()
        categories = {category.pk: category for category in Category.objects.all()}
        services = _services([ticket for ticket in tickets if ticket.service_id is None])
        return cls(
            categories=categories,
            services={service.pk: service for service in services},
            offers={client: _offers(services, client) for client in clients},
            keywords=[Keywords(c.pk, c.path, tuple(c.keywords)) for c in categories.values() if c.keywords],
            rules=[
                Rule(r.team_id, r.client_id, r.service_id, r.category_scope, r.channel)
                for r in Route.objects.all()
            ],
            teams={team.pk: team for team in Team.objects.all()},
            first_lines=_first_lines(clients),
            contracts=_contracts(clients, on),
        )

    def decide(self, ticket: Ticket, draft: Draft) -> tuple[Reading, str]:
        """Set what triage sets on the ticket (not yet saved); returns how its priority was read, and why all that."""
        reasons = [self._categorise(ticket, assessed=draft.assessed)]
        if not draft.type and ticket.category is not None and ticket.category.type:
            ticket.type = ticket.category.type
        reasons.append(self._name_service(ticket))
        ticket.contract_version = version = self._agreed(ticket)
        reading = ticket.reading_by(version, ticket.impact, ticket.urgency)
        ticket.computed_priority = ticket.priority = reading.priority
        reasons.append(f"impact {reading.impact} × urgency {reading.urgency} = P{reading.priority}")
        reasons += [f"urgency raised: {name}" for name in reading.raised_by]
        reasons.append(self._route(ticket, first_tier(version.performers if version else {})))
        return reading, "; ".join(reason for reason in reasons if reason)

    def _agreed(self, ticket: Ticket) -> ContractVersion | None:
        """The version that it was opened under, unless another contract is for its type."""
        given = ticket.contract_version
        fit = applying(self.contracts.get(ticket.client_id, []), ticket.created_at.date(), ticket.type)
        if given is not None and given.contract.type == (fit.contract.type if fit else ""):
            return given
        return fit

    def _categorise(self, ticket: Ticket, *, assessed: bool) -> str:
        if ticket.category_id is not None:
            return "category given"
        kind = str(ticket.traits.get("alarm.class", ""))
        suggestion = suggest(ticket.subject, ticket.description, self.keywords, kind)
        if suggestion is None:
            return "no category suggested"
        ticket.suggested_category = self.categories[suggestion.category]
        words = ", ".join(suggestion.because)
        if suggestion.confidence < SURE:
            return f"category {suggestion.path} suggested by: {words}"
        ticket.category = self.categories[suggestion.category]
        if not assessed:
            ticket.impact, ticket.urgency = ticket.category.impact, ticket.category.urgency
        return f"category {suggestion.path} by: {words}"

    def _name_service(self, ticket: Ticket) -> str:
        """Its component's, else the one that its words or its category mean."""
        if ticket.service_id is not None:
            return ""
        if ticket.component is not None:
            ticket.service = ticket.component.service
            return f"service {ticket.service.name} by: {ticket.component.name}"
        category = ticket.category.path if ticket.category else ""
        found = recognise(ticket.subject, ticket.description, category, self.offers[ticket.client_id])
        if found is None:
            return ""
        ticket.service = self.services[found.service]
        return f"service {ticket.service.name} by: {found.because}"

    def _route(self, ticket: Ticket, tier: int) -> str:
        rule = route(
            self.rules,
            client=ticket.client_id,
            service=ticket.service_id,
            category=self.categories[ticket.category_id].path if ticket.category_id else "",
            channel=ticket.channel,
        )
        if rule is not None:
            team, why = self.teams[rule.team], "by route"
        else:
            pk = self.first_lines.get((ticket.client_id, tier)) or self.first_lines.get((ticket.client_id, 1))
            if pk is None:
                return "no team serves this client: routed to nobody"
            team, why = self.teams[pk], "the client’s first team of its tier"
        ticket.voice_team = team
        team, why = self._within_boundary(ticket, team, why)
        ticket.team, ticket.tier = team, team.tier
        return f"to {team.name}, {why}"

    def _within_boundary(self, ticket: Ticket, team: Team, why: str) -> tuple[Team, str]:
        """Where that team's tier may not act, the client's first team of the lowest that may; the voice stays."""
        boundary = boundary_of(ticket.category, ticket.contract_version)
        if team.tier >= boundary.tier:
            return team, why
        able = (self.first_lines.get((ticket.client_id, tier)) for tier in range(boundary.tier, 4))
        pk = next((pk for pk in able if pk is not None), None)
        if pk is None:
            return team, f"{why}; {boundary.why}, but no such team serves this client"
        return self.teams[pk], f"not to {team.name}: {boundary.why}"


def _services(tickets: Sequence[Ticket]) -> list[Service]:
    """What these tickets, of which nobody said it, may be about: one question for all of them."""
    if not tickets:
        return []
    words = set().union(*(words_of(ticket.subject, ticket.description) for ticket in tickets))
    return list(
        Service.objects.of_clients({ticket.client_id for ticket in tickets}).with_named_parts(sorted(words))
    )


def _offers(services: Sequence[Service], client: int) -> Offers:
    """What a client may mean."""
    return Offers(
        [
            Offered(
                one.pk,
                own=one.client_id is not None,
                names=(one.name, *one.named_parts),  # type: ignore[attr-defined]  # annotated
                scopes=tuple(one.categories),
            )
            for one in services
            if one.client_id in (None, client)
        ]
    )


def _first_lines(clients: set[int]) -> dict[tuple[int, int], int]:
    """The team that serves each client first on each tier; a team for every client stands in where none is named."""
    found: dict[tuple[int, int], int] = {}
    for team in Team.objects.filter(serves_every_client=True).order_by("-pk"):
        found.update({(client, team.tier): team.pk for client in clients})
    own = Assignment.objects.filter(client__in=clients).select_related("team").order_by("-pk")
    found.update({(line.client_id, line.team.tier): line.team_id for line in own})
    return found


def _contracts(clients: set[int], on: date) -> dict[int, list[ContractVersion]]:
    """The versions of each client's contracts that were in force by then, the oldest first."""
    versions = ContractVersion.objects.filter(client__in=clients, effective_from__lte=on)
    found: dict[int, list[ContractVersion]] = {}
    for version in versions.select_related("contract").order_by("effective_from", "version"):
        found.setdefault(version.client_id, []).append(version)
    return found

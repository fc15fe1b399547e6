"""A case of another desk becomes a ticket with its history: by our own verbs, each at its original time.

What a log says is read by the words of VINST, the desk of the public BPI Challenge 2013: teams in `org:group` whose
tier is the end of their name (`G230 2nd`), people in `org:resource`, what they did in `lifecycle:transition`. Nobody is
told of what was long ago: the unit of work has the wiring HISTORY (flow.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from tierdesk.core.facts import Actor
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Client
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Agent, Membership, Team, User
from tierdesk.flow import HISTORY
from tierdesk.ops.history.xes import Event, Trace
from tierdesk.response.tiers.models import Escalation
from tierdesk.response.tiers.pack import Pack
from tierdesk.tickets.lifecycle import PendingReason, ResolutionCode, State, UnableTo
from tierdesk.tickets.models import Draft, Ticket

GROUP, PERSON, DONE = "org:group", "org:resource", "lifecycle:transition"
IMPACTS = {"Major": 1, "High": 1, "Medium": 2, "Low": 3}
TIERS = {"2nd": 2, "3rd": 3}
UNKNOWN = "unknown"
NAME = "log_name"
"""The trait that keeps what a ticket was called in the other desk, so that a log can be told again."""

NOBODY = {"", "-", "UNKNOWN"}

WORKING = {"In Progress", "Assigned"}
QUEUED = {"Awaiting Assignment"}
SOLVED = {"Resolved", "In Call", "Closed"}
WAITS: Mapping[str, PendingReason] = {
    "Wait": PendingReason.DEPENDENCY_GROUP,
    "Wait - User": PendingReason.REQUESTER_INFO,
    "Wait - Customer": PendingReason.REQUESTER_INFO,
    "Wait - Implementation": PendingReason.CHANGE,
    "Wait - Vendor": PendingReason.VENDOR,
}

NOT_RECORDED = "Not recorded by the desk that this came from."


@dataclass
class Told:
    """What became of a log: tickets, events, and `left_out`: events that no verb could tell, by why."""

    tickets: int = 0
    events: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


class History:
    """Tells the traces of one log to the desk, for one client. Teams, people and products that are missing are made."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.told = Told()
        self._teams: dict[str, Team] = {}
        self._agents: dict[str, Agent] = {}
        self._services: dict[str, Service] = {}
        self._members: set[tuple[str, int]] = set()
        here = Ticket.objects.filter(client=client, traits__has_key=NAME)
        self._here = set(here.values_list(f"traits__{NAME}", flat=True))

    def tell(self, trace: Trace) -> Ticket | None:
        """One trace, as one ticket; None of one without events, or that is here already (by its name)."""
        if not trace.events or trace.name in self._here:
            return None
        with transaction.atomic():
            ticket = self._open(trace.name, trace.events[0])
            for event in trace.events:
                self._happen(ticket, event, is_last=event is trace.events[-1])
        self._here.add(trace.name)
        self.told.tickets += 1
        return ticket

    def _open(self, name: str, first: Event) -> Ticket:
        with work(by=self._actor(first), at=first.at, wiring=HISTORY) as unit:
            ticket = Ticket.open(
                Draft(
                    client=self.client,
                    subject=f"{name}: {first.said.get('product', UNKNOWN)}",
                    text=NOT_RECORDED,
                    channel="api",
                    service=self._service(first.said.get("product", "")),
                    impact=IMPACTS.get(first.said.get("impact", ""), 2),
                    urgency=2,
                    traits={NAME: name},
                )
            )
            unit.settle()
        return ticket

    def _happen(self, ticket: Ticket, event: Event, *, is_last: bool) -> None:
        """One event. What no verb of ours can tell is left out, and counted with why."""
        self.told.events += 1
        ticket.refresh_from_db()
        try:
            with work(by=self._actor(event), at=event.at, wiring=HISTORY) as unit:
                self._do(ticket, event, unit, is_last=is_last)
        except UnableTo as unable:
            self.told.left_out[_kind(unable, ticket)] += 1

    def _do(self, ticket: Ticket, event: Event, unit: Any, *, is_last: bool) -> None:
        done = event.said.get(DONE, "")
        goes_on = done in WORKING | QUEUED or done in WAITS
        if not ticket.is_unresolved() and goes_on:
            ticket.reopen("It went on in the desk that this came from.")
            unit.settle()
        if ticket.is_unresolved():
            self._move(ticket, self._team(event.said.get(GROUP, "")))
            unit.settle()
        if done in WORKING:
            self._work(ticket, self._agent(event))
        elif done in QUEUED:
            if ticket.state == State.PENDING:
                ticket.resume("Queued again.")
            if ticket.assignee_id:
                ticket.assign(None)
        elif done in WAITS:
            self._wait(ticket, WAITS[done], unit)
        elif done in SOLVED:
            if ticket.is_unresolved():
                ticket.resolve(code=ResolutionCode.FIXED)
                unit.settle()
            if done == "Closed" and is_last:
                ticket.close("Closed in the desk that this came from.")
        elif done == "Cancelled":
            ticket.cancel("Cancelled in the desk that this came from.")
        else:
            raise UnableTo(f"“{done}” is nothing that a ticket does.")

    def _move(self, ticket: Ticket, team: Team) -> None:
        """To a higher tier it is a hand-over of the ladder, whose pack says that the log kept none."""
        if team.pk == ticket.team_id:
            return
        if ticket.team_id is None or team.tier <= ticket.tier:
            ticket.hand_over(team, why="as it was in the desk that this came from")
            return
        pack = Pack(
            symptom=ticket.subject, scope=NOT_RECORDED, steps_tried=NOT_RECORDED, exact_ask=NOT_RECORDED
        )
        Escalation.send(
            ticket, team, by=None, reason="other", pack=pack, bypass="Told from the log of another desk."
        )

    def _work(self, ticket: Ticket, agent: Agent | None) -> None:
        if ticket.state == State.PENDING:
            ticket.resume("Work went on.")
        if agent is None:
            return
        waiting = Escalation.objects.unanswered().filter(ticket=ticket).first()
        if waiting is not None:
            waiting.ticket = ticket
            waiting.accept(agent)
        ticket.take(agent)

    def _wait(self, ticket: Ticket, reason: PendingReason, unit: Any) -> None:
        if ticket.state == State.PENDING:
            if ticket.pending_reason == reason:
                return
            ticket.resume("It waits for something else.")
            unit.settle()
        ticket.pend(
            reason, asked=reason == PendingReason.REQUESTER_INFO, linked=reason == PendingReason.PROBLEM
        )

    def _actor(self, event: Event) -> Actor:
        agent = self._agent(event)
        return agent.actor() if agent else Actor("channel", "The other desk")

    def _team(self, name: str) -> Team:
        name = UNKNOWN if name in NOBODY else name
        if name not in self._teams:
            tier = TIERS.get(name.split()[-1], 1)
            defaults = {"name": name, "tier": tier}
            team, made = Team.objects.get_or_create(key=f"log-{slugify(name)}"[:40], defaults=defaults)
            if made:
                team.clients.add(self.client)
            self._teams[name] = team
        return self._teams[name]

    def _agent(self, event: Event) -> Agent | None:
        """Whoever did it, by name and team: the log says no more of them. They cannot sign in."""
        name = event.said.get(PERSON, "")
        if name in NOBODY:
            return None
        if name not in self._agents:
            email = f"log-{slugify(name) or UNKNOWN}@{self.client.key.lower()}.invalid"
            user = User.objects.filter(email=email).first()
            if user is None:
                user = User.objects.create_user(email, name=name, is_active=False)
            agent, _ = Agent.objects.get_or_create(user=user)
            self._agents[name] = agent
        team = self._team(event.said.get(GROUP, ""))
        if (name, team.pk) not in self._members:
            Membership.objects.get_or_create(agent=self._agents[name], team=team)
            self._members.add((name, team.pk))
        return self._agents[name]

    def _service(self, product: str) -> Service | None:
        if product in NOBODY:
            return None
        if product not in self._services:
            self._services[product], _ = Service.objects.get_or_create(
                client=self.client, key=slugify(product)[:60], defaults={"name": product}
            )
        return self._services[product]


def _kind(unable: UnableTo, ticket: Ticket) -> str:
    """Why, without the number of the ticket, so that equal reasons are counted together."""
    return str(unable).replace(ticket.reference, "the ticket")

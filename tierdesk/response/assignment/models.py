"""Offers: tickets that wait for the desk to give them to somebody, and how they are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q

from tierdesk.core.work import current, record
from tierdesk.directory.calendars.hours import Hours
from tierdesk.directory.calendars.models import newest_hours
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Agent, Membership, Team, base_language
from tierdesk.response.assignment.decide import Candidate, Choice, Need, choose, weight
from tierdesk.response.assignment.facts import NobodyChosen, NobodyFound
from tierdesk.tickets.lifecycle import State, UnableTo
from tierdesk.tickets.models import Ticket

HELD = (State.NEW, State.OPEN)
"""States in which a ticket counts among those that its agent holds; one that waits for somebody does not."""

AT_ONCE = 200
"""So many waiting offers of a team are looked at when somebody has room again."""


GRACE: Mapping[int, timedelta] = {1: timedelta(minutes=5), 2: timedelta(minutes=10)}
LONG_GRACE = timedelta(minutes=30)
"""How long nobody may be found for a ticket, by its priority, before those who answer for the team hear of it."""

A_MOMENT = timedelta(seconds=1)
"""After so long a ticket is looked at again that somebody was just changing, or whose team somebody else looks at."""


class Offers(ClientRows):
    def waiting(self) -> Self:
        """Nobody could be found so far; they are looked at again when somebody has room."""
        return self.filter(Q(wake_at=None) | Q(was_told=True))


class Offer(models.Model):
    """A ticket in the queue of a team that pushes, until the desk has given it to somebody, or somebody took it.

    `passed_by`: who has just put it back. `was_told`: that nobody could be found stands on the timeline. `tell_at`:
    when those who answer for the team hear of that; empty before, and after they did. `wake_at`: the engine looks for
    somebody then; empty while it waits for room.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="offer")
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    passed_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    was_told = models.BooleanField(default=False)
    tell_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Offers.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="offers_to_wake", condition=Q(wake_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"TD-{self.ticket_id} to {self.team}"


def offer(tickets: Sequence[Ticket], at: datetime, *, passed_by: dict[int, int] | None = None) -> None:
    """Let the desk look for somebody who works these, in one statement; one that is offered already is offered anew."""
    passed = passed_by or {}
    if tickets:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {Offer._meta.db_table} (client_id, ticket_id, team_id, passed_by_id, was_told, wake_at)"
                " SELECT *, false, %s FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
                " ON CONFLICT (ticket_id) DO UPDATE SET team_id = excluded.team_id, was_told = false, tell_at = NULL,"
                " passed_by_id = excluded.passed_by_id, wake_at = excluded.wake_at",
                [
                    at,
                    [ticket.client_id for ticket in tickets],
                    [ticket.pk for ticket in tickets],
                    [ticket.team_id for ticket in tickets],
                    [passed.get(ticket.pk) for ticket in tickets],
                ],
            )


def withdraw(ticket_ids: Iterable[int]) -> None:
    """Nobody needs to be found for these any more."""
    Offer.objects.filter(ticket__in=list(ticket_ids)).delete()


def begin_anew(team: Team, at: datetime) -> None:
    """The team's way has changed: what lies in its queue is offered now, or is not any more."""
    Offer.objects.filter(team=team).delete()
    if team.pushes:
        offer(list(Ticket.objects.unresolved().unassigned().of_team(team)), at)


def with_offers(team_ids: Iterable[int]) -> set[int]:
    """Those of these teams where tickets wait for somebody."""
    offered = Offer.objects.filter(team=OuterRef("pk"))
    return set(Team.objects.filter(Exists(offered), pk__in=list(team_ids)).values_list("pk", flat=True))


def look_again(team_ids: Iterable[int], at: datetime) -> None:
    """Somebody of these teams may have room: the most urgent of what waits there is looked at again.

    The teams are locked: an engine that finds nobody for a ticket at this moment would miss it else.
    """
    for team in _locked_teams(set(team_ids)):
        first = Ticket.objects.unresolved().unassigned().filter(team=team)
        urgent = first.filter(offer__in=Offer.objects.waiting()).order_by(
            F("next_due_at").asc(nulls_last=True), "id"
        )
        Offer.objects.waiting().filter(ticket__in=list(urgent.values_list("pk", flat=True)[:AT_ONCE])).update(
            wake_at=at
        )


def give_away(offers: list[Any], at: datetime) -> None:
    """What due offers do: the desk finds somebody for each, the most urgent first, and says why.

    The teams are locked, so that two engines never look at one team at once: each sees what the other gave. What
    somebody else has locked is looked at a moment later: whoever waits here for them, they might wait for. Outside the
    hours of a team its tickets rest until it opens. However many tickets there are, it takes as many statements as for
    one, and one more for each instant at which something is looked at again.
    """
    teams = _locked_teams({one.team_id for one in offers}, skip_locked=True)
    tickets, busy = _locked_tickets([one for one in offers if one.team_id in teams])
    later = [one for one in offers if one.team_id not in teams or one.ticket_id in busy]
    rooms = _Rooms(list(teams.values()), at)
    wake = _Wake()
    wake.at(at + A_MOMENT, later)
    offers = [one for one in offers if one not in later]
    given: list[tuple[Ticket, Choice]] = []
    over: list[int] = []
    for one in sorted(offers, key=lambda one: _urgency(tickets.get(one.ticket_id), one)):
        ticket, team = tickets.get(one.ticket_id), teams[one.team_id]
        if ticket is None or ticket.team_id != team.pk or not team.pushes:
            over.append(one.pk)
            continue
        if team.pk in rooms.shut:
            wake.at(rooms.shut[team.pk], [one])
            continue
        choice = rooms.choose(team, ticket, passed_by=one.passed_by_id)
        if choice.chosen is None:
            _tell(one, ticket, choice, rooms, at)
            wake.at(_earlier(rooms.next_at_work(team.pk), one.tell_at), [one])
        else:
            given.append((ticket, choice))
            over.append(one.pk)
    Offer.objects.filter(pk__in=over).delete()
    wake.set()
    rooms.remember()
    Ticket.give(
        [
            (ticket, rooms.agents[choice.chosen.agent], choice.because, choice.others)
            for ticket, choice in given
            if choice.chosen
        ]
    )


class _Wake:
    """When offers are looked at again, in one statement for each instant; None is when somebody has room."""

    def __init__(self) -> None:
        self._offers: dict[tuple[datetime | None, bool, datetime | None], list[int]] = defaultdict(list)

    def at(self, instant: datetime | None, offers: Iterable[Offer]) -> None:
        for one in offers:
            self._offers[instant, one.was_told, one.tell_at].append(one.pk)

    def set(self) -> None:
        for (instant, was_told, tell_at), keys in self._offers.items():
            Offer.objects.filter(pk__in=keys).update(wake_at=instant, was_told=was_told, tell_at=tell_at)


def return_agents(agents: list[Any], at: datetime) -> None:
    """Those whose time out of office is over are back, and what waits for their teams is looked at again."""
    for agent in agents:
        agent.come_back()
    teams = Membership.objects.filter(agent__in=agents).values_list("team", flat=True)
    look_again(set(teams), at)


def go_out(agent: Agent, *, until: datetime | None) -> None:
    """Out of office: what the desk had given to this agent and they have not looked at goes back into its queue.

    Raises UnableTo for a time that is over.
    """
    if until is not None and until <= current().at:
        raise UnableTo("Choose a time in the future to be back.")
    agent.go_away(until=until)
    unseen = Ticket.objects.worked_by(agent).filter(state=State.NEW).select_related("team")
    for ticket in unseen:
        if ticket.team is not None and ticket.team.pushes:
            ticket.assign(None)


def _locked_teams(ids: set[int], *, skip_locked: bool = False) -> dict[int, Team]:
    locked = Team.objects.select_for_update(no_key=True, skip_locked=skip_locked)
    locked = locked.filter(pk__in=ids).order_by("pk")
    return {team.pk: team for team in locked}


def _locked_tickets(offers: Sequence[Offer]) -> tuple[dict[int, Ticket], set[int]]:
    """Those that still are in the queue, locked; and the keys of those that somebody is changing at this moment."""
    waiting = Ticket.objects.unassigned().unresolved().filter(pk__in=[one.ticket_id for one in offers])
    related = ("category", "service", "contact", "client", "team")
    locked = waiting.select_related(*related).select_for_update(skip_locked=True, of=("self",))
    tickets = {ticket.pk: ticket for ticket in locked.order_by("pk")}
    return tickets, set(waiting.values_list("pk", flat=True)) - set(tickets)


def _urgency(ticket: Ticket | None, one: Offer) -> tuple[object, ...]:
    due = ticket.next_due_at if ticket else None
    return due is None, due or 0, ticket.priority if ticket else 0, one.ticket_id


def _tell(one: Offer, ticket: Ticket, choice: Choice, rooms: _Rooms, at: datetime) -> None:
    """Each once, however often somebody is looked for: the reader of the timeline, and after a grace the leads.

    While nobody of the team is at work the grace does not run: that is how its people's hours are meant.
    """
    if not one.was_told:
        others = [list(other) for other in choice.others]
        record(NobodyChosen(ticket=ticket, team=one.team_id, why=choice.because, others=others))
        begins = None if rooms.is_anybody_at_work(one.team_id) else rooms.next_at_work(one.team_id)
        one.was_told, one.tell_at = True, (begins or at) + GRACE.get(ticket.priority, LONG_GRACE)
    elif one.tell_at is not None and one.tell_at <= at:
        record(NobodyFound(ticket=ticket, team=one.team_id, why=choice.because))
        one.tell_at = None


def _earlier(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)


def need_of(ticket: Ticket) -> Need:
    """What a ticket takes: the skill that its category names, or its service, and the language of its contact."""
    return need(
        ticket.category.needs if ticket.category else {},
        ticket.service.needs if ticket.service else {},
        (ticket.contact.language if ticket.contact else "")
        or (ticket.client.language if ticket.contact else ""),
        ticket.priority,
    )


def need(category: dict[str, Any], service: dict[str, Any], language: str, priority: int) -> Need:
    skill = category if category.get("platform") else service
    return Need(
        platform=str(skill.get("platform", "")),
        level=int(skill.get("level", 1)),
        language=base_language(language),
        weight=weight(priority),
    )


class _Rooms:
    """Who of which team has how much room: read in five statements, and kept up to date as tickets are given.

    `shut`: when each team opens that is not at work now (None: never).
    """

    def __init__(self, teams: Sequence[Team], at: datetime) -> None:
        members = Membership.objects.filter(team__in=teams, agent__user__is_active=True)
        members = members.select_related("agent__user").order_by("pk")
        self.agents = {member.agent_id: member.agent for member in members}
        self._members = {(member.team_id, member.agent_id): member for member in members}
        before = [member.last_given_at for member in members if member.last_given_at is not None]
        self._last = max([at, *before])
        self._changed: dict[int, Membership] = {}
        self._skills: dict[int, dict[str, int]] = defaultdict(dict)
        self._loads = loads_of(self.agents)
        everybody: list[Team | Agent] = [*teams, *self.agents.values()]
        hours = newest_hours(one.hours_id for one in everybody)
        self.shut = _shut(teams, hours, at)
        self._off = _shut(self.agents.values(), hours, at)
        for agent in Agent.objects.filter(pk__in=self.agents).prefetch_related("skills"):
            self._skills[agent.pk] = {skill.platform: skill.level for skill in agent.skills.all()}

    def choose(self, team: Team, ticket: Ticket, *, passed_by: int | None) -> Choice:
        needed = need_of(ticket)
        found = choose(team.assigns_by, self._candidates(team, passed_by), needed)
        if found.chosen is not None:
            self._give(team, found.chosen.agent, needed)
        return found

    def next_at_work(self, team: int) -> datetime | None:
        """When somebody of the team who is not at work now begins; None if nobody does."""
        return _earlier(*(self._off.get(agent) for agent in self._of(team)))

    def is_anybody_at_work(self, team: int) -> bool:
        """Whether somebody of the team is there, by their hours and their word."""
        return any(agent not in self._off and not self.agents[agent].is_away for agent in self._of(team))

    def _of(self, team: int) -> Iterable[int]:
        return (agent for team_id, agent in self._members if team_id == team)

    def remember(self) -> None:
        """Write down who was given one last."""
        Membership.objects.bulk_update(self._changed.values(), ["last_given_at"])

    def _candidates(self, team: Team, passed_by: int | None) -> list[Candidate]:
        return [
            Candidate(
                agent=agent,
                name=member.agent.name,
                load=self._loads[agent],
                capacity=team.capacity,
                skills=self._skills[agent],
                speaks=member.agent.speaks,
                is_away=member.agent.is_away,
                last_given_at=member.last_given_at,
                passed=agent == passed_by,
                is_off=agent in self._off,
            )
            for (team_id, agent), member in self._members.items()
            if team_id == team.pk
        ]

    def _give(self, team: Team, agent: int, needed: Need) -> None:
        """One after the other, also those who get one in the same breath, and whose engine had to wait for another."""
        member = self._members[team.pk, agent]
        self._last += timedelta(microseconds=1)
        member.last_given_at = self._last
        self._changed[member.pk] = member
        self._loads[agent] += needed.weight


def _shut(
    those: Iterable[Team | Agent], hours: Mapping[int, Hours], at: datetime
) -> dict[int, datetime | None]:
    """Of these, those who do not work at this instant, and when they begin (None: never)."""
    mine = {one.pk: hours[one.hours_id] for one in those if one.hours_id is not None}
    return {pk: its.next_opening(at) for pk, its in mine.items() if not its.is_open(at)}


def loads_of(agents: Iterable[int]) -> dict[int, int]:
    """What each of these agents holds: the weights of their tickets that wait for nobody else."""
    loads = dict.fromkeys(agents, 0)
    held = Ticket.objects.filter(assignee__in=list(loads), state__in=HELD).order_by()
    for agent, priority, many in held.values_list("assignee", "priority").annotate(many=Count("pk")):
        loads[agent] += weight(priority) * many
    return loads

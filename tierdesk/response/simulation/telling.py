"""What would happen, in order and in words: told from the timeline of a rehearsed ticket, its pages and its clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import CHANNELS
from tierdesk.response.simulation.holes import holes_of, place_named
from tierdesk.response.simulation.rehearsal import Arrival, Lived, WayUp, rehearse
from tierdesk.response.simulation.situation import Situation
from tierdesk.response.sla.models import Clock
from tierdesk.response.tiers.gate import WHO
from tierdesk.response.tiers.ladder import in_words
from tierdesk.response.tiers.pack import QUESTIONS
from tierdesk.response.tiers.reasons import Reason
from tierdesk.tickets.models import Entry, Ticket

type Say = Callable[[Mapping[str, Any]], str]

PARTIES: Mapping[str, str] = {
    "SLA": "promise to the client",
    "OLA": "own time of L%s",
    "UC": "vendor’s promise",
}
UNTOLD = {"opened", "paging_started", "people_paged", "hand_due"}
"""Told otherwise: by the situation, the policy, the pages themselves, and the hand-over or its refusal."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at an instant. `kind` as on the timeline, or `page`, `desk`; `people`: whom it reaches."""

    at: datetime
    kind: str
    text: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """A clock: `target` of `calendar`'s hours from `starts_at`; counts from `opens_at`, None where it never opens."""

    name: str
    target: timedelta
    calendar: str
    starts_at: datetime
    opens_at: datetime | None
    due_at: datetime | None

    @property
    def waits(self) -> bool:
        """Whether its calendar is closed when it starts."""
        return self.opens_at is not None and self.opens_at > self.starts_at


@dataclass(frozen=True, slots=True)
class Answer:
    """What happens: what holds (`ground`, name and words), the clocks, the events in order, the way up, the holes."""

    situation: Situation
    priority: int
    ground: Sequence[tuple[str, str]]
    clocks: Sequence[Running]
    events: Sequence[Event]
    way_up: Sequence[tuple[str, str]]
    holes: Sequence[str]
    cut_at: datetime | None = None
    pages: int = field(default=0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, instants as ISO 8601 in UTC."""
        one = self.situation
        return {
            "client": one.client.key,
            "at": one.at.isoformat(),
            "zone": one.zone.key,
            "notes": list(one.notes),
            "priority": self.priority,
            "channel": one.channel,
            "ground": dict(self.ground),
            "clocks": [
                {
                    "name": clock.name,
                    "target_s": int(clock.target.total_seconds()),
                    "calendar": clock.calendar,
                    "starts_at": clock.starts_at.isoformat(),
                    "opens_at": clock.opens_at.isoformat() if clock.opens_at else None,
                    "due_at": clock.due_at.isoformat() if clock.due_at else None,
                }
                for clock in self.clocks
            ],
            "events": [
                {"at": e.at.isoformat(), "kind": e.kind, "text": e.text, "people": list(e.people)}
                for e in self.events
            ],
            "way_up": dict(self.way_up),
            "holes": list(self.holes),
            "cut_at": self.cut_at.isoformat() if self.cut_at else None,
        }


def what_happens(situation: Situation) -> Answer:
    """Rehearse it and tell. Writes nothing."""
    lived = rehearse(situation)
    return Answer(
        situation=situation,
        priority=lived.ticket.priority,
        ground=list(_ground(lived, situation)),
        clocks=[_running(clock) for clock in lived.clocks],
        events=_events(lived, situation),
        way_up=list(_way_up(lived.way_up, lived.ticket)),
        holes=list(holes_of(lived, situation)),
        cut_at=lived.cut_at,
        pages=len(lived.pages),
    )


def _ground(lived: Lived, situation: Situation) -> Iterator[tuple[str, str]]:
    ticket = lived.ticket
    version = ticket.contract_version
    if version is None:
        yield _("Contract"), _("none holds on that day")
    else:
        named = {"name": version.contract.name, "version": version, "day": version.effective_from}
        yield _("Contract"), _("%(name)s (%(version)s), in force since %(day)s") % named
        agreed = situation.channel in version.channels
        yield _("Channel"), _("agreed") if agreed else _("not among those that the contract names")
        yield _("Desk"), _open_or_closed(version.calendar.hours, situation)
        who = {"us": _("us"), "client": _("the client"), "vendor": _("a vendor")}
        tiers = [f"L{tier} {who.get(by, by)}" for tier, by in sorted(version.performers.items())]
        yield _("Who performs"), ", ".join(tiers) or _("us")
    triaged = next((one.details for one in lived.entries if one.kind == "triaged"), None)
    if triaged is not None:
        yield _("Triage"), str(triaged["why"])
    for arrival in lived.arrivals[:1]:
        if arrival.presence.has_hours:
            yield _("At work then"), _at_work(arrival, situation)
    started = [one.details["policy"] for one in lived.entries if one.kind == "paging_started"]
    yield (
        _("Who gets called"),
        _("by “%s”") % started[0] if started else _("nobody: no paging policy is for it"),
    )
    if situation.channel == "phone":
        yield (
            _("By phone"),
            _("whoever takes the call has responded; who also takes the ticket stops the calling"),
        )


def _open_or_closed(hours: Any, situation: Situation) -> str:
    opens = hours.next_opening(situation.at)
    if opens is None:
        return str(_("closed for ever"))
    if opens <= situation.at:
        return str(_("open"))
    return _("closed until %s") % _local(opens, situation)


def _at_work(arrival: Arrival, situation: Situation) -> str:
    """Who of the team could be given it, by the hours that the team and its people say."""
    team, presence = arrival.team.name, arrival.presence
    if not presence.is_nobody:
        return _("%(people)s of %(team)s") % {"people": ", ".join(presence.at_work), "team": team}
    if presence.opens_at is None:
        return _("nobody of %s, and nobody ever will be") % team
    return _("nobody of %(team)s before %(when)s") % {
        "team": team,
        "when": _local(presence.opens_at, situation),
    }


def _local(at: datetime, situation: Situation) -> str:
    return f"{at.astimezone(situation.zone):%a %d %b, %H:%M} ({situation.zone.key})"


def _running(clock: Clock) -> Running:
    hours = clock.calendar.hours
    return Running(
        name=_clock_named(clock.metric, clock.party, clock.tier),
        target=clock.target,
        calendar=clock.calendar.calendar.name,
        starts_at=clock.started_at,
        opens_at=hours.next_opening(clock.started_at),
        due_at=clock.due_at,
    )


def _clock_named(metric: str, party: str, tier: int | None) -> str:
    told = _(PARTIES[party])
    return f"{metric} ({told % tier if party == 'OLA' else told})"


# -- the events


def _events(lived: Lived, situation: Situation) -> list[Event]:
    """By instant; what happens at the same one in the order of the timeline."""
    agents = _named({pk for one in lived.entries for pk in one.details.get("agents", ())})
    teams = dict(Team.objects.values_list("pk", "name"))
    placed = [(one.at, one.pk, _told(one, agents, teams)) for one in lived.entries if one.kind not in UNTOLD]
    placed += [(event.at, place, event) for place, event in _paged(lived)]
    placed += [(event.at, place, event) for place, event in _on_desks(lived)]
    placed += [(event.at, place, event) for place, event in _resting(lived, situation)]
    return [event for _at, _place, event in sorted(placed, key=lambda one: one[:2])]


def _named(agents: set[int]) -> dict[int, str]:
    return dict(Agent.objects.filter(pk__in=agents).values_list("pk", "user__name"))


def _told(entry: Entry, agents: Mapping[int, str], teams: Mapping[int, str]) -> Event:
    details = entry.details
    people = tuple(agents[pk] for pk in details.get("agents", ()))
    if entry.kind == "assigned" and details["agent_name"]:
        people = (details["agent_name"],)
    values = details | {"team": teams.get(entry.team_id or 0, _("nobody"))}
    say = SAY.get(entry.kind)
    return Event(entry.at, entry.kind, say(values) if say else entry.kind.replace("_", " "), people)


def _paged(lived: Lived) -> Iterator[tuple[int, Event]]:
    """Each page when it leaves, those of a step together; a page may be held for whoever is on call later."""
    placed = {(e.details["loop"], e.details["step"]): e.pk for e in lived.entries if e.kind == "people_paged"}
    for (at, loop, step), pages in groupby(lived.pages, key=lambda one: (one.wake_at, one.loop, one.step)):
        if at is None:
            continue
        named: dict[str, list[Page]] = {}
        for page in pages:
            named.setdefault(page.agent.name, []).append(page)
        told = "; ".join(
            _("%(who)s (%(why)s) by %(ways)s")
            % {
                "who": who,
                "why": theirs[0].why,
                "ways": _(" and ").join(_(CHANNELS[page.channel]) for page in theirs),
            }
            for who, theirs in named.items()
        )
        again = _("repeat %s: ") % loop if loop else ""
        yield (
            placed.get((loop, step + 1), 0),
            Event(at, "page", _("%(again)spages %(told)s") % {"told": told, "again": again}, tuple(named)),
        )


def _on_desks(lived: Lived) -> Iterator[tuple[int, Event]]:
    """Who sees a notice on the desk, told at its entry; of the hierarchy, the timeline tells."""
    kinds = {"new_ticket": "triaged", "escalated": "escalation_sent"}
    shown = [one for one in lived.notices if one.channel == "desk" and one.kind in kinds and one.agent]
    for (at, kind), notices in groupby(shown, key=lambda one: (one.created_at, one.kind)):
        people = tuple(dict.fromkeys(one.agent.name for one in notices if one.agent))
        place = max((e.pk for e in lived.entries if e.kind == kinds[kind] and e.at == at), default=0)
        yield place, Event(at, "desk", _("a notice on the desk of %s") % ", ".join(people), people)


def _resting(lived: Lived, situation: Situation) -> Iterator[tuple[int, Event]]:
    """Where a team that pushes has nobody at work, the ticket rests until somebody begins."""
    for arrival in lived.arrivals:
        presence = arrival.presence
        if not (arrival.team.pushes and presence.has_hours and presence.is_nobody):
            continue
        if presence.opens_at is None:
            said = _("rests with %s: by their hours nobody is ever given it") % arrival.team.name
        else:
            said = _("rests with %(team)s until %(when)s: nobody is at work who could be given it") % {
                "team": arrival.team.name,
                "when": _local(presence.opens_at, situation),
            }
        yield arrival.place, Event(arrival.at, "rests", said)


def _of(details: Mapping[str, Any]) -> str:
    return _clock_named(details["metric"], details["party"], details.get("tier"))


SAY: Mapping[str, Say] = {
    "triaged": lambda d: _("comes in as P%(priority)s and goes to %(team)s") % d,
    "assigned": lambda d: _("is given to %(agent_name)s: %(why)s") % d,
    "nobody_chosen": lambda d: _("stays in the queue, nobody could be given it: %(why)s") % d,
    "nobody_found": lambda d: _("those who answer for the team hear that nobody can be found: %(why)s") % d,
    "warned": lambda d: _("three quarters of the time are used: %s") % _of(d),
    "rung_reached": lambda d: (
        _("a rung is reached, %(marks)s: %(clock)s") % {"marks": ", ".join(d["marks"]), "clock": _of(d)}
    ),
    "breached": lambda d: _("broken: %s") % _of(d),
    "hierarchy_told": lambda d: (
        _("tells %(roles)s: %(why)s") % {"roles": in_words(d["roles"]), "why": d["why"]}
    ),
    "nobody_on_call": lambda d: (
        _("nobody is on call for %(target)s: %(then)s")
        % {"target": place_named(d["target"]), "then": d["then"]}
    ),
    "step_passed_over": lambda d: _("step %(step)s is passed over: %(why)s") % d,
    "handed_over": lambda d: _("goes on from L%(from_tier)s to L%(to_tier)s, %(team)s: %(why)s") % d,
    "escalation_sent": lambda d: (
        _("%(team)s has %(minutes)s working minutes to accept it")
        % {"team": d["team"], "minutes": (d["accept_s"] or 0) // 60}
    ),
    "escalation_overtaken": lambda d: _("nobody had accepted the hand-over before it went on"),
    "hand_refused": lambda d: (
        _("cannot be handed to %(to)s: %(why)s") % {"to": place_named(d["to"]), "why": d["why"]}
    ),
    "paging_exhausted": lambda d: (
        ngettext(
            "everybody was called once, and nobody answered",
            "everybody was called %(loops)s times, and nobody answered",
            d["loops"],
        )
        % d
    ),
}


def _way_up(way: WayUp, ticket: Ticket) -> Iterator[tuple[str, str]]:
    """How somebody would hand it up, as its procedure stands."""
    procedure, rules = way.choice.chosen, way.choice.chosen.rules
    yield _("Procedure"), f"{procedure}: {way.choice.because}"
    teams = ", ".join(f"{team.name} (L{team.tier})" for team in way.teams)
    yield _("From L%s to") % ticket.tier, teams or _("nobody: no team above serves the client")
    if rules.to:
        yield _("It leads to"), ", ".join(map(place_named, rules.to))
    if rules.when.words:
        yield _("Allowed when"), rules.when.words
    yield _("The gate asks"), " ".join(QUESTIONS[name] for name in rules.required)
    if rules.needs_book:
        books = ", ".join(way.books) or _("no book matches, so none is asked for")
        yield _("A book is followed first"), books
    allowed = [str(Reason(reason).label) for reason in rules.reasons]
    yield _("Reasons"), "; ".join(allowed) if allowed else _("any")
    if rules.who_may:
        yield _("Who hands it up"), ", ".join(_(WHO[one]) for one in rules.who_may)
    skips = _("freely") if rules.may_skip else _("only with a reason")
    yield _("A tier is skipped"), skips
    yield _("To be accepted within"), _("%s working minutes") % rules.accept_min
    if rules.emergency and rules.emergency.is_open_to(ticket.priority, is_major=ticket.is_major):
        told = in_words(rules.emergency.tell) or _("nobody")
        short = _("to be accepted within %(n)s working minutes; told at once: %(told)s")
        yield _("In an emergency"), short % {"n": rules.emergency.accept_min, "told": told}
    if procedure.review_is_due:
        yield _("To be reviewed"), _("since %s") % procedure.review_by

"""What would go wrong with a ticket that nobody touches, as sentences that say what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.paging.ways import MAIL
from tierdesk.response.simulation.rehearsal import Lived
from tierdesk.response.simulation.situation import Situation
from tierdesk.tickets.models import Ticket

URGENT = 2
"""Down to this priority somebody should be called."""


def holes_of(lived: Lived, situation: Situation) -> list[str]:
    """Every hole once, in the order in which it would be fallen into."""
    found = [
        *_of_contract(lived.ticket, situation),
        *_of_team(lived.ticket),
        *_of_hours(lived),
        *_of_way_up(lived),
        *_of_calling(lived),
        *_of_reach(lived),
        *_of_ladder(lived),
    ]
    return list(dict.fromkeys(found))


def _of_contract(ticket: Ticket, situation: Situation) -> Iterator[str]:
    version = ticket.contract_version
    if version is None:
        yield (
            _(
                "No contract of %s holds on that day: nothing is promised and no clock runs. Publish one that does."
            )
            % ticket.client.name
        )
        return
    if situation.channel not in version.channels:
        yield _(
            "The contract does not name this channel (%s); what comes in is taken all the same. Agree on it, or say so."
        ) % situation.channel.replace("_", " ")
    performer = version.performers.get(str(ticket.tier), "us")
    if performer != "us" and ticket.team is not None:
        yield _(
            "L%(tier)s is performed by the %(who)s, yet the ticket goes to %(team)s: give it a route to another team."
        ) % {"tier": ticket.tier, "who": performer, "team": ticket.team.name}


def _of_team(ticket: Ticket) -> Iterator[str]:
    if ticket.team is None:
        yield _("The ticket goes to nobody: let a team serve %s, or write a route.") % ticket.client.name
    elif not _present(ticket.team):
        yield _empty(ticket.team)


def _of_hours(lived: Lived) -> Iterator[str]:
    """A team that pushes gives nothing to whoever is not at work; where it is urgent, somebody is to be called then."""
    called = any(page.address for page in lived.pages)
    for arrival in lived.arrivals:
        presence = arrival.presence
        if not (arrival.team.pushes and presence.has_hours and presence.is_nobody):
            continue
        if presence.opens_at is None:
            yield (
                _("By their hours nobody of %s is ever at work when the team is: give somebody other hours.")
                % arrival.team.name
            )
        elif lived.ticket.priority <= URGENT and not called:
            yield _(
                "Nobody of %(team)s is at work when it comes to them, and nobody is called: a P%(priority)s is given "
                "to nobody before they begin. Write a paging policy, or let somebody be there."
            ) % {"team": arrival.team.name, "priority": lived.ticket.priority}


def _of_way_up(lived: Lived) -> Iterator[str]:
    ticket, teams = lived.ticket, lived.way_up.teams
    if not teams:
        yield _("No team above L%(tier)s serves %(client)s: nobody can hand it up. Add one.") % {
            "tier": ticket.tier,
            "client": ticket.client.name,
        }
        return
    nearest = teams[0].tier
    if nearest > ticket.tier + 1:
        yield _("No L%(missing)s team serves %(client)s: handing it up leads to L%(next)s at once.") % {
            "missing": ticket.tier + 1,
            "client": ticket.client.name,
            "next": nearest,
        }
    for team in teams:
        if team.tier == nearest and not _present(team):
            yield _empty(team)


def _of_calling(lived: Lived) -> Iterator[str]:
    kinds = {entry.kind for entry in lived.entries}
    ticket = lived.ticket
    if "paging_started" not in kinds and ticket.priority <= URGENT:
        yield _(
            "No paging policy is for a P%(priority)s of %(team)s: nobody is called, only notices are written. "
            "Write one, or add the team to one."
        ) % {"priority": ticket.priority, "team": ticket.team.name if ticket.team else _("nobody")}
    for entry in lived.entries:
        if entry.kind == "nobody_on_call":
            yield (
                _(
                    "Nobody is on call for %(target)s when it would be called (%(then)s): "
                    "add a layer, or let somebody stand in."
                )
                % {"target": place_named(entry.details["target"]), "then": entry.details["then"]}
            )
        elif entry.kind == "hand_refused":
            why = entry.details["why"].rstrip(".")
            to = place_named(entry.details["to"])
            yield _("The policy cannot hand it to %(to)s: %(why)s.") % {"to": to, "why": why}
        elif entry.kind == "paging_exhausted" and not any(page.step == _last(lived) for page in lived.pages):
            yield _("When everybody was called in vain, nobody else is: say “when_exhausted” in the policy.")


def place_named(target: str) -> str:
    """Whom a policy or a procedure means, by their names, where the desk's file writes `L2` or `team:KEY`."""
    kind, _colon, key = target.partition(":")
    if kind == "team":
        return Team.objects.filter(key=key).values_list("name", flat=True).first() or key
    if kind in ("schedule", "next"):
        return Schedule.objects.filter(key=key).values_list("name", flat=True).first() or key
    return key or target


def _last(lived: Lived) -> int:
    """The step that stands for the end of a policy: the one after its last."""
    return len(lived.pages[0].paging.policy.steps) if lived.pages else 0


def _of_reach(lived: Lived) -> Iterator[str]:
    ways: dict[str, set[str]] = {}
    for page in lived.pages:
        ways.setdefault(page.agent.name, set()).add(page.channel if page.address else "")
    if by_mail := [who for who, by in ways.items() if by == {MAIL}]:
        yield ngettext(
            "%s is called by mail alone: no other way of theirs is proved. They add one on “My pages”.",
            "%s are called by mail alone: no other way of theirs is proved. They add one on “My pages”.",
            len(by_mail),
        ) % ", ".join(by_mail)
    for who in (who for who, by in ways.items() if "" in by):
        yield _("%s is called, but no address is known.") % who
    client = lived.ticket.client.name
    for who in {page.agent.name: page for page in lived.pages if not page.is_theirs}:
        yield _(
            "%(who)s is called and does not serve %(client)s: the page’s link shows them nothing, and they cannot"
            " acknowledge. Let their team serve it, or call somebody else."
        ) % {"who": who, "client": client}


def _of_ladder(lived: Lived) -> Iterator[str]:
    for entry in lived.entries:
        if entry.kind != "hierarchy_told" or entry.details["agents"]:
            continue
        when = {"why": entry.details["why"].partition(";")[0]}
        if entry.details["roles"] == ["assignee"]:
            yield (
                _("While nobody has taken it, nobody is told when %(why)s: let the team’s lead hear too.")
                % when
            )
        else:
            yield _("Nobody would be told when %(why)s. Give somebody the role, or tell another.") % when


def _present(team: Team) -> bool:
    present = Agent.objects.filter(memberships__team=team, user__is_active=True, is_away=False)
    return present.exists()


def _empty(team: Team) -> str:
    return str(_("Nobody of %s is there to take it: the team is empty, or all are away.") % team.name)

"""What shows only when names are looked up: ways that lead back, hours that never come, roles and teams of nobody.

Refused is what can never do what it says. What does only part of it, or waits for somebody to be added, is a doubt: it
is shown and applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tierdesk.core import clock
from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.calendars.hours import Hours, InvalidHours
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Item, Key, Values
from tierdesk.ops.desk.versions import calendar_spec
from tierdesk.response.tiers.ladder import DUTY, PERSON

type Outlook = Mapping[str, Mapping[Key, Values]]

ROLE_OF = {"lead": "team_lead", "manager": "managers"}
"""What those who may hand a ticket up are called on a ladder."""

A_YEAR = timedelta(days=366)


def check_resolved(file_items: Sequence[Item], outlook: Outlook, found: Findings) -> None:
    """Hold policies, procedures and contracts against who and what will be there."""
    look = _Look(outlook)
    checks: Mapping[str, Callable[[Item, Values, _Look, Findings], None]] = {
        "paging_policies": _check_policy,
        "procedures": _check_procedure,
        "contracts": _check_contract,
    }
    for item in file_items:
        values = outlook[item.section.name][item.key]
        if item.section.name in checks and not values.get("retired"):
            checks[item.section.name](item, values, look, found)


class _Look:
    """The desk as it will be, asked by name."""

    def __init__(self, outlook: Outlook) -> None:
        self.teams = outlook["teams"]
        self.clients = outlook["clients"]
        self.schedules = outlook["schedules"]
        self.calendars = outlook["calendars"]
        self.agents = {str(k[0]): one for k, one in outlook["agents"].items() if one.get("active", True)}

    def tier_of(self, team: str) -> int:
        """0 where there is no such team."""
        return int(self.teams.get((team,), {}).get("tier", 0))

    def people_of(self, team: str) -> list[str]:
        return [email for email, one in self.agents.items() if team in one.get("teams", ())]

    def nobody(self, target: str) -> str:
        """Why a policy's target, or a ladder's role, is nobody; empty if it is somebody, or may become it."""
        kind, _colon, name = target.partition(":")
        if kind == "team" and (name,) in self.teams and not self.people_of(name):
            return f"nobody is in “{name}”"
        if kind in ("user", PERSON) and name not in self.agents:
            return f"{name} cannot sign in"
        if target == "managers" and not any(one.get("manager") for one in self.agents.values()):
            return "nobody is a manager"
        if target == "team_lead" and not any(one.get("leads") for one in self.agents.values()):
            return "nobody leads a team"
        if target == DUTY and not self.schedules:
            return "there is no schedule"
        return ""

    def hours_of(self, calendar: Any) -> Hours | None:
        """None where the calendar is not there or cannot be read, which is said elsewhere."""
        values = self.calendars.get((calendar,))
        try:
            return Hours.from_spec(calendar_spec(values)) if values else None
        except (InvalidHours, UnreadableCalendar, KeyError):
            return None


# -- policies


def _check_policy(item: Item, policy: Values, look: _Look, found: Findings) -> None:
    line = _line(item, "steps")
    _check_hands(line, policy, look, found)
    _check_hours(line, policy, look, found)
    for number, step in enumerate(policy.get("steps", ()), 1):
        _check_called(line, f"Step {number} calls", step.get("page", ()), look, found)
    if policy.get("when_exhausted"):
        _check_called(
            _line(item, "when_exhausted"),
            "When all was in vain, it calls",
            policy["when_exhausted"],
            look,
            found,
        )
    if not policy.get("teams"):
        found.doubt(_line(item, "teams"), "The policy is for no team, so it calls nobody; name its teams.")


def _check_hands(line: int, policy: Values, look: _Look, found: Findings) -> None:
    """Each hand leads higher than the one before, and than the teams that the policy is for: none goes in a circle."""
    tiers = [look.tier_of(team) for team in policy.get("teams", ())] or [1]
    stands, highest = min(tiers), max(tiers)
    for number, step in enumerate(policy.get("steps", ()), 1):
        if not (to := step.get("hand", "")):
            continue
        team = to.removeprefix("team:") if to.startswith("team:") else ""
        tier = look.tier_of(team) if team else int(to[1:])
        if tier and tier <= stands:
            found.add(
                line, f"Step {number} hands to {to}, which is not above L{stands}, where tickets are by then."
            )
            return
        if tier and tier <= highest:
            found.doubt(line, f"Step {number} hands to {to}, where some of its teams stand already.")
        if not team and not any(one.get("tier") == tier for one in look.teams.values()):
            found.doubt(line, f"Step {number} hands to {to}, where no team stands; add one.")
        stands = max(tier, stands)


def _check_hours(line: int, policy: Values, look: _Look, found: Findings) -> None:
    hours = look.hours_of(policy.get("calendar"))
    if hours is None:
        return
    for number, step in enumerate(policy.get("steps", ()), 1):
        during = step.get("during", "always")
        if during == "hours" and _never_opens(hours):
            found.add(line, f"Step {number} acts in hours that never come; give “{policy['calendar']}” some.")
        if during == "outside" and _never_closes(hours):
            found.add(
                line,
                f"Step {number} acts outside of hours that never end; "
                f"choose another calendar than “{policy['calendar']}”.",
            )


def _check_called(line: int, what: str, targets: Iterable[str], look: _Look, found: Findings) -> None:
    """Refused where all of them are nobody; a doubt where some are."""
    targets = list(targets)
    missing = list(dict.fromkeys(why for target in targets if (why := look.nobody(target))))
    if not missing:
        return
    whole = all(look.nobody(target) for target in targets)
    told = f"{what} {'nobody' if whole else 'not everybody'}: {' and '.join(missing)}; add somebody, or name others."
    (found.add if whole else found.doubt)(line, told)


def _never_opens(hours: Hours) -> bool:
    return hours.next_opening(clock.now()) is None


def _never_closes(hours: Hours) -> bool:
    now = clock.now()
    return hours.between(now, now + A_YEAR) == A_YEAR


# -- procedures and contracts


def _check_procedure(item: Item, procedure: Values, look: _Look, found: Findings) -> None:
    rungs = procedure.get("rules", {}).get("ladder", ())
    for rung in rungs:
        _check_called(
            _line(item, "rules"), f"The rung at {rung['at']} % tells", rung.get("tell", ()), look, found
        )
    if who_may := [ROLE_OF.get(one, one) for one in procedure.get("rules", {}).get("who_may", ())]:
        _check_called(_line(item, "rules"), "Who hands it up is", who_may, look, found)
    tier = procedure.get("from_tier")
    emergency = procedure.get("rules", {}).get("emergency", {})
    if tell := emergency.get("tell"):
        _check_called(_line(item, "rules"), "The emergency path tells", tell, look, found)
    if tier:
        rules = procedure.get("rules", {})
        _check_path(_line(item, "rules"), "It", rules.get("to", ()), int(tier), look, found)
        path = emergency.get("to", ())
        _check_path(_line(item, "rules"), "The emergency path", path, int(tier), look, found)
    if (review := procedure.get("review_by")) and review < clock.now().date():
        found.doubt(
            _line(item, "review_by"), f"It was to be reviewed by {review}; look whether it still fits."
        )
    if tier and procedure.get("kind", "functional") == "functional":
        _check_staffed(item, procedure, int(tier), look, found)


def _check_path(line: int, what: str, path: Sequence[str], tier: int, look: _Look, found: Findings) -> None:
    """Each place that a procedure leads to lies above the tier that it leads out of, so none goes in a circle."""
    for place in path:
        team = place.removeprefix("team:") if place.startswith("team:") else ""
        height = look.tier_of(team) if team else int(place[1:])
        if height and height <= tier:
            found.add(line, f"{what} leads to {place}, which is not above L{tier}.")
        elif team and not look.people_of(team):
            found.doubt(line, f"{what} leads to {place}, where nobody is.")
        elif not team and not any(one.get("tier") == height for one in look.teams.values()):
            found.doubt(line, f"{what} leads to {place}, where no team stands; add one.")


def _check_staffed(item: Item, procedure: Values, tier: int, look: _Look, found: Findings) -> None:
    """Somebody is there who could take a ticket that climbs."""
    client = procedure.get("client")
    own = look.clients.get((client,), {}).get("teams", ()) if client else None
    above = [
        str(key[0])
        for key, team in look.teams.items()
        if int(team.get("tier", 0)) > tier and (team.get("every_client") or own is None or key[0] in own)
    ]
    if above and not any(look.people_of(team) for team in above):
        names = ", ".join(f"“{team}”" for team in sorted(above))
        found.doubt(
            _line(item, "from_tier"), f"Nobody is in the teams above L{tier} ({names}); add somebody."
        )


def _check_contract(item: Item, contract: Values, look: _Look, found: Findings) -> None:
    for rung in contract.get("rungs", ()):
        if rung.get("tell"):
            _check_called(
                _line(item, "rungs"), f"The rung “{rung.get('at')}” tells", rung["tell"], look, found
            )
    if tell := contract.get("complaints", {}).get("tell"):
        _check_called(_line(item, "complaints"), "A complaint tells", tell, look, found)
    for priority, promise in contract.get("promises", {}).items():
        calendar = promise.get("calendar") or contract.get("calendar")
        hours = look.hours_of(calendar)
        if hours is not None and _never_opens(hours):
            found.add(
                _line(item, "promises"),
                f"P{priority} is promised in hours of “{calendar}”, which never opens: nothing would ever be due. "
                "Give it hours, or name another calendar.",
            )


def _line(item: Item, field: str) -> int:
    return item.line_of(field) if field in item.lines else item.line

"""What only a whole item or the whole file can get wrong; each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tierdesk.channels.alarms.mapping import NoMapping, checked
from tierdesk.channels.alarms.shapes import named
from tierdesk.channels.alarms.shapes import names as shape_names
from tierdesk.channels.alarms.usm import NO_PRIVACY, SHORTEST
from tierdesk.directory.calendars.calendar_file import UnreadableCalendar
from tierdesk.directory.calendars.hours import Hours, InvalidHours
from tierdesk.ops.desk.lines import Findings, Mention
from tierdesk.ops.desk.schema import Item, Key, Values, label_of, reach
from tierdesk.ops.desk.shapes import KEPT
from tierdesk.ops.desk.versions import calendar_spec
from tierdesk.response.runbooks.lint import Severity, check
from tierdesk.response.runbooks.models import BookRefused, read_book
from tierdesk.response.tiers.spec import findings
from tierdesk.response.waiting.plan import may_end_in_silence

type Outlook = Mapping[str, Mapping[Key, Values]]
"""The desk as it will be: by section and key, what the database says with what the file says over it."""

UNSHARED: Final = {"clients": "domains", "alarm_sources": "token", "exchanges": "token"}


def judge_calendar(item: Item, found: Findings) -> None:
    """The hours must be ones that can be counted in (calendars/hours.py)."""
    if {"timezone", "week"} <= item.values.keys():
        try:
            Hours.from_spec(calendar_spec(item.section.defaults() | item.values))
        except UnreadableCalendar as fault:
            found.add(item.line_of("holidays"), f"These are no holidays. {fault}")
        except InvalidHours as fault:
            found.add(item.line_of("week"), f"These are no working hours: {fault}. Correct them.")


def judge_team_leads(item: Item, found: Findings) -> None:
    """Who leads a team is in it."""
    teams = item.values.get("teams", [])
    for key in item.values.get("leads", []):
        if "teams" in item.values and key not in teams:
            found.add(item.line_of("leads"), f"Who leads “{key}” is in it: add it to “teams” too.")


def judge_contract(item: Item, found: Findings) -> None:
    """A priority that is named promises something; a wait that is named leads to something that can be."""
    for priority, promise in item.values.get("promises", {}).items():
        if set(promise) <= {"calendar"}:
            found.add(
                item.line_of("promises"), f"P{priority} promises nothing; give it a time, or leave it out."
            )
    _judge_waits(item, found)
    _judge_rungs(item, found)


def _judge_waits(item: Item, found: Findings) -> None:
    for reason, agreed in item.values.get("pending", {}).items():
        line, then = item.line_of("pending"), agreed.get("then", "nothing")
        if "every" not in agreed:
            found.add(line, f"Say how often somebody is reminded of “{reason}”: “every: 1 d”.")
        if then == "resolve" and not may_end_in_silence(reason):
            found.add(
                line,
                f"Only the contact’s silence solves a ticket; “{reason}” can end in “return” or “nothing”.",
            )
        if then == "nothing" and not agreed.get("chasers", 1):
            found.add(line, f"Nobody is reminded of “{reason}” and nothing follows; leave it out.")


def _judge_rungs(item: Item, found: Findings) -> None:
    """Each stands somewhere, once, and tells somebody."""
    rungs = item.values.get("rungs", [])
    heights = [rung.get("at") for rung in rungs]
    if not all(rung.get("at") and rung.get("tell") for rung in rungs):
        found.add(item.line_of("rungs"), "A rung says “at:” which moment it is and whom to “tell:”.")
    elif len(set(heights)) < len(heights):
        found.add(item.line_of("rungs"), "Two rungs stand at the same moment; make one of them.")


def judge_procedure(item: Item, found: Findings) -> None:
    """The rules are judged where tickets climb (tiers/spec.py)."""
    for sentence in findings(item.values.get("rules", {})):
        found.add(item.line_of("rules"), sentence)
    if item.values.get("kind", "functional") == "functional" and "from_tier" not in item.lines:
        found.add(item.line, "Say which tier the procedure leads out of: “from_tier: L1”.")
    begins, review = item.values.get("in_force_from"), item.values.get("review_by")
    if begins and review and review <= begins:
        found.add(item.line_of("review_by"), "It is to be reviewed before it begins; choose a later day.")


def judge_book(item: Item, found: Findings) -> None:
    """A book must be one that can be published (runbooks/lint.py)."""
    place = item.line_of("file" if "file" in item.lines else "text")
    if not {"file", "text"} & item.lines.keys():
        found.add(item.line, "A book needs its words: give “file:” with a path, or “text:”.")
    if not item.values.get("text"):
        return
    try:
        content = read_book(item.values["text"])
    except BookRefused as fault:
        found.add(place, f"The book cannot be read: {fault}.")
        return
    for finding in check(content):
        if finding.severity is Severity.REFUSAL:
            found.add(place, f"The book is refused: line {finding.line}: {finding.sentence}.")


def judge_alarm_source(item: Item, found: Findings) -> None:
    """Its mapping is judged where alarms are read (alarms/mapping.py); what never says that it is over says when."""
    try:
        checked(item.values.get("mapping", {}))
    except NoMapping as fault:
        found.add(item.line_of("mapping"), str(fault))
    shape = item.values.get("shape")
    if shape in shape_names() and named(shape).demands_quiet and not item.values.get("quiet"):
        line = item.line_of("quiet") if "quiet" in item.lines else item.line
        found.add(
            line, f"{named(shape).title} cannot say that trouble is over: give “quiet:”, such as 30 min."
        )
    _judge_usm(item, found)


def _judge_usm(item: Item, found: Findings) -> None:
    """A user of SNMP version 3 signs, and encrypts unless that is switched off; passphrases have a least length."""
    told = item.values
    if not told.get("usm_user"):
        return
    if told.get("shape") != "snmp_trap":
        found.add(item.line_of("usm_user"), "Only SNMP traps have a user; take “usm_user” away.")
        return
    if not told.get("senders"):
        found.add(
            item.line_of("usm_user"),
            "Traps are known by where they come from: give the addresses of its “senders”.",
        )
    needed = [("secret", "It signs with")]
    if told.get("usm_privacy", "AES") != NO_PRIVACY:
        needed.append(("usm_privacy_secret", "It encrypts with"))
    for name, does in needed:
        given = told.get(name, "")
        if given != KEPT and len(given) < SHORTEST:
            line = item.line_of(name) if name in item.lines else item.line_of("usm_user")
            found.add(line, f"{does} a “{name}” of at least {SHORTEST} characters; give it.")


def check_all(file_items: Sequence[Item], outlook: Outlook, present: Outlook, found: Findings) -> None:
    """Everything between items: what they name is there, nothing goes in circles, every tier is held."""
    for mention in found.mentions:
        _check_mention(mention, outlook, found)
    for item in file_items:
        if item.key not in present[item.section.name]:
            _check_token(item, found)
        _check_unshared(item, outlook, found)
    _check_circles(file_items, outlook["services"], found)
    for item in file_items:
        if item.section.name == "contracts":
            _check_tiers(item, outlook, found)
            _check_effective(item, present["contracts"], found)
        elif item.section.name == "routes":
            _check_route(item, outlook, found)
        elif item.section.name == "procedures":
            _check_climb(item, outlook, found)


def _check_mention(mention: Mention, outlook: Outlook, found: Findings) -> None:
    known = outlook[mention.section]
    if mention.is_scope and _covers(mention.key, known):
        return
    if not any(key in known for key in reach(mention.key, mention.client)):
        names = ", ".join(sorted({str(key[-1]) for key in known})[:12]) or "none yet"
        found.add(
            mention.line,
            f"There is no “{mention.key}” among the {mention.section} ({names}); add it or correct the name.",
        )


def _covers(scope: str, paths: Iterable[Key]) -> bool:
    return scope == "*" or (
        scope.endswith("/*") and any(str(path[0]).startswith(scope[:-1]) for path in paths)
    )


def _check_token(item: Item, found: Findings) -> None:
    """A new alarm source has no token that could be kept."""
    if "token" in item.lines and "token" not in item.values and "token" not in item.broken:
        found.add(item.line_of("token"), f"{item} is new, so there is no token to keep; give one.")


def _check_circles(file_items: Sequence[Item], services: Mapping[Key, Values], found: Findings) -> None:
    lines = {item.key: item.line_of("depends_on") for item in file_items if item.section.name == "services"}
    done: set[Key] = set()

    def visit(key: Key, path: tuple[Key, ...]) -> None:
        if key in path:
            circle = path[path.index(key) :]
            line = min((lines[k] for k in circle if k in lines), default=1)
            names = " → ".join(label_of(k) for k in (*circle, key))
            found.add(line, f"Services depend on one another in a circle: {names}. Take one link out.")
        elif key not in done:
            for needed in services[key].get("depends_on", []):
                for candidate in reach(needed, services[key].get("client")):
                    if candidate in services:
                        visit(candidate, (*path, key))
                        break
            done.add(key)

    for key in services:
        visit(key, ())


def _check_unshared(item: Item, outlook: Outlook, found: Findings) -> None:
    """What only one may have: a mail domain tells the client, a token the source."""
    name = UNSHARED.get(item.section.name)
    if name is None or not item.values.get(name):
        return
    others = [(key, row) for key, row in outlook[item.section.name].items() if key != item.key]
    for value in _as_list(item.values.get(name)):
        holder = next((key for key, row in others if value in _as_list(row.get(name))), None)
        if holder:
            told = "This token" if name == "token" else f"“{value}”"
            found.add(item.line_of(name), f"{told} is {label_of(holder)}’s already; give each its own.")


def _as_list(value: Any) -> list[Any]:
    if not value:
        return []
    return value if isinstance(value, list) else [value]


def _check_tiers(item: Item, outlook: Outlook, found: Findings) -> None:
    contract = outlook["contracts"][item.key]
    client = str(item.key[0])
    for tier, who in sorted((contract.get("performers") or {}).items()):
        if who == "us" and not _held(outlook, client, {tier}):
            found.add(
                item.line_of("performers"),
                f"L{tier} is unreachable: no team of L{tier} serves {client}; add one to the client’s teams.",
            )
        if who == "vendor" and not outlook["vendors"]:
            found.add(item.line_of("performers"), f"L{tier} is unreachable: there is no vendor; add one.")


def _check_effective(item: Item, present: Mapping[Key, Values], found: Findings) -> None:
    """A version that begins before the one it follows would never come into force."""
    begins = item.values.get("effective_from")
    newest = present.get(item.key, {}).get("effective_from")
    if begins and newest and begins < newest:
        found.add(
            item.line_of("effective_from"),
            f"The version in force begins on {newest}; give that date or a later one.",
        )


def _check_route(item: Item, outlook: Outlook, found: Findings) -> None:
    client, team = item.values.get("client"), outlook["teams"].get((item.values.get("team"),))
    if client and team and not _serves(item.values["team"], team, outlook, client):
        found.add(
            item.line_of("team"),
            f"“{item.values['team']}” does not serve {client}; add it to the client’s teams, or choose another.",
        )


def _check_climb(item: Item, outlook: Outlook, found: Findings) -> None:
    """A functional procedure leads somewhere: a team stands above, or a vendor above L3."""
    tier = item.values.get("from_tier")
    if not tier or item.values.get("kind", "functional") != "functional" or item.values.get("retired"):
        return
    above = set(range(tier + 1, 5))
    clients = (
        [item.values["client"]] if item.values.get("client") else [str(k[0]) for k in outlook["clients"]]
    )
    for client in clients:
        if not _held(outlook, client, above) and not (tier == 3 and outlook["vendors"]):
            found.add(
                item.line_of("from_tier"),
                f"Nobody above L{tier} serves {client}, so the procedure leads nowhere; add a team.",
            )


def _held(outlook: Outlook, client: str, tiers: set[int]) -> bool:
    return any(
        team.get("tier") in tiers and _serves(str(key[0]), team, outlook, client)
        for key, team in outlook["teams"].items()
    )


def _serves(key: str, team: Values, outlook: Outlook, client: str) -> bool:
    return bool(team.get("every_client")) or key in outlook["clients"].get((client,), {}).get("teams", [])

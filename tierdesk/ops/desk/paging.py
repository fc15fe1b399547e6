"""The section of paging policies: who is called about a ticket, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml

from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.schema import Field, Item, Section, Values, World
from tierdesk.response.paging import spec
from tierdesk.response.paging.models import Policy

SECTION_OF: Final = {"schedule": "schedules", "next": "schedules", "team": "teams", "user": "agents"}


@dataclass(frozen=True, slots=True)
class Target(s.Scalar):
    """`schedule:l1` and the like; whether there is such a one is checked when all is read."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        value = s.Scalar.read(self, node, found)
        kind, _colon, key = str(value).partition(":")
        if kind in SECTION_OF:
            found.mention(SECTION_OF[kind], key, node)
        return value


def _target(text: str) -> str:
    if not spec.TARGET.fullmatch(text):
        raise ValueError(f"“{text[:60]}” is nobody; write schedule:KEY, next:KEY, team:KEY or user:ADDRESS.")
    return text


def to_hand_to(text: str) -> str:
    """Where a ticket is handed to: a tier above the first, or a team. Raises ValueError with a sentence."""
    if not spec.HAND.fullmatch(text):
        raise ValueError(
            f"“{text[:60]}” is no tier above the first and no team; write such as L2 or team:KEY."
        )
    return text


def _who() -> dict[str, str]:
    """Whom a step can call, as a form offers it."""
    schedules = list(Schedule.objects.order_by("name", "key").values_list("key", "name"))
    people = Agent.objects.filter(user__is_active=True).select_related("user").order_by("user__name")
    return (
        {f"schedule:{key}": f"on call: {name}" for key, name in schedules}
        | {f"next:{key}": f"next on call: {name}" for key, name in schedules}
        | {f"team:{team.key}": f"everybody of {team.name}" for team in Team.objects.order_by("tier", "name")}
        | {f"user:{one.user.email}": one.name for one in people}
    )


def whereto() -> dict[str, str]:
    """Where a ticket can be handed to, as a form offers it."""
    above = list(Team.objects.filter(tier__gt=1).order_by("tier", "name"))
    tiers = {f"L{team.tier}": f"the team of L{team.tier} that serves the client" for team in above}
    return tiers | {f"team:{team.key}": f"{team.name} (L{team.tier})" for team in above}


TARGETS: Final = s.ListOf(Target(_target, choices=_who), ordered=True)
STEP: Final = s.Record(
    {
        "after": s.DURATION,
        "page": TARGETS,
        "hand": Target(to_hand_to, choices=whereto),
        "via": s.one_of(lambda: spec.VIA),
        "during": s.one_of(lambda: spec.DURING),
        "unless": s.one_of(lambda: spec.UNLESS),
    },
    usual={"page": []},  # a step that hands on calls nobody, and its form says so
)
SPEC: Final = (
    "teams",
    "priorities",
    "calendar",
    "steps",
    "repeat",
    "ack_timeout",
    "when_exhausted",
    "nobody_on_call",
)


def judge_policy(item: Item, found: Findings) -> None:
    """Its steps rise, and each does one thing."""
    if "steps" in item.values:
        for sentence in spec.findings(item.values):
            found.add(item.line_of("steps"), sentence)


def _publish(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    """The next version, or the retirement, of a policy. Raises PolicyRefused."""
    if row is not None and values["retired"]:
        row.retire()
        return row
    said = {name: values[name] for name in SPEC}
    published = Policy.publish(values["key"], name=values["name"], said=said)
    if values["retired"]:
        published.retire()
    return published


def _in_spec(name: str, shape: s.Shape, default: Any) -> Field:
    return Field(name, shape, default, get=lambda policy: policy.spec.get(name, default))


PAGING_POLICIES: Final = Section(
    "paging_policies",
    key=("key",),
    rows=Policy.objects.newest,
    save=_publish,
    judge=judge_policy,
    fields=(
        Field("key", s.SLUG),
        Field("name", s.TEXT),
        _in_spec("teams", s.ListOf(s.Ref("teams")), []),
        _in_spec("priorities", s.ListOf(s.PRIORITY), [1]),
        Field("steps", s.ListOf(STEP, ordered=True), get=lambda policy: policy.spec["steps"]),
        _in_spec("calendar", s.Ref("calendars"), None),
        _in_spec("repeat", s.whole(0, 5), 0),
        _in_spec("ack_timeout", s.DURATION, 0),
        _in_spec("when_exhausted", TARGETS, []),
        _in_spec("nobody_on_call", s.one_of(lambda: spec.NOBODY), "next_shift"),
        Field("retired", s.SWITCH, False, get=lambda policy: not policy.is_active),
    ),
)

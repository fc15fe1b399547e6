"""What a procedure's specification may say: pure. Refused when it is published, not when a ticket burns.

scope: {services: [vpn], priorities: [1, 2]}     what it is for, besides the category
required: [symptom, steps_tried, exact_ask]      parts of the pack that must be answered
reasons: [skill, access]                         allowed reasons; all, if it names none
needs_book: true                                 a matching book is followed first, or it is said why not
may_skip: false                                  a tier may be skipped without a reason
accept_min: 30                                   working minutes in which the receiving tier accepts
max_returns: 2                                   returns before somebody must be named who takes it
who_may: [lead, manager]                         who hands a ticket up; everybody, if it names none
to: [team:network, L3]                           where it goes, the proposed one first; any team above, if it names none
allowed_when: {reasons: [access], book_followed: true, runs: 2, used: 40}   one of these must hold before
emergency: {priorities: [1], to: [L3], who_may: [lead], required: [symptom], accept_min: 5, tell: [managers]}
                                                 the short way, past tiers and books
ladder: [{at: 75, tell: [assignee, team_lead]}]  who is told at which percentage of a target
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tierdesk.response.tiers.gate import WHO
from tierdesk.response.tiers.ladder import is_role
from tierdesk.response.tiers.pack import QUESTIONS
from tierdesk.response.tiers.reasons import Reason


def findings(spec: Mapping[str, Any]) -> list[str]:
    """What is wrong with a specification, as sentences; empty if nothing is."""
    found = [f"“{name}” is not a rule; choose of {', '.join(CHECKS)}." for name in spec if name not in CHECKS]
    for name, check in CHECKS.items():
        if name in spec:
            found += check(name, spec[name])
    return found


def _names(allowed: Mapping[str, Any] | list[str]) -> Callable[[str, Any], list[str]]:
    def check(rule: str, values: Any) -> list[str]:
        if not isinstance(values, list | tuple):
            return [f"{rule} is a list."]
        return [f"{rule}: there is no “{value}”." for value in values if value not in allowed]

    return check


def _switch(rule: str, value: Any) -> list[str]:
    return [] if isinstance(value, bool) else [f"{rule} is true or false."]


def _at_least(least: int) -> Callable[[str, Any], list[str]]:
    def check(rule: str, value: Any) -> list[str]:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return [] if fits else [f"{rule} is a whole number, at least {least}."]

    return check


def _scope(rule: str, value: Any) -> list[str]:
    if not isinstance(value, Mapping) or not set(value) <= {"services", "priorities"}:
        return [f"{rule} names services and priorities, nothing else."]
    return _priorities(rule, value.get("priorities", ()))


def _path(rule: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        return [f"{rule} is a list."]
    return [
        f"{rule}: “{one}” is no place to go; write a tier such as L3, or team:KEY."
        for one in value
        if not re.fullmatch(r"L[2-4]|team:[a-z0-9][a-z0-9_-]*", str(one))
    ]


def _table(checks: Mapping[str, Callable[[str, Any], list[str]]]) -> Callable[[str, Any], list[str]]:
    """A rule that is a table of rules of its own."""

    def check(rule: str, value: Any) -> list[str]:
        if not isinstance(value, Mapping) or not set(value) <= set(checks):
            return [f"{rule} says {', '.join(checks)}, nothing else."]
        return [sentence for name in value for sentence in checks[name](f"{rule}: {name}", value[name])]

    return check


def _percent(rule: str, value: Any) -> list[str]:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100
    return [] if fits else [f"{rule} is a percentage, at most 100."]


def _priorities(rule: str, value: Any) -> list[str]:
    fits = isinstance(value, list | tuple) and all(number in range(1, 6) for number in value)
    return [] if fits else [f"{rule}: a priority is a number from 1 to 5."]


def _roles(rule: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple):
        return [f"{rule} is a list."]
    return [f"{rule}: “{role}” is nobody’s role." for role in value if not is_role(str(role))]


def _ladder(rule: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(_is_rung(rung) for rung in value):
        return [f"{rule} is a list of rungs, each with “at” and “tell”."]
    heights = [rung["at"] for rung in value]
    if any(not isinstance(height, int) or not 1 <= height <= 100 for height in heights):
        return [f"{rule}: “at” is a percentage from 1 to 100."]
    if heights != sorted(set(heights)):
        return [f"{rule}: each rung is higher than the one before."]
    return [sentence for rung in value for sentence in _roles(rule, rung["tell"])]


def _is_rung(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"at", "tell"} and isinstance(value["tell"], list)


_of_emergency = _table(
    {
        "priorities": _priorities,
        "to": _path,
        "who_may": _names(WHO),
        "required": _names(QUESTIONS),
        "accept_min": _at_least(1),
        "tell": _roles,
    }
)


def _emergency(rule: str, value: Any) -> list[str]:
    found = _of_emergency(rule, value)
    if not found and value and not value.get("priorities"):
        return [f"{rule}: say for which priorities."]
    return found


CHECKS: Mapping[str, Callable[[str, Any], list[str]]] = {
    "scope": _scope,
    "required": _names(QUESTIONS),
    "reasons": _names(list(Reason.values)),
    "needs_book": _switch,
    "may_skip": _switch,
    "accept_min": _at_least(1),
    "max_returns": _at_least(0),
    "who_may": _names(WHO),
    "ladder": _ladder,
    "to": _path,
    "allowed_when": _table(
        {
            "reasons": _names(list(Reason.values)),
            "book_followed": _switch,
            "runs": _at_least(0),
            "used": _percent,
        }
    ),
    "emergency": _emergency,
}

"""The life of a vendor case (promises.md §2.4): which state may follow which. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    VENDOR_WORKING = "vendor_working", "The vendor works on it"
    WAITING_ON_US = "waiting_on_us", "The vendor waits for us"
    SOLUTION_OFFERED = "solution_offered", "A solution is offered"
    VERIFYING = "verifying", "We try the solution"
    CLOSED = "closed", "Closed"


FOLLOWS: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"submitted", "closed"}),
    "submitted": frozenset({"acknowledged", "vendor_working", "waiting_on_us", "solution_offered", "closed"}),
    "acknowledged": frozenset({"vendor_working", "waiting_on_us", "solution_offered", "closed"}),
    "vendor_working": frozenset({"waiting_on_us", "solution_offered", "closed"}),
    "waiting_on_us": frozenset({"vendor_working", "solution_offered", "closed"}),
    "solution_offered": frozenset({"verifying", "vendor_working", "closed"}),
    "verifying": frozenset({"vendor_working", "closed"}),
    "closed": frozenset(),
}


CHASES: Mapping[str, str] = {
    "submitted": "{vendor} has not answered yet; chase them",
    "acknowledged": "{vendor} has it and says nothing; chase them",
    "vendor_working": "{vendor} has been quiet; chase them",
    "waiting_on_us": "{vendor} waits for our answer",
    "solution_offered": "{vendor} offers a solution that nobody has tried",
    "verifying": "is the solution of {vendor} good?",
}
"""The states in which somebody owes something, and what the driver is reminded of then."""


THEIR_TURN = frozenset({"submitted", "acknowledged", "vendor_working"})
"""The states in which the vendor owes the next word."""

CHASER = _("""Dear colleagues,

we are waiting for news on this case. What is its state, and when can we expect the next step?

Kind regards""")
"""How a vendor is chased when nobody writes by hand."""


class CloseCode(models.TextChoices):
    FIXED = "fixed", "Fixed"
    WORKAROUND = "workaround", "Workaround"
    AS_DESIGNED = "as_designed", "Works as designed"
    ENHANCEMENT = "enhancement", "Taken as an enhancement"
    ABANDONED = "abandoned", "Abandoned"


def may_follow(before: str, after: str) -> bool:
    return after in FOLLOWS[before]

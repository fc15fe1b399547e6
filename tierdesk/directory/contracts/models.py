"""What was promised: contracts in versions, and the promises each version makes, per metric and priority."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q

from tierdesk.core.read import ReadByTheThousand
from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.services.models import TicketType

CHANNELS = ("email", "web_form", "phone", "chat", "alarms", "api")


class Metric(models.TextChoices):
    """What a clock measures; see docs/glossary.md."""

    ACKNOWLEDGE = "acknowledge", "Acknowledge"
    RESPOND = "respond", "Respond"
    UPDATE = "update", "Update"
    RESOLVE = "resolve", "Resolve"
    ACCEPT = "accept", "Accept"
    DATE = "date", "Promised date"


class Party(models.TextChoices):
    """To whom or by whom a promise is made: the client, one of our tiers, a vendor."""

    SLA = "SLA", "Service level agreement (to the client)"
    OLA = "OLA", "Operational level agreement (per tier)"
    UC = "UC", "Underpinning contract (from a vendor)"


class Contract(models.Model):
    """An agreement with one client. A ticket keeps the version that was in force when it was opened.

    `type`: for tickets of this type only, before one that is for all (blank).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contracts")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    type = models.CharField(max_length=8, choices=TicketType.choices, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="one_contract_per_key")]

    def __str__(self) -> str:
        return self.name


class ContractVersion(models.Model):
    """One published edition of a contract; never edited.

    `matrix`: {"1": {"1": 1, "2": 2, "3": 3}, …}: impact → urgency → priority. `channels`: the agreed ones.
    `performers`: {"1": "us" | "client" | "vendor", …} per tier. `policies`: reopen, retarget, pause_reasons, … as
    response/sla/policy.py names them. `reopen_days`: the window in which the contact may reopen; then it closes.
    `pending`: what a wait for a reason leads to, as response/waiting/plan.py reads it; a reason it leaves out: nothing.
    `rungs`: [{at, tell, of, teams}, …]: who is told at which other moments of a promise (response/sla/marks.py).
    `complaints`: {per_month, tell}: how often the client may escalate by themselves, and who hears of it.
    `access`: {"root": 3, …}: from which tier on somebody may touch that (contracts/boundary.py).
    `major_updates`: {"1": 1800, …}: every how many seconds the client of a major incident hears from us, by priority;
    by the clock on the wall, also at night.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    contract = models.ForeignKey(Contract, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    effective_from = models.DateField()
    calendar = models.ForeignKey(CalendarVersion, on_delete=models.PROTECT)
    matrix = models.JSONField()
    channels = models.JSONField(default=list)
    performers = models.JSONField(default=dict)
    policies = models.JSONField(default=dict)
    reopen_days = models.PositiveSmallIntegerField(default=5)
    pending = models.JSONField(default=dict)
    rungs = models.JSONField(default=list)
    complaints = models.JSONField(default=dict)
    access = models.JSONField(default=dict)
    major_updates = models.JSONField(default=dict, db_default={})

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "version"], name="contract_versions_count")
        ]

    def __str__(self) -> str:
        return f"{self.contract.key}@{self.version}"

    @property
    def words(self) -> str:
        """What a reader calls it: “Halden Foods, operations”, version 1."""
        return f"“{self.contract.name}”, version {self.version}"

    def priority(self, impact: int, urgency: int) -> int:
        """The priority (1 critical to 5 planning) that this contract's matrix gives."""
        return int(self.matrix[str(impact)][str(urgency)])

    def calendar_at(self, priority: int) -> int:
        """The calendar version by which tickets of this priority are solved: a P1 may count at night as well."""
        promised = self.promises.filter(metric=Metric.RESOLVE, party=Party.SLA, priority=priority)
        found: int = promised.values_list("calendar_id", flat=True).first() or self.calendar_id
        return found

    def policy(self, name: str, default: Any) -> Any:
        return self.policies.get(name, default)


class Promise(ReadByTheThousand):
    """One target: this metric, for this party and priority, within `target_s` working seconds of `calendar`.

    `tier` is set for OLAs only. UC promises live with the vendor (response/vendors).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    contract_version = models.ForeignKey(ContractVersion, on_delete=models.CASCADE, related_name="promises")
    metric = models.CharField(max_length=12, choices=Metric.choices)
    party = models.CharField(max_length=3, choices=Party.choices, default=Party.SLA)
    priority = models.PositiveSmallIntegerField()
    tier = models.PositiveSmallIntegerField(null=True, blank=True)
    target_s = models.PositiveIntegerField()
    calendar = models.ForeignKey(CalendarVersion, on_delete=models.PROTECT)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract_version", "metric", "party", "priority", "tier"],
                nulls_distinct=False,
                name="one_promise_per_metric",
            ),
            models.CheckConstraint(condition=Q(target_s__gt=0), name="a_promise_takes_time"),
            models.CheckConstraint(
                condition=Q(party="OLA", tier__isnull=False) | (~Q(party="OLA") & Q(tier__isnull=True)),
                name="an_ola_names_its_tier",
            ),
        ]


def version_in_force(client_id: int, on: date, type: str = TicketType.INCIDENT) -> ContractVersion | None:
    """The version of the client's contract that applies to such tickets opened on `on`, or None without a contract."""
    versions = ContractVersion.objects.filter(client_id=client_id, effective_from__lte=on)
    return applying(versions.select_related("contract").order_by("effective_from", "version"), on, type)


def applying(versions: Iterable[ContractVersion], on: date, type: str) -> ContractVersion | None:
    """Of a client's versions, oldest first: the newest of a contract for this type, else of one for all types."""
    fit = [one for one in versions if one.effective_from <= on and one.contract.type in ("", type)]
    best = [one for one in fit if one.contract.type] or fit
    return best[-1] if best else None

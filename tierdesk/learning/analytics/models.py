"""Closed months: the figures of promises kept as they were told, and what was found out about them afterwards.

A figure of a closed month is never written again. What changes it later, a reopening or a correction, is a restatement
beside it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tierdesk.core.words import Word
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.contracts.models import Contract, Metric, Party
from tierdesk.directory.services.models import TicketType


class Counts(models.TextChoices):
    """As what a promise counts in a month."""

    KEPT = "kept", "Kept"
    MISSED = "missed", "Missed"
    OPEN_BROKEN = "open_broken", "Open and broken"
    LEFT_OUT = "left_out", "Left out"


NOT_COUNTED = ""


class ClosedMonth(models.Model):
    """A month of a client, from midnight to midnight in its zone, whose figures are told and kept.

    `compared_at`: when they were last held against the clocks; `wake_at`: when that is to be done again.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    begins_on = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    compared_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["begins_on", "client"]
        indexes = [
            models.Index(fields=["wake_at"], name="months_to_compare", condition=Q(wake_at__isnull=False))
        ]
        constraints = [
            models.UniqueConstraint(fields=["client", "begins_on"], name="a_month_is_closed_once"),
            models.CheckConstraint(
                condition=Q(starts_at__lt=models.F("ends_at"), ends_at__lte=models.F("closed_at")),
                name="a_month_is_closed_after_its_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.begins_on:%Y-%m} of {self.client_id}"


class Figure(models.Model):
    """How many promises of one kind counted as what in a closed month, when it was closed.

    `contract`, `type`: of the ticket then; no contract where it had none, or was another client's by then.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    month = models.ForeignKey(ClosedMonth, on_delete=models.CASCADE, related_name="figures", db_index=False)
    contract = models.ForeignKey(Contract, null=True, blank=True, on_delete=models.CASCADE, db_index=False)
    type = models.CharField(max_length=8, choices=TicketType.choices)
    party = models.CharField(max_length=3, choices=Party.choices)
    metric = models.CharField(max_length=12, choices=Metric.choices)
    tier = models.PositiveSmallIntegerField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField()
    kept = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    open_broken = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)

    objects = InternalRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month", "contract", "type", "party", "metric", "tier", "priority"],
                nulls_distinct=False,
                name="one_figure_per_kind",
            )
        ]


class Counted(models.Model):
    """As what one clock counts in a closed month, as far as that was told by now: with all restatements.

    Clocks and tickets are named by their keys: a ticket may become another client's, the month stays with this one.
    They come by the hundred thousand, in the statement that makes their figures: nothing of them is looked up again.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    month = models.ForeignKey(ClosedMonth, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    figure = models.ForeignKey(Figure, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    clock_id = models.BigIntegerField()
    ticket_id = models.BigIntegerField()
    counts = Word(max_length=11, choices=Counts.choices)

    objects = InternalRows.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month", "clock_id"], name="a_clock_counts_once_in_a_month")
        ]


class Restatement(models.Model):
    """What was found out about a closed month afterwards: one promise counts as something else than was told.

    `was` and `counts` are in `before` and `after`; empty, with no figure: it did not count in this month. `entry_id`:
    what happened to the ticket, where one entry says it.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, db_index=False)
    month = models.ForeignKey(
        ClosedMonth, on_delete=models.CASCADE, related_name="restatements", db_index=False
    )
    at = models.DateTimeField()
    clock_id = models.BigIntegerField()
    ticket_id = models.BigIntegerField()
    entry_id = models.BigIntegerField(null=True, blank=True)
    before = models.ForeignKey(Figure, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    was = models.CharField(max_length=11, choices=Counts.choices, blank=True)
    after = models.ForeignKey(Figure, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    counts = models.CharField(max_length=11, choices=Counts.choices, blank=True)

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["month", "id"], name="restatements_of_a_month")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(before__isnull=True, was="") | Q(before__isnull=False, was__gt=""))
                & (Q(after__isnull=True, counts="") | Q(after__isnull=False, counts__gt=""))
                & (Q(before__isnull=False) | Q(after__isnull=False)),
                name="a_restatement_says_from_what_to_what",
            )
        ]

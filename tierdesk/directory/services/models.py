"""What the clients have: services and their parts, what depends on what, and the categories of trouble."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Q, QuerySet

from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import Tier, User


class Services(QuerySet["Service"]):
    def visible_to(self, user: User) -> Self:
        ids = visible_clients(user)
        return self if ids is None else self.filter(Q(client_id__in=ids) | Q(client=None))

    def of_client(self, client_id: int) -> Self:
        return self.of_clients([client_id])

    def of_clients(self, client_ids: Iterable[int]) -> Self:
        return self.filter(Q(client_id__in=client_ids) | Q(client=None))

    def with_named_parts(self, words: Iterable[str]) -> Self:
        """Each with the names of its components that are among these words, as `named_parts`."""
        named = ArrayAgg("components__name", filter=Q(components__name__in=words), default=[])
        return self.annotate(named_parts=named)


class Service(models.Model):
    """Something a client uses and would miss. Without a client it is offered to all.

    `criticality` 1 (business stops) to 3 (nuisance): 1 raises the urgency of its tickets by one. `needs`: {platform,
    level}: the skill that its tickets take, unless their category says one. `categories`: the kinds of trouble, as
    scopes such as `network/vpn`, that are about it where nobody names a service.
    """

    client = models.ForeignKey(
        Client, null=True, blank=True, on_delete=models.CASCADE, related_name="services"
    )
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=160)
    criticality = models.PositiveSmallIntegerField(default=2)
    kind = models.CharField(max_length=40, blank=True)
    needs = models.JSONField(default=dict, blank=True)
    categories = models.JSONField(default=list, blank=True)
    depends_on = models.ManyToManyField("self", symmetrical=False, related_name="supports", blank=True)

    objects = Services.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "key"], nulls_distinct=False, name="one_service_per_key"
            ),
            models.CheckConstraint(condition=Q(criticality__range=(1, 3)), name="criticality_is_1_to_3"),
        ]

    def __str__(self) -> str:
        return self.name


class Component(models.Model):
    """A part of a service that alarms and tickets can name: a host, a device, an application."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="components")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=160)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="one_component_per_name")]

    def __str__(self) -> str:
        return self.name


class TicketType(models.TextChoices):
    """What a ticket is: something is broken, or somebody wants something that we provide."""

    INCIDENT = "incident", "Incident"
    REQUEST = "request", "Service request"


class Category(models.Model):
    """A kind of trouble, as a path such as `network/vpn`. `keywords` are words that suggest it.

    `type`: what a ticket of this category is, if nobody says; blank: an incident.

    `impact` and `urgency` (1 high to 3 low) are what a ticket of this category has until somebody says otherwise.
    `needs`: {platform, level}: the skill that it takes. `access`: what must be touched, such as `root`: the client's
    contract says from which tier on. `lowest_tier`: the tier below which nobody may act, for every client.
    """

    path = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    keywords = models.JSONField(default=list, blank=True)
    type = models.CharField(max_length=8, choices=TicketType.choices, blank=True)
    impact = models.PositiveSmallIntegerField(default=3)
    urgency = models.PositiveSmallIntegerField(default=2)
    needs = models.JSONField(default=dict, blank=True)
    access = models.CharField(max_length=40, blank=True)
    lowest_tier = models.PositiveSmallIntegerField(choices=Tier.choices, null=True, blank=True)

    class Meta:
        ordering = ["path"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def is_within(self, scope: str) -> bool:
        """Whether `scope` (`network/vpn`, `network/*` or `*`) covers this category."""
        return scope in {"*", self.path} or (scope.endswith("/*") and self.path.startswith(scope[:-1]))

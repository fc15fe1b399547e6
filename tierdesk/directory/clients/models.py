"""The people we work for: clients, their sites, contacts, mail domains and numbers, and which teams serve them."""

from __future__ import annotations

from typing import Self

import phonenumbers
from django.db import models
from django.db.models import Q, QuerySet

from tierdesk.core import clock
from tierdesk.core.facts import Actor
from tierdesk.directory.clients.visibility import ClientRows, visible_clients
from tierdesk.directory.staff.models import Team, User


class Clients(QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        ids = visible_clients(user)
        return self if ids is None else self.filter(pk__in=ids)


class Client(models.Model):
    """A customer organisation. `region` is the ISO 3166 code that its local phone numbers are read with.

    `wake_at`: when its month is closed next; a new client is looked at at once.
    """

    key = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC")
    region = models.CharField(max_length=2, default="DE")
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    teams = models.ManyToManyField(Team, through="Assignment", related_name="clients")
    wake_at = models.DateTimeField(null=True, blank=True, default=clock.now)

    objects = Clients.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["wake_at"], name="clients_to_wake", condition=Q(wake_at__isnull=False))
        ]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A mail domain that belongs to one client: a sender from it is at least of that client."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(max_length=253, unique=True)

    objects = ClientRows.as_manager()


class Site(models.Model):
    """A place of a client's."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="sites")
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, blank=True)
    address = models.TextField(blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="one_site_per_name")]


class Contact(models.Model):
    """A person at a client. `sees_client`: on the portal, sees all tickets of the client, not only the own ones."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="contact"
    )
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True)
    is_vip = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    sees_client = models.BooleanField(default=False)
    undeliverable_since = models.DateTimeField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "email"], condition=~Q(email=""), name="one_contact_per_address_and_client"
            )
        ]
        indexes = [models.Index(fields=["email"], name="contacts_by_address")]

    def __str__(self) -> str:
        return self.name

    def actor(self) -> Actor:
        return Actor("contact", self.name, self.pk)

    @property
    def zone(self) -> str:
        return self.timezone or self.client.timezone


class Number(models.Model):
    """A phone number in E.164. Without a contact it is a switchboard: it tells the client, not the person."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="numbers")
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="numbers"
    )
    e164 = models.CharField(max_length=16)

    objects = ClientRows.as_manager()

    @property
    def spelled(self) -> str:
        """As people read it: in groups, with the country first."""
        try:
            number = phonenumbers.parse(self.e164)
        except phonenumbers.NumberParseException:
            return self.e164
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))

    class Meta:
        indexes = [models.Index(fields=["e164"], name="numbers_by_e164")]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "contact", "e164"], nulls_distinct=False, name="a_number_once_per_contact"
            )
        ]


class Assignment(models.Model):
    """Which team serves which client: what an agent may see follows from it."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    team = models.ForeignKey(Team, on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "team"], name="a_team_serves_a_client_once")]

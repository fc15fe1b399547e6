"""Who works here: users, agents, teams on their tiers, and what each agent can do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from tierdesk.core.facts import Actor
from tierdesk.core.written import Written
from tierdesk.directory.calendars.models import Calendar


class Tier(models.IntegerChoices):
    """The ladder of support: first line, second line, the experts, the maker or vendor."""

    L1 = 1, "L1"
    L2 = 2, "L2"
    L3 = 3, "L3"
    L4 = 4, "L4"


class Accounts(BaseUserManager["User"]):
    """Makes and finds accounts; addresses are compared without regard to case."""

    def create_user(self, email: str, *, name: str, password: str | None = None, **extra: Any) -> User:
        user = self.model(email=email.strip().lower(), name=name, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """An account that signs in: an agent's, a contact's, or an administrator's. `email` is always lower case."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    is_admin = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = Accounts()

    def __str__(self) -> str:
        return self.name

    @property
    def is_agent(self) -> bool:
        return self.is_active and hasattr(self, "agent")

    def actor(self) -> Actor:
        """Who this account is on the timeline; an agent's actor id is the Agent's key, others the User's."""
        if hasattr(self, "agent"):
            return self.agent.actor()
        return Actor("admin" if self.is_admin else "contact", self.name, self.pk)


class Assigns(models.TextChoices):
    """A team's way of finding who works the next ticket: agents pull it, or the desk pushes it to one of them."""

    PULL = "pull", "agents take the next best ticket themselves"
    ROUND_ROBIN = "round_robin", "in turn"
    LEAST_LOADED = "least_loaded", "to whoever holds least"
    SKILL = "skill", "to whoever fits best"


CAPACITY = 8
"""How much an agent of a pushing team holds at most, where nothing is said: a P1 counts 3, a P2 2, another 1."""


class Team(models.Model):
    """People who hold a queue together, on one tier.

    `assigning`: {by, capacity}, as `Assigns` names the ways; what it leaves out is as usual: `pull`, CAPACITY. `hours`:
    when the desk gives its tickets to people, by the calendar's newest version; none: around the clock.
    """

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    tier = models.PositiveSmallIntegerField(choices=Tier.choices)
    serves_every_client = models.BooleanField(default=False)
    assigning = models.JSONField(default=dict, blank=True)
    hours = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["tier", "name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(tier__range=(1, 4)), name="a_team_stands_on_a_tier")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def assigns_by(self) -> str:
        """The team's way, one of `Assigns`."""
        return str(self.assigning.get("by", Assigns.PULL))

    @property
    def pushes(self) -> bool:
        """Whether the desk gives this team's tickets to agents by itself."""
        return self.assigns_by != Assigns.PULL

    @property
    def capacity(self) -> int:
        return int(self.assigning.get("capacity", CAPACITY))


class Agent(models.Model):
    """Someone who works tickets. `is_manager` opens the reports, `is_away` takes them out of assignment.

    `wake_at`: when being away ends by itself. `languages`: codes such as `de`; none given: the account's own. `hours`:
    when they work, and are given tickets; none: whenever their team does.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="agent")
    teams = models.ManyToManyField(Team, through="Membership", related_name="agents")
    is_manager = models.BooleanField(default=False)
    is_away = models.BooleanField(default=False)
    wake_at = models.DateTimeField(null=True, blank=True)
    languages = models.JSONField(default=list, blank=True)
    hours = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["wake_at"], name="agents_who_return", condition=Q(wake_at__isnull=False))
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(wake_at__isnull=True) | Q(is_away=True), name="only_who_is_away_returns"
            )
        ]

    def __str__(self) -> str:
        return self.user.name

    @property
    def speaks(self) -> frozenset[str]:
        """The languages that this agent works in, as codes without a region."""
        return frozenset(base_language(code) for code in self.languages or [self.user.language])

    def go_away(self, *, until: datetime | None = None) -> None:
        """Out of office: nothing new is given to this agent, until then or until they come back."""
        self.is_away, self.wake_at = True, until
        self.save(update_fields=["is_away", "wake_at"])

    def come_back(self) -> None:
        self.is_away, self.wake_at = False, None
        self.save(update_fields=["is_away", "wake_at"])

    @property
    def name(self) -> str:
        return self.user.name

    def actor(self) -> Actor:
        return Actor("agent", self.user.name, self.pk)

    @cached_property
    def standing(self) -> list[Membership]:
        """The memberships with their teams, read once per agent object, that is, once per request."""
        return _MEMBERSHIPS(agent=self)

    @property
    def team_ids(self) -> set[int]:
        return {membership.team_id for membership in self.standing}

    def leads(self, team_id: int | None) -> bool:
        return any(membership.is_lead and membership.team_id == team_id for membership in self.standing)

    def reaches(self, tier: int) -> bool:
        """Whether a team of theirs stands on this tier or above."""
        return any(membership.team.tier >= tier for membership in self.standing)


class Membership(models.Model):
    """An agent in a team; leads answer for it. `last_given_at`: when the desk last gave them a ticket of the team."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    is_lead = models.BooleanField(default=False)
    last_given_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "team"], name="one_membership_per_team")]


_MEMBERSHIPS = Written(lambda agent: Membership.objects.filter(agent=agent).select_related("team"))


class Skill(models.Model):
    """What an agent can do: a platform, a level from 1 (learning) to 3 (expert), and since when."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="skills")
    platform = models.CharField(max_length=80)
    level = models.PositiveSmallIntegerField(default=1)
    since_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "platform"], name="one_level_per_platform")]


def base_language(code: str) -> str:
    """A language without its region: `de` of `de-AT`."""
    return code.replace("_", "-").partition("-")[0].strip().lower()

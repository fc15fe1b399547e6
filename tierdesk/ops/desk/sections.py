"""All sections of the file, in the order in which they are applied: each one after those that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final

import yaml
from django.db.models import Model, Prefetch, QuerySet

from tierdesk.channels.alarms.models import JOIN_S, STORM_ALARMS, Source
from tierdesk.channels.alarms.shapes import named as alarm_shape
from tierdesk.channels.alarms.shapes import names as alarm_shapes
from tierdesk.channels.alarms.tokens import unsealed
from tierdesk.channels.alarms.usm import AUTH, NO_PRIVACY, PRIVACY
from tierdesk.channels.chat.models import Bridge, Widget
from tierdesk.channels.chat.platforms import platforms
from tierdesk.core import clock
from tierdesk.directory.clients.models import Client, Contact, Domain, Number, Site
from tierdesk.directory.contracts.models import CHANNELS
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.services.models import Category, Component, Service, TicketType
from tierdesk.directory.staff.models import CAPACITY, Agent, Assigns, Membership, Skill, Team, User
from tierdesk.ops.desk import shapes as s
from tierdesk.ops.desk import versions as v
from tierdesk.ops.desk.checks import (
    judge_alarm_source,
    judge_book,
    judge_calendar,
    judge_contract,
    judge_procedure,
    judge_team_leads,
)
from tierdesk.ops.desk.exchanges import EXCHANGES
from tierdesk.ops.desk.forms import FORMS
from tierdesk.ops.desk.lines import Findings
from tierdesk.ops.desk.mailboxes import MAILBOXES
from tierdesk.ops.desk.maintenance import MAINTENANCE
from tierdesk.ops.desk.paging import PAGING_POLICIES, Target, to_hand_to, whereto
from tierdesk.ops.desk.schedules import SCHEDULES
from tierdesk.ops.desk.schema import Field, Section, Values, World, link, put_all, save_columns
from tierdesk.ops.desk.sealed import sealed
from tierdesk.response.assignment.models import begin_anew, look_again
from tierdesk.response.major.cadence import LONGEST_MIN, SHORTEST_MIN
from tierdesk.response.runbooks.models import Book, Revision
from tierdesk.response.sla.marks import Mark
from tierdesk.response.sla.policy import CLIENT_OWES, REOPEN, RETARGET, UPDATE
from tierdesk.response.tiers.gate import WHO, Emergency, Rules
from tierdesk.response.tiers.ladder import DUTY, PERSON, is_role
from tierdesk.response.tiers.models import ProcedureKind
from tierdesk.response.tiers.pack import QUESTIONS, REQUIRED
from tierdesk.response.tiers.reasons import Reason
from tierdesk.response.triage.models import Route
from tierdesk.response.vendors.models import UnderpinningContract, Vendor
from tierdesk.response.waiting.plan import CHASERS, THEN
from tierdesk.tickets.lifecycle import PendingReason

CHANNEL_NAMES: Final = {"email": "E-mail", "api": "API"}
HOUSE_CHANNELS: Final = s.one_of(
    lambda: {name: CHANNEL_NAMES.get(name, name.replace("_", " ").capitalize()) for name in CHANNELS}
)
CHANNEL_LIST: Final = s.ListOf(HOUSE_CHANNELS)
PERFORMERS: Final = {"us": "we do", "client": "the client does", "vendor": "a vendor does"}

POLICIES: Final = s.Record(
    {
        "pause_reasons": s.ListOf(s.one_of(lambda: dict(PendingReason.choices))),
        "reopen": s.one_of(lambda: REOPEN),
        "retarget": s.one_of(lambda: RETARGET),
        "downgrade_allowed_after_breach": s.SWITCH,
        "update": s.one_of(lambda: UPDATE),
        "ack_counts": s.ListOf(HOUSE_CHANNELS),
    },
    usual={
        "pause_reasons": [reason for reason in PendingReason.values if reason in CLIENT_OWES],
        "reopen": "resume",
        "retarget": "decided",
        "downgrade_allowed_after_breach": False,
        "update": "cadence",
        "ack_counts": [],
    },
)
"""What a contract may agree on beside its promises; what it leaves out is as usual."""


PENDING: Final = s.Table(
    s.one_of(lambda: dict(PendingReason.choices)),
    s.Record(
        {
            "every": s.TARGET,
            "chasers": s.whole(0, 10),
            "then": s.one_of(lambda: THEN),
            "after": s.TARGET,
        },
        usual={"chasers": CHASERS, "then": "nothing"},
    ),
)
"""What a wait leads to, by its reason; a reason that is left out: the ticket waits until somebody takes it up."""


def _roles() -> dict[str, str]:
    on_call = {
        f"{DUTY}:{schedule.key}": f"on call: {schedule.name}" for schedule in Schedule.objects.order_by("key")
    }
    managers = Agent.objects.filter(is_manager=True, user__is_active=True).select_related("user")
    people = {f"{PERSON}:{one.user.email}": one.name for one in managers.order_by("user__name")}
    return ROLES | on_call | people


def _service_keys() -> dict[str, str]:
    """A procedure for every client may name what only some of them have."""
    return dict(Service.objects.order_by("name", "client_id").values_list("key", "name"))


@dataclass(frozen=True, slots=True)
class Role(s.Scalar):
    """Somebody of a ladder; whether there is such a schedule or agent is checked when all is read."""

    def read(self, node: yaml.Node, found: Findings) -> Any:
        value = s.Scalar.read(self, node, found)
        kind, _colon, key = str(value).partition(":")
        if key and kind in SECTION_OF_ROLE:
            found.mention(SECTION_OF_ROLE[kind], key, node)
        return value


SECTION_OF_ROLE: Final = {DUTY: "schedules", PERSON: "agents"}


def _role(text: str) -> str:
    if not is_role(text):
        raise ValueError(
            f"“{text[:40]}” is nobody’s role; write one of {', '.join(ROLES)}, duty:SCHEDULE or agent:ADDRESS."
        )
    return text


ROLES: Final = {
    "assignee": "who works on it",
    "team_lead": "the team’s leads",
    DUTY: "who is on call for the team",
    "managers": "managers",
}

TELL: Final = s.ListOf(Role(_role, choices=_roles))
RUNGS: Final = s.ListOf(
    s.Record(
        {
            "at": s.Scalar(lambda text: str(Mark.of(text))),
            "tell": TELL,
            "of": s.ListOf(s.one_of(lambda: {metric: metric.capitalize() for metric in v.SLA_METRICS})),
            "teams": s.ListOf(s.Ref("teams")),
        },
        usual={"of": [], "teams": []},
    ),
    ordered=True,
)
"""Who is told at which moments of a promise to the client, beside the warning at 75 % and the breach."""

COMPLAINTS: Final = s.Record(
    {"per_month": s.whole(0, 1000), "tell": TELL}, usual={"per_month": 0, "tell": []}
)
"""How often a client may escalate by themselves, and who hears of it if not leads and managers."""


def _cadence(text: str) -> int:
    seconds: int = s.DURATION.parse(text)
    if seconds % 60 or not SHORTEST_MIN <= seconds // 60 <= LONGEST_MIN:
        raise ValueError(
            f"“{text[:40]}” does not fit; write whole minutes from {SHORTEST_MIN} min to {LONGEST_MIN // 60} h."
        )
    return seconds


CADENCES: Final = s.Table(s.PRIORITY, s.Scalar(_cadence, s.show_duration, kind="duration"))
"""Every how long the client of a major incident hears from us, by its priority."""

ASSIGNMENT: Final = s.Record(
    {"by": s.one_of(lambda: dict(Assigns.choices)), "capacity": s.whole(1, 1000)},
    usual={"by": Assigns.PULL.value, "capacity": CAPACITY},
)
"""How a team finds who works its next ticket."""

NEEDS: Final = s.Record({"platform": s.TEXT, "level": s.SKILL}, usual={"level": 1})
"""The skill that a ticket takes."""

HOUSE_RULE: Final = Rules.of("house rule", {})
SHORT_WAY: Final = Emergency(priorities=())
PATH: Final = s.ListOf(Target(to_hand_to, choices=whereto), ordered=True)
WHO_MAY: Final = s.ListOf(s.one_of(lambda: WHO))
REQUIRED_PARTS: Final = s.ListOf(s.one_of(lambda: QUESTIONS))
PRIORITIES: Final = s.ListOf(s.PRIORITY_NUMBER)
RULES: Final = s.Record(
    {
        "to": PATH,
        "allowed_when": s.Record(
            {
                "reasons": s.ListOf(s.one_of(lambda: dict(Reason.choices))),
                "book_followed": s.SWITCH,
                "runs": s.whole(0, 100),
                "used": s.whole(0, 100),
            },
            usual={"reasons": [], "book_followed": False, "runs": 0, "used": 0},
        ),
        "required": REQUIRED_PARTS,
        "reasons": s.ListOf(s.one_of(lambda: dict(Reason.choices))),
        "needs_book": s.SWITCH,
        "may_skip": s.SWITCH,
        "accept_min": s.whole(1, 10_000),
        "max_returns": s.whole(0, 100),
        "who_may": WHO_MAY,
        "scope": s.Record(
            {"services": s.ListOf(s.Scalar(s.one_line, choices=_service_keys)), "priorities": PRIORITIES},
            usual={"services": [], "priorities": []},
        ),
        "emergency": s.Record(
            {
                "priorities": PRIORITIES,
                "to": PATH,
                "who_may": WHO_MAY,
                "required": REQUIRED_PARTS,
                "accept_min": s.whole(1, 10_000),
                "tell": TELL,
            },
            usual={
                "priorities": [],
                "to": [],
                "who_may": [],
                "required": list(SHORT_WAY.required),
                "accept_min": SHORT_WAY.accept_min,
                "tell": list(SHORT_WAY.tell),
            },
        ),
        "ladder": s.ListOf(s.Record({"at": s.whole(1, 100), "tell": TELL}), ordered=True),
    },
    usual={
        "to": [],
        "allowed_when": {},
        "required": list(REQUIRED),
        "reasons": [],
        "needs_book": False,
        "may_skip": False,
        "accept_min": HOUSE_RULE.accept_min,
        "max_returns": HOUSE_RULE.max_returns,
        "who_may": [],
        "scope": {},
        "emergency": {},
        "ladder": [],
    },
)
"""The rules of a procedure, as response/tiers/spec.py judges them; what they leave out is the house rule."""


def _rows(
    model: type[Model], *related: str, many: tuple[Any, ...] = (), **narrowed: Any
) -> Callable[[], QuerySet[Any]]:
    """A model's rows, with the `related` rows that each has one of and the `many` that it has several of."""
    rows = model._default_manager.filter(**narrowed).prefetch_related(*many)
    return lambda: (rows.select_related(*related) if related else rows).all()


# -- what lives beside its row


def _set_teams_of_client(world: World, client: Client, teams: list[str]) -> None:
    client.teams.set([world.row("teams", key) for key in teams])


def _set_domains(world: World, client: Client, names: list[str]) -> None:
    client.domains.exclude(name__in=names).delete()
    for name in names:
        Domain.objects.get_or_create(client=client, name=name)


def _set_switchboard(world: World, client: Client, numbers: list[str]) -> None:
    client.numbers.filter(contact=None).exclude(e164__in=numbers).delete()
    for e164 in numbers:
        Number.objects.get_or_create(client=client, contact=None, e164=e164)


def _set_phones(world: World, contact: Contact, numbers: list[str]) -> None:
    contact.numbers.exclude(e164__in=numbers).delete()
    for e164 in numbers:
        Number.objects.get_or_create(client=contact.client, contact=contact, e164=e164)


def _set_portal(world: World, contact: Contact, may_sign_in: bool) -> None:
    """Give the contact an account, or close the one it has."""
    if contact.user is None and may_sign_in:
        account = {"name": contact.name, "timezone": contact.zone, "password": world.password}
        contact.user, _ = User.objects.get_or_create(email=contact.email, defaults=account)
        contact.save(update_fields=["user"])
    if contact.user is not None and contact.user.is_active != may_sign_in:
        contact.user.is_active = may_sign_in
        contact.user.save(update_fields=["is_active"])


def _set_memberships(world: World, agent: Agent, teams: list[str]) -> None:
    agent.memberships.exclude(team__key__in=teams).delete()
    for key in teams:
        Membership.objects.get_or_create(agent=agent, team=world.row("teams", key))


def _set_leads(world: World, agent: Agent, teams: list[str]) -> None:
    agent.memberships.exclude(team__key__in=teams).update(is_lead=False)
    agent.memberships.filter(team__key__in=teams).update(is_lead=True)


def _set_skills(world: World, agent: Agent, levels: dict[str, int]) -> None:
    agent.skills.exclude(platform__in=levels).delete()
    for platform, level in levels.items():
        Skill.objects.update_or_create(agent=agent, platform=platform, defaults={"level": level})


def _set_dependencies(world: World, service: Service, keys: list[str]) -> None:
    client = service.client.key if service.client else None
    service.depends_on.set([world.row("services", key, client) for key in keys])


def _begin_beat(world: World, source: Source, changed: int) -> None:
    """The promise stands in two columns that are written by now; whichever changed, it begins anew."""
    source.promise_beat(every_s=source.beat_s, grace_s=source.grace_s, at=clock.now())


def _sign_with(world: World, source: Source, secret: str) -> None:
    source.sign_with(secret)
    source.save(update_fields=["secret"])


def _encrypt_with(world: World, source: Source, secret: str) -> None:
    source.encrypt_with(secret)
    source.save(update_fields=["usm_privacy_secret"])


def _sorted(rows: Any, column: str) -> list[Any]:
    """What the rows have in `column`; rows that were fetched together are not fetched again."""
    return sorted(map(attrgetter(column), rows.all()))


# -- what is more than one row


def _save_agent(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    """An agent and its account. An account that is there already (an administrator's) becomes an agent's too."""
    if row is None:
        user, _ = User.objects.get_or_create(email=values["email"], defaults={"password": world.password})
        row = Agent(user=user)
    _set_columns(row.user, values, {"name", "timezone", "language"})
    row.user.is_active, row.user.is_admin = values["active"], values["admin"]
    row.user.save()
    row.is_manager, row.languages = values["manager"], values["languages"]
    row.hours = world.row("calendars", values["hours"])
    row.save()
    put_all(world, section, row, values, changed)
    return row


def _look_again(world: World, agent: Agent, _: Any) -> None:
    """Somebody with other hours may have room now."""
    look_again(agent.team_ids, clock.now())


def _save_admin(world: World, section: Section, row: Any, values: Values, changed: set[str]) -> Any:
    if row is None:
        row, _ = User.objects.get_or_create(email=values["email"], defaults={"password": world.password})
    _set_columns(row, values, {"name", "timezone"})
    row.is_admin = True
    row.save()
    return row


def _set_columns(row: Any, values: Values, names: set[str]) -> None:
    for name in names:
        setattr(row, name, values[name])


def _complete_book(values: Values) -> None:
    """A book's key is in its head; its words are in a file or in the desk file itself."""
    if "file" in values:
        values["text"] = values.pop("file")
    values.update(v.book_head(values))


CLIENT: Final = link("client", "clients")
ANY_CLIENT: Final = link("client", "clients", None)
NAME: Final = Field("name", s.TEXT)
TYPE: Final = Field("type", s.one_of(lambda: dict(TicketType.choices)), "")
NEEDED: Final = Field("needs", NEEDS, {}, column="needs", get=lambda row: NEEDS.without_usual(row.needs))
EFFECTIVE: Final = Field(
    "effective_from", s.DATE, None, get=v.of_newest(lambda newest: newest.effective_from), silent=True
)

NEWEST_REVISION: Final = Prefetch(
    "revisions",
    Revision.objects.order_by("book_id", "-number").distinct("book_id"),
    to_attr="newest_revisions",
)

SECTIONS: Final[tuple[Section, ...]] = (
    Section(
        "calendars",
        key=("key",),
        rows=v.calendars,
        save=v.publish_calendar,
        judge=judge_calendar,
        fields=(
            Field("key", s.SLUG),
            NAME,
            EFFECTIVE,
            Field("timezone", s.ZONE, get=v.of_newest(lambda newest: newest.spec["tz"])),
            Field("week", s.Week(), get=v.of_newest(lambda newest: newest.spec.get("week", {}))),
            Field(
                "closed",
                s.ListOf(s.DATE_TEXT),
                [],
                get=v.of_newest(lambda newest: sorted(newest.spec.get("closed", []))),
            ),
            Field(
                "holidays",
                s.LONG_TEXT,
                "",
                get=v.of_newest(lambda newest: newest.spec.get("holidays", {}).get("file", "")),
            ),
            Field(
                "partial",
                s.Table(s.DATE_TEXT, s.SPANS),
                {},
                get=v.of_newest(lambda newest: newest.spec.get("partial", {})),
            ),
        ),
    ),
    Section(
        "teams",
        key=("key",),
        rows=_rows(Team, "hours"),
        save=save_columns(Team),
        fields=(
            Field("key", s.SLUG),
            NAME,
            Field("tier", s.TIER),
            Field("every_client", s.SWITCH, False, column="serves_every_client"),
            replace(
                link("hours", "calendars", None), put=lambda world, team, _: begin_anew(team, clock.now())
            ),
            Field(
                "assignment",
                ASSIGNMENT,
                {},
                column="assigning",
                get=lambda team: ASSIGNMENT.without_usual(team.assigning),
                put=lambda world, team, way: begin_anew(team, clock.now()),
            ),
        ),
    ),
    Section(
        "clients",
        key=("key",),
        rows=_rows(
            Client, many=("teams", "domains", Prefetch("numbers", Number.objects.filter(contact=None)))
        ),
        save=save_columns(Client),
        fields=(
            Field("key", s.CLIENT_KEY),
            NAME,
            Field("timezone", s.ZONE, "UTC"),
            Field("region", s.REGION, "DE"),
            Field("language", s.TEXT, "en"),
            Field("active", s.SWITCH, True, column="is_active"),
            Field(
                "teams",
                s.ListOf(s.Ref("teams")),
                [],
                get=lambda client: _sorted(client.teams, "key"),
                put=_set_teams_of_client,
            ),
            Field(
                "domains",
                s.ListOf(s.DOMAIN),
                [],
                get=lambda client: _sorted(client.domains, "name"),
                put=_set_domains,
            ),
            Field(
                "phones",
                s.ListOf(s.PHONE),
                [],
                get=lambda client: _sorted(client.numbers, "e164"),
                put=_set_switchboard,
            ),
        ),
    ),
    Section(
        "sites",
        key=("client", "name"),
        rows=_rows(Site, "client"),
        save=save_columns(Site),
        fields=(CLIENT, NAME, Field("timezone", s.ZONE, ""), Field("address", s.LONG_TEXT, "")),
    ),
    Section(
        "admins",
        key=("email",),
        rows=_rows(User, is_admin=True, agent=None),
        save=_save_admin,
        fields=(Field("email", s.EMAIL), NAME, Field("timezone", s.ZONE, "UTC")),
    ),
    Section(
        "agents",
        key=("email",),
        rows=_rows(Agent, "user", "hours", many=("memberships__team", "skills")),
        save=_save_agent,
        judge=judge_team_leads,
        fields=(
            Field("email", s.EMAIL, column="user.email"),
            Field("name", s.TEXT, column="user.name"),
            Field("timezone", s.ZONE, "UTC", column="user.timezone"),
            Field("language", s.TEXT, "en", column="user.language"),
            Field("active", s.SWITCH, True, column="user.is_active"),
            Field("admin", s.SWITCH, False, column="user.is_admin"),
            Field("manager", s.SWITCH, False, column="is_manager"),
            Field(
                "teams",
                s.ListOf(s.Ref("teams")),
                [],
                get=lambda agent: _sorted(agent.memberships, "team.key"),
                put=_set_memberships,
            ),
            Field(
                "leads",
                s.ListOf(s.Ref("teams")),
                [],
                get=lambda agent: sorted(one.team.key for one in agent.memberships.all() if one.is_lead),
                put=_set_leads,
            ),
            Field(
                "skills",
                s.Table(s.TEXT, s.SKILL),
                {},
                get=lambda agent: {skill.platform: skill.level for skill in agent.skills.all()},
                put=_set_skills,
            ),
            Field("languages", s.ListOf(s.LANGUAGE_CODE), []),
            replace(link("hours", "calendars", None), put=_look_again),
        ),
    ),
    Section(
        "contacts",
        key=("client", "email"),
        rows=lambda: (
            Contact.objects.exclude(email="")
            .select_related("client", "site", "user")
            .prefetch_related("numbers")
        ),
        save=save_columns(Contact),
        fields=(
            CLIENT,
            Field("email", s.EMAIL),
            NAME,
            link("site", "sites", None, label="name"),
            Field("timezone", s.ZONE, ""),
            Field("language", s.TEXT, ""),
            Field("vip", s.SWITCH, False, column="is_vip"),
            Field("active", s.SWITCH, True, column="is_active"),
            Field("sees_client", s.SWITCH, False),
            Field(
                "phones",
                s.ListOf(s.PHONE),
                [],
                get=lambda contact: _sorted(contact.numbers, "e164"),
                put=_set_phones,
            ),
            Field(
                "portal",
                s.SWITCH,
                False,
                get=lambda contact: contact.user is not None and contact.user.is_active,
                put=_set_portal,
            ),
        ),
    ),
    Section(
        "services",
        key=("client", "key"),
        rows=_rows(Service, "client", many=("depends_on",)),
        save=save_columns(Service),
        fields=(
            ANY_CLIENT,
            Field("key", s.SLUG),
            NAME,
            Field("criticality", s.CRITICALITY, 2),
            Field("kind", s.TEXT, ""),
            NEEDED,
            Field("categories", s.ListOf(s.Ref("categories", is_scope=True)), []),
            Field(
                "depends_on",
                s.ListOf(s.Ref("services")),
                [],
                get=lambda service: _sorted(service.depends_on, "key"),
                put=_set_dependencies,
            ),
        ),
    ),
    Section(
        "components",
        key=("client", "name"),
        rows=_rows(Component, "client", "service"),
        save=save_columns(Component),
        fields=(CLIENT, NAME, link("service", "services")),
    ),
    Section(
        "categories",
        key=("path",),
        rows=_rows(Category),
        save=save_columns(Category),
        fields=(
            Field("path", s.PATH),
            NAME,
            Field("keywords", s.ListOf(s.TEXT, ordered=True), []),
            TYPE,
            Field("impact", s.IMPACT, 3),
            Field("urgency", s.URGENCY, 2),
            NEEDED,
            Field("access", s.ACCESS, ""),
            Field("lowest_tier", s.TIER, None),
        ),
    ),
    Section(
        "contracts",
        key=("client", "key"),
        rows=v.contracts,
        save=v.publish_contract,
        complete=v.complete_promises,
        terse=v.without_own_calendars,
        judge=judge_contract,
        fields=(
            CLIENT,
            Field("key", s.SLUG),
            NAME,
            TYPE,
            EFFECTIVE,
            Field(
                "calendar",
                s.Ref("calendars"),
                get=v.of_newest(lambda newest: v.calendar_key(newest.calendar)),
            ),
            Field("matrix", s.Matrix(), get=v.of_newest(lambda newest: newest.matrix)),
            Field(
                "promises",
                s.Table(
                    s.PRIORITY,
                    s.Record(
                        {"calendar": s.Ref("calendars")}
                        | dict.fromkeys(v.SLA_METRICS, s.TARGET)
                        | {"ola": s.Table(s.TIER, s.TARGET)},
                        usual={"ola": {}},
                    ),
                ),
                get=v.of_newest(v.promises_of),
            ),
            Field(
                "channels",
                CHANNEL_LIST,
                list(CHANNELS),
                get=v.of_newest(lambda newest: CHANNEL_LIST.in_order(newest.channels)),
            ),
            Field(
                "performers",
                s.Table(s.TIER, s.one_of(lambda: PERFORMERS)),
                v.OURS,
                get=v.of_newest(lambda newest: {int(tier): who for tier, who in newest.performers.items()}),
            ),
            Field(
                "policies",
                POLICIES,
                {},
                get=v.of_newest(lambda newest: POLICIES.without_usual(newest.policies)),
            ),
            Field("reopen_days", s.whole(0, 365), 5, get=v.of_newest(lambda newest: newest.reopen_days)),
            Field("rungs", RUNGS, [], get=v.of_newest(lambda newest: newest.rungs)),
            Field(
                "complaints",
                COMPLAINTS,
                {},
                get=v.of_newest(lambda newest: COMPLAINTS.without_usual(newest.complaints)),
            ),
            Field("pending", PENDING, {}, get=v.of_newest(lambda newest: newest.pending)),
            Field("access", s.Table(s.ACCESS, s.TIER), {}, get=v.of_newest(lambda newest: newest.access)),
            Field(
                "major_updates",
                CADENCES,
                {},
                get=v.of_newest(
                    lambda newest: {int(priority): every for priority, every in newest.major_updates.items()}
                ),
            ),
        ),
    ),
    Section(
        "routes",
        key=("client", "service", "category", "channel"),
        rows=_rows(Route, "client", "service", "team"),
        save=save_columns(Route),
        fields=(
            ANY_CLIENT,
            link("service", "services", None),
            Field("category", s.Ref("categories", is_scope=True), "*", column="category_scope"),
            Field("channel", HOUSE_CHANNELS, ""),
            link("team", "teams"),
        ),
    ),
    Section(
        "procedures",
        key=("client", "key"),
        rows=v.newest_procedures,
        save=v.publish_procedure,
        judge=judge_procedure,
        fields=(
            ANY_CLIENT,
            Field("key", s.SLUG),
            NAME,
            Field("kind", s.one_of(lambda: dict(ProcedureKind.choices)), "functional"),
            Field("from_tier", s.TIER, None),
            Field("category", s.Ref("categories", is_scope=True), "*", column="category_scope"),
            Field("rules", RULES, {}, get=lambda procedure: RULES.without_usual(procedure.spec)),
            Field("in_force_from", s.DATE, None),
            Field("review_by", s.DATE, None),
            Field("approved_by", s.Scalar(s.one_line), ""),
            Field("retired", s.SWITCH, False, get=lambda procedure: not procedure.is_active),
        ),
    ),
    Section(
        "books",
        key=("client", "key"),
        rows=_rows(Book, "client", "owner", many=(NEWEST_REVISION,), is_active=True),
        save=v.publish_book,
        complete=_complete_book,
        judge=judge_book,
        fields=(
            ANY_CLIENT,
            Field("key", s.SLUG, derived=True),
            link("owner", "teams", None),
            Field("file", s.FileText(), "", get=lambda book: "", silent=True),
            Field("text", s.LONG_TEXT, get=lambda book: book.newest_revisions[0].source),
        ),
    ),
    Section(
        "vendors",
        key=("key",),
        rows=_rows(Vendor),
        save=save_columns(Vendor),
        fields=(
            Field("key", s.SLUG),
            NAME,
            Field("email", s.EMAIL, ""),
            Field("domains", s.ListOf(s.DOMAIN, ordered=True), []),
        ),
    ),
    Section(
        "underpinning_contracts",
        key=("vendor", "product"),
        rows=_rows(UnderpinningContract, "vendor", many=(Prefetch("calendar", v.numbered_calendars()),)),
        save=save_columns(UnderpinningContract),
        fields=(
            link("vendor", "vendors"),
            Field("product", s.TEXT),
            Field("entitlement", s.TEXT, ""),
            Field(
                "calendar",
                s.Ref("calendars"),
                column="calendar",
                get=lambda contract: v.calendar_key(contract.calendar),
                store=v.newest,
                is_link=True,
            ),
            Field(
                "targets",
                s.Table(s.SEVERITY, s.Record(dict.fromkeys(("respond", "resolve"), s.TARGET))),
                column="targets",
                get=lambda contract: {int(severity): told for severity, told in contract.targets.items()},
                store=lambda targets: {str(severity): told for severity, told in targets.items()},
            ),
        ),
    ),
    SCHEDULES,
    PAGING_POLICIES,
    MAILBOXES,
    Section(
        "alarm_sources",
        key=("client", "key"),
        rows=_rows(Source, "client", "service"),
        save=save_columns(Source),
        judge=judge_alarm_source,
        fields=(
            CLIENT,
            Field("key", s.SLUG),
            NAME,
            Field("shape", s.one_of(lambda: {name: alarm_shape(name).title for name in alarm_shapes()})),
            link("service", "services", None),
            Field("severities", s.Table(s.TEXT, s.ALARM_SEVERITY), {}),
            Field("mapping", s.Free(), {}),
            Field("settle", s.DURATION, 0, column="settle_s"),
            Field("join", s.DURATION, JOIN_S, column="join_s"),
            Field("storm_alarms", s.whole(0, 100_000), STORM_ALARMS),
            Field("quiet", s.DURATION, 0, column="quiet_s"),
            Field("beat", s.DURATION, 0, column="beat_s", put=_begin_beat),
            Field("grace", s.DURATION, 0, column="grace_s", put=_begin_beat),
            Field("senders", s.ListOf(s.NETWORK), []),
            Field("enabled", s.SWITCH, True),
            Field("token", s.TOKEN, column="token_sha256"),
            Field("secret", s.SECRET, "", get=lambda source: unsealed(source.secret), put=_sign_with),
            Field("usm_user", s.TEXT, ""),
            Field("usm_auth", s.one_of(lambda: {name: name for name in AUTH}), "SHA-256"),
            Field(
                "usm_privacy",
                s.one_of(lambda: {name: name for name in PRIVACY} | {NO_PRIVACY: "None: signed only"}),
                "AES",
            ),
            Field(
                "usm_privacy_secret",
                s.SECRET,
                "",
                get=lambda source: unsealed(source.usm_privacy_secret),
                put=_encrypt_with,
            ),
        ),
    ),
    MAINTENANCE,
    EXCHANGES,
    FORMS,
    Section(
        "chat_bridges",
        key=("key",),
        rows=_rows(Bridge, "client", "quiet_in"),
        save=save_columns(Bridge),
        fields=(
            Field("key", s.SLUG),
            CLIENT,
            NAME,
            Field("kind", s.one_of(lambda: {name: name.capitalize() for name in sorted(platforms())})),
            Field("url", s.TEXT, ""),
            sealed("secret", "kind"),
            sealed("token", "url"),
            Field("bot", s.TEXT, ""),
            Field("rooms", s.ListOf(s.TEXT), []),
            Field("quiet_hours", s.whole(0, 2000), 0),
            link("quiet_in", "calendars", None),
            Field("pages_agents", s.SWITCH, False),
            Field("enabled", s.SWITCH, True, column="is_active"),
        ),
    ),
    Section(
        "chat_widgets",
        key=("key",),
        rows=_rows(Widget, "client", "calendar"),
        save=save_columns(Widget),
        fields=(
            Field("key", s.SLUG),
            CLIENT,
            NAME,
            Field("origins", s.ListOf(s.ORIGIN), []),
            link("calendar", "calendars", None),
            Field("greeting", s.TEXT, ""),
            Field("enabled", s.SWITCH, True, column="is_active"),
        ),
    ),
)

BY_NAME: Final = {section.name: section for section in SECTIONS}

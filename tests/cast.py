"""The named world of the tests: two clients with different contracts, people on every tier, one vendor.

Acme (Berlin, Mon–Fri 9–17, P1 and P2 around the clock) and Borealis (New York, Mon–Fri 9–17). Lena is L1, Tom L2,
Kira L3, Lou leads L1 and manages. Ann and Arne are Acme's, Bob is Borealis's. Lena and Tom serve both clients,
Olga only Borealis.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tierdesk.directory.calendars.models import Calendar, CalendarVersion
from tierdesk.directory.clients.models import Assignment, Client, Contact, Domain, Number
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Agent, Membership, Team, User
from tierdesk.tickets.models import Draft, Ticket
from tierdesk.tickets.priority import DEFAULT_MATRIX

HOUR = 3600

TARGETS: dict[int, dict[str, int]] = {
    1: {"acknowledge": HOUR // 4, "respond": HOUR // 2, "update": HOUR, "resolve": 4 * HOUR},
    2: {"acknowledge": HOUR // 2, "respond": HOUR, "update": 2 * HOUR, "resolve": 8 * HOUR},
    3: {"acknowledge": 4 * HOUR, "respond": 4 * HOUR, "update": 8 * HOUR, "resolve": 24 * HOUR},
    4: {"acknowledge": 8 * HOUR, "respond": 8 * HOUR, "resolve": 40 * HOUR},
}

OLA: dict[int, dict[int, int]] = {
    1: {1: HOUR // 2, 2: HOUR, 3: 4 * HOUR, 4: 8 * HOUR},
    2: {1: HOUR, 2: 2 * HOUR, 3: 8 * HOUR, 4: 16 * HOUR},
    3: {1: 2 * HOUR, 2: 4 * HOUR, 3: 16 * HOUR, 4: 24 * HOUR},
}


@dataclass
class Cast:
    """Everybody and everything by name."""

    acme: Client
    borealis: Client
    office: CalendarVersion
    always: CalendarVersion
    acme_contract: ContractVersion
    borealis_contract: ContractVersion
    desk: Team
    ops: Team
    experts: Team
    northern: Team
    lena: Agent
    tom: Agent
    kira: Agent
    lou: Agent
    olga: Agent
    ann: Contact
    arne: Contact
    bob: Contact
    mail: Service
    vpn: Service
    vpn_category: Category
    printer_category: Category
    extras: dict[str, Any] = field(default_factory=dict)

    def ticket(self, **overrides: Any) -> Ticket:
        """A fresh ticket of Ann's, by mail. Call it inside a unit of work."""
        return Ticket.open(self.draft(**overrides))

    def draft(self, **overrides: Any) -> Draft:
        """What is known of such a ticket before it is one."""
        draft: dict[str, Any] = {
            "client": self.acme,
            "contact": self.ann,
            "subject": "VPN does not connect",
            "text": "Since this morning the VPN does not connect.",
            "channel": "email",
        }
        return Draft(**draft | overrides)


def settle_in() -> Cast:
    """Create the world. Needs a database that shows every client."""
    office = _calendar(
        "office-de", "Office hours, Berlin", "Europe/Berlin", {str(d): [["09:00", "17:00"]] for d in range(5)}
    )
    new_york = _calendar(
        "office-ny",
        "Office hours, New York",
        "America/New_York",
        {str(d): [["09:00", "17:00"]] for d in range(5)},
    )
    always = _calendar(
        "always", "Around the clock", "Europe/Berlin", {str(d): [["00:00", "24:00"]] for d in range(7)}
    )
    acme = Client.objects.create(key="ACME", name="Acme GmbH", timezone="Europe/Berlin", region="DE")
    borealis = Client.objects.create(
        key="BOR", name="Borealis Inc.", timezone="America/New_York", region="US"
    )
    Domain.objects.create(client=acme, name="acme.example")
    Domain.objects.create(client=borealis, name="borealis.example")
    ann = Contact.objects.create(client=acme, name="Ann Albers", email="ann@acme.example")
    arne = Contact.objects.create(client=acme, name="Arne Voss", email="arne@acme.example", is_vip=True)
    bob = Contact.objects.create(client=borealis, name="Bob Byrne", email="bob@borealis.example")
    Number.objects.create(client=acme, contact=ann, e164="+49301234501")
    Number.objects.create(client=acme, e164="+49301234500")
    for contact in (ann, arne, bob):
        contact.user = User.objects.create_user(
            contact.email, name=contact.name, timezone=contact.client.timezone
        )
        contact.save(update_fields=["user"])
    desk = Team.objects.create(key="desk", name="Service Desk", tier=1, serves_every_client=True)
    ops = Team.objects.create(key="ops", name="Operations", tier=2, serves_every_client=True)
    experts = Team.objects.create(key="experts", name="Platform Experts", tier=3, serves_every_client=True)
    northern = Team.objects.create(key="northern", name="Northern Team", tier=2)
    Assignment.objects.create(client=borealis, team=northern)
    return Cast(
        acme=acme,
        borealis=borealis,
        office=office,
        always=always,
        acme_contract=_contract(acme, office, always),
        borealis_contract=_contract(borealis, new_york, always),
        desk=desk,
        ops=ops,
        experts=experts,
        northern=northern,
        lena=_agent("lena@desk.example", "Lena Lang", desk),
        tom=_agent("tom@desk.example", "Tom Tran", ops),
        kira=_agent("kira@desk.example", "Kira Koch", experts),
        lou=_agent("lou@desk.example", "Lou Lead", desk, lead=True, manager=True),
        olga=_agent("olga@desk.example", "Olga Orlova", northern),
        ann=ann,
        arne=arne,
        bob=bob,
        mail=Service.objects.create(key="mail", name="Mail"),
        vpn=Service.objects.create(client=acme, key="vpn", name="VPN", criticality=2),
        vpn_category=Category.objects.create(
            path="network/vpn", name="VPN", keywords=["vpn", "tunnel"], impact=2, urgency=2
        ),
        printer_category=Category.objects.create(
            path="hardware/printer", name="Printer", keywords=["printer"], impact=3, urgency=2
        ),
    )


def _calendar(key: str, name: str, tz: str, week: dict[str, list[list[str]]]) -> CalendarVersion:
    calendar = Calendar.objects.create(key=key, name=name)
    return CalendarVersion.objects.create(calendar=calendar, version=1, spec={"tz": tz, "week": week})


def _contract(client: Client, office: CalendarVersion, always: CalendarVersion) -> ContractVersion:
    contract = Contract.objects.create(client=client, key="standard", name=f"{client.name} standard support")
    version = ContractVersion.objects.create(
        client=client,
        contract=contract,
        version=1,
        effective_from=date(2026, 1, 1),
        calendar=office,
        matrix=DEFAULT_MATRIX,
        channels=["email", "web_form", "phone", "alarms", "api"],
        performers={"1": "us", "2": "us", "3": "us", "4": "vendor"},
    )
    for priority, targets in TARGETS.items():
        calendar = always if priority <= 2 else office
        for metric, seconds in targets.items():
            _promise(version, metric, priority, seconds, calendar)
        for tier, budgets in OLA.items():
            _promise(version, "resolve", priority, budgets[priority], calendar, party="OLA", tier=tier)
    return version


def _promise(
    version: ContractVersion,
    metric: str,
    priority: int,
    seconds: int,
    calendar: CalendarVersion,
    party: str = "SLA",
    tier: int | None = None,
) -> None:
    Promise.objects.create(
        client=version.client,
        contract_version=version,
        metric=metric,
        party=party,
        priority=priority,
        tier=tier,
        target_s=seconds,
        calendar=calendar,
    )


def _agent(email: str, name: str, team: Team, *, lead: bool = False, manager: bool = False) -> Agent:
    user = User.objects.create_user(email, name=name, timezone="Europe/Berlin")
    agent = Agent.objects.create(user=user, is_manager=manager)
    Membership.objects.create(agent=agent, team=team, is_lead=lead)
    return agent

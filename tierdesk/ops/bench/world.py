"""The world that the benchmarks run in: a few clients with one contract each, made by hand and small."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tierdesk.directory.calendars.models import Calendar, CalendarVersion
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import Contract, ContractVersion, Promise
from tierdesk.directory.services.models import Category
from tierdesk.directory.staff.models import Agent, Membership, Team, User
from tierdesk.tickets.priority import DEFAULT_MATRIX

CLIENTS = 50


@dataclass
class World:
    clients: list[Client]
    contacts: list[Contact]
    agent: Agent
    teams: list[Team]
    version: ContractVersion
    calendar: CalendarVersion


def make() -> World:
    """Fifty clients, one team per tier, one agent who leads all of them, an office calendar in Berlin."""
    week = {str(day): [["08:00", "18:00"]] for day in range(5)}
    calendar = CalendarVersion.objects.create(
        calendar=Calendar.objects.create(key="office", name="Office"),
        version=1,
        spec={"tz": "Europe/Berlin", "week": week},
    )
    teams = [
        Team.objects.create(key=f"l{t}", name=f"L{t}", tier=t, serves_every_client=True) for t in (1, 2, 3)
    ]
    agent = Agent.objects.create(user=User.objects.create_user("bench@desk.example", name="Bench"))
    for team in teams:
        Membership.objects.create(agent=agent, team=team, is_lead=True)
    for path, words in (
        ("network/vpn", ["vpn"]),
        ("hardware/printer", ["printer"]),
        ("email/mailbox", ["mailbox"]),
    ):
        Category.objects.create(path=path, name=path, keywords=words)
    clients, contacts, version = [], [], None
    for number in range(CLIENTS):
        client = Client.objects.create(key=f"C{number}", name=f"Client {number}")
        clients.append(client)
        contacts.append(Contact.objects.create(client=client, name="Ann", email=f"ann@c{number}.example"))
        version = _contract(client, calendar)
    assert version is not None
    return World(clients, contacts, agent, teams, version, calendar)


def _contract(client: Client, calendar: CalendarVersion) -> ContractVersion:
    version = ContractVersion.objects.create(
        client=client,
        contract=Contract.objects.create(client=client, key="standard", name="Standard"),
        version=1,
        effective_from=date(2020, 1, 1),
        calendar=calendar,
        matrix=DEFAULT_MATRIX,
    )
    for priority in range(1, 6):
        for metric, hours in (("acknowledge", 1), ("respond", 2), ("resolve", 16)):
            _promise(version, metric, priority, hours, calendar)
        _promise(version, "resolve", priority, 4, calendar, tier=1)
    return version


def _promise(
    version: ContractVersion,
    metric: str,
    priority: int,
    hours: int,
    calendar: CalendarVersion,
    tier: int | None = None,
) -> None:
    Promise.objects.create(
        client=version.client,
        contract_version=version,
        metric=metric,
        party="OLA" if tier else "SLA",
        priority=priority,
        tier=tier,
        target_s=hours * 3600,
        calendar=calendar,
    )

"""The desk file says how a team finds who works its next ticket, what tickets take, and who may act."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tests.conftest import MONDAY_10
from tierdesk.core.wakeups import run_due
from tierdesk.directory.clients.models import Client
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.directory.services.models import Category, Service
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.lines import DeskRefused
from tierdesk.response.assignment.models import Offer
from tierdesk.tickets.models import Ticket

SAID = """\
teams:
  - {key: desk, name: Service Desk, tier: L1, every_client: true, assignment: {by: round_robin, capacity: 3}}
agents:
  - {email: lena@desk.example, name: Lena Lang, teams: [desk], skills: {vpn: 2}, languages: [de, en]}
services:
  - {key: mail, name: Mail, needs: {platform: mail}}
categories:
  - {path: network/vpn, name: VPN, needs: {platform: vpn, level: 2}, access: root, lowest_tier: L2}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.yaml"
    path.write_text(SAID)
    return path


def test_it_is_applied_once(cast: Cast, file: Path) -> None:
    assert apply_desk(file).changes
    assert apply_desk(file).changes == []
    desk = Team.objects.get(key="desk")
    assert (desk.assigns_by, desk.capacity, desk.pushes) == ("round_robin", 3, True)
    assert Agent.objects.get(pk=cast.lena.pk).speaks == {"de", "en"}
    assert Service.objects.get(key="mail").needs == {"platform": "mail"}
    vpn = Category.objects.get(path="network/vpn")
    assert (vpn.needs, vpn.access, vpn.lowest_tier) == ({"platform": "vpn", "level": 2}, "root", 2)


def test_a_contract_says_from_which_tier_on_what_may_be_touched(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(
        "calendars:\n  - {key: office, name: Office, timezone: Europe/Oslo, week: {mon: 08:00-16:00}}\n"
        "clients:\n  - {key: NEW, name: New, timezone: UTC}\n"
        "contracts:\n  - {client: NEW, key: all, name: All, calendar: office, effective_from: 2026-01-01,\n"
        "     matrix: {1: [1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]}, promises: {P1: {resolve: 4 h}},\n"
        "     performers: {L1: us}, access: {root: L3, domain-admin: L2}}\n"
    )
    apply_desk(path)
    version = version_in_force(Client.objects.get(key="NEW").pk, MONDAY_10.date())
    assert version is not None
    assert version.access == {"root": 3, "domain-admin": 2}


def test_a_contract_and_a_category_may_be_for_one_type(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    agreed = (
        "calendar: office-de, effective_from: 2026-01-01, matrix: {1: [1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]},\n"
        "     promises: {P1: {resolve: 4 h}}, performers: {L1: us}"
    )
    path.write_text(
        "categories:\n  - {path: access/account, name: Account, type: request}\n"
        f"contracts:\n  - {{client: ACME, key: requests, name: Requests, type: request, {agreed}}}\n"
    )
    assert apply_desk(path).changes
    assert apply_desk(path).changes == []
    assert Category.objects.get(path="access/account").type == "request"
    for type, key in (("request", "requests"), ("incident", "standard")):
        version = version_in_force(cast.acme.pk, MONDAY_10.date(), type)
        assert version is not None
        assert version.contract.key == key
    path.write_text(path.read_text().replace("type: request", "type: problem"))
    with pytest.raises(DeskRefused, match="“problem” is not one of incident, request"):
        apply_desk(path)


def test_a_team_that_begins_to_push_gives_away_what_waits_and_one_that_ends_does_not(
    cast: Cast, file: Path, doing: Callable[..., Any]
) -> None:
    with doing(cast.lou):
        ticket = cast.ticket()
    apply_desk(file)
    file.write_text(SAID.replace(", assignment: {by: round_robin, capacity: 3}", ""))
    assert Offer.objects.count() == 1
    apply_desk(file)
    assert not Offer.objects.exists()
    file.write_text(SAID)
    apply_desk(file)
    run_due(Offer.objects.get().wake_at or MONDAY_10)
    assert Ticket.objects.get(pk=ticket.pk).assignee is not None


@pytest.mark.parametrize(
    ("said", "instead", "why"),
    [
        ("round_robin", "chance", "“chance” is not one of pull, round_robin, least_loaded, skill"),
        ("capacity: 3", "capacity: 0", "write a whole number from 1 to 1000"),
        ("[de, en]", "[Deutsch]", "“Deutsch” is not a language"),
        ("level: 2", "level: 4", "write a whole number from 1 to 3"),
        ("access: root", "access: The root", "is not a kind of access"),
    ],
    ids=["way", "capacity", "language", "level", "access"],
)
def test_what_makes_no_sense_is_refused(cast: Cast, file: Path, said: str, instead: str, why: str) -> None:
    file.write_text(SAID.replace(said, instead))
    with pytest.raises(DeskRefused, match=why.replace("(", r"\(")):
        apply_desk(file)

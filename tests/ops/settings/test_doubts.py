"""What does only part of what it says can be applied, and is shown before, and afterwards by the check."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.ops.settings.conftest import Opens
from tests.response.paging.conftest import on_call, publish
from tierdesk.core import clock
from tierdesk.directory.staff.models import Membership
from tierdesk.response.paging.models import Policy

__all__ = ["on_call"]


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with clock.frozen(datetime(2026, 6, 8, 8, tzinfo=UTC)):
        yield


@pytest.fixture
def policy(cast: Cast, on_call: None) -> Policy:
    """It calls Lena's schedule and Olga's team, the second line of Borealis."""
    return publish(steps=[{"after": 0, "page": ["schedule:l1", "team:northern"]}])


def checked(admin: Browser) -> str:
    body = admin.get("/settings/check/").content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_check_tells_what_came_to_lead_nowhere(cast: Cast, policy: Policy, admin: Browser) -> None:
    assert "Everything hangs together." in checked(admin)
    Membership.objects.filter(agent=cast.olga).delete()
    told = checked(admin)
    assert "Everything hangs together, but look at this" in told
    assert "Step 1 calls not everybody: nobody is in “northern”" in told


def test_a_doubt_is_shown_before_it_is_applied(cast: Cast, policy: Policy, opens: Opens) -> None:
    Membership.objects.filter(agent=cast.olga).delete()
    shown = opens("paging_policies/p1").fill(name="Renamed").send()
    assert "It can be applied, but look at this" in shown.words
    assert "nobody is in “northern”" in shown.words
    assert shown.sheet.send("apply").status == 302
    assert Policy.objects.in_force().get().name == "Renamed"


def test_a_doubt_about_another_thing_is_not_shown(cast: Cast, policy: Policy, opens: Opens) -> None:
    Membership.objects.filter(agent=cast.olga).delete()
    assert "look at this" not in opens("teams/ops").fill(name="Renamed").send().words


def test_the_last_one_of_a_team_that_alone_is_called_stays(cast: Cast, on_call: None, opens: Opens) -> None:
    """Otherwise the policy would call nobody, and nobody would know."""
    publish(steps=[{"after": 0, "page": ["team:northern"]}])
    refused = opens("agents/olga@desk.example").fill(teams=["desk"]).send("apply")
    assert refused.status == 422
    assert "nobody is in “northern”" in refused.words
    assert cast.olga.memberships.get().team == cast.northern

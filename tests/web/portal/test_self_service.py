"""Who is helped by what they are shown asks nothing, and it is counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, only, seeing, set_scope
from tierdesk.learning.analytics.attainment import attainment
from tierdesk.learning.knowledge.models import SelfService
from tierdesk.response.sla.models import Clock
from tierdesk.tickets.models import Ticket

DAY = timedelta(days=1)


@pytest.fixture
def said() -> dict[str, str]:
    return {"key": str(uuid4()), "subject": "The screen flickers", "text": "Since\ntoday.", "shown": "2"}


def test_f10_whoever_is_helped_before_they_ask_has_no_ticket_and_no_promise_runs(
    cast: Cast, ann: Browser, said: dict[str, str]
) -> None:
    answer = ann.post("/portal/solved/", said)
    assert answer.headers["Location"] == "/portal/"
    assert "Nothing was sent." in ann.reads("/portal/")
    set_scope(EVERY_CLIENT)
    noted = SelfService.objects.get()
    assert (noted.client, noted.contact, noted.shown) == (cast.acme, cast.ann, 2)
    assert noted.asked == "The screen flickers Since today."
    assert not Ticket.objects.exists()
    assert not Clock.objects.exists()


def test_a_second_click_counts_nothing(cast: Cast, ann: Browser, said: dict[str, str]) -> None:
    for _ in range(2):
        ann.post("/portal/solved/", said)
    set_scope(EVERY_CLIENT)
    assert SelfService.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"key": "x"}, {"key": ""}], ids=["no key of a form", "none at all"])
def test_what_is_no_form_of_ours_is_not_counted(
    ann: Browser, said: dict[str, str], wrong: dict[str, str]
) -> None:
    assert ann.post("/portal/solved/", said | wrong).headers["Location"] == "/portal/new/"
    set_scope(EVERY_CLIENT)
    assert not SelfService.objects.exists()


def test_a_number_of_answers_that_nobody_showed_is_none(ann: Browser, said: dict[str, str]) -> None:
    ann.post("/portal/solved/", said | {"shown": "9" * 30})
    set_scope(EVERY_CLIENT)
    assert SelfService.objects.get().shown == 0


def test_the_button_is_offered_with_what_may_help_and_to_contacts_alone(
    cast: Cast, ann: Browser, doing: Any
) -> None:
    with doing(cast.ann):
        cast.ticket(subject="laptop screens flicker")
    typed = {"subject": "laptop screens"}
    assert "That solved it" in ann.post("/portal/new/suggestions/", typed).content.decode()
    assert "That solved it" not in ann.post("/portal/new/suggestions/", {"subject": "zzzz"}).content.decode()


def test_a_stranger_is_asked_to_sign_in(stranger: Browser, said: dict[str, str]) -> None:
    assert stranger.post("/portal/solved/", said).headers["Location"].startswith("/sign-in/")
    set_scope(EVERY_CLIENT)
    assert not SelfService.objects.exists()


def test_it_stands_in_the_report_of_those_who_may_see_the_client(
    cast: Cast, ann: Browser, said: dict[str, str]
) -> None:
    ann.post("/portal/solved/", said)
    set_scope(EVERY_CLIENT)
    now = clock.now()
    period = (now - DAY, now + DAY, now)
    assert attainment(cast.lou.user, *period).by_themselves == 1
    assert attainment(cast.lou.user, *period, client=cast.borealis).by_themselves == 0
    assert attainment(cast.olga.user, *period).by_themselves == 0
    with seeing(only([cast.borealis.pk])):
        assert not SelfService.objects.exists()

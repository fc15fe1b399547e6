"""An answer by SMS acknowledges: signed by the provider, from a number that is proved to be the person's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.pager.provider import TOKEN, connect, running, say
from tests.conftest import MONDAY_10
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.paging.models import Paging, Policy
from tierdesk.response.paging.ways import Way

LENA = "+49301234509"


@pytest.fixture
def paging(
    cast: Cast,
    settings: Any,
    tmp_path: Any,
    doing: Callable[..., Any],
    live_until: Callable[..., None],
) -> Iterator[Paging]:
    settings.HOME = tmp_path
    way, code = Way.propose(cast.lena, "sms", LENA, is_urgent=True, at=MONDAY_10)
    way.verify(code, at=MONDAY_10)
    steps = [{"after": 0, "page": ["user:lena@desk.example"]}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1], "steps": steps})
    with running() as provider:
        connect(settings, provider)
        with doing(cast.ann.user):
            ticket = cast.ticket(impact=1, urgency=1)
        live_until(MONDAY_10 + timedelta(seconds=1))
        yield Paging.objects.get(ticket=ticket)


def answer(
    client: Browser, settings: Any, *, number: str = LENA, text: str = "ACK", token: str = TOKEN
) -> Any:
    with clock.frozen(MONDAY_10 + timedelta(minutes=2)):
        url = f"{settings.BASE_URL}/pages/answers/sms/"
        answered = say(client, url, {"Body": text, "From": number}, token=token)
    set_scope(EVERY_CLIENT)
    return answered


def test_ack_acknowledges_and_says_so(client: Browser, cast: Cast, settings: Any, paging: Paging) -> None:
    told = answer(client, settings, text=" Ack ").content.decode()
    assert f"You acknowledged {paging.ticket.reference}" in told
    paging.refresh_from_db()
    assert (paging.state, paging.acked_by) == ("acknowledged", cast.lena)


def test_other_words_are_answered_with_what_to_write(client: Browser, settings: Any, paging: Paging) -> None:
    assert "Answer ACK" in answer(client, settings, text="who is this?").content.decode()
    paging.refresh_from_db()
    assert paging.state == "calling"


def test_what_is_not_signed_by_the_account_is_turned_away(
    client: Browser, settings: Any, paging: Paging
) -> None:
    assert answer(client, settings, token="another").status_code == 401
    paging.refresh_from_db()
    assert paging.state == "calling"


def test_a_stranger_s_number_is_told_nothing(client: Browser, settings: Any, paging: Paging) -> None:
    assert "<Message>" not in answer(client, settings, number="+4930777").content.decode()
    paging.refresh_from_db()
    assert paging.state == "calling"


def test_a_number_that_was_taken_away_acknowledges_nothing(
    client: Browser, settings: Any, paging: Paging
) -> None:
    Way.objects.all().delete()
    assert "<Message>" not in answer(client, settings).content.decode()
    paging.refresh_from_db()
    assert paging.state == "calling"


def test_ack_is_about_all_that_came_in_one_message(
    client: Browser,
    cast: Cast,
    settings: Any,
    paging: Paging,
    doing: Callable[..., Any],
    live_until: Callable[..., None],
) -> None:
    with doing(cast.ann.user, MONDAY_10 + timedelta(seconds=30)):
        others = [cast.ticket(impact=1, urgency=1, subject=f"Number {n}") for n in (1, 2)]
    live_until(MONDAY_10 + timedelta(seconds=90))
    told = answer(client, settings).content.decode()
    assert all(ticket.reference in told for ticket in others) and paging.ticket.reference not in told
    stand = {one.ticket_id: one.state for one in Paging.objects.all()}
    assert stand == {paging.ticket_id: "calling"} | {ticket.pk: "acknowledged" for ticket in others}
    assert f"You acknowledged {paging.ticket.reference}" in answer(client, settings).content.decode()


def test_a_number_chooses_the_ticket_and_pass_lets_somebody_else_look(
    client: Browser, settings: Any, paging: Paging
) -> None:
    assert (
        "You were not paged about TD-4711 here" in answer(client, settings, text="ack 4711").content.decode()
    )
    told = answer(client, settings, text=f"pass {paging.ticket.pk}").content.decode()
    assert f"You passed on {paging.ticket.reference}" in told
    paging.refresh_from_db()
    assert paging.state == "calling"


def test_a_late_answer_is_told_who_looks(
    client: Browser, cast: Cast, settings: Any, paging: Paging, doing: Callable[..., Any]
) -> None:
    with doing(cast.lou, MONDAY_10 + timedelta(minutes=1)):
        paging.ticket.take(cast.lou)
    told = answer(client, settings).content.decode()
    assert f"Nothing to do: Lou Lead looks at {paging.ticket.reference}" in told

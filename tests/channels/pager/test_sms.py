"""Pages by SMS through a provider that really answers: retried, held back, and by mail when it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.cast import Cast
from tests.channels.pager.provider import Provider, connect, running
from tests.conftest import MONDAY_10
from tierdesk.channels.pager.sending import send_pages
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work
from tierdesk.response.paging.models import Paging, Policy, wake_pagings
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Entry, Ticket

LENA = "+49301234509"


@pytest.fixture
def provider(settings: Any, tmp_path: Any) -> Iterator[Provider]:
    settings.HOME = tmp_path
    with running() as one:
        connect(settings, one)
        yield one


@pytest.fixture
def burn(cast: Cast, provider: Provider, doing: Callable[..., Any]) -> Callable[..., Ticket]:
    """A ticket that pages Lena, who has a number, by her urgent ways."""
    way, code = Way.propose(cast.lena, "sms", LENA, is_urgent=True, at=MONDAY_10)
    way.verify(code, at=MONDAY_10)
    steps = [{"after": 0, "page": ["user:lena@desk.example"], "via": "urgent"}]
    spec = {"teams": ["desk"], "priorities": [1, 2], "steps": steps}
    Policy.publish("p1", name="P1", said=spec)

    def a_ticket(urgency: int = 1, subject: str = "VPN does not connect", at: datetime = MONDAY_10) -> Ticket:
        with doing(cast.ann.user, at):
            return cast.ticket(impact=1, urgency=urgency, subject=subject)

    return a_ticket


def after(seconds: float) -> Any:
    return MONDAY_10 + timedelta(seconds=seconds)


def states(ticket: Ticket) -> dict[str, str]:
    return dict(Page.objects.filter(paging__ticket=ticket).values_list("channel", "state"))


def test_a_page_says_what_and_where_to_acknowledge(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    ticket = burn()
    live_until(after(1))
    [sent] = provider.taken
    page = Page.objects.get(paging__ticket=ticket)
    assert (sent["To"], sent["From"]) == (LENA, "+4930999")
    assert ticket.reference in sent["Body"] and f"/pages/{page.token}/" in sent["Body"]
    assert (page.channel, page.state) == ("sms", "sent")


def test_a_provider_in_trouble_is_asked_again(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    provider.answers = [503, 429]
    ticket = burn()
    live_until(after(14))
    assert (provider.knocks, provider.taken) == (1, [])
    live_until(after(46))
    assert (provider.knocks, len(provider.taken)) == (3, 1)
    assert states(ticket) == {"sms": "sent"}


def test_a_provider_that_stays_in_trouble_gives_way_to_mail(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    provider.answers = [500] * 9
    ticket = burn()
    live_until(after(240))
    assert provider.knocks == 4
    assert states(ticket) == {"sms": "failed", "mail": "sent"}
    failed = Entry.objects.of(ticket.pk).get(kind="page_failed")
    assert (failed.details["name"], failed.details["why"]) == ("Lena Lang", "the provider answers 500")


def test_what_the_provider_refuses_goes_by_mail_at_once(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    provider.answers = [400]
    ticket = burn()
    live_until(after(1))
    assert (provider.knocks, states(ticket)) == (1, {"sms": "failed", "mail": "sent"})


def test_without_a_provider_it_goes_by_mail(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None], settings: Any
) -> None:
    settings.SMS_FROM = ""
    ticket = burn()
    live_until(after(1))
    assert (provider.knocks, states(ticket)) == (0, {"sms": "failed", "mail": "sent"})


def test_a_second_page_within_a_minute_waits_but_the_first_about_a_p1_passes(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    first = burn(urgency=2, subject="Mail is slow")
    live_until(after(1))
    second = burn(urgency=2, subject="Printing is slow", at=after(2))
    live_until(after(3))
    third = burn(urgency=1, subject="Everything is down", at=after(4))
    assert [ticket.priority for ticket in (first, second, third)] == [2, 2, 1]
    live_until(after(5))
    assert [body["Body"].split()[0] for body in provider.taken] == [first.reference, third.reference]
    live_until(after(64))
    assert [body["Body"].split()[0] for body in provider.taken[2:]] == [second.reference]


def test_what_is_held_meanwhile_leaves_in_one_message(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    burn(urgency=2, subject="The first")
    live_until(after(1))
    held = [burn(urgency=2, subject=f"Number {n}", at=after(n)) for n in range(2, 14)]
    live_until(after(59))
    assert len(provider.taken) == 1
    live_until(after(300))
    [_, together] = provider.taken
    assert together["Body"].startswith("12 pages:\n")
    assert all(ticket.reference in together["Body"] for ticket in held[:6])
    assert "and 6 more" in together["Body"] and held[6].reference not in together["Body"]
    assert {state for ticket in held for state in states(ticket).values()} == {"sent"}


def test_what_is_due_at_once_leaves_at_once_with_the_gravest_first(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    slow = burn(urgency=2, subject="Mail is slow")
    down = burn(urgency=1, subject="Everything is down")
    live_until(after(1))
    [together] = provider.taken
    assert together["Body"].splitlines()[1:3] == [
        f"{down.reference} P1 Acme GmbH: Everything is down",
        f"{slow.reference} P2 Acme GmbH: Mail is slow",
    ]


def test_one_telephone_of_two_people_rings_once_a_minute(
    cast: Cast, burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    Way.objects.create(agent=cast.lou, kind="sms", address=LENA, verified_at=MONDAY_10)
    users = ["user:lena@desk.example", "user:lou@desk.example"]
    steps = [{"after": 0, "page": users, "via": "urgent"}]
    Policy.publish("p1", name="P1", said={"teams": ["desk"], "priorities": [1, 2], "steps": steps})
    burn(urgency=2)
    live_until(after(59))
    assert len(provider.taken) == 1
    live_until(after(61))
    assert len(provider.taken) == 2


def test_what_is_not_taken_together_is_tried_again_together(
    burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    provider.answers = [503]
    both = [burn(subject="One"), burn(subject="Two")]
    live_until(after(120))
    assert (provider.knocks, len(provider.taken)) == (2, 1)
    assert [states(ticket) for ticket in both] == [{"sms": "sent"}] * 2


def test_a_process_that_dies_between_sending_and_marking_sends_once_more(
    burn: Callable[..., Ticket],
    provider: Provider,
    live_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(page: Page, at: Any) -> None:
        raise Killed

    ticket = burn()
    with monkeypatch.context() as patch:
        patch.setattr(Page, "mark_sent", die)
        with pytest.raises(Killed):
            live_until(after(1))
    assert (len(provider.taken), states(ticket)) == (1, {"sms": "pending"})
    live_until(after(119))
    assert len(provider.taken) == 1
    live_until(after(3600))
    assert (len(provider.taken), states(ticket)) == (2, {"sms": "sent"})


def test_what_is_acknowledged_while_it_waits_is_not_sent(
    cast: Cast,
    burn: Callable[..., Ticket],
    provider: Provider,
    live_until: Callable[..., None],
    doing: Callable[..., Any],
) -> None:
    provider.answers = [503]
    ticket = burn()
    live_until(after(1))
    with doing(cast.lena, after(5)):
        Ticket.objects.get(pk=ticket.pk).take(cast.lena)
    live_until(after(3600))
    assert (provider.knocks, states(ticket)) == (1, {"sms": "dropped"})


def test_while_another_sender_has_the_number_nothing_is_taken(
    burn: Callable[..., Ticket], provider: Provider
) -> None:
    """Two workers that each took some of what is due would ring twice."""
    ticket = burn()
    with clock.frozen(after(1)), work(by=ENGINE, at=after(1)):
        wake_pagings(Paging.objects.select_related("policy", "ticket"), after(1))
    asked = connection.get_connection_params()
    with psycopg.connect(
        **{name: asked[name] for name in ("dbname", "user", "host") if name in asked}
    ) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"pages by sms at {LENA}"])
        assert send_pages(after(1)) == 0
        assert (provider.knocks, states(ticket)) == (0, {"sms": "pending"})
    assert send_pages(after(1)) == 1
    assert (provider.knocks, states(ticket)) == (1, {"sms": "sent"})


def test_many_of_a_client_with_a_long_name_still_fit_into_what_a_provider_takes(
    cast: Cast, burn: Callable[..., Ticket], provider: Provider, live_until: Callable[..., None]
) -> None:
    """1600 letters: https://www.twilio.com/docs/api/errors/21617."""
    cast.acme.name = "Aktiengesellschaft " * 10
    cast.acme.save()
    tickets = [burn(subject="The gateway does not answer " * 9) for _ in range(8)]
    live_until(MONDAY_10 + timedelta(seconds=30))
    [sent] = provider.taken
    assert len(sent["Body"]) <= 1600
    told = [ticket for ticket in tickets if ticket.reference in sent["Body"]]
    assert told and f"and {len(tickets) - len(told)} more" in sent["Body"] and "/pages/" in sent["Body"]

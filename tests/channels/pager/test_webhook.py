"""Pages by webhook to a program that really answers: signed, tried again, never inside our own network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.pager.conftest import Burning, after, states
from tests.channels.pager.receiver import Receiver, receiving
from tests.conftest import MONDAY_10
from tierdesk.channels.pager.out import OUT, WayOut, send_code
from tierdesk.channels.pager.outgoing import Outgoing
from tierdesk.channels.pager.webhook import signed
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way
from tierdesk.tickets.models import Entry

Live = Callable[..., None]


@pytest.fixture
def receiver(cast: Cast, settings: Any) -> Iterator[Receiver]:
    """Lena's program; she proved it with the code that it showed her."""
    with receiving() as one:
        settings.PRIVATE_HOSTS = [one.address]
        way, code = Way.propose(
            cast.lena, "webhook", f"http://{one.address}/pages", is_urgent=True, at=MONDAY_10
        )
        one.secret = way.secret
        send_code(way, code)
        [(_, said)] = one.heard
        assert said["type"] == "code"
        way.verify(said["data"]["code"], at=MONDAY_10)
        yield one


def test_it_is_signed_as_the_standard_says() -> None:
    """What the standard's own library for Python makes of the same."""
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_page_tells_a_program_all_that_mail_tells_a_person(
    burning: Burning, receiver: Receiver, live_until: Live
) -> None:
    ticket = burning()
    live_until(after(1))
    page = Page.objects.get(paging__ticket=ticket, channel="webhook")
    [told] = receiver.heard[-1][1]["data"]["pages"]
    assert told | {"link": ""} == {
        "id": page.pk,
        "ticket": ticket.reference,
        "subject": "VPN does not connect",
        "client": "Acme GmbH",
        "priority": 1,
        "why": "named by the policy",
        "link": "",
    }
    assert told["link"].endswith(f"/pages/{page.token}/")
    assert states(ticket) == {"webhook": "sent", "mail": "sent"}


def test_several_are_a_list_and_come_in_one_message(
    burning: Burning, receiver: Receiver, live_until: Live
) -> None:
    tickets = [burning(subject=f"Number {n}") for n in range(3)]
    live_until(after(1))
    assert receiver.pages == [[ticket.reference for ticket in tickets]]


def test_what_is_not_taken_comes_again_as_the_same_message(
    burning: Burning, receiver: Receiver, live_until: Live
) -> None:
    receiver.answers = [500, 429]
    burning()
    live_until(after(60))
    assert receiver.knocks == 1 + 3
    assert len(receiver.pages) == 1


@pytest.mark.parametrize("status", [302, 404, 410])
def test_what_is_refused_or_sent_elsewhere_goes_by_mail_alone(
    status: int, burning: Burning, receiver: Receiver, live_until: Live
) -> None:
    receiver.answers = [status]
    ticket = burning()
    live_until(after(120))
    assert receiver.knocks == 1 + 1
    assert states(ticket) == {"webhook": "failed", "mail": "sent"}
    failed = Entry.objects.of(ticket.pk).get(kind="page_failed").details
    assert failed["why"] == f"the webhook answers {status}"


def test_an_address_inside_our_network_is_never_asked(
    burning: Burning, receiver: Receiver, live_until: Live, settings: Any
) -> None:
    settings.PRIVATE_HOSTS = []
    ticket = burning()
    live_until(after(120))
    assert (receiver.knocks, receiver.pages) == (1, [])
    assert states(ticket) == {"webhook": "failed", "mail": "sent"}


def test_an_operator_can_switch_them_off(
    burning: Burning, receiver: Receiver, live_until: Live, settings: Any
) -> None:
    settings.WEBHOOKS_OF_AGENTS = False
    ticket = burning()
    live_until(after(60))
    assert (receiver.knocks, states(ticket)) == (1, {"webhook": "failed", "mail": "sent"})
    assert not OUT["webhook"].is_set_up()


def test_a_webhook_that_was_taken_away_hears_nothing_more(
    cast: Cast, burning: Burning, receiver: Receiver, live_until: Live
) -> None:
    receiver.answers = [503]
    ticket = burning()
    live_until(after(1))
    cast.lena.ways.get(kind="webhook").remove()
    live_until(after(120))
    assert (receiver.knocks, states(ticket)["webhook"]) == (2, "failed")


def test_a_way_that_breaks_keeps_nobody_else_from_being_called_and_gives_way_to_mail(
    cast: Cast, burning: Burning, receiver: Receiver, live_until: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    Way.objects.create(agent=cast.lena, kind="push", address="https://push.example", verified_at=MONDAY_10)

    def breaks(message: Outgoing) -> None:
        raise LookupError("something that nobody thought of, and a secret")

    monkeypatch.setitem(OUT, "push", WayOut(breaks, lambda: True))  # type: ignore[arg-type]  # it is a dict
    ticket = burning()
    live_until(after(300))
    assert states(ticket) == {"push": "failed", "webhook": "sent", "mail": "sent"}
    assert "secret" not in Page.objects.get(channel="push").error

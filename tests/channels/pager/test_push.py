"""Pages as notices of a browser: encrypted for it alone, signed by the desk, over a push service that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cast import Cast
from tests.channels.pager.conftest import Burning, after, states
from tests.channels.pager.receiver import listening
from tests.channels.pager.subscriber import CURVE, Subscriber
from tests.conftest import MONDAY_10
from tierdesk.channels.pager import push
from tierdesk.channels.pager.out import send_code
from tierdesk.channels.pager.push import encrypted, padless, unpadded
from tierdesk.core import clock
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import UnableToReach, Way

Live = Callable[..., None]


def key_of(number: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unpadded(number)), CURVE)


def test_it_is_encrypted_as_the_example_of_rfc_8291() -> None:
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        unpadded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        unpadded("BTBZMqHH6r4Tts7J_aSIgg"),
        own=key_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=unpadded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert padless(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PB"
        "ru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.fixture
def browser(cast: Cast, settings: Any) -> Iterator[Subscriber]:
    """Lena's, which she proved with the code that it showed her."""
    subscriber = Subscriber()
    with listening(subscriber):
        settings.PRIVATE_HOSTS = [subscriber.address]
        url = f"http://{subscriber.address}/a-long-secret"
        keys = push.keys(**subscriber.keys)
        way, code = Way.propose(cast.lena, "push", url, is_urgent=True, at=MONDAY_10, secret=keys)
        with clock.frozen(MONDAY_10):
            send_code(way, code)
        [(_, told)] = subscriber.told
        assert told["body"] == code
        way.verify(code, at=MONDAY_10)
        yield subscriber


def test_a_page_is_a_notice_that_opens_its_link(
    burning: Burning, browser: Subscriber, live_until: Live
) -> None:
    ticket = burning()
    live_until(after(1))
    page = Page.objects.get(paging__ticket=ticket, channel="push")
    topic, told = browser.told[-1]
    assert told["title"] == f"{ticket.reference} · P1 · Acme GmbH"
    assert (told["body"], told["tag"]) == ("VPN does not connect", topic)
    assert told["url"].endswith(f"/pages/{page.token}/")
    assert len(topic) <= 32, "RFC 8030 §5.4"
    assert states(ticket) == {"push": "sent", "mail": "sent"}


def test_several_are_one_notice(burning: Burning, browser: Subscriber, live_until: Live) -> None:
    tickets = [burning(subject=f"Number {n}") for n in range(3)]
    live_until(after(1))
    [_, (_, told)] = browser.told
    assert told["title"] == "3 pages"
    assert all(ticket.reference in told["body"] for ticket in tickets)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_gives_way_to_mail(
    status: int, burning: Burning, browser: Subscriber, live_until: Live
) -> None:
    browser.answers = [status]
    ticket = burning()
    live_until(after(60))
    assert states(ticket) == {"push": "failed", "mail": "sent"}


def test_a_push_service_in_trouble_is_asked_again(
    burning: Burning, browser: Subscriber, live_until: Live
) -> None:
    browser.answers = [503, 429]
    ticket = burning()
    live_until(after(60))
    assert states(ticket) == {"push": "sent", "mail": "sent"}


def test_another_secret_key_of_the_desk_is_another_desk_to_a_browser(settings: Any) -> None:
    before = push.public_key()
    assert push.public_key() == before
    settings.SECRET_KEY = "another"
    assert push.public_key() != before


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", ""), ("AAAA", "BTBZMqHH6r4Tts7J_aSIgg"), ("no base 64!", "="), (padless(b"\x04" + 64 * b"\1"), "")],
)
def test_what_is_no_key_of_a_browser_is_refused(p256dh: str, auth: str) -> None:
    with pytest.raises(UnableToReach, match="did not say how to write to it"):
        push.keys(p256dh, auth)


def test_many_with_long_names_still_fit_into_one_notice(
    cast: Cast, burning: Burning, browser: Subscriber, live_until: Live
) -> None:
    """A push service takes no more than 4096 octets (RFC 8030 §7.2)."""
    cast.acme.name = "Ж" * 200
    cast.acme.save()
    tickets = [burning(subject="Шлюз не отвечает 🔥" * 9) for _ in range(6)]
    live_until(after(1))
    [_, (_, told)] = browser.told
    assert told["title"] == "6 pages"
    assert tickets[0].reference in told["body"]
    assert browser.longest <= 4096

"""Pages by chat over a bridge that is the desk's own, on platforms that answer as the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.pager.conftest import Burning, after, states
from tests.conftest import MONDAY_10
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.platforms.fakes import Fake, FakeMattermost, FakeSlack
from tierdesk.channels.pager.out import OUT, send_code
from tierdesk.response.paging.pages import Page
from tierdesk.response.paging.ways import Way

Live = Callable[..., None]
FAKES: dict[str, Callable[[], Fake]] = {"slack": FakeSlack, "mattermost": FakeMattermost}


@pytest.fixture(params=FAKES)
def platform(request: pytest.FixtureRequest, cast: Cast, settings: Any) -> Iterator[Fake]:
    with FAKES[request.param]().running() as fake:
        settings.PRIVATE_HOSTS = [fake.url.removeprefix("http://")]
        bridge = Bridge(
            client=cast.acme, key="ours", kind=request.param, name="Our chat", url=fake.url, bot="UDESK"
        )
        bridge.pages_agents, bridge.token = True, fake.token
        bridge.save()
        way, code = Way.propose(cast.lena, "chat", "ours/C7", is_urgent=True, at=MONDAY_10)
        send_code(way, code)
        assert code in text_of(fake.posts[-1])
        way.verify(code, at=MONDAY_10)
        yield fake


def text_of(post: dict[str, Any]) -> str:
    return str(post.get("text") or post.get("message"))


def test_a_page_is_a_message_of_its_own_with_the_link(
    burning: Burning, platform: Fake, live_until: Live
) -> None:
    ticket = burning()
    live_until(after(1))
    post = platform.posts[-1]
    page = Page.objects.get(paging__ticket=ticket, channel="chat")
    assert (post.get("channel") or post["channel_id"]) == "C7"
    assert not post.get("thread_ts") and not post.get("root_id")
    assert ticket.reference in text_of(post) and f"/pages/{page.token}/" in text_of(post)
    assert states(ticket) == {"chat": "sent", "mail": "sent"}


def test_a_platform_that_wants_time_is_asked_again(
    burning: Burning, platform: Fake, live_until: Live
) -> None:
    platform.slow = 2
    ticket = burning()
    live_until(after(60))
    assert len(platform.posts) == 1 + 1
    assert states(ticket) == {"chat": "sent", "mail": "sent"}


def test_a_bridge_that_is_a_client_s_again_pages_nobody(
    burning: Burning, platform: Fake, live_until: Live
) -> None:
    Bridge.objects.update(pages_agents=False)
    ticket = burning()
    live_until(after(60))
    assert len(platform.posts) == 1
    assert states(ticket) == {"chat": "failed", "mail": "sent"}
    assert not OUT["chat"].is_set_up()

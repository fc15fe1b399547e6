"""A mailbox that is not fetched is told to the administrators, whatever the reason, and not every minute."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tierdesk.channels.email.models import Collection, Grant, Mailbox
from tierdesk.channels.email.watch import watch_mailboxes
from tierdesk.core.facts import ENGINE
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice

MINUTE = timedelta(minutes=1)
Doing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def state(cast: Cast, at: datetime) -> Collection:
    """A mailbox that was last looked into at `at`. Lou is an administrator, and so is somebody who works no tickets."""
    User.objects.filter(pk=cast.lou.user.pk).update(is_admin=True)
    User.objects.create_user("root@desk.example", name="Root", is_admin=True)
    mailbox = Mailbox.objects.create(address="support@desk.example", imap_host="mail.example")
    return Collection.objects.create(mailbox=mailbox, began_at=at, looked_at=at, wake_at=at)


def told() -> list[tuple[str, str, str]]:
    found = Notice.objects.filter(kind="mailbox").order_by("id")
    return [(one.channel, one.address or one.agent.name, one.text.partition("\n")[0]) for one in found]


def test_m34_a_collector_that_stopped_is_told_on_the_desk_and_by_mail(
    state: Collection, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    live_until(at + 1 * MINUTE)
    assert told() == []
    live_until(at + 3 * MINUTE)
    why = "Nobody looks into it: the worker does not run, or hangs."
    assert told() == [
        ("desk", "Lou Lead", why),
        ("mail", "lou@desk.example", why),
        ("mail", "root@desk.example", why),
    ]


def test_m32_a_server_that_refuses_us_is_told_with_its_words(
    state: Collection, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    Collection.objects.update(error="The server does not let support in: no", failing_since=at, looked_at=at)
    live_until(at + 3 * MINUTE)
    assert {why for _, _, why in told()} == {"The server does not let support in: no"}


def test_it_is_told_once_a_day_while_it_lasts_and_again_when_it_fails_again(
    state: Collection, at: datetime, doing: Doing
) -> None:
    def watched(at: datetime) -> int:
        state.refresh_from_db()
        with doing(ENGINE, at):
            watch_mailboxes([state], at)
        return len(told())

    assert [watched(at + n * MINUTE) for n in (1, 2, 3, 30, 60)] == [0, 0, 3, 3, 3]
    next_day = at + timedelta(days=1, minutes=5)
    assert watched(next_day) == 6
    Collection.objects.update(looked_at=next_day)
    assert [watched(next_day + n * MINUTE) for n in (1, 5)] == [6, 9]


def test_m33_a_permission_is_told_before_it_ends_and_again_when_it_has(
    state: Collection, at: datetime, doing: Doing
) -> None:
    until = at + 30 * MINUTE
    Grant.objects.create(mailbox=state.mailbox, provider="google", error="No more.", access_expires_at=until)
    for minute, failing in ((1, None), (2, None), (35, until), (36, until)):
        Collection.objects.update(
            looked_at=at + minute * MINUTE, failing_since=failing, error="No more." if failing else ""
        )
        state.refresh_from_db()
        with doing(ENGINE, at + minute * MINUTE):
            watch_mailboxes([state], at + minute * MINUTE)
    subjects = Notice.objects.filter(channel="desk").order_by("id").values_list("subject", flat=True)
    assert list(subjects) == [
        "The permission for support@desk.example ends",
        "No mail is fetched from support@desk.example",
    ]


def test_a_mailbox_that_is_switched_off_fails_nobody(
    state: Collection, at: datetime, live_until: Callable[[datetime], None]
) -> None:
    Mailbox.objects.update(is_active=False)
    live_until(at + 10 * MINUTE)
    assert told() == []
    state.refresh_from_db()
    assert state.wake_at is None

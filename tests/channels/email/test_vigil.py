"""A mailbox that hears nothing is told, though nothing fails anywhere (M34, M38)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.conftest import PostOffice
from tierdesk.channels.email.health import trouble_of
from tierdesk.channels.email.models import Mailbox, Vigil, secret
from tierdesk.channels.email.token import find_canary, mint_canary
from tierdesk.channels.email.vigil import CANARY_EVERY, hours_counted, set_up
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Ticket

ADDRESS = "help@desk.localhost"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Living = Callable[[datetime], None]


@pytest.fixture
def watched(cast: Cast, at: datetime) -> Callable[..., Mailbox]:
    """A mailbox that promises something since `at`; whoever tells of it is told to one administrator."""
    User.objects.create_user("root@desk.example", name="Root", is_admin=True)

    def watched(**promises: Any) -> Mailbox:
        mailbox = Mailbox.objects.create(address=ADDRESS, **promises)
        set_up(mailbox, at)
        return mailbox

    return watched


def told() -> list[str]:
    found = Notice.objects.filter(kind="mailbox_silent", channel="mail").order_by("id")
    return [one.text.partition("\n")[0] for one in found]


def canaries(post: PostOffice) -> list[bytes]:
    return [one.data for one in post.sent if one.rcpt_to == ADDRESS]


def seen(mailbox: Mailbox, at: datetime) -> str:
    """What the page says of it."""
    fresh = Mailbox.objects.select_related("vigil").get(pk=mailbox.pk)
    return trouble_of(fresh, at, hours_counted([fresh]))


def test_unless_it_promises_something_nothing_is_expected(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched()
    live_until(at + 9 * HOUR)
    assert (told(), canaries(post), seen(mailbox, at + 9 * HOUR)) == ([], [], "")


def test_a_mailbox_without_mail_for_too_long_is_told_once_a_day(
    watched: Callable[..., Mailbox], at: datetime, live_until: Living
) -> None:
    mailbox = watched(quiet_hours=2)
    live_until(at + 2 * HOUR)
    assert told() == []
    live_until(at + 3 * HOUR)
    why = "No mail has come since 08 June, 08:00 UTC; 2 hours are the longest it is without."
    assert told() == [why]
    assert seen(mailbox, at + 3 * HOUR) == why
    live_until(at + 27 * HOUR)
    assert told() == [why] * 2


def test_only_the_hours_of_its_calendar_count(
    cast: Cast, watched: Callable[..., Mailbox], at: datetime, live_until: Living
) -> None:
    """Monday at ten it begins; the office closes at five and opens on Tuesday at nine."""
    mailbox = watched(quiet_hours=8, quiet_in=cast.office.calendar)
    live_until(at + 24 * HOUR)
    assert (told(), seen(mailbox, at + 24 * HOUR)) == ([], "")
    live_until(at + 24 * HOUR + MINUTE)
    why = "No mail has come since 08 June, 08:00 UTC; in its hours it is without for 8 at most."
    assert told() == [why]
    assert seen(mailbox, at + 24 * HOUR + MINUTE) == why


@pytest.mark.parametrize(
    "recipient", [ADDRESS, "Help+t1.abcdefghijklmnopqrstuvwx@desk.localhost"], ids=["plainly", "with a token"]
)
def test_any_mail_to_it_ends_the_silence(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living, recipient: str
) -> None:
    """From whomever: that it is parked, or a bounce, shows all the same that mail comes."""
    mailbox = watched(quiet_hours=2)
    live_until(at + 3 * HOUR)
    later = at + 3 * HOUR + MINUTE
    post.arrive(later, recipients=(recipient,), to=recipient, **{"from": "x@stranger.example"})
    live_until(later + HOUR)
    assert seen(mailbox, later + HOUR) == ""
    live_until(later + 3 * HOUR)
    assert len(told()) == 2


def test_mail_to_another_mailbox_does_not(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(quiet_hours=2)
    post.arrive(at + 2 * HOUR)
    live_until(at + 3 * HOUR)
    assert seen(mailbox, at + 3 * HOUR) != ""


def test_a_canary_leaves_every_half_hour_and_its_return_is_no_mail_of_anybody(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(canary_minutes=10, quiet_hours=1)
    for n in range(3):
        live_until(at + n * CANARY_EVERY)
        post.empty(at + n * CANARY_EVERY)
        assert len(canaries(post)) == n + 1
        came = post.arrive(at + n * CANARY_EVERY + 12 * timedelta(seconds=1), raw=canaries(post)[-1],
                           recipients=(ADDRESS,), mail_from="")  # fmt: skip
        assert (came.state, came.ticket) == ("done", None)
    assert not Ticket.objects.exists()
    vigil = Vigil.objects.get()
    assert (vigil.back_sent_at, vigil.took_s) == (at + 2 * CANARY_EVERY, 12)
    assert vigil.heard_at is None, "of customers it says nothing"
    live_until(at + 2 * CANARY_EVERY + MINUTE)
    assert seen(mailbox, at + HOUR + MINUTE).startswith("No mail has come since 08 June, 08:00 UTC;")
    assert Notice.objects.filter(kind="canary").count() == 1, "the older ones are not kept"


def test_a_canary_that_does_not_come_is_told_until_one_comes_in_time(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(canary_minutes=10)
    live_until(at)
    post.empty(at)
    live_until(at + 10 * MINUTE)
    assert told() == []
    live_until(at + 12 * MINUTE)
    why = "The desk’s mail to itself of 08 June, 08:00 UTC did not come within 10 minutes."
    assert told() == [why]
    live_until(at + 31 * MINUTE)
    post.empty(at + 31 * MINUTE)
    assert seen(mailbox, at + 31 * MINUTE) == why, "the next one, still on its way, excuses nothing"
    post.arrive(at + 32 * MINUTE, raw=canaries(post)[1], recipients=(ADDRESS,), mail_from="")
    assert seen(mailbox, at + 33 * MINUTE) == ""
    live_until(at + 45 * MINUTE)
    assert Vigil.objects.get().told_of == ""
    assert told() == [why]


def test_a_canary_that_comes_late_says_how_late(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    """M38: mail runs late; it is measured."""
    mailbox = watched(canary_minutes=10)
    live_until(at)
    post.empty(at)
    live_until(at + 25 * MINUTE)
    post.arrive(at + 25 * MINUTE, raw=canaries(post)[0], recipients=(ADDRESS,), mail_from="")
    assert seen(mailbox, at + 25 * MINUTE) == (
        "The desk’s mail to itself took 25 minutes; within 10 it is well."
    )


def test_a_canary_that_does_not_leave_says_why(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(canary_minutes=10)
    post.failing = [ConnectionRefusedError("nobody listens")] * 50
    live_until(at + 12 * MINUTE)
    assert seen(mailbox, at + 12 * MINUTE).startswith("The desk’s mail to itself does not leave: ")


def test_a_canary_is_a_programs_mail_and_cannot_be_made_up(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(canary_minutes=10)
    live_until(at)
    post.empty(at)
    mail = message_from_bytes(canaries(post)[0], policy=default)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert find_canary(mail["Subject"], secret=secret()) == (mailbox.pk, int(at.timestamp()))
    forged = re.sub(r"\.(\d)", lambda digit: f".{(int(digit[1]) + 1) % 10}", mail["Subject"], count=1)
    came = post.arrive(at + MINUTE, subject=forged, recipients=(ADDRESS,), **{"from": "x@stranger.example"})
    assert came.state == "parked"
    assert Vigil.objects.get().back_sent_at is None


def test_a_canary_by_a_provider_that_writes_ids_anew_and_marks_subjects_is_known(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    watched(canary_minutes=10)
    token = mint_canary(Mailbox.objects.get(address=ADDRESS).pk, sent=int(at.timestamp()), secret=secret())
    subject = f"[EXTERNAL] The desk writes to itself: {token}"
    headers = {"from": ADDRESS, "message_id": "<x@y.example>"}
    came = post.arrive(at + MINUTE, subject=subject, recipients=(ADDRESS,), **headers)
    assert came.state == "done"
    assert Vigil.objects.get().took_s == 60


def test_a_mailbox_that_is_switched_off_or_promises_nothing_any_more_is_waited_for_no_longer(
    watched: Callable[..., Mailbox], at: datetime, post: PostOffice, live_until: Living
) -> None:
    mailbox = watched(quiet_hours=1, canary_minutes=10)
    Mailbox.objects.update(is_active=False)
    live_until(at + 5 * HOUR)
    assert (told(), canaries(post)) == ([], [])
    assert not Vigil.objects.exists()
    mailbox.is_active = True
    mailbox.save()
    set_up(mailbox, at + 6 * HOUR)
    assert Vigil.objects.get().since_at == at + 6 * HOUR, "the time it was off is no silence"
    mailbox.quiet_hours = mailbox.canary_minutes = 0
    set_up(mailbox, at + 7 * HOUR)
    assert not Vigil.objects.exists()


def test_when_nobody_keeps_the_vigil_the_page_says_so(watched: Callable[..., Mailbox], at: datetime) -> None:
    mailbox = watched(canary_minutes=10)
    assert seen(mailbox, at + 3 * MINUTE) == "Nobody waits for its mail: the worker does not run, or hangs."

"""THE PAGER: pages that are due → their way out. What a page is about is looked at again before it goes.

All that is due for one person on one way leaves in one message. Between two messages lies a minute, and on dear ways
more (throttle.py); the first page about a P1 waits for nothing.

A page by mail is put into the outbox in the transaction that marks it sent: once, whatever is killed in between. On the
other ways it is leased, sent and marked: a crash in between sends it twice, never not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.pager.out import OUT
from tierdesk.channels.pager.outgoing import NotTaken, Refused, link, listed, of_pages, values
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.work import work
from tierdesk.response.notifications.models import Notice
from tierdesk.response.notifications.words import (
    PAGE,
    PAGE_ANSWER,
    PAGE_SUBJECT,
    PAGES,
    PAGES_ANSWER,
    PAGES_SUBJECT,
    fill,
)
from tierdesk.response.paging.follow import follow
from tierdesk.response.paging.pages import Page, PageState, gravest_first
from tierdesk.response.paging.throttle import LONGEST, free_at, ladder_of
from tierdesk.response.paging.ways import MAIL

log = logging.getLogger(__name__)

AT_ONCE = 10
LEASE = timedelta(minutes=2)
"""Longer than ten providers that do not answer."""

TRIES = 4
FIRST_WAIT = timedelta(seconds=15)
LISTED_IN_MAIL = 50

type Line = tuple[int, str, str]
"""One person on one way: (agent, channel, address)."""


def send_pages(at: datetime) -> int:
    """Send what is due to some people, whoever waited longest first; returns how many pages were looked at."""
    seen, leased = 0, []
    with work(by=ENGINE, at=at):
        for line in _due_lines(at):
            pages = _claim(line, at)
            seen += len(pages)
            if leaving := _leaving(pages, at):
                leased.append(leaving[0].pk)
    for leader in leased:
        _send(leader, at)
    return seen


def _due_lines(at: datetime) -> list[Line]:
    due = Page.objects.filter(wake_at__lte=at, state=PageState.PENDING).order_by("wake_at", "id")
    oldest = due.values_list("agent_id", "channel", "address")[: AT_ONCE * 10]
    return list(dict.fromkeys(oldest))[:AT_ONCE]


def _claim(line: Line, at: datetime) -> list[Page]:
    """All that is due on this line, locked; nothing while another sender has the line."""
    agent, channel, address = line
    with connection.cursor() as cursor:
        key = f"pages by {channel} at {address}"  # two people may have one telephone
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        if not cursor.fetchall()[0][0]:
            return []
    due = Page.objects.filter(
        agent=agent, channel=channel, address=address, wake_at__lte=at, state=PageState.PENDING
    )
    return list(due.whole().order_by("id").select_for_update(skip_locked=True, of=("self",)))


def _leaving(pages: Sequence[Page], at: datetime) -> list[Page]:
    """Do what needs nobody outside; what is left is to be sent as one message, under a lease."""
    needed = []
    for page in follow(pages, at):
        if not page.is_needed():
            page.drop()
        elif not page.address:
            page.fail("no address is known")
        else:
            needed.append(page)
    if not needed:
        return []
    if (free := _free_at(needed, at)) > at:
        for page in needed:
            page.put_off(free, error="held back: too many in a short time")
        return []
    if needed[0].channel == MAIL:
        _by_mail(_together(needed, at, until=at), at)
        return []
    return _together(needed, at, until=max(at, clock.now()) + LEASE)


def _free_at(pages: Sequence[Page], at: datetime) -> datetime:
    if any(page.paging.ticket.priority == 1 and page.is_first() for page in pages):
        return at
    one = pages[0]
    lately = Page.objects.filter(channel=one.channel, address=one.address, handed_at__gt=at - LONGEST)
    return free_at(list(lately.values_list("handed_at", flat=True)), at, ladder_of(one.channel))


def _together(pages: Sequence[Page], at: datetime, *, until: datetime) -> list[Page]:
    """These leave in the message of the gravest; for the ladder it counts as sent from now on."""
    leader, *others = gravest_first(pages)
    leader.put_off(until, error=leader.error, sent_with=None, handed_at=at)
    for page in others:
        page.put_off(until, error=page.error, sent_with=leader, handed_at=None)
    return [leader, *others]


def _by_mail(pages: Sequence[Page], at: datetime) -> None:
    first, told = pages[0], _once_each(pages)
    said = values(first) | {
        "count": len(told),
        "list": listed(told, LISTED_IN_MAIL),
        "link": link(first),
        "answer": "",
    }
    subject, text = (PAGE_SUBJECT, PAGE) if len(told) == 1 else (PAGES_SUBJECT, PAGES)
    if Mailbox.objects.exists():  # else nobody would hear an answer
        said["answer"] = str(PAGE_ANSWER if len(told) == 1 else PAGES_ANSWER)
    # What tells of several clients is nothing that those may read who see one of them.
    is_one_client_s = len({page.client_id for page in pages}) == 1
    Notice.objects.create(
        client_id=first.client_id if is_one_client_s else None,
        ticket=first.paging.ticket if is_one_client_s else None,
        channel="mail",
        kind="page",
        agent=first.agent,
        address=first.address,
        sender_name="Service Desk",
        subject=fill(subject, said)[:300],
        text=fill(text, said),
        automatic=True,
        created_at=at,
        wake_at=at,
    )
    for page in pages:
        page.mark_sent(at)


def _send(leader: int, at: datetime) -> None:
    pages = [page for page in _message_of(leader) if page.is_needed()]
    if not pages:
        return  # acknowledged while others were sent; what is still pending is dropped when its lease is over
    try:
        _hand_over(pages)
    except (NotTaken, Refused) as fault:
        with work(by=ENGINE, at=at):
            for page in pages:
                _not_sent(page, fault, at)
        return
    for page in pages:
        page.mark_sent(at)


def _hand_over(pages: Sequence[Page]) -> None:
    """Raises NotTaken or Refused. A way that breaks has not taken it: it keeps nobody else from being called."""
    channel = pages[0].channel
    try:
        OUT[channel].send(of_pages(_once_each(pages)))
    except (NotTaken, Refused):
        raise
    except Exception as bug:
        log.exception("the way out by %s broke", channel)
        raise NotTaken("the way out is broken; the log says how") from bug


def _message_of(leader: int) -> list[Page]:
    pending = Page.objects.filter(state=PageState.PENDING).whole()
    return gravest_first([*pending.filter(pk=leader), *pending.filter(sent_with=leader)])


def _not_sent(page: Page, fault: Exception, at: datetime) -> None:
    if isinstance(fault, Refused) or page.tries + 1 >= TRIES:
        page.fail(str(fault))
    else:
        page.put_off(at + FIRST_WAIT * 2**page.tries, error=str(fault), tried=True, handed_at=None)


def _once_each(pages: Sequence[Page]) -> list[Page]:
    """A ticket is told once, however many of its pages leave in this message."""
    return list({page.paging_id: page for page in reversed(pages)}.values())[::-1]

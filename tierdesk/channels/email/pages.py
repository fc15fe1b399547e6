"""An agent answers a page by mail: the first line acknowledges, or passes on (response/paging/answers.py).

Whoever knows the id that we gave to a page's mail, or the signed address that it names, has seen that mail, as
whoever has its link has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tierdesk.channels.registry import ToTheDesk
from tierdesk.core.work import current
from tierdesk.response.notifications.models import Notice
from tierdesk.response.paging import answers
from tierdesk.response.paging.answers import Answer
from tierdesk.response.paging.pages import Page, Pages
from tierdesk.response.paging.ways import MAIL


def page_mail(address: str, *, ids: Sequence[str], tickets: Sequence[int]) -> Notice | None:
    """The mail of a page to this address that another one answers: by its id, else by the ticket of its signed address
    (0: it told of several), the newest. None if it answers none."""
    sent = Notice.objects.mails().filter(kind="page", address=address, agent__user__is_active=True)
    sent = sent.exclude(message_id="").select_related("agent__user").order_by("-id")
    found: Notice | None = sent.filter(message_id__in=ids).first()
    if found is None and tickets:
        found = sent.filter(ticket=tickets[0] or None).first()
    return found


def answered(notice: Notice, text: str) -> ToTheDesk | None:
    """What the words say to the desk; None if they are no answer, and nothing waits for one."""
    assert notice.agent is not None
    answer = replace(answers.read(next(iter(text.strip().splitlines()), "")), is_meant=True)
    told = Page.objects.filter(
        channel=MAIL, agent=notice.agent, address=notice.address, sent_at=notice.created_at
    )
    if not (answer.verb or answers.waiting(told)):
        return None
    return ToTheDesk(
        notice.agent.actor(),
        partial(_reply, told, answer),
        notice.address,
        "an answer to a page",
        channel="mail",
        subject=f"Re: {notice.subject}"[:300],
    )


def _reply(told: Pages, answer: Answer) -> str:
    return answers.reply(told, answer, current().at)

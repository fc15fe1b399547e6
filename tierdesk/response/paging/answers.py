"""What somebody answers to a page in a few words, by SMS or in a chat, and what is said back.

`ack` is about all of the newest message, `ack 1042` about one ticket; `pass` says that somebody else has to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from tierdesk.response.paging.pages import Page, Pages, PageState, answered_by
from tierdesk.response.paging.states import WAITING, PagingState

ACK, PASS = "ack", "pass"
WORDS: Final = {
    **dict.fromkeys(("ack", "acknowledge", "ok", "okay", "yes", "ja", "y", "1"), ACK),
    **dict.fromkeys(("pass", "2"), PASS),
}
UNMISTAKABLE: Final = ("ack", "acknowledge", "pass")
"""Words that nobody says in a chat but to the desk."""

ANSWER = re.compile(r"(?P<word>\w+)(?P<numbers>(?:[\s,:#]+(?:td-)?\d{1,15})*)[\s.!]*", re.IGNORECASE)
NUMBER = re.compile(r"\d+")
MOST_WORDS = 3
LATE = timedelta(hours=24)
"""So long after a page somebody who answers too late is told what became of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`verb` is ACK or PASS, empty for words that are no answer; `numbers`: of the tickets that it names.

    `is_meant`: it was said to the desk, and to nobody else who may be reading.
    """

    verb: str
    numbers: frozenset[int] = frozenset()
    is_meant: bool = False


def read(text: str) -> Answer:
    """Pure."""
    said = text.strip()
    found = ANSWER.fullmatch(said)
    word = found["word"].lower() if found else ""
    if found is None or word not in WORDS:
        first = said.split(maxsplit=1)[0].lower() if said else ""
        return Answer("", is_meant=first in UNMISTAKABLE or 0 < len(said.split()) <= MOST_WORDS)
    numbers = frozenset(int(number) for number in NUMBER.findall(found["numbers"]))
    return Answer(WORDS[word], numbers, is_meant=word in UNMISTAKABLE or bool(numbers))


def waiting(mine: Pages, numbers: frozenset[int] = frozenset()) -> Sequence[Page]:
    """Of what was sent to somebody on a way, the pages that an answer is about: those of the newest message, or of
    these tickets. Those that can act no more are left out."""
    if not numbers:
        return answered_by(mine)
    named = mine.filter(state=PageState.SENT, paging__state__in=WAITING, paging__ticket__in=numbers)
    newest = named.whole().order_by("paging_id", "-id").distinct("paging_id")
    return [page for page in newest if page.can_act and page.agent.user.is_active]


def reply(mine: Pages, answer: Answer, at: datetime) -> str:
    """Do what the answer says, by a unit of work of its person, and say what became of it.

    `mine`: what was sent to them on the way on which they answer. Empty: it was about nothing of ours.
    """
    pages = waiting(mine, answer.numbers)
    if not pages:
        return _too_late(mine, answer, at)
    if not answer.verb:
        return _("Answer ACK to acknowledge %(number)s.") % {"number": _numbers(pages)}
    return VERBS[answer.verb](pages)


def acknowledge(pages: Sequence[Page]) -> str:
    for page in pages:
        page.acknowledge()
    return _("You acknowledged %(number)s.") % {"number": _numbers(pages)}


def pass_on(pages: Sequence[Page]) -> str:
    for page in pages:
        page.pass_on()
    return _("You passed on %(number)s.") % {"number": _numbers(pages)}


VERBS: Final[dict[str, Callable[[Sequence[Page]], str]]] = {ACK: acknowledge, PASS: pass_on}


def _too_late(mine: Pages, answer: Answer, at: datetime) -> str:
    """What became of what they answer to; nothing where they were not talking to us."""
    if not answer.verb or not answer.is_meant:
        return ""
    if answer.numbers:
        named = ", ".join(f"TD-{number}" for number in sorted(answer.numbers))
        before = _newest(mine.filter(paging__ticket__in=answer.numbers))
        if before is None:
            return _("You were not paged about %(number)s here.") % {"number": named}
        return _became(before)
    before = _newest(mine.filter(sent_at__gt=at - LATE))
    return _became(before) if before else _("No page waits for your answer.")


def _newest(mine: Pages) -> Page | None:
    sent = mine.filter(state__in=[PageState.SENT, PageState.FAILED]).whole()
    found: Page | None = sent.order_by("-id").first()
    return found if found is not None and found.is_theirs else None


def _became(page: Page) -> str:
    paging, number = page.paging, page.paging.ticket.reference
    if not paging.ticket.is_unresolved():
        return _("%(number)s is over; nobody needs to look any more.") % {"number": number}
    if paging.state == PagingState.ACKNOWLEDGED and paging.acked_by is not None:
        if paging.acked_by_id == page.agent_id:
            return _("You have acknowledged %(number)s already.") % {"number": number}
        told = {"number": number, "who": paging.acked_by.name}
        return _("Nothing to do: %(who)s looks at %(number)s.") % told
    return _("You have answered about %(number)s already.") % {"number": number}


def _numbers(pages: Sequence[Page]) -> str:
    return ", ".join(page.paging.ticket.reference for page in pages)

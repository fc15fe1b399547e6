"""What may help somebody before they send a form: what the form advises, and what they told us earlier."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from tierdesk.channels.web_form.models import Form
from tierdesk.directory.staff.models import User
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.lifecycle import State
from tierdesk.tickets.models import Message, Ticket
from tierdesk.tickets.search import find

MOST_WORDS = 12
MOST_TICKETS = 3
MOST_LOOKED_AT = 12
LONGEST_TYPED = 2000
SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Advice:
    """`going`: their own tickets that sound alike and are being worked; `solved`: earlier ones with our answer."""

    says: Sequence[str] = ()
    going: Sequence[Ticket] = ()
    solved: Sequence[tuple[Ticket, str]] = ()

    @property
    def many(self) -> int:
        return len(self.says) + len(self.going) + len(self.solved)

    def __bool__(self) -> bool:
        return bool(self.says or self.going or self.solved)


def advice_for(form: Form | None, typed: str, user: User | None) -> Advice:
    """For what is typed so far. Without a user only what the form itself says: a stranger learns nothing of anybody."""
    typed = typed[:LONGEST_TYPED]
    says = form.advises(typed) if form else []
    alike = _alike(typed, user) if user is not None else []
    going = [ticket for ticket in alike if ticket.is_unresolved()]
    solved = [ticket for ticket in alike if ticket.state in (State.RESOLVED, State.CLOSED)]
    return Advice(says, going[:MOST_TICKETS], _told_once(solved[:MOST_LOOKED_AT])[:MOST_TICKETS])


def _told_once(solved: Sequence[Ticket]) -> list[tuple[Ticket, str]]:
    """Each with our answer; of those that were answered in the same words, the one that comes first."""
    answers = _last_answers(solved)
    first = {answers[ticket.pk]: ticket for ticket in reversed(solved) if ticket.pk in answers}
    return [
        (ticket, answers[ticket.pk]) for ticket in solved if first.get(answers.get(ticket.pk, "")) is ticket
    ]


def _alike(typed: str, user: User) -> list[Ticket]:
    """Their tickets that share a quarter of the words that were typed, those that share most first.

    Two are too few in a long text: “every” and “since” are in many.
    """
    words = list(dict.fromkeys(re.findall(rf"\w{{{SHORTEST_WORD},40}}", typed.lower())))[:MOST_WORDS]
    if not words:
        return []
    found = find(" or ".join(f'"{word}"' for word in words), user)
    shared = {ticket.pk: len(_words_of(ticket) & set(words)) for ticket in found}
    wanted = max(ceil(len(words) / 4), 1 if len(words) < 3 else 2)
    return sorted(
        (ticket for ticket in found if shared[ticket.pk] >= wanted),
        key=lambda one: (-shared[one.pk], -one.pk),
    )


def _words_of(ticket: Ticket) -> set[str]:
    return set(re.findall(r"\w+", f"{ticket.subject} {ticket.description[:LONGEST_TYPED]}".lower()))


def _last_answers(tickets: Sequence[Ticket]) -> dict[int, str]:
    """The last that we said publicly on each ticket."""
    said = Message.objects.filter(ticket__in=[t.pk for t in tickets], direction=Direction.OUTBOUND)
    return dict(said.order_by("at", "id").values_list("ticket_id", "text"))

"""Many tickets changed by the same verbs at once: their rows and their words are written in one statement each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from django.db.models import Model

from tierdesk.core import rows
from tierdesk.core.work import current
from tierdesk.tickets.conversation import Message

if TYPE_CHECKING:
    from tierdesk.tickets.models import Ticket

RELATED = ("client", "contact", "contract_version", "team", "voice_team", "assignee__user")

WORDS = (
    "id client_id ticket_id direction by_kind by_id by_name at channel text html message_id automatic trust why"
).split()


class Held:
    """Tickets that are locked until the end of the transaction, and what verbs have done to them meanwhile."""

    def __init__(self, tickets: Sequence[Ticket]) -> None:
        self._tickets = tickets
        self._attnames = {field.name: field.attname for field in tickets[0]._meta.concrete_fields}
        self._columns: set[str] = set()
        self._changed: dict[int, Ticket] = {}
        self._words: list[Message] = []
        self._ids: deque[int] = deque()

    def change(self, ticket: Ticket, values: Mapping[str, Any]) -> None:
        """Nobody can be faster than whoever holds the lock, so no version is compared."""
        for name, value in values.items():
            setattr(ticket, name, value)
            self._columns.add(self._attnames[name])
        ticket.version += 1
        ticket.touched_at = current().at
        self._changed[ticket.pk] = ticket

    def say(self, message: Message) -> None:
        """Keep the message until the end, with the key that it will have."""
        if not self._ids:
            self._ids.extend(rows.reserve_ids(Message, len(self._tickets)))
        message.pk = self._ids.popleft()
        self._words.append(message)

    def write(self) -> None:
        columns = sorted(self._columns | {"version", "touched_at"})
        model = type(self._tickets[0])
        changed = list(self._changed.values())
        rows.update(model, columns, [[one.pk, *(getattr(one, name) for name in columns)] for one in changed])
        rows.insert(Message, WORDS, [[getattr(one, name) for name in WORDS] for one in self._words])


@contextmanager
def together(model: type[Model], keys: Iterable[int]) -> Iterator[list[Ticket]]:
    """Lock these tickets, in the order of their keys, and let verbs do things to them; it is written at the end.

    What is yielded are fresh rows with RELATED read. Close the block before the unit of work settles.
    """
    fresh = model._base_manager.filter(pk__in=set(keys)).select_related(*RELATED).order_by("pk")
    tickets = cast("list[Ticket]", list(fresh.select_for_update(of=("self",))))
    if not tickets:
        yield tickets
        return
    held = Held(tickets)
    for ticket in tickets:
        ticket.held = held
    yield tickets
    for ticket in tickets:
        ticket.held = None
    held.write()

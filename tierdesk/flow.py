"""THE WIRING: which reactions follow which fact, in order. The table of contents of the system.

`now` is true at commit; an exception in it rolls everything back. `later` is queued in the same commit and retried.
Each reaction takes the list of all facts of its kind of the round. Read from top to bottom, it is a ticket's story.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierdesk.core import jobs
from tierdesk.core.facts import Fact
from tierdesk.core.wakeups import Wakeup
from tierdesk.core.work import Reactions, Wiring
from tierdesk.tickets.lifecycle import wake_tickets
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.timeline import Timeline

FLOW: dict[type[Fact], Reactions] = {}

WIRING = Wiring(reactions=FLOW, journal=Timeline(), later=jobs.later)

WAKEUPS: Sequence[Wakeup] = [
    Wakeup(Ticket, wake_tickets),
]

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
from tierdesk.response.sla import reactions as sla
from tierdesk.response.sla.models import WAKING, Clock, wake_clocks
from tierdesk.response.triage import reactions as triage
from tierdesk.tickets import facts as tickets
from tierdesk.tickets.lifecycle import wake_tickets
from tierdesk.tickets.models import Ticket
from tierdesk.tickets.timeline import Timeline

FLOW: dict[type[Fact], Reactions] = {
    # Trouble becomes a ticket.
    tickets.Opened: Reactions(now=[triage.triage]),
    tickets.Triaged: Reactions(now=[sla.start_clocks]),
    # Somebody takes it and talks to the contact.
    tickets.Acknowledged: Reactions(now=[sla.stop_acknowledge]),
    tickets.Replied: Reactions(now=[sla.stop_respond]),
    tickets.Reprioritised: Reactions(now=[sla.retarget_clocks]),
    # It waits, and wakes.
    tickets.Pended: Reactions(now=[sla.pause_clocks]),
    tickets.Resumed: Reactions(now=[sla.resume_clocks]),
    # It climbs the ladder.
    tickets.HandedOver: Reactions(now=[sla.change_tier_clocks]),
    # It ends, or does not.
    tickets.Resolved: Reactions(now=[sla.stop_clocks]),
    tickets.Reopened: Reactions(now=[sla.count_on]),
    tickets.Closed: Reactions(now=[sla.cancel_clocks]),
    tickets.Cancelled: Reactions(now=[sla.cancel_clocks]),
}

WIRING = Wiring(reactions=FLOW, journal=Timeline(), later=jobs.later)

WAKEUPS: Sequence[Wakeup] = [
    Wakeup(Clock, wake_clocks, values=WAKING, batch=2000),
    Wakeup(Ticket, wake_tickets),
]

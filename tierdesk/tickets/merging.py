"""Two tickets about one matter: the duplicate is merged into the main one, and may be taken out again.

The duplicate is cancelled with the code `merged` and keeps all that was said on it. Its later mails go to the main
ticket, which the duplicate's contact and followers follow from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tierdesk.core.work import current, record
from tierdesk.tickets.facts import Absorbed, Cancelled, Parted, Released
from tierdesk.tickets.lifecycle import State, UnableTo
from tierdesk.tickets.relations import Participant

if TYPE_CHECKING:
    from tierdesk.tickets.models import Ticket

MERGED = "merged"
"""The resolution code of a duplicate."""

LONGEST_CHAIN = 10


class Merging:
    """The verbs that make two tickets one matter, and two again. Mixed into `Ticket`; inside a unit of work."""

    @property
    def is_merged(self: Ticket) -> bool:
        return self.resolution_code == MERGED and self.state == State.CANCELLED

    def merge_into(self: Ticket, main: Ticket, *, why: str) -> None:
        """Go on with `main` alone. Whoever heard of this ticket follows `main`, and can read it from then on.

        Raises UnableTo across clients, for tickets that are not going on, and without a reason; StaleTicket when
        somebody changed one of the two meanwhile.
        """
        self._refuse_merging(main, why)
        self.hold(main)
        self._end_as_merged(main)
        followers = self._let_follow(main)
        record(Cancelled(ticket=self, why=why.strip(), duplicate_of=main.pk, merged=True))
        main.change()
        record(Absorbed(ticket=main, other=self.pk, why=why.strip(), followers=followers))

    def part(self: Ticket, *, why: str) -> None:
        """It was no duplicate after all: it goes on by itself, and its clocks count on as if they had never stopped.

        Whoever followed the main ticket only because of the merge does so no longer. What was said there since stays
        there; an agent moves it. Raises UnableTo unless it is merged, and without a reason.
        """
        if not self.is_merged or self.duplicate_of is None or self.closed_at is None:
            raise UnableTo(f"{self.reference} is not merged into another ticket.")
        if not why.strip():
            raise UnableTo("Say why it is no duplicate: both tickets keep the reason.")
        main, merged_at = self.duplicate_of, self.closed_at
        self.hold(main)
        self.change(
            state=State.OPEN if self.acknowledged_at else State.NEW,
            closed_at=None,
            duplicate_of=None,
            resolution_code="",
        )
        record(Parted(ticket=self, main=main.pk, why=why.strip(), merged_at=merged_at.isoformat()))
        main.change()
        self._let_go(main)
        record(Released(ticket=main, other=self.pk, why=why.strip()))

    def goes_on_as(self: Ticket) -> Ticket:
        """The ticket on which this matter goes on: itself, unless it is merged."""
        ticket: Ticket = self
        for _ in range(LONGEST_CHAIN):
            if not ticket.is_merged or ticket.duplicate_of is None:
                break
            ticket = ticket.duplicate_of
        return ticket

    def hold(self: Ticket, *others: Ticket) -> None:
        """Lock these tickets until the end of the unit, in one order, so that two who hold the same both finish."""
        rows = type(self)._base_manager.filter(pk__in=[self.pk, *(one.pk for one in others)]).order_by("pk")
        list(rows.select_for_update().values_list("pk", flat=True))

    def _refuse_merging(self: Ticket, main: Ticket, why: str) -> None:
        if main.client_id != self.client_id:
            raise UnableTo("Tickets of different clients are never merged.")
        if self.is_major:
            raise UnableTo(f"{self.reference} is a major incident: link the other ticket to it instead.")
        if main.pk == self.pk:
            raise UnableTo("A ticket is not merged into itself: name the other one.")
        if self.channel == "chat":
            raise UnableTo(
                f"Whoever wrote {self.reference} is answered in their chat: merge the other ticket into it instead."
            )
        for one in (self, main):
            if not one.is_unresolved():
                raise UnableTo(f"{one.reference} is {one.state}; only tickets that are going on are merged.")
        if not why.strip():
            raise UnableTo("Say why the two are one matter: both tickets keep the reason.")

    def _end_as_merged(self: Ticket, main: Ticket) -> None:
        self.change(
            state=State.CANCELLED,
            closed_at=current().at,
            wake_at=None,
            pending_reason="",
            duplicate_of=main,
            resolution_code=MERGED,
        )

    def _let_follow(self: Ticket, main: Ticket) -> list[str]:
        """Addresses that follow `main` from now on because this ticket did tell them."""
        heard = {one.email: one.contact for one in self.participants.filter(accepted=True) if one.email}
        if self.contact is not None and self.contact.email:
            heard[self.contact.email] = self.contact
        fresh = {email: contact for email, contact in heard.items() if not main.is_participant(email)}
        for email, contact in fresh.items():
            Participant.objects.update_or_create(
                ticket=main,
                email=email,
                defaults={"client_id": main.client_id, "contact": contact, "accepted": True},
            )
        return sorted(fresh)

    def _let_go(self: Ticket, main: Ticket) -> None:
        absorbed = main.entries.filter(kind=Absorbed.kind, details__other=self.pk).order_by("-id").first()
        followers = absorbed.details["followers"] if absorbed else []
        main.participants.filter(email__in=followers).delete()

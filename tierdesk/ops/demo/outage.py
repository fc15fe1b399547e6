"""One major incident in the demo's past, from the first client who tells of it to its review on the next day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest

from django.db.models import Q

from tierdesk.channels.web_form.submissions import submit
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.response.major.models import MajorIncident, ReviewAction, RoleKind
from tierdesk.tickets.models import Ticket

TOLD = (
    ("No internet at all", "Since a few minutes nothing opens, neither mail nor the web."),
    ("Mail does not load", "It says that there is no connection. My colleague has the same."),
    ("VPN drops all the time", "It connects, and after some seconds it is gone."),
    ("The web is dead", "No page opens on any of our computers."),
    ("Is the line down?", "Telephone and internet went off together."),
)
BROADCASTS = {
    14: "We know of it: a line of our carrier is down, and several of our clients have the same trouble. "
    "We are moving you to the second line. You hear from us again within half an hour, whatever happens.",
    39: "Half of the traffic runs over the second line by now. What you open may be slow. "
    "The next word comes within half an hour.",
}
"""By the minute after it began."""

SOLVED = "The line works again, and everything runs as before. Please tell us if yours does not."
WHY = "The carrier’s line is cut: several clients have neither internet nor mail."
REVIEW = (
    "A digger cut the carrier’s cable. Our monitoring saw it two minutes later, and the first client wrote three "
    "minutes after that. The second line took over by hand, which took half an hour, because only one of us knew "
    "how.\n\nWhat helped: one person wrote to everybody. What did not: the carrier’s own page said that all was well."
)

MINUTE = timedelta(minutes=1)

type At = Callable[[datetime, Callable[[datetime], None]], None]


@dataclass
class Outage:
    """What is to come of it; `at` lets a moment come."""

    at: At
    tickets: list[Ticket] = field(default_factory=list)

    def plan(self, began: datetime, contacts: list[Contact]) -> None:
        """From its first words to its review on the next day. Several clients are hit, one contact after the other."""
        self.first, self.second, self.third = (_agents(tier, contacts[0].client_id) for tier in (1, 2, 3))
        self.lead = Agent.objects.filter(is_manager=True).select_related("user").order_by("pk")[0]
        service = Service.objects.filter(client=None).order_by("pk").first()
        for minute, (contact, told) in enumerate(zip(_of_several_clients(contacts), TOLD, strict=False)):
            self.at(began + 2 * minute * MINUTE, partial(self._told, contact, told, service))
        self.at(began + 5 * MINUTE, self._take)
        self.at(began + 9 * MINUTE, self._declare)
        self.at(began + 11 * MINUTE, self._link)
        for minute, text in BROADCASTS.items():
            self.at(began + minute * MINUTE, partial(self._broadcast, text))
        self.at(began + 64 * MINUTE, self._solve)
        self.at(began + timedelta(days=1), self._look_back)
        self.at(began + timedelta(days=1, hours=20), self._do_one)

    def _told(self, contact: Contact, told: tuple[str, str], service: Service | None, at: datetime) -> None:
        subject, text = told
        key = f"outage-{contact.pk}"
        ticket = submit(contact, subject=subject, text=text, key=key, service=service.pk if service else None)
        if ticket is not None:
            self.tickets.append(ticket)

    def _take(self, at: datetime) -> None:
        with work(by=self.first[0].actor(), at=at):
            _fresh(self.tickets[0]).take(self.first[0])

    def _declare(self, at: datetime) -> None:
        parent = _fresh(self.tickets[0])
        with work(by=self.lead.actor(), at=at) as unit:
            parent.assess(impact=1, urgency=1, reason="several clients are cut off")
            unit.settle()
            made = MajorIncident.declare(parent, by=self.lead, why=WHY, manager=self.second[0], every_min=30)
            made.hand_role(RoleKind.COMMUNICATIONS, self.first[0], by=self.lead)
            made.hand_role(RoleKind.TECHNICAL, self.third[0], by=self.lead)
            made.hand_role(RoleKind.SCRIBE, self.first[-1], by=self.lead)

    def _link(self, at: datetime) -> None:
        with work(by=self.first[0].actor(), at=at):
            self._incident().link([ticket.pk for ticket in self.tickets[1:]])

    def _broadcast(self, words: str, at: datetime) -> None:
        with work(by=self.first[0].actor(), at=at):
            self._incident().broadcast(words, by=self.first[0])

    def _solve(self, at: datetime) -> None:
        with work(by=self.third[0].actor(), at=at):
            _fresh(self.tickets[0]).resolve(code="vendor_fix", text=SOLVED)

    def _look_back(self, at: datetime) -> None:
        manager, incident = self.second[0], self._incident()
        soon, later = (at + timedelta(days=1)).date(), (at + timedelta(days=21)).date()
        with work(by=manager.actor(), at=at):
            incident.hold_review(REVIEW, by=manager)
            incident.agree(
                "Write down how the second line takes over", owner=self.third[0], due_date=soon, by=manager
            )
            incident.agree("Let it take over by itself", owner=self.second[-1], due_date=later, by=manager)
            incident.close(by=manager)

    def _do_one(self, at: datetime) -> None:
        action = ReviewAction.objects.select_related("incident__ticket", "owner__user").open()[0]
        with work(by=action.owner.actor(), at=at):
            action.finish(by=action.owner)

    def _incident(self) -> MajorIncident:
        found: MajorIncident = MajorIncident.objects.select_related("ticket__client").get(
            ticket=self.tickets[0]
        )
        return found


def _agents(tier: int, client: int) -> list[Agent]:
    """Those of a tier who serve the client whose ticket is the parent."""
    serving = Team.objects.filter(Q(serves_every_client=True) | Q(clients=client), tier=tier)
    found = Agent.objects.filter(teams__in=serving, is_manager=False).select_related("user")
    return list(found.order_by("pk").distinct())


def _of_several_clients(contacts: list[Contact]) -> list[Contact]:
    """As many as there are things to tell: of each client the first, then the second, and so on."""
    by_client: dict[int, list[Contact]] = {}
    for contact in contacts:
        by_client.setdefault(contact.client_id, []).append(contact)
    rows = zip_longest(*by_client.values())
    return [contact for row in rows for contact in row if contact is not None]


def _fresh(ticket: Ticket) -> Ticket:
    found: Ticket = Ticket.objects.select_related("client", "contact", "contract_version").get(pk=ticket.pk)
    return found

"""Some weeks in the life of a desk, lived through the real verbs in fast-forward. No row is made up.

A day is a list of moments; each moment is a verb by somebody of the desk, and between moments everything that is due
happens at its own time: clocks warn and breach, mail goes out, resolved tickets close.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from itertools import count
from zlib import crc32

from django.db import connection

from tierdesk.channels.alarms.arrival import Arrival, KnownSource
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.store import INTAKE, intake_arguments
from tierdesk.channels.alarms.understanding import understood
from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound
from tierdesk.channels.phone.calls import CallSheet, log_call
from tierdesk.channels.web_form.submissions import submit
from tierdesk.core import clock
from tierdesk.core.facts import Actor
from tierdesk.core.wakeups import fast_forward
from tierdesk.core.work import work
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.learning.problems.models import Problem
from tierdesk.ops.demo.outage import Outage
from tierdesk.ops.demo.trouble import ALARMS, TROUBLES, Trouble
from tierdesk.response.runbooks.models import Run, RunState, matching
from tierdesk.response.sla.dates import promise_date
from tierdesk.response.tiers.models import Escalation, EscalationState
from tierdesk.response.tiers.pack import Pack
from tierdesk.response.vendors.models import Case, UnderpinningContract
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket

SEED = 20261124
A_DAY = timedelta(days=1)
OUTAGE_AGO = timedelta(days=2)
BUSY_NOW = 18
LINES = {1: "first line", 2: "second line", 3: "third line"}
"""So many more have trouble in the last hours: whoever opens the demo finds a desk at work."""

type Moment = Callable[[datetime], None]


@dataclass
class Life:
    """The desk's people and the moments that lie ahead."""

    until: datetime
    tell: Callable[[date], None] = lambda _: None
    """Is told each day that is lived through."""

    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311
    ahead: list[tuple[datetime, int, Moment]] = field(default_factory=list)
    ticks: count[int] = field(default_factory=count)

    def live(self, since: datetime) -> int:
        """Live from `since` to `until`; returns how many tickets came of it."""
        self.contacts = list(
            Contact.objects.select_related("client").filter(is_active=True).exclude(email="")
        )
        self.sources = list(Source.objects.all())
        day = since
        while day < self.until:
            self._plan_day(day)
            day += A_DAY
        for _ in range(BUSY_NOW):
            self._at(self.until - timedelta(minutes=self.chance.randint(5, 500)), self._somebody_has_trouble)
        if since <= self.until - OUTAGE_AGO:
            Outage(self._at).plan(self.until - OUTAGE_AGO, self.contacts)
        lived = since
        while self.ahead:
            at, _, moment = heapq.heappop(self.ahead)
            if at >= self.until:
                break
            fast_forward(at, since=lived)
            with clock.frozen(at):
                self._happen(moment, at)
            if at.date() != lived.date():
                self.tell(at.date())
            lived = at
        fast_forward(self.until, since=lived)
        return Ticket.objects.count()

    def _plan_day(self, day: datetime) -> None:
        weekend = day.weekday() >= 5
        for _ in range(self.chance.randint(1, 3) if weekend else self.chance.randint(8, 13)):
            self._at(
                day + timedelta(minutes=self.chance.randint(6 * 60, 18 * 60)), self._somebody_has_trouble
            )
        for _ in range(self.chance.randint(0, 2)):
            self._at(day + timedelta(minutes=self.chance.randint(0, 24 * 60)), self._an_alarm_fires)

    def _at(self, at: datetime, moment: Moment) -> None:
        heapq.heappush(self.ahead, (at, next(self.ticks), moment))

    def _soon(self, at: datetime, low: int, high: int, moment: Moment) -> None:
        self._at(at + timedelta(minutes=self.chance.randint(low, high)), moment)

    def _happen(self, moment: Moment, at: datetime) -> None:
        """Let it happen; what the desk refuses or somebody else did first is part of life."""
        try:
            moment(at)
        except (UnableTo, StaleTicket):
            return

    # -- trouble arrives

    def _somebody_has_trouble(self, at: datetime) -> None:
        trouble = self.chance.choice(TROUBLES)
        contact = self.chance.choice(self.contacts)
        how = self.chance.random()
        if how < 0.5:
            ticket = self._by_mail(at, contact, trouble)
        elif how < 0.8:
            key = f"demo-{self.chance.random()}"
            ticket = submit(contact, subject=trouble.subject, text=trouble.text, key=key)
        else:
            agent = self.chance.choice(self._agents(1))
            call = CallSheet(
                contact.client_id,
                contact.pk,
                trouble.subject,
                trouble.text,
                key=f"demo-{self.chance.random()}",
            )
            ticket = log_call(call, agent)
        if ticket is not None:
            self._soon(at, 3, 90, lambda then: self._first_line(ticket.pk, trouble, then))

    def _by_mail(self, at: datetime, contact: Contact, trouble: Trouble) -> Ticket | None:
        mail = EmailMessage()
        mail["From"], mail["Subject"] = f"{contact.name} <{contact.email}>", trouble.subject
        mail["To"] = _mailbox(contact.client)
        mail["Message-ID"] = f"<{self.chance.getrandbits(64):x}@{contact.email.rpartition('@')[2]}>"
        mail.set_content(trouble.text)
        pk, _ = Inbound.store("email", mail.as_bytes(), meta={"recipients": [mail["To"]]}, at=at)
        return take_in(pk, at)

    def _an_alarm_fires(self, at: datetime) -> None:
        if not self.sources:
            return
        source, alarm = self.chance.choice(self.sources), self.chance.choice(ALARMS)
        self._alarm_says(source, alarm, "firing", at, started=at)
        ends = at + timedelta(minutes=self.chance.randint(20, 200))
        self._at(ends, lambda then: self._alarm_says(source, alarm, "resolved", then, started=at))
        for ticket in Ticket.objects.filter(alarms__source=source, created_at=at):
            trouble = Trouble(
                "", "", climbs=self.chance.random() < 0.4, solution="Space was made; the alarm is clear."
            )
            self._soon(at, 2, 30, partial(self._first_line, ticket.pk, trouble))

    def _alarm_says(
        self,
        source: Source,
        alarm: tuple[str, str, str, str],
        status: str,
        at: datetime,
        *,
        started: datetime,
    ) -> None:
        name, instance, severity, summary = alarm
        told = {
            "status": status,
            "labels": {"alertname": name, "instance": instance, "severity": severity},
            "annotations": {"summary": summary},
            "startsAt": started.isoformat(),
            "endsAt": at.isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
            "fingerprint": f"{crc32(f'{source.pk}/{name}/{instance}'.encode()):016x}",
        }
        body = {"version": "4", "status": status, "groupKey": name, "alerts": [told], "truncatedAlerts": 0}
        known = KnownSource(source.pk, source.client_id, "alertmanager")
        arrival = understood(Arrival(source=known, received_at=at, raw=json.dumps(body).encode()), {})
        with connection.cursor() as cursor:
            cursor.execute(INTAKE, intake_arguments([arrival]))
        fast_forward(at, since=at)

    # -- the first line

    def _first_line(self, pk: int, trouble: Trouble, at: datetime) -> None:
        ticket = _ticket(pk)
        if not ticket.is_unresolved():
            return
        agent = self.chance.choice(self._agents(1))
        with work(by=agent.actor(), at=at):
            if ticket.assignee_id is None:
                ticket.take(agent)
            run = self._follow_book(ticket, trouble, agent)
        if trouble.question and run is None and ticket.contact_id:
            self._soon(at, 2, 10, lambda then: self._ask(pk, trouble, agent, then))
        elif trouble.climbs:
            self._soon(at, 5, 40, lambda then: self._escalate(pk, trouble, then))
        else:
            self._soon(at, 10, 240, lambda then: self._resolve(pk, trouble, then))

    def _follow_book(self, ticket: Ticket, trouble: Trouble, agent: Agent) -> Run | None:
        books = [revision for revision, _ in matching(ticket, 1) if revision.book.tier == 1]
        if not books:
            return None
        run = Run.start(ticket, books[0], agent)
        for answer in trouble.answers:
            if run.state == RunState.RUNNING and books[0].book.key == trouble.book:
                run.answer(run.next.step.id, answer=answer)
        if run.state == RunState.RUNNING:
            run.answer(run.next.step.id, gap="not_applicable", remark="it is about something else")
        return run

    def _ask(self, pk: int, trouble: Trouble, agent: Agent, at: datetime) -> None:
        ticket = _ticket(pk)
        with work(by=agent.actor(), at=at):
            ticket.ask(f"Hello {ticket.contact.name if ticket.contact else ''},\n\n{trouble.question}")
        self._soon(at, 20, 600, lambda then: self._contact_answers(pk, trouble, then))

    def _contact_answers(self, pk: int, trouble: Trouble, at: datetime) -> None:
        ticket = _ticket(pk)
        if ticket.contact is None or not ticket.is_unresolved():
            return
        with work(by=ticket.contact.actor(), at=at):
            ticket.hear(trouble.answer, channel="email", why="signed reply address")
        self._soon(at, 10, 120, lambda then: self._resolve(pk, trouble, then))

    def _resolve(self, pk: int, trouble: Trouble, at: datetime) -> None:
        ticket = _ticket(pk)
        if not ticket.is_unresolved():
            return
        agent = ticket.assignee or self.chance.choice(self._agents(ticket.tier))
        with work(by=agent.actor(), at=at):
            ticket.resolve(code=trouble.code, text=trouble.solution if ticket.contact_id else "")
        if ticket.contact_id and self.chance.random() < 0.06:
            self._soon(at, 60, 2000, lambda then: self._comes_back(pk, trouble, then))

    def _comes_back(self, pk: int, trouble: Trouble, at: datetime) -> None:
        ticket = _ticket(pk)
        if ticket.contact is None or not ticket.can_reopen(at):
            return
        with work(by=ticket.contact.actor(), at=at):
            ticket.hear("Sorry, it is back again.", channel="email", why="signed reply address")
        self._soon(at, 30, 300, lambda then: self._resolve(pk, trouble, then))

    # -- the ladder

    def _escalate(self, pk: int, trouble: Trouble, at: datetime) -> None:
        ticket = _ticket(pk)
        if not ticket.is_unresolved() or ticket.tier >= 3:
            return
        agent = ticket.assignee or self.chance.choice(self._agents(ticket.tier))
        teams = Team.objects.filter(tier=ticket.tier + 1).order_by("pk")
        pack = Pack(
            symptom=ticket.subject,
            scope=ticket.contact.name if ticket.contact else ticket.client.name,
            steps_tried="The book was followed to its end; a restart did not help.",
            exact_ask="Please find the cause and mend it.",
            client_promise="They hear from us within two hours.",
        )
        with work(by=agent.actor(), at=at):
            Escalation.send(
                ticket,
                self.chance.choice(list(teams)),
                by=agent,
                reason=self._why(ticket, trouble),
                pack=pack,
                bypass="agreed with the shift lead",
            )
        self._soon(at, 3, 50, lambda then: self._answer_hand_over(pk, trouble, then))

    def _why(self, ticket: Ticket, trouble: Trouble) -> str:
        if self.chance.random() >= 0.25:
            return trouble.reason
        return "book_insufficient" if ticket.runs.exists() else "book_missing"

    def _answer_hand_over(self, pk: int, trouble: Trouble, at: datetime) -> None:
        sent = (
            Escalation.objects.filter(ticket=pk, state=EscalationState.SENT).select_related("ticket").first()
        )
        if sent is None:
            return
        sent.ticket = _ticket(pk)
        agent = self.chance.choice(self._agents(sent.to_tier, sent.to_team_id))
        if self.chance.random() < 0.12:
            with work(by=agent.actor(), at=at):
                sent.send_back(
                    agent, reason="missing_info", note="Which computer is it, and since when exactly?"
                )
            self._soon(at, 10, 60, lambda then: self._escalate(pk, trouble, then))
            return
        with work(by=agent.actor(), at=at):
            sent.accept(agent)
            sent.ticket.reply(f"Hello,\n\nour {LINES[sent.to_tier]} works on it now. We keep you informed.")
        self._promise(sent.ticket, agent, at)
        if sent.to_tier == 2 and self.chance.random() < 0.3:
            self._soon(at, 30, 240, lambda then: self._escalate(pk, trouble, then))
        elif sent.to_tier == 3 and self.chance.random() < 0.6:
            self._soon(at, 20, 120, lambda then: self._open_case(pk, trouble, agent, then))
        else:
            self._soon(at, 30, 600, lambda then: self._resolve(pk, trouble, then))

    def _promise(self, ticket: Ticket, agent: Agent, at: datetime) -> None:
        """Some are told a date on the phone, and some of these are moved."""
        if ticket.pk % 4 or ticket.contact is None or ticket.contract_version is None:
            return
        date = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=3 + ticket.pk % 7)
        why = f"{ticket.contact.name} asked on the phone"
        with work(by=agent.actor(), at=at):
            promise_date(ticket, date, by=agent, why=why, shown=True)
        if ticket.pk % 8 == 0:
            self._at(at + timedelta(hours=2), lambda then: self._move_date(ticket.pk, agent, date, then))

    def _move_date(self, pk: int, agent: Agent, date: datetime, at: datetime) -> None:
        with work(by=agent.actor(), at=at):
            why = "the part comes a day later; agreed with the contact"
            promise_date(_ticket(pk), date + A_DAY, by=agent, why=why, shown=True)

    def _open_case(self, pk: int, trouble: Trouble, agent: Agent, at: datetime) -> None:
        ticket, contract = _ticket(pk), UnderpinningContract.objects.order_by("pk").first()
        if contract is None or not ticket.is_unresolved():
            return
        with work(by=agent.actor(), at=at):
            case = Case.submit(
                ticket,
                contract,
                by=agent,
                severity=2,
                subject=ticket.subject,
                text="Logs are attached; please advise.",
            )
            ticket.pend("vendor")
            self._behind(ticket, agent)
        self._soon(at, 60, 600, lambda then: self._vendor_answers(case.pk, trouble, agent, then))

    def _behind(self, ticket: Ticket, agent: Agent) -> None:
        """What comes to a vendor again and again has a problem behind it."""
        known = Problem.objects.going().filter(client=ticket.client_id, title=ticket.subject).first()
        if known is not None:
            known.link(ticket, why="the same words from another user")
            return
        problem = Problem.open_for(ticket, title=ticket.subject, why="the vendor has to mend it", by=agent)
        problem.move("assess", note="Seen before on this product; nothing was changed on our side.")
        if ticket.pk % 2:
            problem.move(
                "known_error",
                note="The vendor confirms a defect of version 7.4.1.",
                cause="A defect of version 7.4.1, mended in 7.4.2.",
                workaround="Restart the service; it holds for some days.",
            )

    def _vendor_answers(self, pk: int, trouble: Trouble, agent: Agent, at: datetime) -> None:
        case = Case.objects.select_related("contract__vendor").get(pk=pk)
        case.ticket = _ticket(case.ticket_id)
        with work(by=Actor("vendor", case.contract.vendor.name), at=at):
            case.hear("This is a known defect; version 7.4.2 mends it.", reference=f"{pk + 40125:08d}")
            case.move("solution_offered")
        self._soon(at, 60, 300, lambda then: self._install(pk, trouble, agent, then))

    def _install(self, pk: int, trouble: Trouble, agent: Agent, at: datetime) -> None:
        case = Case.objects.select_related("contract__vendor").get(pk=pk)
        case.ticket = _ticket(case.ticket_id)
        with work(by=agent.actor(), at=at):
            case.close("fixed")
            if case.ticket.state == "pending":
                case.ticket.resume("the vendor’s answer is installed")
            case.ticket.resolve(code="vendor_fix", text=trouble.solution)

    def _agents(self, tier: int, team: int | None = None) -> list[Agent]:
        found = (
            Agent.objects.filter(memberships__team__tier=tier)
            .select_related("user")
            .order_by("pk")
            .distinct()
        )
        return list(found.filter(memberships__team=team) if team else found)


def _ticket(pk: int) -> Ticket:
    related = (
        "client",
        "contact__client",
        "contract_version",
        "team",
        "voice_team",
        "assignee__user",
        "category",
        "service",
    )
    ticket: Ticket = Ticket.objects.select_related(*related).get(pk=pk)
    return ticket


def _mailbox(client: Client) -> str:
    own = Mailbox.objects.filter(client=client).values_list("address", flat=True).first()
    return own or "support@desk.localhost"

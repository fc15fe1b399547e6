"""L4: vendors, what they promised us, and the cases that L3 opens and drives with them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from tierdesk.core.work import current, record
from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import Agent, Tier
from tierdesk.response.vendors.facts import CaseAnswered, CaseChased, CaseHeard, CaseMoved, CaseSubmitted
from tierdesk.response.vendors.states import CaseState, CloseCode, may_follow
from tierdesk.tickets.lifecycle import StaleTicket, UnableTo
from tierdesk.tickets.models import Ticket

CHASE_AFTER = timedelta(days=2)


class Vendor(models.Model):
    """A product's maker or an outside supplier. Mail from one of its `domains` can speak on its cases."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=160)
    email = models.EmailField(blank=True)
    domains = models.JSONField(default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def owns(self, address: str) -> bool:
        host = address.strip().lower().rpartition("@")[2]
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


class UnderpinningContract(models.Model):
    """What a vendor promised for a product: {"1": {"respond": seconds, "resolve": seconds}, …} by its severity."""

    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="contracts")
    product = models.CharField(max_length=160)
    entitlement = models.CharField(max_length=160, blank=True)
    calendar = models.ForeignKey(CalendarVersion, on_delete=models.PROTECT)
    targets = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vendor", "product"], name="one_contract_per_product")]

    def __str__(self) -> str:
        return f"{self.vendor.name} · {self.product}"

    def promises(self, severity: int) -> list[dict[str, Any]]:
        """The vendor's targets of a severity, as the vendor clocks want them."""
        targets = self.targets.get(str(severity), {})
        return [
            {"metric": metric, "target_s": seconds, "calendar": self.calendar_id}
            for metric, seconds in targets.items()
        ]


class Case(models.Model):
    """One matter with one vendor. `reference` is the vendor's own number; `severity` the vendor's, 1 to 4."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="cases")
    contract = models.ForeignKey(UnderpinningContract, on_delete=models.PROTECT, related_name="cases")
    reference = models.CharField(max_length=80, blank=True)
    severity = models.PositiveSmallIntegerField(default=3)
    subject = models.CharField(max_length=300)
    state = models.CharField(max_length=16, choices=CaseState.choices, default=CaseState.DRAFT)
    driver = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="cases")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_code = models.CharField(max_length=12, choices=CloseCode.choices, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["wake_at"], name="cases_to_chase", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["reference"], name="cases_by_reference", condition=~Q(reference="")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(severity__range=(1, 4)), name="a_vendor_severity_is_1_to_4"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="a_closed_case_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.contract.vendor.name}"

    @property
    def number(self) -> str:
        """Our number, which the vendor's answers carry back: `VC-12`."""
        return f"VC-{self.pk}"

    @classmethod
    def submit(
        cls,
        ticket: Ticket,
        contract: UnderpinningContract,
        *,
        by: Agent,
        severity: int,
        subject: str,
        text: str,
    ) -> Case:
        """Open a case with a vendor. For the third line and managers only; raises UnableTo otherwise."""
        if not may_open_cases(by):
            raise UnableTo("Only L3 or a manager opens a case with a vendor; hand the ticket over first.")
        if severity not in range(1, 5):
            raise UnableTo("The vendor’s severity is a number from 1 to 4.")
        if not subject.strip() or not text.strip():
            raise UnableTo("Tell the vendor what is wrong: a subject and a text.")
        unit = current()
        case = cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            contract=contract,
            severity=severity,
            subject=" ".join(subject.split())[:300],
            state=CaseState.SUBMITTED,
            driver=by,
            opened_at=unit.at,
            wake_at=unit.at + CHASE_AFTER,
        )
        record(
            CaseSubmitted(
                ticket=ticket,
                case=case.pk,
                vendor=contract.vendor_id,
                vendor_name=contract.vendor.name,
                severity=severity,
                targets=contract.promises(severity),
            )
        )
        case.say(text)
        return case

    def say(self, text: str) -> CaseMessage:
        """Write to the vendor; the mail carries both numbers, so that the answer finds its way back."""
        if not text.strip():
            raise UnableTo("Write something before you send it to the vendor.")
        message = self._keep(text, inbound=False)
        numbers = f"[{self.number}]" + (f" [{self.reference}]" if self.reference else "")
        record(
            CaseAnswered(
                ticket=self.ticket,
                case=self.pk,
                message=message.pk,
                to=self.contract.vendor.email,
                headline=f"{self.subject} {numbers}",
                text=text,
            )
        )
        if self.state == CaseState.WAITING_ON_US:
            self.move(CaseState.VENDOR_WORKING)
        return message

    def hear(self, text: str, *, reference: str = "", message_id: str = "") -> CaseMessage:
        """The vendor wrote; with it comes, perhaps, its own number. A first word acknowledges the case."""
        message = self._keep(text, inbound=True, message_id=message_id)
        if reference and not self.reference:
            type(self).objects.filter(pk=self.pk).update(reference=reference[:80])
            self.reference = reference[:80]
        record(CaseHeard(ticket=self.ticket, case=self.pk, message=message.pk))
        if self.state == CaseState.SUBMITTED:
            self.move(CaseState.ACKNOWLEDGED)
        return message

    def move(self, state: str) -> None:
        """On to another state. Raises UnableTo where it cannot follow, StaleTicket when somebody was faster."""
        if state not in CaseState.values or not may_follow(self.state, state):
            raise UnableTo(f"A case that is “{self.get_state_display()}” cannot become “{state}”.")
        before, at = self.state, current().at
        wake = None if state in (CaseState.CLOSED, CaseState.VERIFYING) else at + CHASE_AFTER
        if not type(self).objects.filter(pk=self.pk, state=before).update(state=state, wake_at=wake):
            raise StaleTicket(self.ticket)
        self.state, self.wake_at = state, wake
        record(CaseMoved(ticket=self.ticket, case=self.pk, before=before, after=state))

    def close(self, code: str) -> None:
        """The end of the case, with how it ended."""
        if code not in CloseCode.values:
            raise UnableTo("Choose how the case ended.")
        before, at = self.state, current().at
        if before == CaseState.CLOSED:
            raise UnableTo("The case is closed already.")
        ended = {"state": CaseState.CLOSED, "close_code": code, "closed_at": at, "wake_at": None}
        if not type(self).objects.filter(pk=self.pk, state=before).update(**ended):
            raise StaleTicket(self.ticket)
        self.state = CaseState.CLOSED
        record(CaseMoved(ticket=self.ticket, case=self.pk, before=before, after=CaseState.CLOSED.value))

    def _keep(self, text: str, *, inbound: bool, message_id: str = "") -> CaseMessage:
        unit = current()
        return CaseMessage.objects.create(
            client_id=self.client_id,
            case=self,
            inbound=inbound,
            by_name=self.contract.vendor.name if inbound else unit.by.name,
            at=unit.at,
            text=text,
            message_id=message_id,
        )


class CaseMessage(models.Model):
    """What was said between us and the vendor; no contact ever sees it."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    inbound = models.BooleanField()
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    text = models.TextField()
    message_id = models.CharField(max_length=998, blank=True)

    objects = ClientRows.as_manager()

    class Meta:
        ordering = ["at", "id"]


def may_open_cases(agent: Agent) -> bool:
    return agent.is_manager or agent.memberships.filter(team__tier__gte=Tier.L3).exists()


OUR_NUMBER = re.compile(r"\bVC-(\d{1,15})\b")
THEIR_NUMBER = re.compile(
    r"(?:\[|#|\b(?:case|ticket|sr|request)[ :#]*)\s*([A-Z]{0,6}-?\d{4,15})\b", re.IGNORECASE
)


def find_vendor(address: str) -> Vendor | None:
    """The vendor whose domain this mail address belongs to."""
    return next((vendor for vendor in Vendor.objects.all() if vendor.owns(address)), None)


def find_case(address: str, subject: str) -> Case | None:
    """The case that a vendor's mail speaks of: by our number or theirs, and only if it comes from that vendor."""
    vendor = find_vendor(address)
    if vendor is None:
        return None
    of_vendor = Case.objects.filter(contract__vendor=vendor).select_related("ticket", "contract__vendor")
    if ours := OUR_NUMBER.search(subject):
        return of_vendor.filter(pk=int(ours[1])).first()
    if theirs := THEIR_NUMBER.search(subject):
        return of_vendor.filter(reference__iexact=theirs[1]).order_by("-id").first()
    return None


def their_reference(subject: str) -> str:
    """The vendor's own number in a subject, without ours; empty if there is none."""
    theirs = THEIR_NUMBER.search(OUR_NUMBER.sub("", subject))
    return theirs[1] if theirs else ""


def chase_cases(cases: list[Any], at: datetime) -> None:
    """What due cases do: remind the driver to chase the vendor, and come back after another while."""
    for case in cases:
        type(case).objects.filter(pk=case.pk).update(wake_at=at + CHASE_AFTER)
        why = f"{case.number} with {case.contract.vendor.name} has been quiet for {CHASE_AFTER.days} days"
        record(CaseChased(ticket=case.ticket, case=case.pk, driver=case.driver_id, why=why))

"""L4: vendors, what they promised us, and the cases that L3 opens and drives with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from tierdesk.core.words import Word
from tierdesk.core.work import current, record
from tierdesk.directory.calendars.models import CalendarVersion
from tierdesk.directory.clients.models import Client
from tierdesk.directory.clients.visibility import InternalRows
from tierdesk.directory.staff.models import Agent, Tier
from tierdesk.response.vendors.facts import (
    CaseAnswered,
    CaseChased,
    CaseDrafted,
    CaseHeard,
    CaseMoved,
    CaseNumbered,
    CasePromised,
    CaseRewritten,
    CaseSeverityChanged,
    CaseSubmitted,
)
from tierdesk.response.vendors.numbers import our_cases, possible_numbers
from tierdesk.response.vendors.numbers import their_reference as their_reference
from tierdesk.response.vendors.states import CHASES, CaseState, CloseCode, may_follow
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
        """Whether a mail address is of one of the vendor's domains, or of a host below one."""
        name, _, host = address.strip().lower().rpartition("@")
        return bool(name) and any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


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


class Cases(InternalRows):
    def open(self) -> Self:
        return self.exclude(state=CaseState.CLOSED)

    def with_vendor(self, vendor: Vendor) -> Self:
        return self.filter(contract__vendor=vendor)


class Case(models.Model):
    """One matter with one vendor. `reference` is the vendor's own number; `severity` the vendor's, 1 to 4.

    `driver`: the agent who sees to it. `wake_at`: when the driver is reminded next. `promised_at`: by when the vendor
    said it will have something. `bug` and `target_release` are the vendor's words for what is wrong and where it ends.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="cases")
    contract = models.ForeignKey(UnderpinningContract, on_delete=models.PROTECT, related_name="cases")
    reference = models.CharField(max_length=80, blank=True)
    severity = models.PositiveSmallIntegerField(default=3)
    subject = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    product_version = models.CharField(max_length=80, blank=True)
    bug = models.CharField(max_length=80, blank=True)
    target_release = models.CharField(max_length=80, blank=True)
    state = Word(max_length=16, choices=CaseState.choices, default=CaseState.DRAFT)
    driver = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="cases")
    opened_at = models.DateTimeField()
    promised_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_code = models.CharField(max_length=12, choices=CloseCode.choices, blank=True)
    chase_count = models.PositiveSmallIntegerField(default=0)
    wake_at = models.DateTimeField(null=True, blank=True)

    objects = Cases.as_manager()

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
            models.CheckConstraint(
                condition=Q(state="closed", close_code__gt="") | (~Q(state="closed") & Q(close_code="")),
                name="a_closed_case_says_how",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.contract.vendor.name}"

    @property
    def number(self) -> str:
        """Our number, which the vendor's answers carry back: `VC-12`."""
        return f"VC-{self.pk}"

    @classmethod
    def draft(
        cls,
        ticket: Ticket,
        contract: UnderpinningContract,
        *,
        by: Agent,
        severity: int,
        subject: str,
        text: str,
        product_version: str = "",
    ) -> Case:
        """Prepare a case; any tier may. The vendor hears of it when somebody who may hands it in."""
        case = cls._begin(ticket, contract, by, severity, subject, text, product_version)
        record(CaseDrafted(ticket=ticket, case=case.pk, vendor_name=contract.vendor.name))
        return case

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
        product_version: str = "",
    ) -> Case:
        """Open a case with a vendor. For the third line and managers only; raises UnableTo otherwise."""
        _check_may_open(by)
        case = cls._begin(ticket, contract, by, severity, subject, text, product_version)
        case.hand_in(by)
        return case

    def rewrite(
        self,
        contract: UnderpinningContract,
        *,
        severity: int,
        subject: str,
        text: str,
        product_version: str = "",
    ) -> None:
        """Say a draft anew; any tier may, as whoever prepared it. Raises UnableTo once the vendor has heard of it."""
        if self.state != CaseState.DRAFT:
            raise UnableTo(f"{self.number} is no draft any more; write to the vendor instead.")
        self._change(contract=contract, **_told(severity, subject, text, product_version))
        record(CaseRewritten(ticket=self.ticket, case=self.pk, vendor_name=contract.vendor.name))

    @classmethod
    def _begin(
        cls,
        ticket: Ticket,
        contract: UnderpinningContract,
        by: Agent,
        severity: int,
        subject: str,
        text: str,
        product_version: str,
    ) -> Case:
        return cls.objects.create(
            client_id=ticket.client_id,
            ticket=ticket,
            contract=contract,
            driver=by,
            opened_at=current().at,
            **_told(severity, subject, text, product_version),
        )

    def hand_in(self, by: Agent) -> None:
        """Send a draft to the vendor; its promises run from now on, and `by` drives the case.

        Raises UnableTo for anybody but the third line and managers, and where we are not entitled to support.
        """
        _check_may_open(by)
        if not self.contract.entitlement.strip():
            raise UnableTo(
                f"Nobody wrote down what entitles us to support for {self.contract}; ask a manager."
            )
        if self.state != CaseState.DRAFT:
            raise UnableTo(f"{self.number} is with the vendor already.")
        self._change(state=CaseState.SUBMITTED, driver=by, wake_at=current().at + CHASE_AFTER)
        record(
            CaseSubmitted(
                ticket=self.ticket,
                case=self.pk,
                vendor=self.contract.vendor_id,
                vendor_name=self.contract.vendor.name,
                severity=self.severity,
                targets=self.contract.promises(self.severity),
            )
        )
        self.say(self.text)

    @property
    def terms(self) -> str:
        """What a vendor asks first: for which product and version, by which contract, and how grave it is."""
        said = {
            "Product": f"{self.contract.product} {self.product_version}".strip(),
            "Contract": self.contract.entitlement,
            "Severity": str(self.severity),
        }
        return "\n".join(f"{name}: {value}" for name, value in said.items() if value)

    def say(self, text: str) -> CaseMessage:
        """Write to the vendor; the mail carries both numbers, so that the answer finds its way back.

        Where the vendor has no mail address, this writes down what was told on its portal or on the phone.
        """
        if self.state == CaseState.DRAFT:
            raise UnableTo(f"{self.number} is a draft; hand it in before you write to the vendor.")
        if self.state == CaseState.CLOSED:
            raise UnableTo(f"{self.number} is closed; open another case.")
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
                terms=self.terms,
            )
        )
        if self.state == CaseState.WAITING_ON_US:
            self.move(CaseState.VENDOR_WORKING)
        else:
            self._change(wake_at=current().at + CHASE_AFTER)
        return message

    def chase(self, text: str, *, again_at: datetime | None = None) -> CaseMessage:
        """Ask the vendor for news, and be reminded again at `again_at` (default: after CHASE_AFTER)."""
        _check_future(again_at)
        message = self.say(text)
        self._change(chase_count=F("chase_count") + 1)
        if again_at is not None:
            self._change(wake_at=again_at)
        return message

    def hear(
        self, text: str, *, reference: str = "", message_id: str = "", automatic: bool = False
    ) -> CaseMessage:
        """The vendor wrote, or called; with it comes, perhaps, its own number. A first word acknowledges the case.

        An automatic receipt is kept, and its number, but it acknowledges nothing. Raises UnableTo for an empty note;
        a mail (it has a `message_id`) may come with files alone.
        """
        if not text.strip() and not message_id:
            raise UnableTo("Write down what the vendor said.")
        message = self._keep(text, inbound=True, message_id=message_id, automatic=automatic)
        if reference and not self.reference and reference.upper() not in self.subject.upper():
            self._number(reference)
        record(CaseHeard(ticket=self.ticket, case=self.pk, message=message.pk, automatic=automatic))
        if automatic:
            return message
        if self.state == CaseState.SUBMITTED:
            self.move(CaseState.ACKNOWLEDGED)
        elif self.state in CHASES:
            self._change(wake_at=current().at + CHASE_AFTER)
        return message

    def acknowledge(self, reference: str) -> None:
        """The vendor has registered the case under its own number; called again, it corrects the number."""
        if not reference.strip():
            raise UnableTo("Give the vendor’s own number.")
        if self.state in (CaseState.DRAFT, CaseState.CLOSED):
            raise UnableTo(
                f"{self.number} is {self.get_state_display().lower()}; the vendor cannot number it."
            )
        self._number(reference)
        if self.state == CaseState.SUBMITTED:
            self.move(CaseState.ACKNOWLEDGED)

    def move(self, state: str) -> None:
        """On to another state. Raises UnableTo where it cannot follow, StaleTicket when somebody was faster.

        Handing in and closing are verbs of their own, because they need to know more.
        """
        if state == CaseState.SUBMITTED:
            raise UnableTo(f"Hand {self.number} in to send it to the vendor.")
        if state == CaseState.CLOSED:
            raise UnableTo(f"Close {self.number} with how it ended.")
        if state not in CaseState.values or not may_follow(self.state, state):
            raise UnableTo(f"A case that is “{self.get_state_display()}” cannot become “{state}”.")
        self._move(state, wake_at=current().at + CHASE_AFTER)

    def close(self, code: str) -> None:
        """The end of the case, with how it ended."""
        if code not in CloseCode.values:
            raise UnableTo("Choose how the case ended.")
        if self.state == CaseState.CLOSED:
            raise UnableTo("The case is closed already.")
        self._move(CaseState.CLOSED, close_code=code, closed_at=current().at, wake_at=None)

    def expect(self, until: datetime, *, words: str = "") -> None:
        """The vendor promised something by `until`; the driver is reminded then, not earlier."""
        if self.state not in CHASES:
            raise UnableTo(f"{self.number} is {self.get_state_display().lower()}; nobody promises anything.")
        _check_future(until)
        self._change(promised_at=until, wake_at=until)
        record(CasePromised(ticket=self.ticket, case=self.pk, until=until.isoformat(), words=words))

    def change_severity(self, severity: int, *, why: str) -> None:
        """The vendor's severity, changed by either side. Raises UnableTo without a reason."""
        _check_severity(severity)
        if not why.strip():
            raise UnableTo("Say why the severity changes.")
        if self.state == CaseState.CLOSED or severity == self.severity:
            raise UnableTo(
                f"{self.number} is {self.get_state_display().lower()} with severity {self.severity}."
            )
        before = self.severity
        self._change(severity=severity)
        record(
            CaseSeverityChanged(
                ticket=self.ticket,
                case=self.pk,
                before=before,
                after=severity,
                why=why.strip(),
                targets=self.contract.promises(severity),
            )
        )

    def track(self, *, bug: str = "", target_release: str = "") -> None:
        """What the vendor calls the defect, and the release that will not have it any more. Empty: as it was."""
        self._change(bug=bug or self.bug, target_release=target_release or self.target_release)

    def _number(self, reference: str) -> None:
        self._change(reference=" ".join(reference.split())[:80])
        record(CaseNumbered(ticket=self.ticket, case=self.pk, reference=self.reference))

    def _move(self, state: str, **values: Any) -> None:
        before = str(self.state)
        self._change(state=state, **values)
        record(CaseMoved(ticket=self.ticket, case=self.pk, before=before, after=str(state)))

    def _change(self, **values: Any) -> None:
        """Change the row if its state still is what we read. Raises StaleTicket when somebody was faster."""
        if not type(self).objects.filter(pk=self.pk, state=self.state).update(**values):
            raise StaleTicket(self.ticket)
        counted = [name for name, value in values.items() if hasattr(value, "resolve_expression")]
        for name in values.keys() - set(counted):
            setattr(self, name, values[name])
        if counted:
            self.refresh_from_db(fields=counted)

    def _keep(
        self, text: str, *, inbound: bool, message_id: str = "", automatic: bool = False
    ) -> CaseMessage:
        unit = current()
        return CaseMessage.objects.create(
            client_id=self.client_id,
            case=self,
            inbound=inbound,
            by_name=self.contract.vendor.name if inbound else unit.by.name,
            at=unit.at,
            text=text,
            message_id=message_id,
            automatic=automatic,
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
    automatic = models.BooleanField(default=False)

    objects = InternalRows.as_manager()

    class Meta:
        ordering = ["at", "id"]


def may_open_cases(agent: Agent) -> bool:
    """Whether this agent hands cases in and drives them: the third line and managers do (promises.md §2.4)."""
    return agent.is_manager or agent.reaches(Tier.L3)


def _check_may_open(agent: Agent) -> None:
    if not may_open_cases(agent):
        raise UnableTo("Only L3 or a manager opens a case with a vendor; hand the ticket over first.")


def _told(severity: int, subject: str, text: str, product_version: str) -> dict[str, Any]:
    """What a vendor is told first, as it is kept. Raises UnableTo where something of it is missing."""
    _check_severity(severity)
    if not subject.strip() or not text.strip():
        raise UnableTo("Tell the vendor what is wrong: a subject and a text.")
    return {
        "severity": severity,
        "subject": " ".join(subject.split())[:300],
        "text": text.strip(),
        "product_version": product_version,
    }


def _check_severity(severity: int) -> None:
    if severity not in range(1, 5):
        raise UnableTo("The vendor’s severity is a number from 1 to 4.")


def _check_future(at: datetime | None) -> None:
    if at is not None and at <= current().at:
        raise UnableTo("Choose a time in the future.")


def find_vendor(address: str) -> Vendor | None:
    """The vendor whose domain this mail address belongs to."""
    return next((vendor for vendor in Vendor.objects.all() if vendor.owns(address)), None)


def find_case(address: str, subject: str, references: Sequence[str] = ()) -> Case | None:
    """The case that a vendor's mail speaks of, and only if it comes from that vendor.

    By our number, else by theirs, else because it continues a mail of theirs (`references`: Message-IDs).
    """
    vendor = find_vendor(address)
    if vendor is None:
        return None
    theirs = Case.objects.with_vendor(vendor).select_related("ticket", "contract__vendor")
    bare = {reference.strip(" <>") for reference in references} - {""}
    ids = bare | {f"<{one}>" for one in bare}
    return (
        theirs.filter(pk__in=our_cases(subject)).first()
        or theirs.exclude(reference="")
        .annotate(their_number=Upper("reference"))
        .filter(their_number__in=possible_numbers(subject))
        .order_by("-id")
        .first()
        or theirs.filter(messages__message_id__in=ids).order_by("-id").first()
    )


def chase_cases(cases: list[Any], at: datetime) -> None:
    """What due cases do: remind the driver of what the case waits for, and come back after another while."""
    for case in cases:
        again_at = at + CHASE_AFTER if case.state in CHASES else None
        type(case).objects.filter(pk=case.pk).update(wake_at=again_at)
        if case.state in CHASES:
            why = f"{case.number}: {CHASES[case.state].format(vendor=case.contract.vendor.name)}"
            record(CaseChased(ticket=case.ticket, case=case.pk, driver=case.driver_id, why=why))

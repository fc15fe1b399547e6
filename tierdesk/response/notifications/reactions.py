"""Who is told when something happens. Each reaction writes all notices of a batch in one statement."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Count, prefetch_related_objects
from django.utils.translation import gettext as _

from tierdesk.core import rows
from tierdesk.core.facts import Actor
from tierdesk.directory.calendars.models import hours_of
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.contracts.models import Party, Promise
from tierdesk.directory.staff.models import Agent, Membership, Team
from tierdesk.response.notifications import words
from tierdesk.response.notifications.facts import Undelivered
from tierdesk.response.notifications.house import OfMany, tell_leads, tell_of_many
from tierdesk.response.notifications.models import Notice, NoticeState
from tierdesk.tickets.conversation import Direction
from tierdesk.tickets.facts import (
    Assigned,
    Cancelled,
    ClientChanged,
    Heard,
    Parted,
    Replied,
    Resolved,
    TicketFact,
    Triaged,
)
from tierdesk.tickets.lifecycle import ResolutionCode
from tierdesk.tickets.models import Message, Participant, Ticket

NO_RECEIPT_FOR = {"phone", "alarms"}
"""Channels on which nobody waits for a receipt: the caller has been spoken to, a machine does not read."""

MOST_RECEIPTS_PER_HOUR = 10
"""To one address. Only known contacts get receipts, so a flood of forged senders cannot make us write to strangers."""

NAMED_AT_MOST = 6
"""Tickets in a notice about many."""

TOLD_ONE_BY_ONE = 5
"""Tickets of a team about which somebody hears at once, each in a notice of its own; of more they hear in one."""

HIGHEST = 1
"""The priority of tickets that have a notice of their own among however many."""

SPENT = 100
"""Percent of a target: whoever is told of a clock is told of a breach from here on, and warned before."""

QUOTED_LINES = 12
"""Of our own last words, below a reminder."""

type PromiseKey = tuple[int | None, int, str]

COLUMNS = [
    "client_id",
    "ticket_id",
    "said_id",
    "message_id",
    "case_id",
    "channel",
    "kind",
    "agent_id",
    "contact_id",
    "address",
    "sender_name",
    "subject",
    "text",
    "automatic",
    "state",
    "tries",
    "error",
    "created_at",
    "wake_at",
]


class LateAdvice(Protocol):
    """Advice that has not come, and who hears of that."""

    ticket: Ticket
    question: str
    agents: list[int]
    at: datetime


class ToTeam(Protocol):
    """A fact that a team must hear of."""

    ticket: Ticket
    to_team: int
    at: datetime


class Returned(Protocol):
    ticket: Ticket
    note: str
    at: datetime


class ToAgents(Protocol):
    ticket: Ticket
    agents: list[int]
    why: str
    at: datetime


class OnLadder(ToAgents, Protocol):
    """`percent` of a target are used, where a clock spoke up; else 0."""

    percent: int


class OfTeam(Protocol):
    """What a team's own leads hear of, by the key of the team."""

    ticket: Ticket
    team: int
    why: str
    at: datetime


class RoleHandedLike(Protocol):
    ticket: Ticket
    role: str
    agent: int | None
    by: Actor
    at: datetime


class ProposalAnsweredLike(Protocol):
    ticket: Ticket
    accepted: bool
    why: str
    agent: int | None
    by: Actor
    at: datetime


class UpdateDueLike(Protocol):
    """Who is reminded to write the next update, and by when (ISO 8601) it is due."""

    ticket: Ticket
    agents: list[int]
    due_at: str
    at: datetime


class ToOwner(Protocol):
    """A task and whose it is."""

    ticket: Ticket
    agent: int
    what: str
    by: Actor
    at: datetime


class ToVendor(Protocol):
    ticket: Ticket
    case: int
    to: str
    headline: str
    text: str
    terms: str
    at: datetime


class AboutCase(Protocol):
    ticket: Ticket
    automatic: bool
    at: datetime


class Worsened(Protocol):
    ticket: Ticket
    alarm: str
    resource: str
    at: datetime


class Chased(Protocol):
    ticket: Ticket
    driver: int | None
    why: str
    at: datetime


class RemindedLike(Protocol):
    """Whom a ticket waits for is to be reminded: `whom` is contact, vendor, team or workers."""

    ticket: Ticket
    reason: str
    whom: str
    team: int | None
    why: str
    at: datetime


class SilenceWarnedLike(Protocol):
    ticket: Ticket
    reason: str
    resolves_at: str
    at: datetime


class WithReason(Protocol):
    ticket: Ticket
    why: str
    at: datetime


class ComplainedLike(Protocol):
    ticket: Ticket
    contact: int
    reason: str
    used: int
    allowed: int
    at: datetime


class Asked(Protocol):
    ticket: Ticket
    team: int
    question: str
    at: datetime


class Advised(Protocol):
    ticket: Ticket
    answer: str
    at: datetime


def send_receipts(facts: Sequence[Triaged]) -> None:
    """The contact gets the number and what happens next. It never stops the respond clock and quotes nothing.

    A receipt that must not go out is written all the same, as held back with the reason.
    """
    wanted = [f for f in facts if f.ticket.channel not in NO_RECEIPT_FOR and _address(f.ticket)]
    if not wanted:
        return
    _read_names(fact.ticket for fact in wanted)
    receipts = _Receipts(wanted)
    sent = _receipts_lately([_address(fact.ticket) for fact in wanted], wanted[0].at)
    notices = []
    for fact in wanted:
        notice = receipts.write(fact.ticket, fact.at)
        if why := _why_no_receipt(fact.ticket, sent[notice["address"]]):
            notice |= {"state": NoticeState.WITHHELD.value, "error": why, "wake_at": None}
        else:
            sent[notice["address"]] += 1
        notices.append(notice)
    _write(notices)


def mail_replies(facts: Sequence[Replied]) -> None:
    """Our public words go to the contact and to who else follows, in the voice of the team that talks to them."""
    _read_names(fact.ticket for fact in facts)
    messages = Message.objects.in_bulk([fact.message for fact in facts])
    followers = _followers(facts)
    _write(
        [
            _mail(fact.ticket, "reply", fact.at, _reply_text(fact, messages), to=to, message=fact.message)
            for fact in facts
            for to in followers[fact.ticket.pk]
        ]
    )


def mail_resolutions(facts: Sequence[Resolved]) -> None:
    """The contact is told by the first line's voice, with how to reopen."""
    _read_names(fact.ticket for fact in facts)
    messages = Message.objects.in_bulk([fact.message for fact in facts if fact.message])
    followers = _followers(facts)
    _write(
        [
            _mail(
                fact.ticket,
                "resolved",
                fact.at,
                _resolution_text(fact, messages),
                to=to,
                message=fact.message,
            )
            for fact in facts
            for to in followers[fact.ticket.pk]
        ]
    )


def mail_merges(facts: Sequence[Cancelled]) -> None:
    """Whoever heard of a duplicate is told once that the matter goes on as another ticket, and what that means."""
    _mail_about_merges(
        [(fact, fact.duplicate_of or 0) for fact in facts if fact.merged], "merged", words.MERGED
    )


def mail_partings(facts: Sequence[Parted]) -> None:
    """And once again, if it was no duplicate."""
    _mail_about_merges([(fact, fact.main) for fact in facts], "parted", words.PARTED)


def withhold_mails(facts: Sequence[ClientChanged]) -> None:
    """What was still to be sent about it was for somebody of another client: it is held back, with the reason."""
    waiting = Notice.objects.filter(ticket__in=[fact.ticket.pk for fact in facts], state=NoticeState.PENDING)
    waiting.exclude(channel="desk").update(
        state=NoticeState.WITHHELD, error="the ticket is another client’s", wake_at=None
    )


def tell_team(facts: Sequence[Triaged]) -> None:
    """The team that a new ticket was routed to sees a notice; for P1 and P2 only, so that it stays worth reading."""
    urgent = [fact for fact in facts if fact.ticket.priority <= 2 and fact.ticket.team_id]
    _tell_teams([(fact.ticket, fact.ticket.team_id or 0, "new_ticket", {}, fact.at) for fact in urgent])


def tell_about_unfound(facts: Sequence[OfTeam]) -> None:
    """Nobody can be found for these: those who answer for a team hear of all of them at once, whose ever they are."""
    by_team: dict[int, list[OfTeam]] = defaultdict(list)
    for fact in facts:
        by_team[fact.team].append(fact)
    for team in Team.objects.filter(pk__in=by_team):
        told = by_team[team.pk]
        values = {"tickets": _named(fact.ticket for fact in told), "why": told[0].why}
        path = f"/tickets/{told[0].ticket.pk}/" if len(told) == 1 else "/queues/unassigned/"
        tell_leads(team, "unfound", values, path=path, at=told[0].at)


def _named(tickets: Iterable[Ticket]) -> str:
    """The most urgent of them, and how many there are besides."""
    by_urgency = sorted(tickets, key=lambda ticket: (ticket.priority, ticket.pk))
    named = [f"{ticket.reference} (P{ticket.priority})" for ticket in by_urgency[:NAMED_AT_MOST]]
    if len(by_urgency) > NAMED_AT_MOST:
        named.append(_("and %d more") % (len(by_urgency) - NAMED_AT_MOST))
    return ", ".join(named)


def tell_assignee(facts: Sequence[Assigned]) -> None:
    """An agent to whom somebody else gave a ticket is told."""
    given = [f for f in facts if f.agent and (f.by.kind, f.by.id) != ("agent", f.agent)]
    _read_names(fact.ticket for fact in given)
    _write([_desk(fact.ticket, fact.agent or 0, "assigned", {}, fact.at) for fact in given])


def tell_about_words(facts: Sequence[Heard]) -> None:
    """Whoever works a ticket hears that the contact wrote."""
    told = [fact for fact in facts if not fact.automatic and not fact.live]
    _tell_workers([(fact.ticket, "heard", {}, fact.at) for fact in told])


def tell_about_bounces(facts: Sequence[Undelivered]) -> None:
    """A mail that does not arrive is no answer: whoever works the ticket must find another way.

    On the desk only. A mail about a mail that came back could come back itself.
    """
    _tell_workers([(f.ticket, "undelivered", {"address": f.address, "why": f.why}, f.at) for f in facts])


def tell_receiving_team(facts: Sequence[ToTeam]) -> None:
    _tell_teams([(fact.ticket, fact.to_team, "escalated", {}, fact.at) for fact in facts])


def tell_sending_team(facts: Sequence[Returned]) -> None:
    """Whoever sent a hand-over learns why it came back; the whole team, if nobody in particular sent it."""
    _read_names(fact.ticket for fact in facts)
    for fact in facts:
        values = {"note": fact.note}
        if fact.ticket.assignee_id:
            _write([_desk(fact.ticket, fact.ticket.assignee_id, "returned", values, fact.at)])
        elif fact.ticket.team_id:
            _tell_teams([(fact.ticket, fact.ticket.team_id, "returned", values, fact.at)])


def tell_hierarchy(facts: Sequence[OnLadder]) -> None:
    """Those who answer for a ticket are told on the desk and by mail: they may not be looking at the desk.

    Of many tickets of a team they hear at once: after an outage nobody reads a thousand notices. A ticket of the
    highest priority is told by itself, among however many.
    """
    alike: dict[tuple[int | None, str, str, tuple[int, ...]], list[OnLadder]] = defaultdict(list)
    few = [fact for fact in facts if fact.ticket.priority == HIGHEST]
    for fact in facts:
        if fact.ticket.priority != HIGHEST:
            alike[fact.ticket.team_id, _rung_of(fact), fact.why, tuple(fact.agents)].append(fact)
    many: dict[str, list[OfMany]] = defaultdict(list)
    for (team, rung, why, agents), told in alike.items():
        if team is None or len(told) <= TOLD_ONE_BY_ONE:
            few += told
        elif agents:
            values = {"count": len(told), "why": why, "tickets": _named(fact.ticket for fact in told)}
            many[rung].append(OfMany(team, agents, values))
    for rung, of_rung in many.items():
        tell_of_many(of_rung, f"{rung}_many", path="/queues/due/", at=facts[0].at)
    _tell_agents([(f.ticket, agent, _rung_of(f), {"why": f.why}, f.at) for f in few for agent in f.agents])


def _rung_of(fact: OnLadder) -> str:
    """What kind of notice it is: the eye tells a warning from a breach before it reads on."""
    if not fact.percent:
        return "hierarchy"
    return "breach" if fact.percent >= SPENT else "warning"


def tell_role(facts: Sequence[RoleHandedLike]) -> None:
    """Whoever was given a role in a major incident by somebody else is told."""
    given = [f for f in facts if f.agent and (f.by.kind, f.by.id) != ("agent", f.agent)]
    _tell_agents([(f.ticket, f.agent or 0, "major_role", {"role": words.ROLES[f.role]}, f.at) for f in given])


def tell_proposer(facts: Sequence[ProposalAnsweredLike]) -> None:
    """Whoever proposed a major incident hears what became of that."""
    told = [f for f in facts if f.agent and (f.by.kind, f.by.id) != ("agent", f.agent)]
    kinds = {True: "major_accepted", False: "major_declined"}
    _tell_agents(
        [(f.ticket, f.agent or 0, kinds[f.accepted], {"why": f.why, "who": f.by.name}, f.at) for f in told]
    )


def remind_of_updates(facts: Sequence[UpdateDueLike]) -> None:
    """Whoever writes to the clients of a major incident is reminded, before the next update is due."""
    due = [(fact, datetime.fromisoformat(fact.due_at)) for fact in facts]
    _tell_agents(
        [
            (f.ticket, agent, "update_due", {"until": f"{at:%H:%M} UTC"}, f.at)
            for f, at in due
            for agent in f.agents
        ]
    )


def tell_owner(facts: Sequence[ToOwner]) -> None:
    """Whoever was given a task of a review by somebody else is told."""
    given = [f for f in facts if (f.by.kind, f.by.id) != ("agent", f.agent)]
    _tell_agents([(f.ticket, f.agent, "action", {"what": f.what}, f.at) for f in given])


def remind_owner(facts: Sequence[ToOwner]) -> None:
    _tell_agents([(f.ticket, f.agent, "action_due", {"what": f.what}, f.at) for f in facts])


def tell_consulted_team(facts: Sequence[Asked]) -> None:
    _tell_teams(
        [(fact.ticket, fact.team, "consulted", {"question": fact.question}, fact.at) for fact in facts]
    )


def tell_advised(facts: Sequence[Advised]) -> None:
    advised = [fact for fact in facts if fact.ticket.assignee_id]
    _read_names(fact.ticket for fact in advised)
    _write(
        [_desk(f.ticket, f.ticket.assignee_id or 0, "advice", {"answer": f.answer}, f.at) for f in advised]
    )


def tell_about_late_advice(facts: Sequence[LateAdvice]) -> None:
    told = [(fact, agent) for fact in facts for agent in fact.agents]
    _read_names(fact.ticket for fact, _ in told)
    _write([_desk(f.ticket, agent, "advice_late", {"question": f.question}, f.at) for f, agent in told])


def mail_vendor(facts: Sequence[ToVendor]) -> None:
    """Our words on a case go to the vendor; the subject carries both numbers."""
    _write([_vendor_mail(fact) for fact in facts if fact.to])


def tell_about_alarms(facts: Sequence[Worsened]) -> None:
    """Whoever works a ticket hears of an alarm that is worse than all before it; others join in silence."""
    told = [(f.ticket, "worse_alarm", {"alarm": f.alarm, "resource": f.resource}, f.at) for f in facts]
    _tell_workers(told)


def tell_about_case(facts: Sequence[AboutCase]) -> None:
    _tell_workers([(fact.ticket, "case_heard", {}, fact.at) for fact in facts if not fact.automatic])


def remind_driver(facts: Sequence[Chased]) -> None:
    _read_names(fact.ticket for fact in facts)
    _write([_desk(f.ticket, f.driver, "chase", {"why": f.why}, f.at) for f in facts if f.driver])


def send_reminders(facts: Sequence[RemindedLike]) -> None:
    """The contact gets a mail in the first line's voice; a team a notice on the desk. (Vendors: response/vendors.)

    It is no answer of ours: it says who is waited for, and stops no clock.
    """
    _mail_the_silent([(fact, "chaser", words.CHASER, {}) for fact in facts if fact.whom == "contact"])
    _tell_teams([(f.ticket, f.team, "remind", {}, f.at) for f in facts if f.whom == "team" and f.team])
    _tell_workers([(f.ticket, "no_reminder", {"why": f.why}, f.at) for f in facts if f.whom == "workers"])


def warn_of_silence(facts: Sequence[SilenceWarnedLike]) -> None:
    """The last mail before a ticket is solved by silence says when that will be."""
    _mail_the_silent(
        [
            (
                fact,
                "last_warning",
                words.LAST_WARNING,
                {"until": _local(datetime.fromisoformat(fact.resolves_at), _zone(fact.ticket))},
            )
            for fact in facts
        ]
    )


def tell_about_silence(facts: Sequence[WithReason]) -> None:
    """Nobody answered, and the ticket is back at work: whoever works it is told."""
    _tell_workers([(fact.ticket, "silence", {"why": fact.why}, fact.at) for fact in facts])


def tell_about_missing_cases(facts: Sequence[WithReason]) -> None:
    _tell_workers([(fact.ticket, "no_case", {"why": fact.why}, fact.at) for fact in facts])


def confirm_complaints(facts: Sequence[ComplainedLike]) -> None:
    """Whoever escalated has it in writing: who was told, and that the request stays where it is."""
    _read_names(fact.ticket for fact in facts)
    known = Contact.objects.in_bulk({fact.contact for fact in facts})
    notices = []
    for fact in facts:
        contact = known[fact.contact]
        if not contact.email or contact.undeliverable_since is not None:
            continue
        values = _about(fact.ticket) | {"name": contact.name, "reason": fact.reason}
        text = words.fill(words.COMPLAINT, values | {"used": fact.used, "allowed": fact.allowed})
        to = (contact.pk, contact.email)
        notices.append(_mail(fact.ticket, "complaint", fact.at, text, to=to, automatic=True))
    _write(notices)


def _mail_the_silent(
    told: Sequence[tuple[RemindedLike | SilenceWarnedLike, str, object, dict[str, Any]]],
) -> None:
    """A mail to each contact, with our last words to them below; also about a chat, which is long over by then."""
    if not told:
        return
    _read_names(fact.ticket for fact, _, _, _ in told)
    said = _last_words({fact.ticket.pk for fact, _, _, _ in told})
    notices = []
    for fact, kind, text, more in told:
        ticket, about = fact.ticket, _about(fact.ticket)
        quoted = "".join(f"\n> {line}" for line in said.get(ticket.pk, "").splitlines()[:QUOTED_LINES])
        values = about | more | {"quoted": f"{quoted}\n" if quoted else ""}
        values["asked"] = words.fill(words.CHASERS[fact.reason], about)
        to = (ticket.contact_id, _address(ticket))
        notices.append(_mail(ticket, kind, fact.at, words.fill(text, values), to=to, automatic=True))
    _write(notices)


def _last_words(tickets: set[int]) -> dict[int, str]:
    """What we last said to the contact of each ticket."""
    ours = Message.objects.filter(ticket__in=tickets, direction=Direction.OUTBOUND)
    last = ours.order_by("ticket", "-at", "-id").distinct("ticket")
    return dict(last.values_list("ticket_id", "text"))


def _read_names(tickets: Iterable[Ticket]) -> None:
    """Read whom these tickets belong to before words are written: once for the batch, not once per ticket."""
    prefetch_related_objects(list(tickets), "client", "contact", "team", "voice_team")


def _why_no_receipt(ticket: Ticket, sent_lately: int) -> str:
    """Empty if a receipt may go out: never to a sender who may be forged, to a machine, or too often."""
    if reason := ticket.traits.get("mail.no_receipt"):
        return str(reason)
    if ticket.contact is None or not ticket.contact.is_active:
        return "the contact is not active"
    if ticket.contact.undeliverable_since is not None:
        return "mail to this address comes back"
    if sent_lately >= MOST_RECEIPTS_PER_HOUR:
        return f"{sent_lately} receipts to this address within an hour"
    return ""


def _receipts_lately(addresses: list[str], at: datetime) -> Counter[str]:
    """How many receipts went to each address within the last hour: two programs that answer each other must stop."""
    lately = Notice.objects.filter(
        kind="receipt", address__in=addresses, created_at__gt=at - timedelta(hours=1)
    )
    sent = lately.exclude(state=NoticeState.WITHHELD).values_list("address").annotate(Count("pk"))
    return Counter(dict(sent))


def _address(ticket: Ticket) -> str:
    return ticket.contact.email if ticket.contact else ""


def _followers(facts: Sequence[TicketFact]) -> dict[int, list[tuple[int | None, str]]]:
    """(contact, address) of all who are written to about each ticket: its contact first, then who was accepted.

    Without an address: into the chat that opened the ticket.
    """
    found: dict[int, list[tuple[int | None, str]]] = {}
    for fact in facts:
        chats = fact.ticket.channel == "chat"
        address = "" if chats else _address(fact.ticket)
        found[fact.ticket.pk] = [(fact.ticket.contact_id, address)] if address or chats else []
    others = Participant.objects.filter(ticket__in=found, accepted=True).order_by("id")
    for one in others.select_related("contact"):
        address = one.email or (one.contact.email if one.contact else "")
        if address and address not in {known for _, known in found[one.ticket_id]}:
            found[one.ticket_id].append((one.contact_id, address))
    return found


def _addresses_of_agents(agents: set[int]) -> dict[int, str]:
    present = Agent.objects.filter(pk__in=agents, user__is_active=True).exclude(user__email="")
    return dict(present.values_list("pk", "user__email"))


def _about(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.reference,
        "subject": ticket.subject,
        "client": ticket.client.name,
        "priority": ticket.priority,
        "team": _voice(ticket),
        "name": ticket.contact.name if ticket.contact else "",
    }


class _Receipts:
    """Receipts for one ticket or for five hundred: what many of them say alike is put into words once."""

    def __init__(self, facts: Sequence[Triaged]) -> None:
        self._promised = _promises(facts)
        self._text, self._subject = str(words.RECEIPT), str(words.RECEIPT_SUBJECT)
        self._sentences: dict[tuple[int, str, datetime, str], str] = {}

    def write(self, ticket: Ticket, at: datetime) -> dict[str, Any]:
        about = _about(ticket)
        promise = "".join(self._promise(metric, ticket) for metric in words.RECEIPT_PROMISE)
        text = words.fill(self._text, about | {"promise": promise})
        to = (ticket.contact_id, _address(ticket))
        mail = _mail(ticket, "receipt", at, text, to=to, automatic=True)
        return mail | {"subject": words.fill(self._subject, about)}

    def _promise(self, metric: str, ticket: Ticket) -> str:
        """When we are to have done that, in the contact's own time; nothing where nothing is agreed, or never due."""
        promise = self._promised.get((ticket.contract_version_id, ticket.priority, metric))
        if promise is None:
            return ""
        zone = _zone(ticket)
        alike = (promise.pk, metric, ticket.created_at, zone)
        if alike not in self._sentences:
            due = hours_of(promise.calendar_id).add(ticket.created_at, timedelta(seconds=promise.target_s))
            said = {"due": _local(due, zone)} if due else None
            self._sentences[alike] = words.fill(words.RECEIPT_PROMISE[metric], said) if said else ""
        return self._sentences[alike]


def _zone(ticket: Ticket) -> str:
    """The contact's own; the client's where nobody in particular wrote."""
    return ticket.contact.zone if ticket.contact else ticket.client.timezone


def _local(at: datetime, zone: str) -> str:
    """An instant in that zone; in UTC where a zone that was written down does not exist."""
    try:
        return f"{at.astimezone(ZoneInfo(zone)):%A %-d %B, %H:%M}"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{at.astimezone(UTC):%A %-d %B, %H:%M} UTC"


def _promises(facts: Sequence[Triaged]) -> dict[PromiseKey, Promise]:
    promises = Promise.objects.filter(
        contract_version__in={fact.ticket.contract_version_id for fact in facts} - {None},
        priority__in={fact.ticket.priority for fact in facts},
        metric__in=list(words.RECEIPT_PROMISE),
        party=Party.SLA,
    )
    return {(one.contract_version_id, one.priority, one.metric): one for one in promises}


def _reply_text(fact: Replied, messages: dict[int, Message]) -> str:
    return words.fill(words.REPLY, _about(fact.ticket) | {"text": messages[fact.message].text})


def _resolution_text(fact: Resolved, messages: dict[int, Message]) -> str:
    about = _about(fact.ticket)
    unsaid = (
        words.RESOLVED_BY_SILENCE if fact.code == ResolutionCode.SILENCE else words.RESOLVED_WITHOUT_WORDS
    )
    said = messages[fact.message].text if fact.message else words.fill(unsaid, about)
    days = fact.ticket.reopen_window().days
    reopening = words.fill(words.reopening(days), about | {"days": days})
    return words.fill(words.RESOLVED, about | {"text": said, "reopening": reopening})


def _mail_about_merges(told: Sequence[tuple[TicketFact, int]], kind: str, text: object) -> None:
    """One mail each; nothing for callers and machines, whom nobody has written to."""
    wanted = [(fact, main) for fact, main in told if fact.ticket.channel not in NO_RECEIPT_FOR]
    _read_names(fact.ticket for fact, _ in wanted)
    followers = _followers([fact for fact, _ in wanted])
    known = Contact.objects.in_bulk({pk for to in followers.values() for pk, _ in to if pk})
    notices = []
    for fact, main in wanted:
        for contact, address in followers[fact.ticket.pk]:
            about = _about(fact.ticket) | {"main": f"TD-{main}"}
            about["name"] = known[contact].name if contact in known else address
            to = (contact, address)
            notices.append(_mail(fact.ticket, kind, fact.at, words.fill(text, about), to=to, automatic=True))
    _write(notices)


def _mail(
    ticket: Ticket,
    kind: str,
    at: datetime,
    text: str,
    *,
    to: tuple[int | None, str],
    message: int | None = None,
    automatic: bool = False,
) -> dict[str, Any]:
    return {
        **_row(ticket, at),
        "said_id": message,
        "channel": "mail" if to[1] else "chat",
        "kind": kind,
        "contact_id": to[0],
        "address": to[1],
        "sender_name": _voice(ticket),
        "subject": _subject(ticket),
        "text": text,
        "automatic": automatic,
        "wake_at": at,
    }


def _voice(ticket: Ticket) -> str:
    return ticket.voice_team.name if ticket.voice_team else "Service Desk"


def _subject(ticket: Ticket) -> str:
    """`Re:` once, and our number once: kept stable, because some mail programs group by it."""
    number = f"[{ticket.reference}]"
    said = (ticket.opened_as or ticket.subject).replace(number, "").strip()
    said = said if said[:3].lower() == "re:" else f"Re: {said}"
    return f"{said[: 299 - len(number)]} {number}"


def _agent_mail(notice: dict[str, Any], address: str, ticket: Ticket) -> dict[str, Any]:
    url = f"{settings.BASE_URL}/tickets/{ticket.pk}/"
    values = {"text": notice["text"], "number": ticket.reference, "url": url}
    return notice | {
        "channel": "mail",
        "address": address,
        "sender_name": _voice(ticket),
        "text": words.fill(words.AGENT, values),
        "automatic": True,
        "state": NoticeState.PENDING.value,
        "wake_at": notice["created_at"],
    }


def _vendor_mail(fact: ToVendor) -> dict[str, Any]:
    return {
        **_row(fact.ticket, fact.at),
        "channel": "mail",
        "kind": "vendor",
        "case_id": fact.case,
        "address": fact.to,
        "sender_name": "Platform support",
        "subject": fact.headline[:300],
        "text": words.fill(
            words.VENDOR, {"text": fact.text, "number": f"VC-{fact.case}", "terms": fact.terms}
        ),
        "wake_at": fact.at,
    }


def _desk(ticket: Ticket, agent: int, kind: str, values: dict[str, Any], at: datetime) -> dict[str, Any]:
    team = {"team": ticket.team.name if ticket.team else ""}
    subject, text = words.desk_notice(kind, _about(ticket) | team | values)
    return {
        **_row(ticket, at),
        "channel": "desk",
        "kind": kind,
        "agent_id": agent,
        "subject": subject,
        "text": text,
        "state": "sent",
    }


def _row(ticket: Ticket, at: datetime) -> dict[str, Any]:
    return {
        "client_id": ticket.client_id,
        "ticket_id": ticket.pk,
        "address": "",
        "sender_name": "",
        "automatic": False,
        "state": "pending",
        "tries": 0,
        "error": "",
        "message_id": "",
        "created_at": at,
    }


def _tell_agents(telling: Sequence[tuple[Ticket, int, str, dict[str, Any], datetime]]) -> None:
    """Tell these agents on the desk and by mail."""
    _read_names(ticket for ticket, *_ in telling)
    notices = [_desk(*one) for one in telling]
    addresses = _addresses_of_agents({agent for _, agent, *_ in telling})
    mails = [
        _agent_mail(notice, addresses[agent], ticket)
        for notice, (ticket, agent, *_) in zip(notices, telling, strict=True)
        if agent in addresses
    ]
    _write([*notices, *mails])


def _tell_workers(telling: Sequence[tuple[Ticket, str, dict[str, Any], datetime]]) -> None:
    """Tell the agent who works each ticket, or the team that has it while nobody in particular does."""
    _read_names(ticket for ticket, _, _, _ in telling)
    _write([_desk(t, t.assignee_id, kind, values, at) for t, kind, values, at in telling if t.assignee_id])
    _tell_teams(
        [
            (t, t.team_id, kind, values, at)
            for t, kind, values, at in telling
            if not t.assignee_id and t.team_id
        ]
    )


def _tell_teams(telling: Sequence[tuple[Ticket, int, str, dict[str, Any], datetime]]) -> None:
    if not telling:
        return
    _read_names(ticket for ticket, _, _, _, _ in telling)
    members = _members({team for _, team, _, _, _ in telling})
    names = dict(Team.objects.filter(pk__in=members).values_list("pk", "name"))
    _write(
        [
            _desk(ticket, agent, kind, {"team": names[team], **values}, at)
            for ticket, team, kind, values, at in telling
            for agent in members.get(team, ())
        ]
    )


def _members(teams: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    present = Membership.objects.filter(team__in=list(teams), agent__is_away=False)
    for team, agent in present.values_list("team_id", "agent_id"):
        found[team].append(agent)
    return found


def _write(notices: Sequence[dict[str, Any]]) -> None:
    rows.insert(Notice, COLUMNS, [[notice.get(name) for name in COLUMNS] for notice in notices])

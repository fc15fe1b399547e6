"""The timeline in words: what each kind of entry says, with which sign. Who and when stand beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tierdesk.directory.contracts.models import Metric
from tierdesk.directory.services.models import TicketType
from tierdesk.response.major.models import RoleKind
from tierdesk.response.tiers.ladder import in_words
from tierdesk.response.tiers.reasons import Reason, ReturnReason
from tierdesk.tickets.lifecycle import PendingReason, ResolutionCode
from tierdesk.tickets.models import Entry
from tierdesk.web.ui.wording import channel, duration, moment

type Say = Callable[[Mapping[str, Any]], str]

PARTIES: Mapping[str, str] = {
    "SLA": "promise to the client",
    "OLA": "tier’s own time",
    "UC": "vendor’s promise",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """How an entry of one kind reads. `say` gets the entry's details; tone and icon as in the design system."""

    say: Say
    icon: str = "circle"
    tone: str = "neutral"


def _clock(details: Mapping[str, Any]) -> str:
    tier = f" of L{details['tier']}" if details.get("tier") else ""
    return f"{_label(Metric, details['metric']).lower()}{tier} ({PARTIES.get(details['party'], details['party'])})"


def _key(target: str) -> str:
    """What a policy names, without what kind of thing it is: `team:field-ops` is “field-ops”, and `L2` stays."""
    _kind, colon, key = target.partition(":")
    return f"“{key}”" if colon else target


def _label(choices: Any, value: str) -> str:
    return str(dict(choices.choices).get(value, value))


def _service_named(details: Mapping[str, Any]) -> str:
    if not details["after"]:
        return _("said that it is not about %(before)s") % details
    if details["before"]:
        return _("said that it is about %(after)s, not %(before)s") % details
    return _("said that it is about %(after)s") % details


def _waits_for(details: Mapping[str, Any]) -> str:
    """What it waits for; entries from before the desk kept it name no problem."""
    number = f": PR-{details['problem']}" if details.get("problem") else ""
    reason = _label(PendingReason, details["reason"])
    return _("set it to pending: %s") % (reason[:1].lower() + reason[1:] + number)


def _day(raw: str | None) -> str:
    return f" {_('until')} {_minute(raw)}" if raw else ""


def _minute(raw: str) -> str:
    """By the reader's clock; where that is UTC, it says so."""
    minute = moment(datetime.fromisoformat(raw))
    return f"{minute} UTC" if timezone.get_current_timezone_name() == "UTC" else minute


def _call(details: Mapping[str, Any]) -> str:
    who = details["number"] or _("a hidden number")
    if details["direction"] == "out":
        return _("called %s") % who
    return (_("missed a call from %s") if details["state"] == "missed" else _("spoke with %s")) % who


def _alarms_joined(details: Mapping[str, Any]) -> str:
    """How many alarms came, and why here."""
    many = details["alarms"]
    if details["why"] == "storm":
        told = _("a storm of “%(to)s”: %(alarms)s alarms so far") % details
        return "; ".join([told, *details.get("summary", "").splitlines()[1:]])
    what = _("an alarm") if many == 1 else _("%d alarms") % many
    why = {
        "key": _("the same as before"),
        "group": _("of the group “%(to)s”, as their source says"),
        "upstream": _("because “%(to)s”, which their service depends on, is in trouble"),
        "service": _("of the same service, “%(to)s”"),
    }[details["why"]] % {"to": details["to"]}
    return (
        f"{what} {why}: {details['first']}"
        if many == 1
        else f"{what} {why}; {_('first')}: {details['first']}"
    )


def _whom(details: Mapping[str, Any]) -> str:
    names = {
        "contact": _("the contact"),
        "vendor": _("the vendor"),
        "team": _("the other team"),
        "workers": _("whoever works it, as %s") % details["why"],
    }
    return str(names[details["whom"]])


def _because(details: Mapping[str, Any]) -> str:
    """Why this one; entries from before the desk said so have no reason."""
    return f": {details['why']}" if details.get("why") else ""


def _cancelled(details: Mapping[str, Any]) -> str:
    if details.get("merged"):
        return _("merged it into TD-%(duplicate_of)s: %(why)s") % details
    return str(_("cancelled it: %s") % details["why"])


def _followers(details: Mapping[str, Any]) -> str:
    named = ", ".join(details["followers"])
    return f" · {_('follows it now')}: {named}" if named else ""


def _role_handed(details: Mapping[str, Any]) -> str:
    role = _label(RoleKind, details["role"]).lower()
    if details["agent"] is None:
        return _("%(before)s is no longer %(role)s") % {**details, "role": role}
    words = _("made %(agent_name)s %(role)s") % {**details, "role": role}
    return f"{words}, {_('after %s') % details['before']}" if details["before"] else words


def _role_taken(details: Mapping[str, Any]) -> str:
    words = _("became %(role)s") % {"role": _label(RoleKind, details["role"]).lower()}
    return f"{words}, {_('after %s') % details['before']}" if details["before"] else words


def _retyped(details: Mapping[str, Any]) -> str:
    words = _("changed its type from %(before)s to %(after)s: %(why)s") % {
        "before": _label(TicketType, details["before"]).lower(),
        "after": _label(TicketType, details["after"]).lower(),
        "why": details["why"],
    }
    if details["anew"]:
        counts = _("the promises of %s count from the start") % details["version"]
        words += f" ({counts if details['version'] else _('no promise applies')})"
    return words


def _date_promised(details: Mapping[str, Any]) -> str:
    words = _("promised that it is solved by %s") % _minute(details["promised_at"])
    if details["before"]:
        words = _("moved the promised date from %(before)s to %(after)s") % {
            "before": _minute(details["before"]),
            "after": _minute(details["promised_at"]),
        }
    if details["due_at"] != details["promised_at"]:
        words += f" ({_('it counts at the next opening, %s') % _minute(details['due_at'])})"
    return f"{words}: {details['why']}"


def _carried(details: Mapping[str, Any]) -> str:
    """What has reached the children; not how many, since not every reader serves the clients of all."""
    words = {
        "broadcast": _("the broadcast reached its children"),
        "resolution": _("its children were solved with it"),
        "reopening": _("its children follow it again"),
        "end": _("its children are back at work"),
    }
    return words[details["what"]]


SENTENCES: Mapping[str, Sentence] = {
    "opened": Sentence(lambda d: _("opened the ticket by %s") % channel(d["channel"]), "plus"),
    "triaged": Sentence(lambda d: _("sorted: %s") % d["why"], "filter"),
    "acknowledged": Sentence(lambda d: _("acknowledged it"), "eye", "success"),
    "assigned": Sentence(
        lambda d: (
            _("gave it to %s") % d["agent_name"] + _because(d)
            if d["agent"]
            else _("put it back into the queue")
        ),
        "user-plus",
    ),
    "nobody_chosen": Sentence(
        lambda d: _("could give it to nobody, so it stays in the queue: %s") % d["why"], "users", "warning"
    ),
    "nobody_found": Sentence(
        lambda d: _("told those who answer for the team that nobody can be found: %s") % d["why"],
        "bell",
        "warning",
    ),
    "categorised": Sentence(lambda d: _("set the category %s") % d["category"], "tag"),
    "contact_named": Sentence(lambda d: _("named %(contact_name)s as its contact") % d, "user"),
    "service_named": Sentence(_service_named, "package"),
    "reprioritised": Sentence(
        lambda d: _("changed the priority from P%(before)s to P%(after)s: %(reason)s") % d, "flag", "warning"
    ),
    "pended": Sentence(lambda d: _waits_for(d) + _day(d.get("until")), "pause"),
    "reminded": Sentence(
        lambda d: (
            _("reminder %(number)s of %(of)s to %(whom)s: %(reason)s")
            % {**d, "whom": _whom(d), "reason": _label(PendingReason, d["reason"]).lower()}
        ),
        "bell",
    ),
    "silence_warned": Sentence(
        lambda d: _("warned for the last time: solved by silence") + _day(d["resolves_at"]), "bell", "warning"
    ),
    "wait_returned": Sentence(
        lambda d: _("nobody answered; it is back at work") + (f": {d['why']}" if d["why"] else ""),
        "return",
        "warning",
    ),
    "case_missing": Sentence(lambda d: _("no vendor was chased: %s") % d["why"], "package", "warning"),
    "wait_put_in": Sentence(
        lambda d: (
            _(
                "put in afterwards that it had waited from %(begins)s to %(ends)s: %(reason)s; shown by: %(evidence)s"
            )
            % {
                **d,
                "begins": _minute(d["begins"]),
                "ends": _minute(d["ends"]),
                "reason": _label(PendingReason, d["reason"]).lower(),
            }
        ),
        "edit",
        "warning",
    ),
    "resumed": Sentence(lambda d: _("took it up again: %s") % d["why"], "play"),
    "handed_over": Sentence(
        lambda d: _("handed it from L%(from_tier)s to L%(to_tier)s: %(why)s") % d, "arrow-up", "accent"
    ),
    "resolved": Sentence(
        lambda d: (
            _("resolved it on L%(tier)s: %(code)s")
            % {"tier": d["tier"], "code": _label(ResolutionCode, d["code"]).lower()}
        ),
        "check-circle",
        "success",
    ),
    "reopened": Sentence(lambda d: _("reopened it: %s") % d["why"], "refresh", "warning"),
    "closed": Sentence(lambda d: _("closed it: %s") % d["why"], "archive"),
    "cancelled": Sentence(_cancelled, "x-circle"),
    "absorbed": Sentence(lambda d: _("merged TD-%(other)s into it: %(why)s") % d + _followers(d), "merge"),
    "parted": Sentence(
        lambda d: _("took it out of TD-%(main)s again; its clocks count on: %(why)s") % d, "return", "warning"
    ),
    "released": Sentence(lambda d: _("took TD-%(other)s out of it again: %(why)s") % d, "return", "warning"),
    "alarms_joined": Sentence(_alarms_joined, "bell"),
    "alarms_worsened": Sentence(
        lambda d: _("a worse alarm, severity %(after)s after %(before)s: %(alarm)s") % d, "bell", "danger"
    ),
    "alarm_flaps": Sentence(
        lambda d: _("it comes and goes, so it stays open and nobody is told: %(alarm)s") % d,
        "refresh",
        "warning",
    ),
    "alarm_calmed": Sentence(lambda d: _("it no longer comes and goes: %(alarm)s") % d, "check"),
    "call_tied": Sentence(_call, "phone"),
    "linked": Sentence(
        lambda d: (
            _("linked it: %(relation)s TD-%(other)s")
            % {"relation": d["relation"].replace("_", " "), "other": d["other"]}
        ),
        "link",
    ),
    "warned": Sentence(
        lambda d: _("three quarters of the time for %s are used") % _clock(d), "triangle", "warning"
    ),
    "rung_reached": Sentence(
        lambda d: (
            _("a rung of the ladder is reached, %(marks)s: %(clock)s")
            % {"marks": ", ".join(d["marks"]), "clock": _clock(d)}
        ),
        "triangle",
        "warning",
    ),
    "breached": Sentence(lambda d: _("breached: %s") % _clock(d), "octagon", "danger"),
    "amended": Sentence(
        lambda d: (
            _("took back what they had said") if d["text"] is None else _("changed it to “%s”") % d["text"]
        ),
        "edit",
    ),
    "words_moved": Sentence(
        lambda d: _("moved words that had come here to TD-%(to)s: %(why)s") % d, "arrow-right", "warning"
    ),
    "words_taken_in": Sentence(
        lambda d: _("brought words that had come to TD-%(origin)s: %(why)s") % d, "arrow-right"
    ),
    "matter_split": Sentence(
        lambda d: _("split off a second matter, which goes on as TD-%(to)s: %(why)s") % d, "ladder"
    ),
    "matter_taken_over": Sentence(
        lambda d: _("made it of a second matter in words that came to TD-%(origin)s: %(why)s") % d, "ladder"
    ),
    "chat_accepted": Sentence(
        lambda d: _("took the chat; the visitor had waited %s s") % d["waited_s"], "chat", "success"
    ),
    "chat_handed_over": Sentence(
        lambda d: _("handed the chat to %s") % d["to"] + (f": {d['why']}" if d["why"] else ""), "chat"
    ),
    "chat_ended": Sentence(lambda d: _("the chat is over after %(lines)s lines: %(why)s") % d, "chat"),
    "run_started": Sentence(lambda d: _("follows the book %s") % d["book"], "book"),
    "step_done": Sentence(lambda d: f"“{d['step']}”: {d['result']}", "check"),
    "run_ended": Sentence(
        lambda d: (
            {
                "done": _("came to the end of %(book)s: %(words)s"),
                "escalate": _("came to the end of %(book)s, which sends it up: %(words)s"),
                "left": _("left the book %(book)s: %(words)s"),
            }.get(d["outcome"], "%(words)s")
            % d
        ),
        "book",
    ),
    "gap_opened": Sentence(lambda d: _("asked for a better book: %s") % d["book"], "edit", "warning"),
    "gap_closed": Sentence(
        lambda d: _("closed the task about the book: %s") % d["outcome"], "edit", "success"
    ),
    "escalation_sent": Sentence(
        lambda d: (
            _("escalated from L%(from_tier)s to L%(to_tier)s: %(reason)s")
            % {**d, "reason": _label(Reason, d["reason"])}
        ),
        "escalate",
        "accent",
    ),
    "escalation_accepted": Sentence(lambda d: _("accepted the hand-over"), "check", "success"),
    "escalation_returned": Sentence(
        lambda d: _("returned the hand-over: %s") % _label(ReturnReason, d["reason"]), "return", "warning"
    ),
    "escalation_coached": Sentence(
        lambda d: _("solves it together with the tier it came from: %s") % d["note"], "chat", "accent"
    ),
    "escalation_withdrawn": Sentence(lambda d: _("withdrew the escalation"), "return"),
    "consulted": Sentence(lambda d: _("asked another tier for advice"), "chat"),
    "consultation_answered": Sentence(
        lambda d: (
            _("gave advice, %s min") % d["minutes"] if d.get("minutes") is not None else _("gave advice")
        ),
        "chat",
    ),
    "advice_late": Sentence(lambda d: _("advice is late"), "bell", "warning"),
    "hierarchy_told": Sentence(
        lambda d: _("told the hierarchy (%(roles)s): %(why)s") % {**d, "roles": in_words(d["roles"])},
        "bell",
        "warning",
    ),
    "complained": Sentence(
        lambda d: (
            _("escalated to those who answer for it (%(used)s of %(allowed)s this month): %(reason)s") % d
        ),
        "bell",
        "danger",
    ),
    "paging_started": Sentence(lambda d: _("calls people by “%(policy)s”") % d, "bell", "warning"),
    "people_paged": Sentence(
        lambda d: _("paged %s") % "; ".join(str(one) for one in d["people"]), "bell", "warning"
    ),
    "page_followed": Sentence(
        lambda d: _("a page that waited for %(name)s goes to whoever is on call: %(to)s") % d, "refresh"
    ),
    "nobody_on_call": Sentence(
        lambda d: _("nobody is on call for %(target)s: %(then)s") % {**d, "target": _key(d["target"])},
        "triangle",
        "danger",
    ),
    "step_passed_over": Sentence(
        lambda d: _("passed over step %(step)s of the policy: %(why)s") % d, "circle"
    ),
    "hand_due": Sentence(
        lambda d: _("handed on by “%(policy)s”, to %(to)s") % {**d, "to": _key(d["to"])},
        "escalate",
        "warning",
    ),
    "hand_refused": Sentence(
        lambda d: _("could not be handed to %(to)s: %(why)s") % {**d, "to": _key(d["to"])},
        "triangle",
        "danger",
    ),
    "paging_acknowledged": Sentence(
        lambda d: _("acknowledged the page: nobody else is called for now"), "check", "success"
    ),
    "acknowledgement_expired": Sentence(
        lambda d: _("calls people again: after %(agent_name)s acknowledged, nothing happened") % d,
        "bell",
        "warning",
    ),
    "paging_exhausted": Sentence(
        lambda d: (
            ngettext(
                "called everybody once, and nobody acknowledged",
                "called everybody %(loops)s times, and nobody acknowledged",
                d["loops"],
            )
            % d
        ),
        "triangle",
        "danger",
    ),
    "page_passed_on": Sentence(lambda d: _("passed the page on: whoever is next is called"), "escalate"),
    "page_failed": Sentence(
        lambda d: _("the page for %(name)s by %(channel)s did not arrive: %(why)s") % d, "triangle", "danger"
    ),
    "client_changed": Sentence(
        lambda d: (
            _("brought it here from another client, with clocks that count from the start: %(why)s") % d
        ),
        "building",
        "warning",
    ),
    "renamed": Sentence(lambda d: _("changed the subject from “%(before)s” to “%(after)s”") % d, "edit"),
    "retyped": Sentence(_retyped, "sort", "warning"),
    "terms_changed": Sentence(
        lambda d: _("let other terms apply, %(version)s: %(why)s") % d, "edit", "warning"
    ),
    "date_promised": Sentence(_date_promised, "target", "accent"),
    "date_taken_back": Sentence(
        lambda d: (
            _("took back the promised date, %(date)s: %(why)s") % {**d, "date": _minute(d["promised_at"])}
        ),
        "target",
        "warning",
    ),
    "problem_linked": Sentence(
        lambda d: _("linked it to the problem PR-%(problem)s, %(title)s: %(why)s") % d, "search", "warning"
    ),
    "problem_unlinked": Sentence(
        lambda d: _("took it off the problem PR-%(problem)s, %(title)s: %(why)s") % d, "search"
    ),
    "workaround_known": Sentence(
        lambda d: _("PR-%(problem)s is a known error; this helps until it is mended: %(workaround)s") % d,
        "zap",
        "success",
    ),
    "workaround_withdrawn": Sentence(
        lambda d: _("withdrew the workaround of PR-%(problem)s: %(why)s") % d,
        "zap",
        "warning",
    ),
    "clocks_corrected": Sentence(
        lambda d: (
            _("set right by the timeline: %s") % ", ".join(dict.fromkeys(map(_clock, d["corrections"])))
        ),
        "clock",
        "warning",
    ),
    "major_proposed": Sentence(
        lambda d: _("thinks that it is a major incident: %(why)s") % d, "flag", "warning"
    ),
    "proposal_answered": Sentence(
        lambda d: (
            _("agreed that it is a major incident: %(why)s") % d
            if d["accepted"]
            else _("said that it is no major incident: %(why)s") % d
        ),
        "flag",
    ),
    "major_declared": Sentence(
        lambda d: _("declared it a major incident, with an update every %(every_min)s min: %(why)s") % d,
        "flag",
        "danger",
    ),
    "major_stood_down": Sentence(
        lambda d: _("stood it down, it is no major incident: %(why)s") % d, "flag", "warning"
    ),
    "manager_missing": Sentence(lambda d: _("nobody leads the major incident"), "triangle", "danger"),
    "role_handed": Sentence(_role_handed, "user-plus"),
    "cadence_changed": Sentence(
        lambda d: _("changed when clients hear from us: every %(every_min)s min after %(before)s") % d,
        "clock",
    ),
    "children_linked": Sentence(lambda d: _("linked tickets to it"), "link"),
    "major_followed": Sentence(
        lambda d: _("made it part of the major incident TD-%(parent)s") % d, "link", "warning"
    ),
    "broadcast_sent": Sentence(
        lambda d: _("wrote to its contact and to those of all tickets that follow it"), "send"
    ),
    "cascade_carried": Sentence(_carried, "arrow-right"),
    "update_due": Sentence(lambda d: _("the clients are to hear from us soon"), "clock"),
    "update_missed": Sentence(
        lambda d: _("the clients heard nothing in time") + f" ({d['missed']})", "octagon", "danger"
    ),
    "review_held": Sentence(lambda d: _("held the review"), "check", "success"),
    "review_waived": Sentence(lambda d: _("waived the review: %(why)s") % d, "check", "warning"),
    "action_agreed": Sentence(
        lambda d: _("gave %(agent_name)s a task until %(due_date)s: %(what)s") % d, "check"
    ),
    "action_done": Sentence(lambda d: _("did a task of the review: %(what)s") % d, "check", "success"),
    "action_due": Sentence(lambda d: _("a task of the review is due: %(what)s") % d, "bell", "warning"),
    "case_submitted": Sentence(
        lambda d: _("opened a case with %s") % d.get("vendor_name", _("the vendor")), "package"
    ),
    "case_moved": Sentence(
        lambda d: (
            _("moved the vendor case: %(before)s → %(after)s")
            % {name: str(d[name]).replace("_", " ") for name in ("before", "after")}
        ),
        "package",
    ),
    "undelivered": Sentence(
        lambda d: _("our mail to %(address)s did not arrive: %(why)s") % d, "triangle", "danger"
    ),
    "left_late": Sentence(
        lambda d: (
            _("our answer left %(time)s after it was written; it counts from then")
            % {"time": duration(timedelta(seconds=d["waited_s"]))}
        ),
        "clock",
    ),
    "case_heard": Sentence(lambda d: _("wrote to us about the case"), "mail"),
    "case_answered": Sentence(lambda d: _("wrote to the vendor"), "send"),
    "case_rewritten": Sentence(lambda d: _("rewrote the draft of a case for %(vendor_name)s") % d, "package"),
    "case_drafted": Sentence(lambda d: _("drafted a case for %(vendor_name)s") % d, "package"),
    "case_numbered": Sentence(lambda d: _("gave the vendor case its number: %(reference)s") % d, "package"),
    "case_promised": Sentence(
        lambda d: (
            _("wrote down what the vendor promises%(until)s: %(words)s")
            % {"until": _day(d["until"]), "words": d["words"] or _("an answer")}
        ),
        "clock",
    ),
    "case_chased": Sentence(lambda d: _("the vendor is to be chased: %(why)s") % d, "bell", "warning"),
    "case_severity_changed": Sentence(
        lambda d: _("changed the severity of the vendor case: %(before)s → %(after)s, because %(why)s") % d,
        "package",
    ),
    "escalation_overtaken": Sentence(lambda d: _("the hand-over was overtaken"), "escalate"),
}


def sentence_of(entry: Entry) -> tuple[str, str, str]:
    """(words, icon, tone) of an entry; a kind without a sentence of its own is told by its name."""
    sentence = SENTENCES.get(entry.kind)
    if sentence is None:
        return entry.kind.replace("_", " "), "circle", "neutral"
    if _is_taken(entry):
        return _("took it") + _because(entry.details), sentence.icon, sentence.tone
    if entry.kind == "role_handed" and _is_theirs(entry):
        return _role_taken(entry.details), sentence.icon, sentence.tone
    if entry.kind == "case_heard" and entry.by_kind == "agent":
        return _("wrote down what the vendor said"), sentence.icon, sentence.tone
    return sentence.say(entry.details), sentence.icon, sentence.tone


def _is_taken(entry: Entry) -> bool:
    """Whether somebody gave the ticket to nobody else but themselves."""
    return entry.kind == "assigned" and _is_theirs(entry)


def _is_theirs(entry: Entry) -> bool:
    """Whether whoever did it is the agent whom it is about."""
    return entry.by_kind == "agent" and entry.by_id == entry.details["agent"]

"""The words that the desk itself writes: one place, plain text, placeholders filled from a fixed set of plain strings.

A receipt contains nothing that its reader supplied, not even the subject: whoever writes in another person's name
must not be able to send words through us. Replies carry the subject, so that they stay in one conversation.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from django.utils.translation import gettext_lazy as _

RECEIPT_SUBJECT = _("We have received your message [$number]")

RECEIPT = _("""Hello $name,

we have received your message and registered it as $number. You do not need to do anything now.

$promise
To add something, answer this mail.

$team""")

RECEIPT_PROMISE: Mapping[str, object] = {
    "acknowledge": _("A colleague will look at it by $due (your time).\n"),
    "resolve": _("Our agreement is to solve it by $due (your time).\n"),
}

REPLY = _("""$text

--
$team · $number
To answer, reply to this mail.""")

RESOLVED = _("""$text

$reopening

$team""")

REOPEN_WITHIN_DAYS = _("""We consider $number solved. If it is not, answer this mail within $days days and we take it up
again; otherwise it closes by itself.""")
REOPEN_WITHIN_A_DAY = _("""We consider $number solved. If it is not, answer this mail within a day and we take it up
again; otherwise it closes by itself.""")
NO_REOPENING = _("""$number is solved and closed. If it is not as it should be, answer this mail: we open a new one that
follows it up.""")


def reopening(days: int) -> object:
    """What somebody does whose trouble is not over, by the days that the contract gives them."""
    if not days:
        return NO_REOPENING
    return REOPEN_WITHIN_A_DAY if days == 1 else REOPEN_WITHIN_DAYS


RESOLVED_WITHOUT_WORDS = _("Hello $name,\n\nwe have solved your request “$subject”.")

RESOLVED_BY_SILENCE = _("""Hello $name,

we asked you about your request “$subject” and have not heard from you, so we take it that nothing more is needed.""")

CHASERS: Mapping[str, object] = {
    "requester_info": _(
        "we asked you something about your request “$subject” and go on as soon as you answer."
    ),
    "requester_confirm": _(
        "please try what we did about your request “$subject”, and tell us whether it works."
    ),
    "requester_scheduled": _("your request “$subject” waits for the time that you wanted to tell us."),
    "client_approval": _("your request “$subject” waits for an approval at your company."),
    "access": _("to go on with your request “$subject” we need access. Please tell us when we can have it."),
}
"""What a contact is reminded of, by what the ticket waits for."""

CHASER = _("""Hello $name,

$asked
$quoted
To answer, reply to this mail. You need not do anything else; your request is $number.

$team""")

LAST_WARNING = _("""Hello $name,

$asked
$quoted
If we hear nothing until $until (your time), we take it that nothing more is needed and consider $number solved. To keep
it open, reply to this mail; a few words are enough.

$team""")

COMPLAINT = _("""Hello $name,

those who answer for your request “$subject” ($number) have been told that it is not going as it should, and why:

> $reason

They see to it that it goes on. Who works on it stays the same, so nothing is lost. This is escalation $used of $allowed
that your contract gives in a month.

$team""")

MERGED = _("""Hello $name,

your request “$subject” ($number) is about the same matter as $main, which we are working on already. So that nothing is
done twice, we go on with $main alone. You will hear from us there; you do not need to do anything.

To add something, answer this mail: it reaches $main.

$team""")

PARTED = _("""Hello $name,

we had treated your request “$subject” as part of $main. It turned out to be a matter of its own, and we work on it as
$number again. You do not need to do anything.

To add something, answer this mail.

$team""")

VENDOR = _("""$text

--
$terms
Our case number: $number. Please keep it in the subject.""")

AGENT = _("""$text

--
You hear of this because you answer for $number. Take it up on the desk: $url""")

HOUSE = _("""$text

--
You hear of this because you are an administrator of the desk: $url""")

OF_TEAM = _("""$text

--
You hear of this because you answer for $team: $url""")

PAGE_SUBJECT = _("Page: $number · P$priority · $client")

PAGE = _("""Hello $name,

you are paged about $number (P$priority, $client): $subject
Why you: $why.

To acknowledge, open this page and press the button; nobody else is called then:
$link
$answer""")

PAGE_ANSWER = _("""
Or answer this mail with ACK; with PASS, if you cannot look.""")

PAGE_SMS = _("$number P$priority $client: $short\nAcknowledge: answer ACK, or $link")

PAGES_SUBJECT = _("$count pages: $number · P$priority · $client, and others")

PAGES = _("""Hello $name,

you are paged about $count tickets:

$list

To acknowledge all or some of them, open this page and press a button; nobody else is called then:
$link
$answer""")

PAGES_ANSWER = _("""
Or answer this mail with ACK for all of them, or ACK and a number for one; with PASS, if you cannot look.""")

PAGES_SMS = _("$count pages:\n$list\nAcknowledge all: answer ACK, or $link")

DESK: Mapping[str, tuple[object, object]] = {
    "new_ticket": (_("$number · new for $team"), _("$client: $subject (P$priority)")),
    "assigned": (_("$number was given to you"), _("$client: $subject")),
    "escalated": (_("$number was escalated to $team"), _("$client: $subject (P$priority)")),
    "returned": (_("$number came back"), _("$note")),
    "hierarchy": (_("$number: $why"), _("$client: $subject (P$priority), worked by $team")),
    "hierarchy_many": (_("$count tickets of $team: $why"), _("$tickets")),
    "warning": (_("Warning · $number: $why"), _("$client: $subject (P$priority), worked by $team")),
    "warning_many": (_("Warning · $count tickets of $team: $why"), _("$tickets")),
    "breach": (_("Breach · $number: $why"), _("$client: $subject (P$priority), worked by $team")),
    "breach_many": (_("Breach · $count tickets of $team: $why"), _("$tickets")),
    "consulted": (_("$number: your advice is asked for"), _("$question")),
    "advice": (_("$number: advice has arrived"), _("$answer")),
    "advice_late": (_("$number: advice is late"), _("$question")),
    "worse_alarm": (_("$number: a worse alarm"), _("$alarm · $resource (P$priority)")),
    "heard": (_("$number: the contact wrote"), _("$client: $subject")),
    "undelivered": (_("$number: our mail did not arrive"), _("$address: $why")),
    "case_heard": (_("$number: the vendor wrote"), _("$client: $subject")),
    "chase": (_("$number: chase the vendor"), _("$why")),
    "mailbox": (_("No mail is fetched from $address"), _("$why")),
    "mailbox_silent": (_("Mail may not reach us at $address"), _("$why")),
    "mailbox_ends": (_("The permission for $address ends"), _("$why")),
    "flood": (_("A flood: $name"), _("$why All of it is kept; look at Channels.")),
    "silent": (_("$name is silent"), _("$why")),
    "over": (_("Over: $name"), _("Since $since UTC: $why It is over now.")),
    "unfound": (
        _("$team: nobody can be found"),
        _("$tickets: $why. Give them to somebody, or make room."),
    ),
    "shift_waits": (
        _("$team: a shift waits to be taken"),
        _("$who handed it over at $time, and nobody has taken it. Read what was said, and sign."),
    ),
    "duty_gap": (
        _("$schedule: hours that nobody has"),
        _("$gaps ($zone). Let somebody of $team stand in."),
    ),
    "duty_calendar": (
        _("$schedule: its calendar cannot be taken over"),
        _("$why What was taken over before goes on holding; look at the schedule."),
    ),
    "remind": (_("$number waits for $team"), _("$client: $subject (P$priority)")),
    "no_reminder": (_("$number waits, and nobody is reminded"), _("$client: $subject. $why")),
    "silence": (_("$number: nobody answered"), _("$client: $subject. It is back at work, with $team. $why")),
    "no_case": (_("$number: no case to chase"), _("$client: $subject: $why")),
    "gap": (_("$number: a book needs you"), _("$book")),
    "major_role": (_("$number is a major incident, and you have a role: $role"), _("$client: $subject")),
    "major_accepted": (
        _("$number is a major incident, as you proposed"),
        _("$client: $subject. $who declared it: $why"),
    ),
    "major_declined": (
        _("$number is no major incident"),
        _("$client: $subject. $who says: $why"),
    ),
    "update_due": (
        _("$number: the clients are to hear from us by $until"),
        _("$client: $subject. Write one broadcast; it goes to all of them."),
    ),
    "action": (_("$number: a task came of its review, for you"), _("$what")),
    "action_due": (_("$number: a task of its review is due today"), _("$what")),
}

ROLES: Mapping[str, object] = {
    "manager": _("incident manager"),
    "communications": _("communications"),
    "technical": _("technical lead"),
    "scribe": _("scribe"),
}
"""In a major incident."""


def fill(text: object, values: Mapping[str, object]) -> str:
    """Put plain values into a text. Placeholders are names only: no attribute, no expression, no loop."""
    return Template(str(text)).safe_substitute({name: str(value) for name, value in values.items()})


def desk_notice(kind: str, values: Mapping[str, object]) -> tuple[str, str]:
    """Subject and text of a notice on the desk."""
    subject, text = DESK[kind]
    return fill(subject, values)[:300], fill(text, values)

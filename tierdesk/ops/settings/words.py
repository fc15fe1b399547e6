"""What sections and fields are called on a page, and what they mean. The schema says what they may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

type Answers = Mapping[str, tuple[str, ...]]
"""Fields, and what is said in them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a form asks for a field: its label, a hint, and what it means to leave it empty."""

    label: str
    hint: str = ""
    empty: str = "None"
    is_wide: bool = False
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A section in words. `meaning` is one line; `first` says what to do while there is none.

    `fields` by name, those inside a field as `promises.resolve`. `columns` are the fields that the list shows beside
    the name, `called` finds a row's name where it is no field. `begin` is what a new form begins with, in the file's
    notation; `parts` are the form's parts with their titles, `only_with` the answers to other fields without which a
    part is not asked for, as long as its first field says nothing; `versions` says what becomes of what was before.
    """

    title: str
    one: str
    icon: str
    meaning: str
    first: str
    fields: Mapping[str, Asked]
    columns: tuple[str, ...] = ()
    called: Callable[[Any], str] | None = None
    begin: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only_with: Mapping[str, Answers] = field(default_factory=dict)
    versions: str = ""

    def asked(self, path: str) -> Asked:
        """How the field at `path` is asked for; what is never asked for has no hint."""
        return self.fields.get(path) or Asked(path.rpartition(".")[2].replace("_", " ").capitalize())


def _route(row: Any) -> str:
    """What a route is for."""
    kind = "Everything" if row.category_scope == "*" else row.category_scope
    parts = (kind, row.service.name if row.service else "", row.channel.replace("_", " "))
    return " · ".join(part for part in parts if part)


KEY: Final = Asked("Key", "Small letters, digits and “-”. It stays: other things name it by this.")
NAME: Final = Asked("Name")
CLIENT: Final = Asked("Client")
ANY_CLIENT: Final = Asked("Client", empty="Every client")
ZONE: Final = Asked("Time zone", "Such as Europe/Oslo.")
LANGUAGE: Final = Asked("Language", "A code such as en or de.")

WORDS: Final[Mapping[str, Words]] = {
    "clients": Words(
        title="Clients",
        one="client",
        icon="building",
        meaning="The organisations you work for, and the teams that serve them.",
        first="A client is an organisation you work for. Mail from its domains and calls from its switchboards "
        "are recognised as its own.",
        columns=("key", "teams", "domains", "timezone", "active"),
        parts=(("How it is recognised", ("domains", "phones")), ("Who serves it", ("teams",))),
        fields={
            "key": Asked(
                "Key", "2 to 12 capitals or digits. It stays: other things name the client by this."
            ),
            "name": NAME,
            "timezone": ZONE,
            "region": Asked("Country", "Two capitals such as NO: local phone numbers are read with it."),
            "language": LANGUAGE,
            "active": Asked(
                "Active",
                "Otherwise nobody of it signs in, and no call is logged for it; its mail is still taken.",
            ),
            "teams": Asked("Teams that serve it", "Besides the teams that serve every client."),
            "domains": Asked("Mail domains", "Whoever writes from them is of this client."),
            "phones": Asked(
                "Switchboards", "Numbers that tell the client but not the person, with country code."
            ),
        },
    ),
    "contacts": Words(
        title="Contacts",
        one="contact",
        icon="user",
        meaning="The people at your clients who write and call.",
        first="A contact is a person at a client. Add the people you know; others can still write in from "
        "the client’s mail domains.",
        columns=("client", "email", "phones", "vip", "portal", "active"),
        parts=(("Portal", ("portal", "sees_client")),),
        fields={
            "client": CLIENT,
            "email": Asked("E-mail address", "It stays: the person is known by it."),
            "name": NAME,
            "site": Asked("Site", "Where the person usually is.", empty="Not said"),
            "timezone": Asked("Time zone", "Empty: as the client."),
            "language": Asked("Language", "Empty: as the client."),
            "vip": Asked("VIP", "Raises the urgency of what this person reports."),
            "active": Asked("Active", "Otherwise the person is no longer recognised, and told nothing."),
            "sees_client": Asked(
                "Sees all tickets of the client", "On the portal; others see only their own."
            ),
            "phones": Asked("Phone numbers", "With country code, such as +47 23 45 67 01."),
            "portal": Asked("May sign in to the portal", "The person asks for a sign-in link by mail."),
        },
    ),
    "sites": Words(
        title="Sites",
        one="site",
        icon="home",
        meaning="The places of your clients.",
        first="A site is a place of a client’s, such as an office or a plant. It is useful for clients in more than "
        "one place.",
        columns=("client", "address", "timezone"),
        fields={
            "client": CLIENT,
            "name": Asked("Name", "It stays: contacts name the site by this."),
            "timezone": Asked("Time zone", "Empty: as the client."),
            "address": Asked("Address"),
        },
    ),
    "services": Words(
        title="Services",
        one="service",
        icon="package",
        meaning="What your clients use and would miss, and what depends on what.",
        first="A service is something a client uses and would miss: mail, the VPN, the ERP. Tickets, routes and "
        "alarms name it.",
        columns=("client", "key", "criticality", "depends_on"),
        fields={
            "client": ANY_CLIENT,
            "key": KEY,
            "name": NAME,
            "criticality": Asked("Criticality", "1 raises the urgency of its tickets by one."),
            "kind": Asked("Kind", "One word that books can match, such as postgres or printer."),
            "needs": Asked("The skill that its tickets take", "Unless their category says one."),
            "needs.platform": Asked("Platform", "As agents’ skills name it."),
            "needs.level": Asked("At least", empty="1 · learning"),
            "categories": Asked(
                "Categories that are about it",
                "A ticket of one of these is about this service, unless its subject names another. "
                "network/* means all under it.",
            ),
            "depends_on": Asked("Depends on", "When one of these is down, this one is too."),
        },
    ),
    "components": Words(
        title="Components",
        one="component",
        icon="server",
        meaning="Parts of services that alarms name: hosts, devices, applications.",
        first="A component is a part of a service that monitoring names, such as the host db1. An alarm about it "
        "then knows its service.",
        columns=("client", "service"),
        fields={
            "client": CLIENT,
            "name": Asked("Name", "As monitoring writes it. It stays."),
            "service": Asked("Part of"),
        },
    ),
    "teams": Words(
        title="Teams",
        one="team",
        icon="users",
        meaning="Who holds a queue together, each on one tier of the ladder.",
        first="A team holds a queue together on one tier. Begin with a first line that serves every client.",
        columns=("key", "tier", "every_client"),
        called=lambda row: f"{row.name} (L{row.tier})",
        fields={
            "key": KEY,
            "name": NAME,
            "tier": Asked("Tier", "L1 first line, L2 second line, L3 experts, L4 the maker or a vendor."),
            "every_client": Asked(
                "Serves every client", "Otherwise only those clients that name it among their teams."
            ),
            "hours": Asked(
                "Given tickets in", "Outside these hours they wait in the queue.", empty="Around the clock"
            ),
            "assignment": Asked("Who gets the next ticket"),
            "assignment.by": Asked("Way", empty="agents take the next best ticket themselves"),
            "assignment.capacity": Asked(
                "An agent holds at most", "A P1 counts 3, a P2 counts 2, another ticket 1.", empty="8"
            ),
        },
    ),
    "agents": Words(
        title="Agents",
        one="agent",
        icon="user-plus",
        meaning="Who works here, in which teams, with which skills.",
        first="An agent works tickets in one or more teams, and sees the clients that these teams serve.",
        columns=("email", "teams", "skills", "manager", "admin", "active"),
        parts=(
            ("Teams and skills", ("teams", "leads", "skills", "languages", "hours")),
            ("What the agent may do", ("manager", "admin")),
        ),
        fields={
            "email": Asked("E-mail address", "What the agent signs in with. It stays."),
            "name": NAME,
            "timezone": ZONE,
            "language": LANGUAGE,
            "active": Asked("Active", "Otherwise the agent cannot sign in, and is told nothing."),
            "admin": Asked("Administrator", "Changes these settings and sees every client."),
            "manager": Asked("Manager", "Opens the reports."),
            "teams": Asked("Teams"),
            "leads": Asked("Leads", "Teams that the agent answers for; also tick them above."),
            "skills": Asked("Skills", "What the agent can do. Empty lines are left out."),
            "skills.key": Asked("Platform"),
            "skills.value": Asked("Level"),
            "languages": Asked("Languages", "Codes such as de, one per line. None: the language above."),
            "hours": Asked("Works in", "The desk gives tickets only then.", empty="Whenever the team does"),
        },
    ),
    "schedules": Words(
        title="On call",
        one="schedule",
        icon="bell",
        meaning="Who is on call for a team, turn by turn.",
        first="A schedule says who of a team is on call: in each layer one agent after the other, for so many days.",
        columns=("key", "team", "timezone"),
        parts=(("Who is on call", ("layers",)),),
        fields={
            "key": KEY,
            "name": NAME,
            "team": Asked("Team"),
            "timezone": Asked("Time zone", "Hand-overs are local to it, also when the clocks change."),
            "needed_in": Asked(
                "Needed in", "Outside of these hours nobody is missed.", empty="Around the clock"
            ),
            "layers": Asked(
                "Layers",
                "A later layer covers the earlier ones; where it holds nobody, they show through.",
                is_wide=True,
            ),
            "layers.name": Asked("Name", "Such as Around the clock, or Office hours."),
            "layers.starts": Asked("Starts", "The day on which the first turn begins."),
            "layers.shift_days": Asked("Days of a turn", "7 is a week."),
            "layers.handover": Asked(
                "Hand-over at", "The local time at which one turn ends and the next begins."
            ),
            "layers.turns": Asked("Turns", "In this order, then from the beginning."),
            "layers.calendar": Asked("Only in the hours of", "Without holidays.", empty="Always"),
        },
    ),
    "paging_policies": Words(
        title="Paging",
        one="paging policy",
        icon="bell",
        meaning="Who is called about a ticket, and when.",
        first="A paging policy calls people until somebody acknowledges. Make a schedule first.",
        columns=("key", "teams", "priorities", "retired"),
        parts=(
            ("Which tickets", ("teams", "priorities")),
            ("Who is called", ("steps", "calendar")),
            ("When nobody answers", ("repeat", "ack_timeout", "when_exhausted", "nobody_on_call", "retired")),
        ),
        fields={
            "key": KEY,
            "name": NAME,
            "teams": Asked("Teams", "Whose tickets call people."),
            "priorities": Asked("Priorities"),
            "steps": Asked(
                "Steps",
                "Each pages somebody or hands the ticket on, so long after the trigger.",
                is_wide=True,
            ),
            "steps.after": Asked("After", "Counted from the trigger, not from the step before."),
            "steps.page": Asked("Page"),
            "steps.hand": Asked("Hand to", empty="Nobody"),
            "steps.via": Asked("Ways", empty="All"),
            "steps.during": Asked("When", empty="Always"),
            "steps.unless": Asked("Unless", empty="A page: acknowledged; a hand: closed"),
            "calendar": Asked("Calendar", "Whose hours the steps mean.", empty="None"),
            "repeat": Asked("Repeat", "How often the steps are gone through again."),
            "ack_timeout": Asked("Acknowledged and nothing more for", "Then it starts again. 0 s is never."),
            "when_exhausted": Asked("When all was in vain, page"),
            "nobody_on_call": Asked("When nobody is on call"),
            "retired": Asked("Retired", "It calls nobody from now on."),
        },
    ),
    "admins": Words(
        title="Administrators",
        one="administrator",
        icon="shield",
        meaning="Who may change these settings without working tickets.",
        first="An administrator changes these settings. Agents can be administrators too: tick it there.",
        columns=("email", "timezone"),
        fields={
            "email": Asked("E-mail address", "What the administrator signs in with. It stays."),
            "name": NAME,
            "timezone": ZONE,
        },
    ),
    "calendars": Words(
        title="Calendars",
        one="calendar",
        icon="calendar",
        meaning="When people work: the hours in which promises are measured.",
        first="A calendar says when people work. Promises are measured in its hours, so begin with your office "
        "hours and with “around the clock”.",
        columns=("key", "week", "timezone", "closed"),
        parts=(("Hours", ("timezone", "week")), ("Days that differ", ("closed", "holidays", "partial"))),
        versions="Changed hours make a new version of the calendar, and of each contract that promises by it. Tickets "
        "keep the version they were opened under.",
        fields={
            "key": KEY,
            "name": NAME,
            "effective_from": Asked("Begins on", "Empty: a change begins today."),
            "timezone": Asked("Time zone", "The hours below are local to it."),
            "week": Asked(
                "The week",
                "Write 08:00 and 16:00; 22:00 to 06:00 is over night; 00:00 to 24:00 is the whole day.",
                is_wide=True,
            ),
            "closed": Asked("Closed on", "Days on which nobody works."),
            "holidays": Asked(
                "Holidays",
                "All of an .ics file, as states and schools publish them: its whole days are closed too. A day that "
                "comes back every year is kept until the end of 2049.",
                is_wide=True,
                is_code=True,
            ),
            "partial": Asked("Other hours on", "These hours in place of the week’s, such as 08:00-12:00."),
            "partial.key": Asked("Day"),
            "partial.value": Asked("Hours"),
        },
        begin={"week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00")},
    ),
    "contracts": Words(
        title="Contracts",
        one="contract",
        icon="flag",
        meaning="What was agreed with a client: priorities, promises, who performs which tier.",
        first="A contract is what was agreed with a client. Its promises become the clocks on the client’s tickets.",
        columns=("client", "key", "calendar", "channels", "effective_from"),
        parts=(
            ("Priority", ("matrix",)),
            ("Promises", ("calendar", "promises")),
            ("What is agreed besides", ("channels", "performers", "access", "policies", "reopen_days")),
            ("While a ticket waits", ("pending",)),
            ("Who is told", ("rungs", "complaints", "major_updates")),
        ),
        versions="A change makes a new version of the contract. Tickets keep the version they were opened under.",
        fields={
            "client": CLIENT,
            "key": KEY,
            "name": NAME,
            "type": Asked(
                "For tickets of the type",
                "One that is for a type comes before one for all. Tickets that are open keep what applies to them.",
                empty="All types",
            ),
            "effective_from": Asked("Begins on", "Empty: a change begins today."),
            "calendar": Asked(
                "Calendar", "The hours in which promises are measured, unless one says otherwise."
            ),
            "matrix": Asked(
                "By impact and urgency",
                "Which priority a ticket has. People do not set it directly.",
                is_wide=True,
            ),
            "promises": Asked(
                "Promises",
                "Working time, such as 30 min, 4 h or 2 d. An empty cell promises nothing.",
                is_wide=True,
            ),
            "promises.calendar": Asked("Measured in", empty="the contract’s"),
            "promises.acknowledge": Asked("Acknowledge"),
            "promises.respond": Asked("Respond"),
            "promises.update": Asked("Update"),
            "promises.resolve": Asked("Resolve"),
            "promises.ola": Asked("A tier’s time (OLA)"),
            "channels": Asked(
                "Agreed channels", "What comes in another way is parked, visibly, with the reason."
            ),
            "performers": Asked(
                "Who performs each tier", "Nobody: the contract does not have the tier.", empty="nobody"
            ),
            "policies": Asked("How the clocks count"),
            "policies.pause_reasons": Asked(
                "The promise to resolve stands still", "For these reasons; others stop nothing."
            ),
            "policies.reopen": Asked("A reopened ticket’s promise to resolve"),
            "policies.retarget": Asked("Another priority’s target counts"),
            "policies.downgrade_allowed_after_breach": Asked(
                "A lower priority forgives",
                "A promise that the lower priority’s target would have kept is kept.",
            ),
            "policies.update": Asked("The promise to keep informed counts"),
            "policies.ack_counts": Asked(
                "Taking notice is a response", "On these channels, such as alarms; else only words are."
            ),
            "reopen_days": Asked("Days to reopen", "After so many days a resolved ticket closes by itself."),
            "rungs": Asked(
                "Further rungs of the ladder",
                "Beside the warning and the breach: at a percentage, or such as 30 min before or 1 h after its end, in "
                "working time. Where none is ticked: of the promise to resolve, with any team. Tickets do not move.",
                is_wide=True,
            ),
            "rungs.at": Asked("At"),
            "rungs.tell": Asked("Tell"),
            "rungs.of": Asked("Of the promise to"),
            "rungs.teams": Asked("While it is with"),
            "complaints": Asked("The client’s own escalation"),
            "complaints.per_month": Asked(
                "Times a month", "From the portal. Nobody’s work moves; the hierarchy hears.", empty="never"
            ),
            "complaints.tell": Asked("Tell", "None ticked: the team’s leads and managers."),
            "major_updates": Asked(
                "News of a major incident, at least every",
                "From 5 min to 24 h, by the clock on the wall, also at night. Left out: as updates are promised.",
                is_wide=True,
            ),
            "access": Asked(
                "Who may touch what",
                "From which tier on. Access as categories name it, such as root; what is left out, every tier may.",
                is_wide=True,
            ),
            "access.key": Asked("Access"),
            "access.value": Asked("From tier"),
            "pending": Asked(
                "Reminders, and what follows",
                "In working time of the contract’s calendar; two reminders where no number is given. An empty line: it "
                "waits until somebody takes it up.",
                is_wide=True,
            ),
            "pending.every": Asked("A reminder every"),
            "pending.chasers": Asked("Reminders", empty="2"),
            "pending.then": Asked("Then", empty="it waits on"),
            "pending.after": Asked("So long after the last", empty="as between reminders"),
        },
        begin={"matrix": {1: [1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]}},
    ),
    "vendors": Words(
        title="Vendors",
        one="vendor",
        icon="globe",
        meaning="The fourth tier: makers and suppliers whose help you call in.",
        first="A vendor is the fourth tier: a product’s maker or an outside supplier with whom you open cases.",
        columns=("key", "email", "domains"),
        fields={
            "key": KEY,
            "name": NAME,
            "email": Asked("E-mail address", "Where cases are sent."),
            "domains": Asked("Mail domains", "Answers from them are heard as the vendor’s."),
        },
    ),
    "underpinning_contracts": Words(
        title="Vendors’ contracts",
        one="vendor’s contract",
        icon="paperclip",
        meaning="What vendors promised you for a product, by their severity.",
        first="An underpinning contract is what a vendor promised you for a product. Its targets become the clocks of "
        "cases.",
        columns=("vendor", "entitlement", "calendar"),
        called=lambda row: f"{row.product} ({row.vendor.name})",
        fields={
            "vendor": Asked("Vendor"),
            "product": Asked("Product", "It stays: cases name it."),
            "entitlement": Asked("Entitlement", "The contract or customer number that the vendor asks for."),
            "calendar": Asked("Calendar", "The hours in which the vendor’s targets are measured."),
            "targets": Asked(
                "Targets",
                "By the vendor’s severity, S1 the worst. Working time, such as 30 min, 4 h or 2 d.",
                is_wide=True,
            ),
            "targets.respond": Asked("Respond"),
            "targets.resolve": Asked("Resolve"),
        },
    ),
    "categories": Words(
        title="Categories",
        one="category",
        icon="tag",
        meaning="Kinds of trouble, as paths, with the words that suggest them.",
        first="A category is a kind of trouble, written as a path such as network/vpn. Routes, procedures and books "
        "match it.",
        columns=("path", "keywords", "impact", "urgency"),
        fields={
            "path": Asked("Path", "Such as network/vpn. It stays: routes and books match it."),
            "name": NAME,
            "keywords": Asked("Keywords", "Words in a ticket that suggest this category."),
            "type": Asked("Type", "What its tickets are, if nobody says.", empty="Incident"),
            "impact": Asked("Impact", "Until somebody says otherwise."),
            "urgency": Asked("Urgency", "Until somebody says otherwise."),
            "needs": Asked("The skill that it takes"),
            "needs.platform": Asked("Platform", "As agents’ skills name it."),
            "needs.level": Asked("At least", empty="1 · learning"),
            "access": Asked(
                "Access", "What must be touched, such as root. A client’s contract says from which tier on."
            ),
            "lowest_tier": Asked("Lowest tier that may act", "For every client.", empty="Every tier may"),
        },
    ),
    "routes": Words(
        title="Routes",
        one="route",
        icon="merge",
        meaning="Which team a kind of ticket goes to first; the most specific wins.",
        first="A route says which team a kind of ticket goes to first. Begin with one for everything, to your first "
        "line.",
        columns=("client", "team"),
        called=_route,
        fields={
            "client": ANY_CLIENT,
            "service": Asked("Service", empty="Any service"),
            "category": Asked("Category"),
            "channel": Asked("Channel", empty="Any channel"),
            "team": Asked("Goes to"),
        },
    ),
    "procedures": Words(
        title="Procedures",
        one="procedure",
        icon="ladder",
        meaning="How tickets climb the ladder: what a hand-over must say, and who is told.",
        first="A procedure says what a ticket needs before it may climb, and how soon the next tier accepts it. "
        "Without one the house rule holds.",
        columns=("client", "key", "from_tier", "category", "retired"),
        parts=(
            ("When it applies", ("kind", "from_tier", "category", "in_force_from")),
            ("What it asks for", ("rules",)),
            ("Who answers for it", ("approved_by", "review_by")),
        ),
        versions="A change makes a new version. What has passed the gate keeps the name of its own.",
        fields={
            "client": ANY_CLIENT,
            "key": KEY,
            "name": NAME,
            "kind": Asked("Kind"),
            "from_tier": Asked("Leads out of", empty="No tier"),
            "category": Asked("For category"),
            "rules": Asked(""),
            "rules.to": Asked("Leads to", "The first is proposed. None: any team above."),
            "rules.allowed_when": Asked("Allowed when one of these holds"),
            "rules.allowed_when.reasons": Asked("The reason is", "Nothing here: always allowed."),
            "rules.allowed_when.book_followed": Asked("A book was followed to its end"),
            "rules.allowed_when.runs": Asked("Books that were tried", "0: does not count."),
            "rules.allowed_when.used": Asked("Percent of the client’s promise", "0: does not count."),
            "rules.required": Asked("A hand-over must say"),
            "rules.reasons": Asked("Allowed reasons", "None ticked: all of them."),
            "rules.needs_book": Asked(
                "A matching book is followed first", "Or whoever hands up says why it was not."
            ),
            "rules.may_skip": Asked("A tier may be skipped without a reason"),
            "rules.accept_min": Asked("Minutes to accept", "Working minutes of the receiving tier."),
            "rules.max_returns": Asked("Returns", "After so many, somebody must be named who takes it."),
            "rules.who_may": Asked("Who hands it up", "None ticked: everybody who sees it."),
            "rules.scope": Asked("Only for"),
            "rules.scope.services": Asked("Services", "None ticked: all of them."),
            "rules.scope.priorities": Asked("Priorities", "None ticked: all of them."),
            "rules.emergency": Asked("The short way, in an emergency"),
            "rules.emergency.priorities": Asked(
                "For priorities", "None ticked: there is no short way. Major incidents take it as well."
            ),
            "rules.emergency.to": Asked("Leads to", "None: any team above."),
            "rules.emergency.who_may": Asked("Who hands it up", "None ticked: as without an emergency."),
            "rules.emergency.required": Asked("A hand-over must say"),
            "rules.emergency.accept_min": Asked("Minutes to accept"),
            "rules.emergency.tell": Asked("Told at once"),
            "rules.ladder": Asked("Who is told, and when", "At so many percent of a promise.", is_wide=True),
            "rules.ladder.at": Asked("At percent"),
            "rules.ladder.tell": Asked("Tell"),
            "in_force_from": Asked("In force from", "Empty: at once. Until then the version before holds."),
            "review_by": Asked("To be reviewed by", "After that day whoever uses it is told."),
            "approved_by": Asked("Approved by"),
            "retired": Asked("Retired", "Applies to nothing any more."),
        },
    ),
    "books": Words(
        title="Books",
        one="book",
        icon="book",
        meaning="Documents with steps that tiers follow: cookbooks and run-books.",
        first="A book is a Markdown document with steps that are followed on a ticket. Write one for the trouble "
        "that comes most often.",
        columns=("client", "key", "owner"),
        called=lambda row: str(row.title),
        versions="Changed words are published as a new revision. Runs keep the revision they began with.",
        fields={
            "client": ANY_CLIENT,
            "owner": Asked("Owner", "The team that improves it.", empty="Nobody"),
            "text": Asked(
                "The book",
                "Its head between the two lines of ---, then its steps.",
                is_wide=True,
                is_code=True,
            ),
        },
        begin={
            "text": """\
---
id: printer-offline
title: Printer is offline
revision: 1
owner: team/service-desk
tier: L1
match: category == "hardware/printer"
risk: low
review: 180d
---

Who this is for, in a sentence.

## Does the display show an error? {#display}

Ask the person to read the display aloud.

- choose "An error" → escalate L2 "skill: the printer shows an error"
- choose "Nothing unusual" → done "printed after a restart"
"""
        },
    ),
    "mailboxes": Words(
        title="Mailboxes",
        one="mailbox",
        icon="mail",
        meaning="The addresses that the desk receives at and writes from.",
        first="A mailbox is an address that the desk receives mail at. Let your mail server hand its mail to the desk.",
        columns=("client", "active", "imap_host", "smtp_host"),
        parts=(
            ("Signing in", ("user", "password")),
            (
                "Receiving",
                (
                    "imap_host",
                    "imap_port",
                    "imap_security",
                    "folder",
                    "afterwards",
                    "done_folder",
                    "takes_old",
                ),
            ),
            ("Sending", ("smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password")),
            (
                "A provider that wants no password",
                (
                    "provider",
                    "tenant",
                    "application_id",
                    "application_secret",
                    "secret_ends",
                    "authorize_url",
                    "token_url",
                    "scope",
                ),
            ),
            ("Who to believe", ("authserv_id", "hops")),
            ("When nothing comes", ("quiet_hours", "quiet_in", "canary_minutes")),
        ),
        fields={
            "address": Asked("Address", "It cannot be changed afterwards."),
            "client": Asked("Client", "Mail about this client’s tickets comes from here.", empty="Everybody"),
            "default": Asked("For everybody else", "Mail about clients without a mailbox comes from here."),
            "active": Asked("Active", "Otherwise nothing is fetched."),
            "user": Asked("User name", "Empty: the address."),
            "password": Asked("Password", "Kept sealed and never shown."),
            "imap_host": Asked("IMAP server", "Empty: a mail server hands the mail to the desk."),
            "imap_port": Asked("Port"),
            "imap_security": Asked("Encryption"),
            "folder": Asked("Folder"),
            "afterwards": Asked("What becomes of a fetched mail"),
            "done_folder": Asked("Where it is moved to"),
            "takes_old": Asked("Take what lies there already", "Otherwise only what comes from now on."),
            "smtp_host": Asked("SMTP server", "Empty: mail leaves by the relay of the house."),
            "smtp_port": Asked("Port"),
            "smtp_security": Asked("Encryption"),
            "smtp_user": Asked("User name", "Empty: as above, with the password above."),
            "smtp_password": Asked("Password", "Kept sealed and never shown."),
            "authserv_id": Asked(
                "Your server’s name in Authentication-Results", "Only what it found is believed."
            ),
            "hops": Asked("Servers of yours on the way", "So many Received lines are believed."),
            "quiet_hours": Asked(
                "Longest without mail, in hours",
                "Beyond it administrators are told. Around the clock, 72 pass over a weekend. 0: no alarm.",
            ),
            "quiet_in": Asked("Counted in", "Only these hours count.", empty="Around the clock"),
            "canary_minutes": Asked(
                "The desk’s mail to itself comes within, in minutes",
                "It leaves every half hour as all mail does; administrators are told when it is late. 0: none is sent.",
            ),
            "provider": Asked("Provider", empty="None: there is a password"),
            "tenant": Asked("Tenant", "For Microsoft, such as example.onmicrosoft.com."),
            "authorize_url": Asked("Where one signs in", "For another provider."),
            "token_url": Asked("Where tokens are given out", "For another provider."),
            "scope": Asked("Scope", "For another provider."),
            "application_id": Asked("Application’s id", "As the provider gave it."),
            "application_secret": Asked("Application’s secret", "Kept sealed and never shown."),
            "secret_ends": Asked("The secret ends on", "Administrators are told three weeks before."),
        },
    ),
    "alarm_sources": Words(
        title="Alarm sources",
        one="alarm source",
        icon="alarm",
        meaning="Monitoring systems that raise alarms, each with its token.",
        first="An alarm source is a monitoring system of a client’s. It sends its alarms with a token of its own.",
        columns=("client", "key", "shape", "service", "enabled"),
        parts=(
            ("JSON of its own", ("mapping",)),
            ("Known by its address", ("senders",)),
            ("SNMP version 3", ("usm_user", "usm_auth", "usm_privacy", "usm_privacy_secret")),
        ),
        only_with={
            "JSON of its own": {"shape": ("cloudevents", "plain")},
            "Known by its address": {"shape": ("snmp_trap", "syslog")},
            "SNMP version 3": {"shape": ("snmp_trap",)},
        },
        fields={
            "client": CLIENT,
            "key": KEY,
            "name": NAME,
            "shape": Asked("Speaks", "The format of its alarms; plain is our own."),
            "service": Asked("Service", "What its alarms are about, if they do not say.", empty="Not said"),
            "severities": Asked("Its own words", "How severe its words are; empty lines are left out."),
            "severities.key": Asked("Word"),
            "severities.value": Asked("Severity"),
            "settle": Asked("Settles for", "How long an alarm lasts before it matters, such as 30 s."),
            "join": Asked(
                "One trouble within",
                "So long alarms of one service, or of one that it depends on, share a ticket, such as 15 min; "
                "0 s: never.",
            ),
            "storm_alarms": Asked(
                "A storm is more than",
                "So many new alarms in ten minutes; then all share one ticket. 0: it never is one.",
            ),
            "mapping": Asked(
                "Mapping",
                "Where in its own JSON an alarm stands. Easiest: point at a sample, from the source’s page.",
                is_wide=True,
            ),
            "quiet": Asked(
                "Over when unheard for", "For those that never say so, such as 10 min; 0 s: never."
            ),
            "beat": Asked("Heard every", "Else its silence is an alarm, such as 5 min; 0 s: no promise."),
            "grace": Asked("Give or take", "So much later is still in time, such as 30 s."),
            "senders": Asked(
                "Sends from", "Addresses or networks, for syslog and SNMP, which carry no token."
            ),
            "enabled": Asked("Enabled"),
            "token": Asked(
                "Token",
                "Part of the address that alarms are sent to, POST /in/TOKEN. Only its digest is kept, so copy it "
                "before you apply. Empty keeps the one in use.",
            ),
            "secret": Asked(
                "Secret", "What it signs its alarms with, if it does. Empty keeps the one in use."
            ),
            "usm_user": Asked(
                "User of SNMP version 3",
                "As whom it sends; its secret is the passphrase it signs with. Then nothing older is believed.",
            ),
            "usm_auth": Asked("Signs with"),
            "usm_privacy": Asked("Encrypts with"),
            "usm_privacy_secret": Asked("Passphrase it encrypts with", "Kept sealed and never shown."),
        },
    ),
    "maintenance": Words(
        title="Maintenance windows",
        one="maintenance window",
        icon="pause",
        meaning="When alarms are expected: they are kept, but make no tickets.",
        first="A maintenance window is a time in which alarms are expected, such as the night of the patches. They can "
        "be seen, but make no ticket; what still stands at its end does.",
        columns=("client", "key", "source", "service", "resource", "begins", "ends"),
        parts=(("What it is about", ("source", "service", "resource")), ("When", ("begins", "ends", "week"))),
        fields={
            "client": CLIENT,
            "key": KEY,
            "name": NAME,
            "source": Asked("Alarm source", empty="Every one"),
            "service": Asked("Service", empty="Every one"),
            "resource": Asked(
                "Resources", "As monitoring names them; db* are all that begin with db. Empty: all."
            ),
            "begins": Asked(
                "Begins", "Such as 2026-12-24 22:00 UTC. Empty: it has begun.", empty="Has begun"
            ),
            "ends": Asked(
                "Ends", "Such as 2026-12-25 04:00 UTC. Empty: when you write an end.", empty="Open end"
            ),
            "week": Asked(
                "Only at",
                "If it recurs, in the client’s time zone; 22:00 to 04:00 is over night. Empty: all the time.",
                is_wide=True,
            ),
        },
    ),
    "exchanges": Words(
        title="Telephone exchanges",
        one="telephone exchange",
        icon="phone",
        meaning="Telephone systems that tell of calls.",
        first="An exchange is a telephone system. Who calls is shown to the agent whose telephone rings.",
        columns=("key", "kind", "team", "client", "enabled"),
        fields={
            "key": KEY,
            "name": NAME,
            "kind": Asked("Kind"),
            "client": Asked("Client", "Whom it rings for alone.", empty="Every client"),
            "team": Asked("Team", "Who hears it ring.", empty="Everybody"),
            "region": Asked("Country", "Two capitals such as DE: local numbers are read with it."),
            "calls_back": Asked("Missed calls are called back", "A missed call becomes a ticket."),
            "keeps_recordings_days": Asked("Days to keep recordings", "0: none are kept."),
            "quiet_hours": Asked(
                "Longest without a call, in hours",
                "Beyond it administrators are told. Around the clock, 72 pass over a weekend. 0: no alarm.",
            ),
            "quiet_in": Asked("Counted in", "Only these hours count.", empty="Around the clock"),
            "enabled": Asked("Enabled"),
            "extensions": Asked("Extensions", "Whose telephone rings. Empty lines are left out."),
            "extensions.key": Asked("Number"),
            "extensions.value": Asked("Agent"),
            "token": Asked(
                "Token",
                "What it shows when it tells us of a call; leave it empty for Asterisk, which has none. Only its "
                "digest is kept, so copy it before you apply. Empty keeps the one in use.",
            ),
        },
    ),
    "forms": Words(
        title="Web forms",
        one="web form",
        icon="edit",
        meaning="What contacts and strangers may fill in on the portal.",
        first="A web form asks for what a kind of request needs, so that nobody has to ask back.",
        columns=("client", "key", "access", "category", "active"),
        parts=(
            ("What becomes of it", ("service", "category", "subject", "next_steps")),
            ("Who may fill it in", ("access", "new_contacts", "most_per_hour")),
            ("When nothing comes", ("quiet_hours", "quiet_in")),
            ("What it asks", ("intro", "fields", "advice")),
        ),
        fields={
            "client": ANY_CLIENT,
            "key": KEY,
            "name": NAME,
            "service": Asked("Service", empty="Not said"),
            "category": Asked("Category", empty="Not said"),
            "access": Asked("Open to"),
            "intro": Asked("Introduction", "Markdown, above the questions."),
            "subject": Asked("Subject", "Of the ticket, with answers in it as {name}."),
            "fields": Asked(
                "Questions", "A YAML list; each with its key and label, kind, choices and when.", is_wide=True
            ),
            "advice": Asked(
                "Advice",
                "A YAML list of words: [a, b] with say: what helps when they are typed.",
                is_wide=True,
            ),
            "next_steps": Asked("Next steps", "Markdown, shown once it was sent."),
            "new_contacts": Asked("Strangers become contacts"),
            "most_per_hour": Asked("At most in an hour", "More from everybody together are refused."),
            "quiet_hours": Asked(
                "Longest that nobody sends it, in hours",
                "Beyond it administrators are told. Around the clock, 72 pass over a weekend. 0: no alarm.",
            ),
            "quiet_in": Asked("Counted in", "Only these hours count.", empty="Around the clock"),
            "active": Asked("Active", "Otherwise it is not there."),
        },
        begin={"fields": [{"key": "what", "label": "What is it about?"}]},
    ),
    "chat_bridges": Words(
        title="Chat bridges",
        one="chat bridge",
        icon="link",
        meaning="Chat platforms of clients whose rooms the desk listens in.",
        first="A bridge connects a client’s chat platform: what is said in its rooms becomes tickets and replies.",
        columns=("client", "kind", "rooms", "enabled"),
        fields={
            "key": KEY,
            "client": CLIENT,
            "name": NAME,
            "kind": Asked("Platform"),
            "url": Asked("Address", "Of the platform, where it is not the same for everybody."),
            "secret": Asked(
                "Secret",
                "What the platform proves itself with; Teams needs none. Kept sealed and never shown.",
            ),
            "token": Asked(
                "Token",
                "What we show to the platform. Kept sealed and never shown; for another address enter it again.",
            ),
            "bot": Asked("Bot", "Who we are there."),
            "rooms": Asked("Rooms", "Empty: all that it is in."),
            "quiet_hours": Asked(
                "Longest without a word, in hours",
                "Beyond it administrators are told. Around the clock, 72 pass over a weekend. 0: no alarm.",
            ),
            "quiet_in": Asked("Counted in", "Only these hours count.", empty="Around the clock"),
            "pages_agents": Asked(
                "Agents are paged here",
                "Only on a platform of our own: what a page says may be about any client.",
            ),
            "enabled": Asked("Enabled"),
        },
    ),
    "chat_widgets": Words(
        title="Chat widgets",
        one="chat widget",
        icon="chat",
        meaning="Places on web pages where visitors start a chat.",
        first="A widget stands on a page of a client’s or of the portal; its visitors chat with your first line.",
        columns=("client", "key", "calendar", "enabled"),
        fields={
            "key": KEY,
            "client": CLIENT,
            "name": NAME,
            "origins": Asked(
                "Sites that may show it", "Such as https://www.acme.example. Our own always may."
            ),
            "calendar": Asked("Calendar", "When somebody is there to talk.", empty="Always"),
            "greeting": Asked("Greeting"),
            "enabled": Asked("Enabled"),
        },
    ),
}

GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Clients", ("clients", "contacts", "sites", "services", "components")),
    ("Who works here", ("teams", "agents", "schedules", "paging_policies", "admins")),
    ("Promises", ("calendars", "contracts", "vendors", "underpinning_contracts")),
    ("How tickets move", ("categories", "routes", "procedures", "books")),
    (
        "Ways in",
        ("mailboxes", "forms", "exchanges", "chat_widgets", "chat_bridges", "alarm_sources", "maintenance"),
    ),
)

FIRST_STEPS: Final = ("calendars", "teams", "agents", "clients", "contracts", "routes", "mailboxes")
"""What a desk needs before it can take its first ticket, in order."""

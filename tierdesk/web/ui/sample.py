"""A made-up morning at a made-up desk, for the gallery and the page patterns. Nothing here is stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms


@dataclass(frozen=True)
class SampleTicket:
    """A queue row's worth of a ticket; `due_in` and `updated_ago` are counted from the moment of looking."""

    number: str
    subject: str
    client: str
    contact: str
    priority: int
    state: str
    tier: int
    promise: str
    clock: str
    due_in: timedelta | None
    updated_ago: timedelta
    assignee: str | None = None
    team: str = "Service desk"
    reason: str | None = None
    read: bool = True

    def due_at(self, now: datetime) -> datetime | None:
        """When the next promise falls due, if its clock runs."""
        return now + self.due_in if self.due_in is not None else None

    def updated_at(self, now: datetime) -> datetime:
        """When somebody last touched it."""
        return now - self.updated_ago


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


# fmt: off
QUEUE = [
    SampleTicket("TD-20481", "All tills offline in Store 14 since the 05:00 update", "Halden Foods",
                 "Ingrid Solberg", 1, "open", 2, "Respond", "breached", _minutes(-12), _minutes(1),
                 "Mara Lindqvist", read=False),
    SampleTicket("TD-20479", "Site-to-site tunnel Rotterdam–Oslo drops every 40 minutes",
                 "Norrvik Shipping", "Pieter de Wit", 2, "open", 3, "Resolve", "soon", _minutes(38),
                 _minutes(4), "Tomasz Wrona"),
    SampleTicket("TD-20475", "Ward tablets lose the wireless network on handover between floors",
                 "St. Brannoc Hospital", "Dr. Aoife Byrne", 1, "pending", 4, "Resolve", "ok", _minutes(171),
                 _minutes(9), "Samira Haddad", reason="Waiting for a vendor"),
    SampleTicket("TD-20484", "Cannot sign in after password reset, “trust relationship failed”",
                 "Arden & Pike LLP", "Lucy Pike", 3, "new", 1, "Acknowledge", "soon", _minutes(6),
                 _minutes(2), None, read=False),
    SampleTicket("TD-20483", "Disk usage on db-erp-02 above 92 % and rising", "Halden Foods", "Zabbix", 2,
                 "new", 1, "Acknowledge", "ok", _minutes(11), _minutes(3), None, read=False),
    SampleTicket("TD-20466", "Month-end report prints two blank pages between invoices", "Arden & Pike LLP",
                 "Owen Marsh", 4, "pending", 1, "Resolve", "paused", None, timedelta(hours=3),
                 "Jonas Keller", reason="Waiting for the customer"),
    SampleTicket("TD-20472", "Shared mailbox logistics@ bounces external senders with 550 5.7.1",
                 "Norrvik Shipping", "Hanne Dahl", 2, "open", 2, "Update", "soon", _minutes(14),
                 _minutes(22), "Mara Lindqvist"),
    SampleTicket("TD-20459", "Badge reader at the north gate rejects new cards", "Kestrel Energy",
                 "Rui Almeida", 3, "open", 2, "Resolve", "ok", timedelta(hours=7, minutes=25), _minutes(31),
                 "Yusuf Demir"),
    SampleTicket("TD-20470", "New starter on Monday: laptop, phone and ERP access for Elin Berg",
                 "Kestrel Energy", "HR, Kestrel", 4, "open", 1, "Resolve", "ok", timedelta(hours=30),
                 _minutes(47), "Jonas Keller"),
    SampleTicket("TD-20448", "SCADA historian gap 02:10–02:25 after fail-over", "Kestrel Energy",
                 "Control room", 2, "open", 3, "Resolve", "breached", timedelta(hours=-1, minutes=-5),
                 timedelta(hours=1), "Tomasz Wrona"),
    SampleTicket("TD-20480", "Backup job “fileserver-nightly” finished with warnings, three files skipped",
                 "St. Brannoc Hospital", "Veeam", 5, "open", 1, "Resolve", "ok", timedelta(hours=52),
                 timedelta(hours=1, minutes=20), None),
    SampleTicket("TD-20441", "Excel add-in crashes on workbooks larger than 40 MB", "Halden Foods",
                 "Magnus Vik", 3, "pending", 3, "Resolve", "paused", None, timedelta(hours=2),
                 "Samira Haddad", reason="Waiting for a problem’s solution"),
    SampleTicket("TD-20477", "Certificate for portal.norrvik.example expires in nine days",
                 "Norrvik Shipping", "Monitoring", 3, "open", 2, "Resolve", "ok", timedelta(hours=19),
                 timedelta(hours=3), "Yusuf Demir"),
    SampleTicket("TD-20462", "Phones in the front office ring twice and fall silent", "Arden & Pike LLP",
                 "Reception", 3, "resolved", 2, "Resolve", "met", None, timedelta(hours=4), "Mara Lindqvist"),
    SampleTicket("TD-20437", "Projector in meeting room B shows a green cast", "Halden Foods",
                 "Ingrid Solberg", 5, "closed", 1, "Resolve", "met", None, timedelta(days=1), "Jonas Keller"),
]
# fmt: on

BOOK_BEFORE = """\
# Tills offline after an update
1. Ask which version the till shows at the bottom left.
2. Restart the till service.
3. If it stays offline, escalate to L2.
"""

BOOK_AFTER = """\
# Tills offline after an update
1. Ask which version the till shows at the bottom left.
2. Compare it with the version of the store server.
3. Restart the till service.
4. If it stays offline, escalate to L2 with both versions.
"""


class SampleForm(forms.Form):
    """One field of each kind Django draws by itself."""

    name = forms.CharField(help_text="As it is written on the contract")
    size = forms.ChoiceField(choices=[("s", "Small"), ("l", "Large")], required=False)
    channel = forms.ChoiceField(choices=[("mail", "E-mail"), ("phone", "Phone")], widget=forms.RadioSelect)
    urgent = forms.BooleanField(required=False)

"""What goes wrong in the demo: made-up trouble of two made-up clients, in the words of the people who have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble. `book`: answers that lead through the matching book, and whether that solves it."""

    subject: str
    text: str
    book: str = ""
    answers: tuple[str, ...] = ()
    solved_by_book: bool = False
    question: str = ""
    answer: str = ""
    climbs: bool = False
    reason: str = "skill"
    solution: str = "It works again. Please tell us if it comes back."
    code: str = "fixed"


TROUBLES: Sequence[Trouble] = (
    Trouble(
        "VPN does not connect from home",
        "Good morning,\n\nsince today the VPN client says “error 809: time-out”. I work from home.\n",
        book="vpn-not-connecting",
        answers=("One person", "Nothing opens"),
        solved_by_book=True,
        question="Does an ordinary page open in your browser while the VPN client is closed?",
        answer="No, nothing at all. The router blinks red.",
        solution="Your internet line was down; after restarting the router the VPN connects.",
        code="information",
    ),
    Trouble(
        "VPN asks for the certificate again and again",
        "The VPN connects for a second and then asks for a certificate. Certificate expired, it says.\n",
        book="vpn-not-connecting",
        answers=("One person", "The page opens", "Certificate expired"),
        climbs=True,
        reason="access",
        solution="We renewed the certificate on your computer; the VPN connects.",
    ),
    Trouble(
        "Cannot sign in: password expired",
        "My password has expired and I cannot set a new one. I need to get in before ten.\n",
        solution="We set a temporary password together on the phone; you chose a new one.",
    ),
    Trouble(
        "Printer in the office prints stripes",
        "The printer on the second floor prints grey stripes on every page.\n",
        question="Which printer is it? The name is on the label below the display.",
        answer="It is PRN-2-04, the big one beside the kitchen.",
        solution="The drum was replaced this morning; the test page is clean.",
    ),
    Trouble(
        "Mailbox is full",
        "I cannot send any mail, it says the mailbox is full. There are many large attachments.\n",
        solution="We moved the attachments of last year into the archive; you have 12 GB again.",
    ),
    Trouble(
        "Shared drive is very slow",
        "Opening a file on the shared drive takes minutes since yesterday. Everybody in our room has it.\n",
        climbs=True,
        solution="A disk of the file server was failing; it is replaced and the drive is fast again.",
    ),
    Trouble(
        "Orders are not transferred to the ERP",
        "Since the update last night no order has arrived in the ERP. The queue shows 214 waiting orders.\n",
        climbs=True,
        reason="product_defect",
        solution="The interface has been restarted with a corrected setting; all orders are through.",
    ),
    Trouble(
        "New colleague needs access to the calendar",
        "Our new colleague starts on Monday and needs access to the team calendar and the scanner folder.\n",
        question="May we have the approval of your manager?",
        answer="Yes, see below: approved by the head of our department.",
        solution="The new colleague has access to both.",
        code="information",
    ),
    Trouble(
        "Till shows the wrong prices",
        "Two tills show last week's prices. We sell by hand for now. Please hurry.\n",
        climbs=True,
        solution="The price file was loaded again on both tills; a check of ten articles was right.",
    ),
    Trouble(
        "Laptop is hot and loud",
        "My laptop's fan runs all the time and the case is hot.\n",
        solution="A background task was stuck; we stopped it and the fan is quiet.",
    ),
    Trouble(
        "Wireless drops in the meeting room",
        "In meeting room 3 the wireless drops every few minutes. Elsewhere it works.\n",
        climbs=True,
        solution="The access point in meeting room 3 was on a crowded channel; it is changed.",
    ),
    Trouble(
        "How do I book a room for two days?",
        "The calendar only lets me book a room for one day. How do I do it for two?\n",
        solution="Choose “repeat daily, two times” in the booking; a short guide is attached to your profile.",
        code="information",
    ),
)

ALARMS: Sequence[tuple[str, str, str, str]] = (
    ("DiskFull", "fs1:9100", "critical", "/var on fs1 is 96 % full"),
    ("ReplicationLag", "db2:9187", "warning", "db2 lags 140 s behind its primary"),
    ("VpnTunnelDown", "gw1:9115", "critical", "Tunnel to site 14 is down"),
    ("HighTemperature", "rack4:9116", "warning", "Rack 4 inlet at 31 °C"),
)
"""Alert name, instance, severity, summary."""

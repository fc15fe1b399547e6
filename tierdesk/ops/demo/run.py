"""`tierdesk demo`: a living desk. Applies the demo's desk file, lives some weeks, serves, and says who is who."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from tierdesk.channels.email.sender import sender_of_the_house
from tierdesk.core import clock, jobs
from tierdesk.core.roles import owner
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.ops.apply import apply_file
from tierdesk.ops.demo.life import Life
from tierdesk.ops.supervisor import serve_tree
from tierdesk.tickets.models import Ticket

DESK = Path(__file__).parent / "desk.yaml"
PASSWORD = "tierdesk-demo-2026"  # noqa: S105 - printed on purpose; the demo's only
SMTP_PORT = 2525
BROKEN_OFF = "demo-is-being-filled"
STANDS_STILL = """tierdesk: this demo is being filled, or was stopped while it was: its people stand still on some day.
If nobody fills it, remove {home} (with a database of your own: empty that, and remove {mark}) and start again."""

LINE_START = "\r\x1b[K"
"""Of a terminal: what stands on the line goes."""

WHO = (
    ("L1 agent", "jonas@desk.example"),
    ("L2 agent", "mara@desk.example"),
    ("L3 agent", "kira@desk.example"),
    ("Lead and manager", "lou@desk.example"),
    ("Administrator", "admin@desk.example"),
    ("Contact (portal)", "ingrid@halden.example"),
)


def run(options: argparse.Namespace) -> int:
    """Fill the desk unless it is filled, then serve it until Ctrl+C."""
    with owner():
        call_command("migrate", verbosity=0)
    broken_off = settings.HOME / BROKEN_OFF
    if broken_off.exists():
        print(STANDS_STILL.format(mark=broken_off, home=settings.HOME), file=sys.stderr)
        return 1
    with seeing(EVERY_CLIENT):
        if not Ticket.objects.exists():
            broken_off.parent.mkdir(parents=True, exist_ok=True)
            broken_off.touch()
            fill(options.days)
            broken_off.unlink()
    smtp = os.environ.get("TIERDESK_SMTP_LISTEN_PORT", str(SMTP_PORT))
    if options.fill_only:
        say_who_is_who(options, smtp)
        return 0
    return serve_tree(
        home=settings.HOME / "postgres",
        host=options.host,
        port=options.port,
        environ=os.environ | {"TIERDESK_SMTP_LISTEN_PORT": smtp},
        welcome=lambda: say_who_is_who(options, smtp),
    )


def fill(days: int) -> None:
    """Make the desk of the demo and live through `days` days up to now."""
    started = time.monotonic()
    print("Making the desk …", file=sys.stderr, flush=True)
    apply_file(DESK)
    until = clock.now()
    print(f"Living through {days} days of support …", file=sys.stderr, flush=True)
    with jobs.inline():
        tickets = Life(until=until, tell=_say_the_day).live(
            until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
        )
    start = LINE_START if sys.stderr.isatty() else ""
    print(f"{start}{tickets} tickets in {time.monotonic() - started:.0f} s.", file=sys.stderr, flush=True)


def _say_the_day(day: date) -> None:
    """Where it has got to: on one line of a terminal, and nowhere else."""
    if sys.stderr.isatty():
        print(f"{LINE_START}{day:%A, %-d %B}", end="", file=sys.stderr, flush=True)


def say_who_is_who(options: argparse.Namespace, smtp: str) -> None:
    width = max(len(role) for role, _ in WHO)
    print(f"\n  Tierdesk is at http://{options.host}:{options.port}/   password for everybody: {PASSWORD}\n")
    for role, email in WHO:
        print(f"    {role:<{width}}  {email}")
    print(f"\n  Mail to the desk: SMTP on {settings.SMTP_LISTEN_HOST}:{smtp}, for example with")
    print(f"    curl smtp://{settings.SMTP_LISTEN_HOST}:{smtp} --mail-from ingrid@halden.example \\")
    print("      --mail-rcpt support@halden.desk.example -T mail.eml")
    print(f"  Mail from the desk: {sender_of_the_house()}\n", flush=True)

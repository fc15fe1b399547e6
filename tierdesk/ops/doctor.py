"""`tierdesk doctor`: looks whether everything is in order, and says what to do where it is not."""

from __future__ import annotations

import argparse
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from tierdesk.channels.email.models import Collection, Mailbox
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, ROLE, seeing
from tierdesk.core.wakeups import wakeups
from tierdesk.ops.backup import reach
from tierdesk.response.notifications.models import Notice, NoticeState

OLDEST_MAJOR = 15
LATE = timedelta(seconds=60)
PARKED_LONG = timedelta(days=1)
FAILED_LATELY = timedelta(days=7)
FREE_BYTES = 1024**3

OPEN_BY_DESIGN = {"clients_assignment"}
"""Read before the lock is set, to know what it should show."""

UNLOCKED = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
    AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
ORDER BY c.relname
"""


@dataclass(frozen=True)
class Finding:
    """What was seen, and what to do about it; without advice it is in order."""

    about: str
    seen: str
    advice: str = ""


type Check = Callable[[], Finding]


def run(options: argparse.Namespace) -> int:
    """Print all findings; 1 if anything is not in order."""
    findings = list(examine())
    for finding in findings:
        print(f"{'WRONG' if finding.advice else 'ok   '}  {finding.about}: {finding.seen}")
        if finding.advice:
            print(f"       → {finding.advice}")
    return int(any(finding.advice for finding in findings))


def examine() -> Iterator[Finding]:
    """Every finding. What needs the database is left out while it cannot be worked with."""
    yield from (secret(), address(), disk())
    server = database()
    yield server
    if server.advice:
        return
    for check in (role, policies, migrations, worker, mailboxes, inbound, outbox):
        yield _guarded(check)


def database() -> Finding:
    """Reached as its owner: a database that was never migrated has no other role yet."""
    try:
        with psycopg.connect(**reach(), connect_timeout=5) as owner:
            major = owner.info.server_version // 10_000
            known = owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
    except psycopg.Error as trouble:
        return Finding("database", str(trouble).strip(), "Start the server, or correct DATABASE_URL.")
    seen = f"PostgreSQL {major}"
    if major < OLDEST_MAJOR:
        return Finding("database", seen, f"Move to PostgreSQL {OLDEST_MAJOR} or newer.")
    return Finding("database", seen, "" if known else "It is empty: run `tierdesk migrate`.")


def role() -> Finding:
    """The desk must work in a role that row-level security binds."""
    name, free = _row(
        "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    bound = name == ROLE and not free
    advice = f"Unset TIERDESK_ROW_LEVEL_SECURITY; ALTER ROLE {ROLE} NOSUPERUSER NOBYPASSRLS."
    return Finding("row-level security", f"the desk works as {name}", "" if bound else advice)


def policies() -> Finding:
    """Every table that says whose a row is has its lock."""
    with connection.cursor() as cursor:
        cursor.execute(UNLOCKED)
        unlocked = [name for (name,) in cursor.fetchall() if name not in OPEN_BY_DESIGN]
    if unlocked:
        return Finding(
            "policies", f"none on {', '.join(unlocked)}", "Run `tierdesk migrate`, or restore a backup."
        )
    return Finding("policies", "every table of a client's rows is locked")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    advice = "Run `tierdesk migrate`." if missing else ""
    return Finding("migrations", f"{len(missing)} to apply" if missing else "all applied", advice)


def worker() -> Finding:
    """A worker that lives leaves nothing due for long."""
    now = clock.now()
    with seeing(EVERY_CLIENT):
        waiting = [(at, one.model.__name__) for one in wakeups() if (at := one.next_at()) is not None]
    oldest, name = min(waiting, default=(now, ""))
    if now - oldest > LATE:
        seen = f"a row of {name} is due since {oldest:%Y-%m-%d %H:%M:%S} UTC"
        return Finding(
            "worker", seen, "Start `tierdesk serve` or `tierdesk worker`; if it runs, read its log."
        )
    return Finding("worker", "nothing is overdue")


def mailboxes() -> Finding:
    """Whether the mail that we fetch ourselves comes; the settings’ page “How mail does” says the same."""
    at = clock.now()
    with seeing(EVERY_CLIENT):
        states = Collection.objects.filter(mailbox__in=Mailbox.objects.fetched()).select_related("mailbox")
        failing = [f"{one.mailbox} ({why})" for one in states if (why := one.trouble(at))]
        waiting = sum(one.waiting for one in states)
    seen = f"{len(states)} fetched, {waiting} mails waiting there"
    if failing:
        return Finding("mailboxes", f"no mail from {', '.join(failing)}", "Try it out under “How mail does”.")
    return Finding("mailboxes", seen)


def inbound() -> Finding:
    """Parked words wait for a person; a day is too long for somebody who wrote to us."""
    with seeing(EVERY_CLIENT):
        waiting = Inbound.objects.filter(state=InboundState.NEW).count()
        parked = Inbound.objects.filter(state=InboundState.PARKED)
        count = parked.count()
        long = parked.filter(received_at__lt=clock.now() - PARKED_LONG).count()
    advice = f"Decide about the {long} parked for over a day, under “Refused and parked”." if long else ""
    return Finding("inbound", f"{waiting} to understand, {count} parked", advice)


def outbox() -> Finding:
    with seeing(EVERY_CLIENT):
        pending = Notice.objects.mails().filter(state=NoticeState.PENDING).count()
        failed = Notice.objects.filter(
            state=NoticeState.FAILED, created_at__gte=clock.now() - FAILED_LATELY
        ).count()
    advice = "Look at their errors on the tickets, and at TIERDESK_SMTP_RELAY_HOST." if failed else ""
    return Finding("outbox", f"{pending} to send, {failed} failed within a week", advice)


def secret() -> Finding:
    if os.environ.get("TIERDESK_SECRET_KEY"):
        return Finding("secret", "from TIERDESK_SECRET_KEY")
    path = settings.HOME / "secret.key"
    mode = stat.S_IMODE(path.stat().st_mode)
    return Finding("secret", f"{path} has mode {mode:o}", f"chmod 600 {path}" if mode & 0o077 else "")


def address() -> Finding:
    """Cookies are secure only behind https; on the own machine it does not matter."""
    url = urlsplit(settings.BASE_URL)
    safe = url.scheme == "https" or url.hostname in {"127.0.0.1", "localhost", "::1"}
    advice = "Put a proxy with TLS in front and set TIERDESK_URL to its https:// address."
    return Finding("address", settings.BASE_URL, "" if safe else advice)


def disk() -> Finding:
    """With a database elsewhere the data folder may not have been needed yet."""
    present = next(path for path in (settings.HOME, *settings.HOME.parents) if path.exists())
    free = shutil.disk_usage(present).free
    advice = f"Make room in {settings.HOME}: a full disk stops the desk." if free < FREE_BYTES else ""
    return Finding("disk", f"{free / 1024**3:.1f} GiB free", advice)


def _guarded(check: Check) -> Finding:
    try:
        return check()
    except DatabaseError as trouble:
        return Finding(check.__name__, str(trouble).strip(), "Run `tierdesk migrate`.")


def _row(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: tuple[Any, ...] = cursor.fetchone()
    return found

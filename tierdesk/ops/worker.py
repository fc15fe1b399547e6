"""The worker: the engines, the job queue, who fetches and takes in mail, the lookout, and the line to Asterisk.

Any number of workers may run; they share the work through the database and keep nothing themselves.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

from django.conf import settings
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from tierdesk.channels.alarms.listeners import Ports, UnableToSpeakTLS, tls_context
from tierdesk.channels.alarms.listeners import listening as alarms_listening
from tierdesk.channels.alarms.store import PostgresStore
from tierdesk.channels.alarms.strangers import Strangers
from tierdesk.channels.email.collectors import Collectors
from tierdesk.channels.email.door import LMTPDoor, SMTPDoor
from tierdesk.channels.email.listener import listening
from tierdesk.channels.lookout import keep_looking
from tierdesk.channels.phone.ami import attend
from tierdesk.core import garbage
from tierdesk.ops.engines import keep_time, one_beside, run_errands

log = logging.getLogger(__name__)


def run(options: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with ExitStack() as stack:
        stack.enter_context(one_beside(fallen=stopping.set))
        _listen_for_mail(stack)
        _listen_for_alarms(stack)
        jobs = threading.Thread(target=_run_jobs, args=(stopping,), name="jobs", daemon=True)
        jobs.start()
        collectors = threading.Thread(
            target=Collectors().run, args=(stopping,), name="mailboxes", daemon=True
        )
        collectors.start()
        threading.Thread(target=keep_looking, args=(stopping,), name="lookout", daemon=True).start()
        if settings.AMI_HOST:
            threading.Thread(target=attend, args=(stopping,), name="asterisk", daemon=True).start()
        errands = threading.Thread(target=_run_errands, args=(stopping,), name="errands", daemon=True)
        errands.start()
        garbage.settle_in()
        log.info("the worker is at work")
        keep_time(stopping.is_set)
        errands.join(timeout=15)
        jobs.join(timeout=15)
        collectors.join(timeout=15)
    return 0


def _run_errands(stopping: threading.Event) -> None:
    """If this engine falls, or the one beside, the worker goes home, and whoever supervises it starts all anew."""
    try:
        run_errands(stopping.is_set)
    finally:
        stopping.set()


def _listen_for_mail(stack: ExitStack) -> None:
    """Listen where a port is set. Where it is taken, say so loudly and do the rest: one's mail server tries again."""
    host = settings.SMTP_LISTEN_HOST
    for port, door in ((settings.SMTP_LISTEN_PORT, SMTPDoor), (settings.LMTP_LISTEN_PORT, LMTPDoor)):
        if not port:
            continue
        try:
            stack.enter_context(listening(host, port, door))
        except OSError as taken:
            log.error(
                "no mail is taken on %s port %s: %s; free the port and restart the worker", host, port, taken
            )


def _listen_for_alarms(stack: ExitStack) -> None:
    """Syslog and traps, where a port is set. Only one worker of a machine can; the others say so and do the rest."""
    ports = _ports_for_alarms()
    if not ports:
        return
    store = PostgresStore(os.environ["DATABASE_URL"], role=settings.DATABASE_ROLE)
    try:
        stack.enter_context(alarms_listening(ports, store, Strangers()))
    except OSError as taken:
        log.error("no syslog and no traps are taken: %s; free the port and restart the worker", taken)


def _ports_for_alarms() -> Ports:
    """Without a certificate that can be used there is no syslog over TLS, loudly; the others go on."""
    ports = Ports(settings.ALARMS_LISTEN_HOST, settings.SYSLOG_PORT, settings.SNMP_PORT)
    if not settings.SYSLOG_TLS_PORT:
        return ports
    try:
        tls = tls_context(settings.TLS_CERTIFICATE, settings.TLS_KEY, settings.SYSLOG_TLS_AUTHORITY)
    except UnableToSpeakTLS as unable:
        log.error("%s; no syslog is taken over TLS", unable)
        return ports
    return replace(ports, syslog_tls=settings.SYSLOG_TLS_PORT, tls=tls)


def _run_jobs(stopping: threading.Event) -> None:
    """Run queued jobs, looking again every second: a notification missed is a second lost, not five."""
    import asyncio

    async def work() -> None:
        connector = cast(DjangoConnector, app.connector).get_worker_connector()
        worker_app = app.with_connector(connector)
        async with worker_app.open_async():
            worker = asyncio.create_task(
                worker_app.run_worker_async(
                    fetch_job_polling_interval=1.0, install_signal_handlers=False, concurrency=4
                )
            )
            while not stopping.is_set() and not worker.done():
                await asyncio.sleep(0.2)
            if worker.done():
                worker.result()  # it fell: say why
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    while not stopping.is_set():
        try:
            asyncio.run(work())
        except Exception:
            log.exception("the job queue stopped; starting it again")
            stopping.wait(2.0)

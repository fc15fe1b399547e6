"""`kill -9` at any moment loses nothing that was acknowledged and does nothing twice.

Mails and alarms are sent all the while, each until it is acknowledged, as a mail server and a monitoring system do.
"""

from __future__ import annotations

import os
import random
import signal
import smtplib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest

from tests.servers.desk import SERVE_WITHOUT_GRUDGE, Desk, until
from tests.servers.families import DATABASE, WEB, WORKER, kill, pids_of
from tests.servers.post import Relay, letter, post, relay_running

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("kill")]

KILLS = 50
BETWEEN_KILLS_S = (0.1, 1.2)
BETWEEN_ENGINES_S = (0.15, 0.5)
STUCK_AFTER_S = 40
LET_LEASES_PASS_AFTER_S = 5
SEED = 20261124

ENGINE = "import django; django.setup(); from tierdesk.ops import engines; engines.keep_time(lambda: False)"

BROKEN = 40_000
BROKEN_LONG_AGO = """
    INSERT INTO sla_clock (client_id, ticket_id, metric, party, case_id, priority, target_s, calendar_id, started_at,
        counting_from, carried_s, pauses, state, due_at, warned_at, wake_at)
    SELECT ticket.client_id, ticket.id, 'resolve', 'UC', 1000000 + n, 3, 3600,
        (SELECT calendar_id FROM sla_clock LIMIT 1), now() - interval '1 day',
        now() - interval '1 day', 0, '[]', 'running', moment.due, moment.due, moment.due
    FROM generate_series(1, %s::int) AS n
    CROSS JOIN LATERAL (SELECT now() - interval '1 hour' - n * interval '1 ms' AS due) AS moment
    JOIN (SELECT id, client_id, row_number() OVER () - 1 AS nth, count(*) OVER () AS many FROM tickets_ticket) AS ticket
        ON ticket.nth = mod(n, ticket.many)
"""
STILL_DUE = "SELECT count(*) AS n FROM sla_clock WHERE case_id > 1000000 AND wake_at IS NOT NULL"
TOLD_OTHERWISE_THAN_ONCE = """
    SELECT clock.id, count(entry.id) FROM sla_clock AS clock LEFT JOIN tickets_entry AS entry
        ON entry.ticket_id = clock.ticket_id AND entry.kind = 'breached'
        AND (entry.details ->> 'clock')::bigint = clock.id
    WHERE clock.case_id > 1000000 GROUP BY clock.id HAVING count(entry.id) <> 1
"""
HIERARCHY_TOLD = """
    SELECT count(*) AS n FROM tickets_entry WHERE kind = 'hierarchy_told' AND details ->> 'why' LIKE '%(UC) is broken%'
"""

WAITING = """
    SELECT (SELECT count(*) FROM channels_inbound WHERE state = 'new')
         + (SELECT count(*) FROM alarms_alarm WHERE changed_seq > seen_seq)
         + (SELECT count(*) FROM notifications_notice WHERE state = 'pending') AS n
"""


@dataclass
class Correspondent:
    """Somebody who sends one thing after the other and repeats each until it is acknowledged."""

    name: str
    send: Callable[[str], bool]
    pause_s: float
    acknowledged: list[str] = field(default_factory=list)
    repeats: int = 0
    _enough: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._write, name=self.name, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._enough.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), f"{self.name} is never acknowledged"

    def _write(self) -> None:
        while not self._enough.is_set():
            marker = f"{self.name}-{len(self.acknowledged)}."
            while not self.send(marker):
                self.repeats += 1
                time.sleep(self.pause_s)
            self.acknowledged.append(marker)
            time.sleep(self.pause_s)


@pytest.fixture(scope="module")
def own_relay() -> Iterator[Relay]:
    with relay_running() as relay:
        yield relay


@pytest.fixture(scope="module")
def own_desk(own_relay: Relay) -> Iterator[Desk]:
    with Desk(relay_port=own_relay.port, program=SERVE_WITHOUT_GRUDGE) as desk:
        yield desk


def test_fifty_kills_lose_nothing_and_do_nothing_twice(own_desk: Desk, own_relay: Relay) -> None:
    desk = own_desk
    mails = [Correspondent(f"mail{i}", by_mail(desk), 0.15) for i in (1, 2)]
    alarms = [Correspondent(f"alarm{i}", by_webhook(desk), 0.1) for i in (1, 2)]
    killed = kill_at_random(desk, mails, alarms)
    for correspondent in (*mails, *alarms):
        correspondent.finish()
    assert until(desk.is_up, within_s=20)
    come_to_rest(desk)

    mailed = [marker for one in mails for marker in one.acknowledged]
    alarmed = [marker for one in alarms for marker in one.acknowledged]
    print(f"killed {dict(killed)}; acknowledged {len(mailed)} mails, {len(alarmed)} alarms", end="; ")
    print(f"repeated {sum(one.repeats for one in (*mails, *alarms))}; relay took {len(own_relay.taken)}")
    assert min(killed.values()) >= 5
    assert min(len(mailed), len(alarmed)) >= KILLS // 2
    each_has_one_inbound_row(desk, mailed)
    each_has_one_ticket(desk, mailed + alarmed)
    each_alarm_stands_once(desk, alarmed)
    every_ticket_was_opened_and_triaged_once_and_has_its_clocks(desk)
    every_mail_had_one_receipt(desk, own_relay, mailed)


def test_a_mail_that_left_before_its_sender_fell_leaves_again_as_the_same_mail(
    own_desk: Desk, own_relay: Relay
) -> None:
    """At least once, never silently not at all; the one Message-ID lets the receiver drop the double."""
    own_relay.slow_s = 3
    post(own_desk, letter("The relay is slow", "…"))
    ticket = own_desk.row_soon("SELECT id FROM tickets_ticket WHERE subject = 'The relay is slow'")["id"]
    own_relay.mail_soon("ann@acme.example", about=f"[TD-{ticket}]")
    assert kill(own_desk.pid, WORKER)
    own_relay.slow_s = 0
    come_to_rest(own_desk)
    receipts = own_relay.mails_to("ann@acme.example", about=f"[TD-{ticket}]")
    assert len(receipts) == 2
    assert len({str(receipt["Message-ID"]) for receipt in receipts}) == 1
    notices = own_desk.rows("SELECT state FROM notifications_notice WHERE ticket_id = %s", ticket)
    assert notices == [{"state": "sent"}]


def test_while_the_database_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on(
    own_desk: Desk,
) -> None:
    desk = own_desk
    os.kill(desk.pid, signal.SIGSTOP)  # so that the database is not brought up again at once
    try:
        database = pids_of(desk.pid)[DATABASE]
        os.kill(database, signal.SIGINT)
        assert until(lambda: DATABASE not in pids_of(desk.pid))
        mail = letter("Said in the dark", "…")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            post(desk, mail)
        assert refused.value.smtp_code == 451
        assert tell(desk, "dark").status_code == 503
    finally:
        os.kill(desk.pid, signal.SIGCONT)
    assert until(lambda: by_mail_again(desk, mail))
    assert until(lambda: tell(desk, "dark").status_code == 202)
    desk.row_soon("SELECT id FROM tickets_ticket WHERE subject = 'Said in the dark'")
    desk.row_soon("SELECT id FROM tickets_ticket WHERE traits->>'alarm.key' = 'dark'")


def test_three_engines_that_are_killed_again_and_again_tell_each_breach_once(own_desk: Desk) -> None:
    desk, chance, killed = own_desk, random.Random(SEED), 0
    post(desk, letter("It is broken", "…"))
    desk.row_soon("SELECT id FROM tickets_ticket WHERE subject = 'It is broken'")
    desk.change(BROKEN_LONG_AGO, BROKEN)
    engines = [desk.beside(ENGINE) for _ in range(2)]
    try:
        while desk.rows(STILL_DUE)[0]["n"]:
            time.sleep(chance.uniform(*BETWEEN_ENGINES_S))
            place = chance.randrange(3)
            if place < len(engines):
                engines[place].kill()
                engines[place].wait()
                engines[place] = desk.beside(ENGINE)
            killed += 1 if place < len(engines) else kill(desk.pid, WORKER)
    finally:
        for engine in engines:
            engine.kill()
            engine.wait()
    print(f"killed {killed} engines")
    assert killed >= 3
    assert desk.rows(TOLD_OTHERWISE_THAN_ONCE) == []
    assert desk.rows(HIERARCHY_TOLD) == [{"n": BROKEN}]


def by_mail(desk: Desk) -> Callable[[str], bool]:
    letters: dict[str, object] = {}

    def send(marker: str) -> bool:
        mail = letters.setdefault(marker, letter(f"Marked {marker}", "It is broken.", sender=writer(marker)))
        return by_mail_again(desk, mail)

    return send


def writer(marker: str) -> str:
    """Everybody writes once: who writes often gets no receipts any more. See world.py."""
    return f"{marker.rstrip('.')}@acme.example"


def by_mail_again(desk: Desk, mail: object) -> bool:
    try:
        post(desk, mail)  # type: ignore[arg-type]
    except smtplib.SMTPResponseException as refusal:
        assert refusal.smtp_code < 500, refusal
        return False
    except (OSError, smtplib.SMTPException):
        return False
    return True


def by_webhook(desk: Desk) -> Callable[[str], bool]:
    def send(marker: str) -> bool:
        try:
            answer = tell(desk, marker)
        except httpx.HTTPError:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202

    return send


def tell(desk: Desk, marker: str) -> httpx.Response:
    """One alert of a group of its own, with a key that nobody else has."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "Marked", "instance": marker, "severity": "warning"},
        "annotations": {"summary": f"Marked {marker}"},
        "startsAt": datetime.now(UTC).isoformat(),
        "fingerprint": marker,
    }
    body = {"version": "4", "status": "firing", "groupLabels": {}, "groupKey": "{}", "alerts": [alert]}
    # Nothing here speaks TLS, and reading the world's authorities for it takes 50 ms of each call.
    return httpx.post(f"{desk.url}/in/{desk.token}", json=body, timeout=15, verify=False)


def kill_at_random(desk: Desk, *writing: Sequence[Correspondent]) -> Counter[str]:
    """So many kills of whatever runs, every other one as soon as the desk is seen at work again."""
    chance, killed = random.Random(SEED), Counter[str]()
    while killed.total() < KILLS:
        if killed.total() % 2:
            wait_for_more_of_each(writing)
        time.sleep(chance.uniform(*BETWEEN_KILLS_S))
        part = chance.choice((WEB, WORKER, DATABASE))
        if kill(desk.pid, part):
            killed[part] += 1
    return killed


def wait_for_more_of_each(writing: Sequence[Sequence[Correspondent]]) -> None:
    def so_far() -> list[int]:
        return [sum(len(one.acknowledged) for one in kind) for kind in writing]

    before = so_far()
    more = until(lambda: all(now > then for now, then in zip(so_far(), before, strict=True)), within_s=30)
    assert more, "a fallen desk does not come up again"


def come_to_rest(desk: Desk) -> None:
    """Wait until all is done, however slow the machine; that nothing is done for a while is the failure.

    What a killed worker had leased waits out its lease: that time is let pass, but only while nothing moves.
    Taken from the living worker, a lease makes it leave the rest of its batch for later.
    """
    left = desk.rows(WAITING)[0]["n"]
    moved_at = time.monotonic()
    while left:
        time.sleep(2)
        still = desk.rows(WAITING)[0]["n"]
        if still < left:
            left, moved_at = still, time.monotonic()
            continue
        idle_s = time.monotonic() - moved_at
        assert idle_s < STUCK_AFTER_S, (
            f"{left} still wait, and nothing has moved for {idle_s:.0f} s\n{desk.said()}"
        )
        if idle_s > LET_LEASES_PASS_AFTER_S:
            let_leases_pass(desk)


def let_leases_pass(desk: Desk) -> None:
    for table, state in (("notifications_notice", "pending"), ("channels_inbound", "new")):
        desk.change(f"UPDATE {table} SET wake_at = now() WHERE state = '{state}' AND wake_at > now() + '5 s'")


def each_has_one_inbound_row(desk: Desk, mailed: list[str]) -> None:
    rows = desk.rows(
        "SELECT convert_from(raw, 'utf-8') AS raw, state, ticket_id, reason FROM channels_inbound"
    )
    kept = Counter(marker for marker in mailed for row in rows if f"Subject: Marked {marker}" in row["raw"])
    assert {marker: kept[marker] for marker in mailed if kept[marker] != 1} == {}
    assert [row for row in rows if row["state"] != "done" or row["ticket_id"] is None] == []


def each_has_one_ticket(desk: Desk, markers: list[str]) -> None:
    subjects = Counter(row["subject"] for row in desk.rows("SELECT subject FROM tickets_ticket"))
    assert {m: subjects[f"Marked {m}"] for m in markers if subjects[f"Marked {m}"] != 1} == {}
    assert subjects.total() == len(markers)


def each_alarm_stands_once(desk: Desk, alarmed: list[str]) -> None:
    rows = desk.rows("SELECT key, state, ticket_id FROM alarms_alarm")
    assert sorted(row["key"] for row in rows) == sorted(alarmed)
    assert {row["state"] for row in rows} == {"open"}
    assert len({row["ticket_id"] for row in rows}) == len(alarmed)


def every_ticket_was_opened_and_triaged_once_and_has_its_clocks(desk: Desk) -> None:
    told = desk.rows(
        """
        SELECT ticket.id, count(*) FILTER (WHERE kind = 'opened') AS opened,
               count(*) FILTER (WHERE kind = 'triaged') AS triaged
        FROM tickets_ticket AS ticket LEFT JOIN tickets_entry AS entry ON entry.ticket_id = ticket.id
        GROUP BY ticket.id HAVING count(*) FILTER (WHERE kind = 'opened') <> 1
            OR count(*) FILTER (WHERE kind = 'triaged') <> 1
        """
    )
    assert told == []
    clocks = desk.rows(
        """
        SELECT DISTINCT priority, clocks FROM (
            SELECT ticket.id, ticket.priority, array_agg(concat_ws(' ', clock.party, clock.tier, clock.metric)
                ORDER BY clock.party, clock.tier, clock.metric) AS clocks
            FROM tickets_ticket AS ticket LEFT JOIN sla_clock AS clock ON clock.ticket_id = ticket.id
            GROUP BY ticket.id) AS by_ticket
        """
    )
    assert len(clocks) == len({row["priority"] for row in clocks}), clocks
    for row in clocks:
        assert {"SLA acknowledge", "SLA respond", "SLA resolve"} <= set(row["clocks"])
        assert len(row["clocks"]) == len(set(row["clocks"]))


def every_mail_had_one_receipt(desk: Desk, relay: Relay, mailed: list[str]) -> None:
    """One notice each; the relay may have it twice, but then it is the same mail with the same Message-ID."""
    sent = desk.rows("SELECT address FROM notifications_notice WHERE kind = 'receipt' AND state = 'sent'")
    assert Counter(row["address"] for row in sent) == {writer(marker): 1 for marker in mailed}
    taken: dict[str, set[str]] = defaultdict(set)
    for recipient, message in relay.taken:
        taken[recipient].add(str(message["Message-ID"]))
    assert {
        writer(marker): len(taken[writer(marker)]) for marker in mailed if len(taken[writer(marker)]) != 1
    } == {}

"""A running desk fetches from a real Dovecot: a full mailbox, a mail that nobody can read, and `kill -9` in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.email.letters import raw_mail
from tests.servers.desk import SERVE_WITHOUT_GRUDGE, Desk, until
from tests.servers.dovecot import DOVECOT, PASSWORD, Dovecot
from tests.servers.families import WORKER, kill

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("servers")]

MAILS = 400
KILLED_AFTER = (50, 200)

STORED = """
    SELECT count(*) AS n, count(DISTINCT sha256) AS different FROM channels_inbound
    WHERE meta->'recipients' = to_jsonb(%s::text[])
"""
SUBJECT = "SELECT state, reason FROM channels_inbound WHERE position(%s::bytea in raw) > 0 AND state <> 'new'"

BOXES = """
mailboxes:
  - {{address: full@desk.example, takes_old: true, imap_host: 127.0.0.1, imap_port: {port}, imap_security: plain,
     password: "{password}"}}
  - {{address: quiet@desk.example, takes_old: true, imap_host: 127.0.0.1, imap_port: {port}, imap_security: plain,
     password: "{password}"}}
"""


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    if DOVECOT is None:
        pytest.skip("no Dovecot on this machine: `bin/setup --tests` installs one")
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="module")
def desk(dovecot: Dovecot) -> Iterator[Desk]:
    allowed = {"TIERDESK_PRIVATE_HOSTS": f"127.0.0.1:{dovecot.port}"}
    with Desk(program=SERVE_WITHOUT_GRUDGE, more=allowed) as desk:
        yield desk


def test_a_full_mailbox_is_taken_in_once_and_holds_up_nobody_whatever_is_killed(
    desk: Desk, dovecot: Dovecot
) -> None:
    fill(dovecot, "full@desk.example", [nested(3000), *(mail(n) for n in range(1, MAILS))])
    desk.obey("apply", BOXES.format(port=dovecot.port, password=PASSWORD))
    for many in KILLED_AFTER:
        assert until(lambda many=many: stored(desk) >= many, within_s=180), desk.said()
        assert kill(desk.pid, WORKER)
    dovecot.deliver("quiet@desk.example", mail(MAILS, subject="Do you hear me?"))
    desk.row_soon(SUBJECT, b"Subject: Do you hear me?", within_s=90)
    among = stored(desk)
    assert until(lambda: stored(desk) == MAILS, within_s=240), desk.said()
    print(f"the quiet mailbox was heard after {among} of {MAILS} mails of the full one")
    assert desk.rows(STORED, ["full@desk.example"]) == [{"n": MAILS, "different": MAILS}]
    assert desk.row_soon(SUBJECT, b"Subject: A bomb", within_s=60)["state"] == "parked"
    assert until(lambda: not dovecot.lies_in("full@desk.example"), within_s=60)
    assert len(dovecot.lies_in("full@desk.example", "Tierdesk")) == MAILS


def stored(desk: Desk) -> int:
    count: int = desk.rows(STORED, ["full@desk.example"])[0]["n"]
    return count


def mail(n: int, subject: str = "Hello") -> bytes:
    """From somebody whom nobody knows, so that it is kept and parked and no ticket comes of it."""
    return raw_mail(
        f"Mail {n}.", **{"from": "x@stranger.example"}, subject=subject, message_id=f"<{n}@x.example>"
    )


def nested(deep: int) -> bytes:
    """Parts in parts in parts: a mail that is kept but that nobody takes apart."""
    body = "".join(f'--{n}\nContent-Type: multipart/mixed; boundary="{n + 1}"\n\n' for n in range(deep))
    return raw_mail(body, subject="A bomb", content_type='multipart/mixed; boundary="0"')


def fill(dovecot: Dovecot, name: str, mails: list[bytes]) -> None:
    with dovecot.opened(name) as client:
        for start in range(0, len(mails), 250):
            client.multiappend("INBOX", mails[start : start + 250])

"""Everything is killed while people are being called, an hour goes by, and all of it is started again.

No process lives on that could remember anything: each page leaves once, because it is a row with a time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import LiteralString

import pytest

from tests.channels.pager.provider import ACCOUNT, TOKEN, Provider, running
from tests.servers.desk import Desk, until
from tests.servers.post import Relay, letter, post, relay_running

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("standstill")]

TICKETS = 5
NUMBER = "+49301234509"
LENA, LOU, TOM = "lena@desk.example", "lou@desk.example", "tom@desk.example"

POLICY = """
    INSERT INTO paging_policy (key, name, version, is_active, spec) VALUES ('all', 'All', 1, true, '{
        "teams": ["desk"], "priorities": [1, 2, 3, 4, 5], "repeat": 0, "steps": [
            {"after": 0, "page": ["user:lena@desk.example"]},
            {"after": 1200, "page": ["user:lou@desk.example"]},
            {"after": 2400, "page": ["user:tom@desk.example"]}]}')
"""
NUMBERED = """
    INSERT INTO paging_way (agent_id, kind, address, is_urgent, code_digest, guesses, codes, verified_at, wait_s)
    SELECT agent.id, 'sms', %s, true, '', 0, 0, now(), 120
    FROM staff_agent AS agent JOIN staff_user ON staff_user.id = user_id WHERE email = 'lena@desk.example'
"""
EARLIER: tuple[LiteralString, ...] = (
    "UPDATE paging_paging SET began_at = began_at - interval '1 hour', wake_at = wake_at - interval '1 hour'",
    "UPDATE paging_page SET created_at = created_at - interval '1 hour', wake_at = wake_at - interval '1 hour',"
    " handed_at = handed_at - interval '1 hour', sent_at = sent_at - interval '1 hour'",
)

BY_STATE = "SELECT state, count(*) AS n FROM paging_page GROUP BY state"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture(scope="module")
def own_relay() -> Iterator[Relay]:
    with relay_running() as one:
        yield one


@pytest.fixture(scope="module")
def own_desk(own_relay: Relay, provider: Provider) -> Iterator[Desk]:
    more = {
        "TIERDESK_SMS_URL": f"http://{provider.address}",
        "TIERDESK_PRIVATE_HOSTS": provider.address,
        "TIERDESK_TWILIO_ACCOUNT": ACCOUNT,
        "TIERDESK_TWILIO_AUTH_TOKEN": TOKEN,
        "TIERDESK_SMS_FROM": "+4930999",
    }
    with Desk(relay_port=own_relay.port, more=more) as desk:
        yield desk


def test_after_an_hour_in_which_nothing_lived_each_page_leaves_once(
    own_desk: Desk, own_relay: Relay, provider: Provider
) -> None:
    desk = own_desk
    desk.change(POLICY)
    desk.change(NUMBERED, NUMBER)
    for n in range(TICKETS):
        post(desk, letter(f"Trouble {n}", "…", sender=f"mail1-{n}@acme.example"))
    assert until(lambda: by_state(desk).total() == 2 * TICKETS)
    assert until(lambda: by_state(desk)["sent"] >= 1 and told_by_mail(own_relay, LENA))
    before = by_state(desk)
    assert before["pending"] >= TICKETS, before
    assert provider.taken == []

    desk.fall(meanwhile=lambda: an_hour_goes_by(desk))
    desk.rise()

    all_of_them = Counter(row["id"] for row in desk.rows("SELECT id FROM tickets_ticket"))
    assert len(all_of_them) == TICKETS
    assert until(lambda: by_state(desk) == {"sent": 4 * TICKETS}, within_s=60), by_state(desk)
    assert until(lambda: told_by_mail(own_relay, TOM) == all_of_them, within_s=20)
    assert not until(lambda: told_by_mail(own_relay, TOM) != all_of_them, within_s=3)
    for person in (LENA, LOU, TOM):
        assert told_by_mail(own_relay, person) == all_of_them, person
    assert told_by_sms(provider) == all_of_them
    exhausted = desk.rows("SELECT ticket_id FROM tickets_entry WHERE kind = 'paging_exhausted'")
    assert Counter(row["ticket_id"] for row in exhausted) == all_of_them
    paged = desk.rows(
        "SELECT ticket_id, details->>'step' AS step FROM tickets_entry WHERE kind = 'people_paged'"
    )
    assert Counter((row["ticket_id"], row["step"]) for row in paged) == {
        (ticket, step): 1 for ticket in all_of_them for step in "123"
    }


def an_hour_goes_by(desk: Desk) -> None:
    """To rows that is what it is when an hour goes by in which nobody lives."""
    for statement in EARLIER:
        desk.change(statement)


def by_state(desk: Desk) -> Counter[str]:
    return Counter({row["state"]: row["n"] for row in desk.rows(BY_STATE)})


def told_by_mail(relay: Relay, person: str) -> Counter[int]:
    """How often each ticket was told to somebody in pages, whichever message it was in."""
    found: Counter[int] = Counter()
    for recipient, message in list(relay.taken):
        if recipient == person and re.match(r"Page: |\d+ pages: ", subject := str(message["Subject"])):
            text = message.get_content() if " pages: " in subject else subject
            found.update(numbers_in(text))
    return found


def told_by_sms(provider: Provider) -> Counter[int]:
    return Counter(number for sms in provider.taken for number in numbers_in(sms["Body"]))


def numbers_in(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"TD-(\d+)", text)}

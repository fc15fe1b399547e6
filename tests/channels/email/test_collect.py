"""Fetching from a real Dovecot: every mail is stored once, byte by byte, before anything happens to it there.

The cases are those of other desks that lost mail: reliability.md §5.1 (LM) and §7.1 (the mutants).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.channels.conftest import PowerCut
from tests.channels.email.letters import raw_mail
from tests.channels.email.mailboxes import Box, set_up
from tests.servers.wire import Wire
from tierdesk.channels.email import collect
from tierdesk.channels.email.imap import Server, connected
from tierdesk.channels.email.models import Afterwards
from tierdesk.channels.models import Inbound
from tierdesk.core import clock

HOUR = timedelta(hours=1)


def test_what_is_new_is_stored_byte_by_byte_and_moved_away(box: Box) -> None:
    mails = box.arrive("One.", "Two.")
    assert box.look() == 2
    assert box.stored() == mails
    assert (box.lies_there(), sorted(box.lies_there("Tierdesk"))) == ([], sorted(mails))
    assert box.look() == 0


def test_it_may_also_stay_where_it_is_and_is_marked_as_read(box: Box) -> None:
    box.mailbox.afterwards = Afterwards.KEEP
    [mail] = box.arrive("One.")
    box.look()
    assert box.dovecot.lies_in(box.name) == {mail: {rb"\Seen"}}
    assert box.look() == 0


def test_the_envelope_is_what_the_mailbox_knows(box: Box) -> None:
    box.arrive("One.", message_id="<one@acme.example>")
    box.look()
    kept = Inbound.objects.get()
    assert kept.meta["recipients"] == [box.mailbox.address]
    assert kept.meta["message_id"] == "<one@acme.example>"
    assert (kept.channel, kept.remote, kept.state) == ("email", "127.0.0.1", "new")


def test_what_lay_there_before_we_came_is_left_alone(fresh: Box) -> None:
    old = fresh.arrive("From last year.")
    assert fresh.look() == 0
    new = fresh.arrive("From today.")
    assert fresh.look() == 1
    assert (fresh.stored(), fresh.lies_there()) == (new, old)


def test_unless_it_is_to_be_taken_in_too(fresh: Box) -> None:
    box = Box(fresh.dovecot, set_up(fresh.dovecot, takes_old=True))
    last_year = datetime(2025, 6, 8, 8, 0, tzinfo=UTC)
    old = box.arrive("From last year.", at=last_year)
    assert box.look() == 1
    assert (box.stored(), box.lies_there()) == (old, [])
    assert Inbound.objects.get().received_at == last_year


# -- crashes


def dying(method: Callable[..., Any], *, after: int) -> Callable[..., Any]:
    """The process ends when `method` is called once more than `after` times."""
    calls = iter(range(10_000))

    def call(*arguments: Any, **named: Any) -> Any:
        if next(calls) >= after:
            raise PowerCut
        return method(*arguments, **named)

    return call


@pytest.mark.parametrize("stored_before", [0, 2])
def test_lm01_a_crash_before_the_commit_fetches_again(
    box: Box, monkeypatch: pytest.MonkeyPatch, stored_before: int
) -> None:
    mails = box.arrive("One.", "Two.", "Three.")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Inbound, "store", dying(Inbound.store, after=stored_before))
        box.look()
    assert len(box.stored()) == stored_before
    assert sorted(box.lies_there()) == sorted(mails)
    box.look()
    assert box.stored() == mails
    assert box.lies_there() == []


def test_lm02_a_crash_after_the_commit_stores_nothing_twice_and_tidies_later(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = box.arrive("One.", "Two.")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Server, "tidy", dying(Server.tidy, after=0))
        box.look()
    assert box.stored() == mails
    assert sorted(box.lies_there()) == sorted(mails)
    assert box.look() == 0
    assert box.stored() == mails
    assert box.lies_there() == []


def test_lm03_what_is_cut_in_the_middle_is_not_stored_as_half_a_mail(wired_box: Box, wire: Wire) -> None:
    [mail] = wired_box.arrive("A long story. " * 500)
    wire.cut_at, wire.cut_after = b"BODY[] {", 900
    with pytest.raises((OSError, Exception)) as cut:
        wired_box.look()
    assert not isinstance(cut.value, AssertionError)
    assert wired_box.stored() == []
    wire.cut_at = b""
    wired_box.look()
    assert wired_box.stored() == [mail]


def test_lm03_one_mail_that_the_server_will_not_give_holds_up_no_other(wired_box: Box, wire: Wire) -> None:
    bad, good = wired_box.arrive("Cursed.", "Blessed.")
    with connected(wired_box.mailbox) as server:
        refused = refusing(server, wired_box.state.last_uid + 1)
        assert collect.look(wired_box.mailbox, refused) == 1
    assert wired_box.stored() == [good]
    state = wired_box.state
    assert (state.waiting, len(state.skipped), state.error) == (1, 1, "")
    assert wired_box.lies_there() == [bad]
    with clock.frozen(clock.now() + HOUR):
        assert wired_box.look() == 1
    assert sorted(wired_box.stored()) == sorted([bad, good])
    assert (wired_box.state.waiting, wired_box.state.skipped, wired_box.lies_there()) == (0, {}, [])


def refusing(server: Server, cursed: int) -> Server:
    """The server, except that it answers NO when asked for one mail."""
    real = server._client.fetch

    def fetch(uids: list[int], data: list[str]) -> Any:
        if cursed in uids and data == ["BODY.PEEK[]"]:
            raise server._client.Error("FETCH failed: [SERVERBUG] Internal error occurred")
        return real(uids, data)

    server._client.fetch = fetch
    return server


def test_lm03_a_server_that_misjudges_sizes_is_believed_when_it_says_the_same_twice(
    wired_box: Box, wire: Wire
) -> None:
    [mail] = wired_box.arrive("Short.")
    wire.lies = {f"RFC822.SIZE {len(mail)}".encode(): f"RFC822.SIZE {len(mail) + 77}".encode()}
    wired_box.look()
    assert wired_box.stored() == [mail]


@pytest.mark.parametrize("afterwards", Afterwards.values)
def test_lm04_when_all_mails_are_numbered_anew_none_is_lost_and_none_doubled(
    fresh: Box,
    afterwards: str,
) -> None:
    dovecot = fresh.dovecot
    box = Box(dovecot, set_up(dovecot, afterwards=afterwards))
    old = box.arrive("From before we came.", at=clock.now() - 5 * HOUR)
    box.look()
    first = box.arrive("One.", "Two.")
    box.look()
    between = box.arrive("Three.")
    dovecot.number_anew(box.name)
    box.look()
    after = box.arrive("Four.")
    box.look()
    assert box.stored() == [*first, *between, *after]
    assert old[0] in box.lies_there()


def test_lm04_lower_numbers_than_before_are_read_too(box: Box) -> None:
    """itop#253: whoever remembers only the highest number never reads what is numbered below it."""
    first = box.arrive(*"abcdefgh")
    box.look()
    box.dovecot.number_anew(box.name)
    second = box.arrive("One.")
    box.look()
    assert box.stored() == [*first, *second]


def test_lm04_a_crash_while_all_are_looked_through_again_leaves_old_mail_alone(
    fresh: Box,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dovecot = fresh.dovecot
    box = Box(dovecot, set_up(dovecot, afterwards=Afterwards.KEEP))
    box.arrive("From before we came.", at=clock.now() - 5 * HOUR)
    box.look()
    mails = box.arrive("One.", "Two.")
    dovecot.number_anew(box.name)
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(Inbound, "store", dying(Inbound.store, after=1))
        box.look()
    box.look()
    assert box.stored() == mails


def test_a_server_that_writes_mails_anew_is_known_by_message_id_and_time(wired_box: Box, wire: Wire) -> None:
    """Exchange gives other bytes for the same mail each time it makes them."""
    wired_box.mailbox.afterwards = Afterwards.KEEP
    [mail] = wired_box.arrive("One.")
    wired_box.look()
    wired_box.dovecot.number_anew(wired_box.name)
    wire.lies = {b"One.": b"one."}
    assert wired_box.look() == 0
    assert wired_box.stored() == [mail]


def test_lm37_the_same_message_id_on_different_mails_is_two_mails(box: Box) -> None:
    mails = box.arrive("Disk 1.", "Disk 2.", message_id="<always-the-same@printer.example>")
    box.look()
    assert box.stored() == mails


# -- when


def test_m39_a_mail_counts_from_when_its_server_took_it_in(box: Box) -> None:
    """The worker was away for three hours; the contact's promise runs from when the mail arrived."""
    now = clock.now()
    with clock.frozen(now):
        box.look()
    arrived = (now + HOUR).replace(microsecond=0)
    box.arrive("One.", at=arrived)
    with clock.frozen(now + 3 * HOUR):
        box.look()
    assert Inbound.objects.get().received_at == arrived


def test_an_old_mail_that_somebody_puts_into_the_mailbox_has_come_now(box: Box) -> None:
    """Else its ticket would have broken every promise when it is opened."""
    box.arrive("Found this from last year.", at=clock.now() - 400 * 24 * HOUR)
    box.look()
    assert clock.now() - Inbound.objects.get().received_at < timedelta(minutes=2)


def test_a_server_whose_clock_is_ahead_makes_no_mail_of_the_future(box: Box) -> None:
    box.arrive("One.", at=clock.now() + 5 * HOUR)
    box.look()
    assert Inbound.objects.get().received_at <= clock.now()


# -- what is too large


def test_lm06_of_a_mail_that_is_too_large_the_beginning_is_taken_once_and_all_of_it_stays_there(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MESSAGE_BYTES", 1_000_000)
    [large, small] = box.arrive("x" * 76 + "\n" + ("y" * 76 + "\n") * 20_000, "And thanks.")
    assert box.look() == 2
    head, rest = box.stored()
    assert (large.startswith(head), len(head), rest) == (True, 256 * 1024, small)
    assert Inbound.objects.order_by("id")[0].meta["whole_size"] == len(large)
    assert large in box.lies_there("Tierdesk")
    assert box.look() == 0


# -- a folder, a lot of mail, odd mail


def test_it_may_be_another_folder_with_a_name_of_any_letters(fresh: Box) -> None:
    box = Box(fresh.dovecot, set_up(fresh.dovecot, folder="Störungen & Ärger", done_folder="Erledigt ✓"))
    with box.dovecot.opened(box.name) as client:
        client.create_folder("Störungen & Ärger")
    box.look()
    mail = raw_mail("One.")
    with box.dovecot.opened(box.name) as client:
        client.append("Störungen & Ärger", mail)
    assert box.look() == 1
    assert box.lies_there("Erledigt ✓") == [mail]


def test_what_cannot_be_moved_is_taken_in_all_the_same_and_somebody_reads_why(fresh: Box) -> None:
    """A full mailbox, a folder that may not be made: mail goes on, and the page of mailboxes says so."""
    box = Box(fresh.dovecot, set_up(fresh.dovecot, done_folder="not/here"))
    box.look()
    mails = box.arrive("One.", "Two.")
    assert box.look() == 2
    assert (box.stored(), sorted(box.lies_there())) == (mails, sorted(mails))
    assert "not/here" in box.state.error
    assert box.look() == 0


def test_a_thousand_mails_after_a_weekend_are_all_taken_in(box: Box) -> None:
    mails = [raw_mail(f"Mail {n}.", message_id=f"<w{n}@acme.example>") for n in range(1000)]
    with box.dovecot.opened(box.name) as client:
        for start in range(0, 1000, 250):
            client.multiappend("INBOX", mails[start : start + 250])
    assert box.look() == 1000
    assert box.stored() == mails
    assert box.lies_there() == []


@pytest.mark.shared_data
def test_no_byte_of_real_mail_changes_on_the_way(box: Box, shared_data: Path) -> None:
    """IMAP carries lines that end with CRLF, and no NUL; from there on not a byte may change."""
    files = sorted(
        path for path in (shared_data / "mail").rglob("*") if path.is_file() and path.suffix != ".csv"
    )
    box.dovecot.deliver(box.name, *(file.read_bytes().replace(b"\0", b"") for file in files))
    given = box.lies_there()
    box.look()
    assert len(files) >= 270
    assert sorted(box.stored()) == sorted(given)

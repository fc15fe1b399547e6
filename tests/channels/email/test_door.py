"""The doors for mail against a client that keeps to no measure; the listener itself is real."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.servers.desk import free_port, until
from tierdesk.channels.email import door, listener
from tierdesk.channels.email.door import Door, LMTPDoor, SMTPDoor
from tierdesk.channels.email.listener import LATER, TAKEN, listening


class Talk:
    """A session that has said hello."""

    def __init__(self, port: int, hello: str) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.lines = self.line.makefile("rb")
        assert self.heard() == "220"
        assert self.say(hello) == "250"

    def say(self, words: str) -> str:
        self.line.sendall(words.encode() + b"\r\n")
        return self.heard()

    def heard(self) -> str:
        """The code of the next answer; empty when the line is cut."""
        while (answer := self.lines.readline())[3:4] == b"-":
            pass
        return answer[:3].decode()

    def begin(self, recipients: int = 1) -> None:
        assert self.say("MAIL FROM:<ann@acme.example>") == "250"
        for n in range(recipients):
            assert self.say(f"RCPT TO:<support+{n}@desk.example>") == "250"
        assert self.say("DATA") == "354"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What would have been stored."""
    kept: list[bytes] = []

    def keep(raw: bytes, *_: object) -> str:
        kept.append(raw)
        return TAKEN

    monkeypatch.setattr(listener, "keep", keep)
    monkeypatch.setattr(door, "MESSAGE_BYTES", 200_000)
    monkeypatch.setattr(door, "PATIENCE_BYTES", 200_000)
    return kept


@contextmanager
def opened(kind: Door = SMTPDoor) -> Iterator[int]:
    port = free_port()
    with listening("127.0.0.1", port, kind):
        yield port


@pytest.fixture
def talk(kept: list[bytes]) -> Iterator[Talk]:
    with opened() as port:
        yield Talk(port, "HELO x.example")


def test_dots_that_were_doubled_are_single_again_and_a_long_line_is_one_line(
    talk: Talk, kept: list[bytes]
) -> None:
    talk.begin()
    long = "y" * (door.PIECE_BYTES + 10)
    assert talk.say(f"Subject: hi\r\n\r\n..hidden\r\n.\r.\n.\r\n{long}.\r\n..\r\n.") == "250"
    assert kept == [f"Subject: hi\r\n\r\n.hidden\r\n\r.\n.\r\n{long}.\r\n.\r\n".encode()]


@pytest.mark.parametrize("size", [door.PIECE_BYTES - 1, door.PIECE_BYTES, door.PIECE_BYTES + 1])
def test_a_dot_where_a_long_line_is_cut_in_pieces_ends_nothing(
    talk: Talk, kept: list[bytes], size: int
) -> None:
    talk.begin()
    text = f"{'x' * size}.\r\n{'x' * size}\r\n"
    assert talk.say(f"{text}.") == "250"
    assert kept == [text.encode()]


def test_a_little_too_much_is_read_to_its_end_and_the_next_mail_is_taken(
    talk: Talk, kept: list[bytes]
) -> None:
    talk.begin()
    assert talk.say("x" * 250_000 + "\r\n.") == "552"
    talk.begin()
    assert talk.say("small\r\n.") == "250"
    assert kept == [b"small\r\n"]


def test_far_too_much_is_cut_off(talk: Talk, kept: list[bytes]) -> None:
    talk.begin()
    talk.line.sendall(b"x" * 500_000)
    assert talk.heard() == "552"
    with pytest.raises((ConnectionError, AssertionError)):
        assert talk.heard()
    assert kept == []


def test_all_unfinished_mails_together_have_one_measure_and_who_comes_beyond_it_is_asked_to_come_again(
    kept: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HELD_BYTES", 250_000)
    with opened() as port, ExitStack() as stack:
        talks = [Talk(port, "HELO x.example") for _ in range(3)]
        for talk in talks:
            stack.enter_context(talk.line)
            talk.begin()
        for talk in talks[:2]:
            talk.line.sendall(b"x" * 90_000 + b"\r\n")
        assert until(lambda: door._Door.held > 180_000)
        talks[2].line.sendall(b"x" * 90_000 + b"\r\n")
        assert talks[2].heard() == "421"
        for talk in talks[:2]:
            assert talk.say(".") == "250"
        later = Talk(port, "HELO x.example")
        stack.enter_context(later.line)
        later.begin()
        assert later.say("x" * 90_000 + "\r\n.") == "250"


def test_who_falls_silent_in_the_middle_of_a_mail_leaves_no_memory_behind(kept: list[bytes]) -> None:
    with opened() as port:
        talk = Talk(port, "HELO x.example")
        talk.begin()
        talk.line.sendall(b"x" * 90_000)
        talk.lines.close()
        talk.line.close()
        other = Talk(port, "HELO x.example")
        other.begin()
        assert other.say("hi\r\n.") == "250"
    assert door._Door.held == 0


def test_lmtp_answers_for_each_recipient_also_when_it_refuses(kept: list[bytes]) -> None:
    with opened(LMTPDoor) as port:
        talk = Talk(port, "LHLO x.example")
        talk.begin(recipients=3)
        assert [talk.say("x" * 250_000 + "\r\n."), talk.heard(), talk.heard()] == ["552"] * 3
        assert talk.say("QUIT") == "221"


def test_a_mail_has_so_many_recipients_and_no_more(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_RECIPIENTS", 2)
    assert talk.say("MAIL FROM:<ann@acme.example>") == "250"
    assert [talk.say(f"RCPT TO:<support+{n}@desk.example>") for n in range(3)] == ["250", "250", "452"]
    assert talk.say("DATA") == "354"
    assert talk.say("hi\r\n.") == "250"


def test_what_cannot_be_stored_now_is_asked_for_again(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """LM-09: the database is away, or its disk is full."""
    monkeypatch.setattr(listener, "keep", lambda *_: LATER)
    talk.begin()
    assert talk.say("hi\r\n.") == "451"


@pytest.mark.parametrize("words", ["DATA", "RCPT TO:<support@desk.example>"])
def test_the_order_of_words_is_kept(talk: Talk, words: str) -> None:
    assert talk.say(words) == "503"

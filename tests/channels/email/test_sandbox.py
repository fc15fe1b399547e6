"""Mail is read in a process that may die (SEC-062, LM-35)."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.channels.email.letters import multipart, raw_mail
from tierdesk.channels.email import sandbox
from tierdesk.channels.email.limits import Unreadable
from tierdesk.channels.email.message import parse
from tierdesk.channels.email.sandbox import ParserFault, Pool

HEAD = b"From: a1@acme.example\r\nTo: support@desk.example\r\n"
MISBEHAVING = """
import sys, time, os; sys.path.insert(0, sys.argv[1])
from tierdesk.channels.email import message, sandbox_child
honest = message.parse
def parse(raw):
    if b"loop" in raw:
        while True: pass
    if b"sleep" in raw: time.sleep(60)
    if b"memory" in raw: return [bytes(2**24) for _ in range(100)]
    if b"die" in raw: os._exit(137)
    if b"fault" in raw: raise RuntimeError("a bug of ours")
    if b"write" in raw: os.write(os.open(raw.split()[-1], os.O_CREAT | os.O_WRONLY), b"x")
    if b"stranger" in raw: return os.system
    if b"environment" in raw: raise message.Unreadable(",".join(sorted(os.environ)))
    if b"django" in raw: raise message.Unreadable(str("django" in sys.modules))
    return honest(raw)
message.parse = parse
sandbox_child.serve()
"""


@pytest.fixture
def pool() -> Iterator[Pool]:
    """One child that misbehaves on certain words."""
    pool = Pool(1, program=MISBEHAVING)
    yield pool
    pool.close()


def refused(pool: Pool, word: str, deadline_s: float = 5) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        pool.parse(raw_mail(word), deadline_s)
    return caught.value


def test_a_mail_comes_out_as_it_is_read_in_place() -> None:
    raw = multipart("\nHello", "Content-Type: image/png\n\n\x01", auto_submitted="auto-replied")
    assert sandbox.parse(raw) == parse(raw)


def test_an_unreadable_mail_says_why_and_the_child_lives_on() -> None:
    with pytest.raises(Unreadable, match="200 encoded words"):
        sandbox.parse(HEAD + b"Subject:" + b" =?utf-8?q?a?=" * 300 + b"\r\n\r\n")
    assert sandbox.parse(raw_mail()).subject == "Printer"


@pytest.mark.parametrize("word", ["loop", "sleep"])
def test_time_is_up(pool: Pool, word: str) -> None:
    began = time.monotonic()
    assert "longer than 0.5 seconds" in refused(pool, word, deadline_s=0.5).reason
    assert time.monotonic() - began < 3
    assert pool.parse(raw_mail("and the next one is read"), 5).text == "and the next one is read"


def test_memory_is_capped(pool: Pool) -> None:
    assert "more memory than allowed" in refused(pool, "memory").reason
    assert pool.parse(raw_mail("and the next one is read"), 5).text == "and the next one is read"


def test_a_child_that_dies_takes_only_its_mail_with_it(pool: Pool) -> None:
    assert "ended the process" in refused(pool, "die").reason
    assert pool.parse(raw_mail("and the next one is read"), 5).text == "and the next one is read"


def test_a_fault_of_ours_is_told_with_its_traceback(pool: Pool) -> None:
    error = refused(pool, "fault")
    assert error.reason == "The parser failed on it."
    assert isinstance(error.__cause__, ParserFault)
    assert "a bug of ours" in str(error.__cause__)


def test_a_child_writes_no_file(pool: Pool, tmp_path: Path) -> None:
    error = refused(pool, f"write {tmp_path}/from-the-sandbox")
    assert "File too large" in str(error.__cause__)
    assert (tmp_path / "from-the-sandbox").read_bytes() == b""


def test_an_answer_may_only_be_a_mail(pool: Pool) -> None:
    assert "ended the process" in refused(pool, "stranger").reason


def test_an_answer_runs_nothing_here(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "taken over"),)

    with pytest.raises(pickle.UnpicklingError, match="no part of a mail"):
        sandbox._mail(bytearray(pickle.dumps(Hostile())))
    assert list(tmp_path.iterdir()) == []


def test_a_child_sees_no_secrets_and_no_django(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERDESK_SECRET_KEY", "CANARY-SEC-c0de")
    assert set(refused(pool, "environment").reason.split(",")) <= {
        "PATH",
        "LC_CTYPE",
        "__CF_USER_TEXT_ENCODING",
    }
    assert refused(pool, "django").reason == "False"


def test_a_child_killed_while_idle_is_replaced(pool: Pool) -> None:
    pool.parse(raw_mail(), 5)
    child = pool._idle[0]._process
    os.kill(child.pid, signal.SIGKILL)
    child.wait(5)
    assert pool.parse(raw_mail("alive"), 5).text == "alive"


def test_many_threads_share_the_children() -> None:
    with ThreadPoolExecutor(8) as threads:
        mails = list(threads.map(lambda n: sandbox.parse(raw_mail(f"mail {n}")), range(200)))
    assert [mail.text for mail in mails] == [f"mail {n}" for n in range(200)]


def test_a_bomb_does_not_hold_up_ordinary_mail() -> None:
    pool = Pool(2, program=MISBEHAVING)
    with ThreadPoolExecutor(1) as threads:
        bomb = threads.submit(refused, pool, "loop", 2)
        began = time.monotonic()
        assert pool.parse(raw_mail("ordinary"), 5).text == "ordinary"
        assert time.monotonic() - began < 1.5
        assert "longer than 2 seconds" in bomb.result().reason
    pool.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_starts_children_of_its_own() -> None:
    sandbox.parse(raw_mail())
    inherited = sandbox._pool._idle[-1]
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        read = sandbox.parse(raw_mail("in the fork")).text == "in the fork"
        os._exit(0 if read and inherited not in sandbox._pool._idle else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert sandbox.parse(raw_mail("in the parent")).text == "in the parent"


BOMBS: dict[str, bytes] = {
    "multiparts within multiparts": HEAD
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)),
    "mails within mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000,
    "empty parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000,
    "encoded words": HEAD + b"Subject:" + b" =?utf-8?q?a?=" * 32_000 + b"\r\n\r\n",
    "a subject of words": HEAD + b"Subject:" + b" word" * 200_000 + b"\r\n\r\n",
    "addresses": HEAD + b"Cc: " + b"a@x.example," * 20_000 + b"\r\n\r\n",
    "comments within comments": b"From: " + b"(" * 20_000 + b"\r\n\r\n",
    "quotes in parameters": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + (b"--b\r\nContent-Type: text/plain; " + b'";' * 4000 + b"\r\n\r\nx\r\n") * 300,
    "blockquotes": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<blockquote>" * 2_000_000,
    "angle brackets": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<" * 20_000_000,
    "attributions": HEAD + b"Subject: Re: x\r\n\r\n" + b"On 1 x wrote:\n" * 2_000_000,
    "emoji": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "😀 \n".encode() * 5_000_000,
    "a large file": HEAD
    + b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"QUFB" * 8_500_000,
    "escapes": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 34_000_000,
    "uuencoded beginnings": HEAD + b"\r\n" + b"begin 644 x\nM\n" * 1_000_000,
    "null": HEAD + b"Subject: \0\r\n\r\n\0",
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_no_bomb_costs_more_than_its_caps(name: str) -> None:
    try:
        sandbox.parse(BOMBS[name], deadline_s=30)
    except Unreadable as refusal:
        assert "Reading it takes longer" not in refusal.reason and "ended the process" not in refusal.reason
    assert sandbox.parse(raw_mail("next")).text == "next"

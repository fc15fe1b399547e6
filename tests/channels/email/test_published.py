"""What we make of published mails of other desks and mail systems, in figures.

    TIERDESK_SHARED_DATA=FOLDER bin/test tests/channels/email/test_published.py -rPs

prints them, or why there is nothing to measure. FOLDER holds `mail/bounces` with `expected.csv`, `mail/rt`,
`mail/other` and `mail/reply_quoting`. No mail of it is part of the project: what we learned from one
is told by mails of our own.
"""

from __future__ import annotations

import csv
import email
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.channels.email.letters import raw_mail
from tierdesk.channels.email import listener
from tierdesk.channels.email.automatic import AutoReply, ListMail
from tierdesk.channels.email.bounces import Bounce
from tierdesk.channels.email.listener import TAKEN, keep
from tierdesk.channels.email.message import Mail, parse
from tierdesk.channels.intake import take_in
from tierdesk.channels.models import Inbound

pytestmark = pytest.mark.shared_data

AUTOMATIC = {"rt/dir": ListMail, "rt/multipart-report": Bounce}
"""The mails of programs among those that are not labelled, as a person reads them."""

FORWARDED_BY_A_PERSON = "bounces/lhost-sendmail-14.eml"
"""Labelled as a bounce; but a person forwards one, and says so."""

CARRIED_BY_PROGRAMS = {
    "lhost-postfix-64.eml", "lhost-sendmail-38.eml", "lhost-sendmail-41.eml", "rfc3464-26.eml", "rfc3464-29.eml",
}  # fmt: skip
"""Bounces whose original mail was itself a bounce, or sent in bulk."""

NEW_LINES: dict[str, str] = {
    "correct_sig": "1",
    "email_1_1": "1-5",
    "email_1_2": "1 9-34",
    "email_1_3": "1-3",
    "email_1_4": "1",
    "email_1_5": "1-15",
    "email_1_6": "1-3",
    "email_1_7": "1",
    "email_1_8": "13 19",
    "email_2_1": "1",
    "email_2_2": "1",
    "email_2_3": "1",
    "email_BlackBerry": "1",
    "email_bullets": "1-9",
    "email_iPhone": "1",
    "email_long_quote": "1-4 6-8",
    "email_multi_word_sent_from_my_mobile_device": "1",
    "email_one_is_not_on": "1-5",
    "email_sent_from_my_not_signature": "1-3",
    "email_sig_delimiter_in_middle_of_line": "1-7",
    "greedy_on": "1-6",
    "pathological": "1-2",
}
"""Which lines of each published reply its author wrote then, as a person reads it; signatures are not among them."""


@pytest.fixture
def mails(shared_data: Path) -> dict[str, bytes]:
    """Every published mail by folder and name; a reply that came without headers gets some."""
    folder = shared_data / "mail"
    found = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in [*folder.glob("rt/*"), *folder.glob("other/*"), *folder.glob("bounces/*.eml")]
    }
    for path in folder.glob("reply_quoting/*.txt"):
        found[f"reply_quoting/{path.name}"] = raw_mail(path.read_bytes(), subject="Re: Printer", crlf=False)
    return dict(sorted(found.items()))


@pytest.fixture
def labels(shared_data: Path) -> dict[str, list[dict[str, str]]]:
    """What is expected of each bounce, recipient by recipient."""
    with (shared_data / "mail" / "bounces" / "expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: [row for row in rows if row["file"] == name] for name in sorted({r["file"] for r in rows})}


def test_every_mail_is_kept_to_the_byte_and_comes_to_an_end(
    cast: Cast, at: datetime, mails: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "close_old_connections", lambda: None)
    endings: Counter[str] = Counter()
    for number, (name, raw) in enumerate(mails.items()):
        assert keep(raw, [f"mail{number}@desk.example"], "x@stranger.example", "test") == TAKEN
        take_in(Inbound.objects.latest("pk").pk, at)
        kept = Inbound.objects.latest("pk")
        assert bytes(kept.raw) == raw, name
        assert kept.state in ("done", "parked"), (name, kept.reason)
        assert "parser failed" not in kept.reason and "could not be taken in" not in kept.reason, name
        endings[kept.state] += 1
    print(f"\n{endings.total()} mails kept to the byte: {dict(endings)}")
    assert endings.total() == len(mails) >= 281


def test_mail_of_programs_is_recognised_and_no_persons_is_taken_for_one(
    mails: dict[str, bytes], labels: dict[str, list[dict[str, str]]]
) -> None:
    """Wanted: 97 % and none."""
    recognised, missed, misjudged, ordinary = 0, [], [], 0
    for name, raw in mails.items():
        automatic = parse(raw).automatic
        rows = labels.get(name.removeprefix("bounces/"))
        if rows is not None:
            wanted: type = AutoReply if rows[0]["engine"] == "rfc3834" else Bounce
        elif name in AUTOMATIC:
            wanted = AUTOMATIC[name]
        else:
            ordinary += 1
            misjudged += [name] if automatic else []
            continue
        recognised += isinstance(automatic, wanted)
        missed += [] if isinstance(automatic, wanted) else [name]
    for name, raw in carried(mails):
        ordinary += 1
        misjudged += [name] if parse(raw).automatic else []
    total = recognised + len(missed)
    print(f"\nprograms: {recognised} of {total} recognised ({recognised / total:.1%}); missed: {missed}")
    print(f"persons: {len(misjudged)} of {ordinary} taken for a program: {misjudged}")
    assert (total, ordinary) >= (194, 188)
    assert recognised / total >= 0.97
    assert misjudged == []
    assert parse(mails[FORWARDED_BY_A_PERSON]).automatic is None


def carried(mails: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The mails of persons that came back inside the bounces."""
    for name, raw in mails.items():
        if not name.startswith("bounces/") or name.removeprefix("bounces/") in CARRIED_BY_PROGRAMS:
            continue
        for part in email.message_from_bytes(raw).walk():
            inside = part.get_payload() if part.get_content_type() == "message/rfc822" else None
            if isinstance(inside, list) and isinstance(inside[0], Message) and inside[0]["From"]:
                yield f"in {name}", inside[0].as_bytes()


def test_bounces_say_for_whom_and_why(
    mails: dict[str, bytes], labels: dict[str, list[dict[str, str]]]
) -> None:
    """The figures are floors: better is welcome, worse is a defect."""
    seen: Counter[str] = Counter()
    for name, expected in labels.items():
        automatic = parse(mails[f"bounces/{name}"]).automatic
        if not isinstance(automatic, Bounce):
            continue
        seen["bounces"] += 1
        seen["names our mail"] += bool(automatic.original_message_id)
        for told, row in zip(automatic.reports, expected, strict=False):
            dead = row["hard_bounce"] == "1"
            seen["reports"] += 1
            seen["names the recipient"] += bool(told.recipient)
            seen["right class"] += (told.status[:1] or "5") == row["status"][:1]
            seen["dead"] += dead
            seen["dead and told"] += dead and told.address_is_dead
    print(f"\n{dict(seen)}")
    assert seen["names the recipient"] >= 189, "of 194"
    assert seen["right class"] >= 187, "of 194"
    assert seen["dead and told"] >= 47, "of 48"
    assert seen["names our mail"] >= 170, "of 185"


def test_the_new_words_of_every_published_reply(mails: dict[str, bytes]) -> None:
    replies = {name: parse(raw) for name, raw in mails.items() if name.startswith("reply_quoting/")}
    wrong = [name for name, reply in replies.items() if reply.new_text != wanted_of(name, reply)]
    print(f"\nreplies: {len(replies) - len(wrong)} of {len(replies)} cut rightly; wrong: {wrong}")
    assert len(replies) >= len(NEW_LINES)
    assert wrong == []


def wanted_of(name: str, reply: Mail) -> str:
    """The lines that the table says, with one empty line where others stood."""
    lines = reply.text.split("\n")
    pieces = []
    for span in NEW_LINES[Path(name).stem].split():
        first, _, last = span.partition("-")
        pieces.append("\n".join(lines[int(first) - 1 : int(last or first)]))
    return tidy("\n\n".join(pieces))


def tidy(text: str) -> str:
    """No spaces at the ends of lines, and never more than one empty line."""
    kept: list[str] = []
    for line in text.split("\n"):
        if line.strip() or (kept and kept[-1]):
            kept.append(line.rstrip())
    return "\n".join(kept).strip("\n")

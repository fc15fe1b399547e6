"""What is new in a reply. The texts are our own, in the forms that mail programs write."""

from __future__ import annotations

import time

import pytest

from tests.channels.email.letters import raw_mail
from tierdesk.channels.email.message import parse
from tierdesk.channels.email.quoting import split

NEW = "It still does not print."


@pytest.mark.parametrize(
    "below",
    [
        "> Did you restart it?\n> -- \n> Desk",
        "On Mon, 8 Jun 2026 at 10:00, Desk <support@desk.example> wrote:\n\n> Did you restart it?",
        "On Mon, 8 Jun 2026 at 10:00, Desk\n<support@desk.example>\nwrote:\n\n> Did you restart it?",
        "Am 08.06.2026 um 10:00 schrieb Desk:\n> Did you restart it?",
        "Am Mo., 8. Juni 2026 um 10:00 Uhr schrieb Desk <support@desk.example>:\n\n> Did you restart it?",
        "Le lun. 8 juin 2026 à 10:00, Desk <support@desk.example> a écrit :\n> Did you restart it?",
        "El lun, 8 jun 2026 a las 10:00, Desk (<support@desk.example>) escribió:\n> Did you restart it?",
        "Op ma 8 jun. 2026 om 10:00 schreef Desk <support@desk.example>:\n> Did you restart it?",
        "Il giorno lun 8 giu 2026 alle ore 10:00 Desk <support@desk.example> ha scritto:\n> Did you?",
        "2026-06-08 10:00 GMT+02:00 Desk <support@desk.example>:\n> Did you restart it?",
        "On Mon, 8 Jun 2026 at 10:00, Desk <support@desk.example> wrote:\nDid you restart it?\nYours, Desk",
        "-----Original Message-----\nFrom: Desk\nSent: Monday\nTo: Anna\nSubject: Printer\n\nDid you?",
        "-----Ursprüngliche Nachricht-----\nVon: Desk\nDid you restart it?",
        "________________________________\nFrom: Desk <support@desk.example>\nSent: Monday, 8 June 2026\n"
        "To: Anna\nSubject: Printer\n\nDid you restart it?",
        "From: Desk <support@desk.example>\nDate: Monday, 8 June\nTo: Anna\nSubject: Printer\n\nDid you?",
        "Von: Desk\nGesendet: Montag, 8. Juni 2026 10:00\nAn: Anna\nBetreff: Drucker\n\nNeu gestartet?",
        "*De :* Desk\n*Envoyé :* lundi\n*À :* Anna\n*Objet :* Imprimante\n\nRedémarré ?",
        "-- \nAnna Arens\nAcme\n\nOn Mon, 8 Jun 2026, Desk wrote:\n> Did you restart it?",
        "Sent from my iPhone\n\nOn 8 Jun 2026, at 10:00, Desk <support@desk.example> wrote:\n\n> Did you?",
        "Von meinem iPhone gesendet",
        "-Anna",
    ],
)
def test_only_the_new_words_remain(below: str) -> None:
    assert split(f"{NEW}\n\n{below}\n").new == NEW


@pytest.mark.parametrize(
    "text",
    [
        "On your remote host you can run:\n\n    telnet 127.0.0.1 52698",
        "One question I had:\n\nwhy?",
        "Two things:\n- the first\n- the second",
        "And here is a fix -- this is no signature.\n\nkthxbai",
        "Sent from my desk, which is much easier than my phone.",
        "The header says From: x\nand nothing else",
        "She wrote:\nbuy milk",
        "a ---- b\n----\nc",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert split(text).new == text


def test_answers_between_the_quotes_are_gathered_and_marked() -> None:
    reply = split("On 8 Jun 2026 Desk wrote:\n> Did you restart it?\nYes.\n> And the cable?\nNo.\n")
    assert reply.new == "Yes.\n\nNo."
    assert reply.answers_inline
    assert not split("> Did you restart it?\nYes.").answers_inline


def test_a_forwarded_mail_is_new_to_us() -> None:
    text = (
        "FYI\n\n---------- Forwarded message ---------\nFrom: x@y.example\nTo: a\nSubject: b\n\n> all of it"
    )
    assert split(text).new.startswith("FYI\n\n---------- Forwarded message")
    assert "Subject: b" in split(text).new


def test_a_first_mail_is_never_shortened() -> None:
    text = "See the log:\n> error 5\n-----Original Message-----\nFrom: a\n"
    mail = parse(raw_mail(text, subject="Fwd: log", crlf=False))
    assert mail.new_text == mail.text


def test_a_reply_of_quotes_alone_keeps_its_words() -> None:
    mail = parse(raw_mail("> all\n> quoted\n", in_reply_to="<x@desk.example>", crlf=False))
    assert mail.new_text == mail.text.strip("\n")


def test_a_reply_in_html_loses_its_quote_as_well() -> None:
    markup = (
        f"<div>{NEW}</div><div class=gmail_quote>On Mon, 8 Jun 2026 Desk &lt;d@desk.example&gt; wrote:<br>"
        "<blockquote>Did you restart it?</blockquote></div>"
    )
    mail = parse(raw_mail(markup, subject="Re: Printer", content_type="text/html"))
    assert mail.new_text == NEW


@pytest.mark.parametrize(
    "piece",
    [
        "On 1 x wrote:\n",
        "On 1 x wrote:\n\n",
        "> a\nb\n",
        "--\n",
        "From: a\n",
        "__________\n",
        ":\n",
        "a ",
        "wrote 1 :",
    ],
)
def test_time_is_linear_whatever_the_text(piece: str) -> None:
    began = time.process_time()
    split(piece * (500_000 // len(piece)))
    assert time.process_time() - began < 3

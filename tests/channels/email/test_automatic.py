"""Mail of programs, and when we must not answer (RFC 3834; M20, M23, M24, M25)."""

from __future__ import annotations

import pytest

from tests.channels.email.letters import SUPPORT, raw_mail
from tierdesk.channels.email.automatic import AutoReply, ListMail, Refusal, hops, reason_not_to_answer
from tierdesk.channels.email.bounces import Bounce
from tierdesk.channels.email.message import parse

OURS = {SUPPORT, "help@desk.example"}


@pytest.mark.parametrize(
    "headers",
    [
        {"auto_submitted": "auto-replied"},
        {"auto_submitted": "auto-generated (failure)"},
        {"auto_submitted": "auto-notified; x=y"},
        {"precedence": "auto_reply"},
        {"x_autoreply": "yes"},
        {"x_autorespond": "1"},
        {"x_apple_action": "VACATION"},
        {"return_path": "<>"},
        {"subject": "Automatic reply: Printer"},
        {"subject": "Out of Office: Printer"},
        {"subject": "Abwesenheitsnotiz: Drucker"},
        {"subject": "Réponse automatique : imprimante"},
        {"subject": "=?utf-8?q?Respuesta_autom=C3=A1tica?="},
        {"subject": "[EXTERNAL] Automatische Antwort: Drucker"},
        {"subject": "[Auto-Reply] Printer"},
        {"subject": "Out of Office AutoReply: Printer"},
        {"subject": "Automaattinen vastaus: Tulostin"},
        {"subject": "Otomatik Yanıt: Yazıcı"},
        {"subject": "自動返信：プリンター"},
        {"subject": "Out of office until Monday", "in_reply_to": "<x@desk.example>"},
        {"from": "Mail Delivery System <MAILER-DAEMON@mx.example>", "subject": "SMTP server: errors"},
    ],
)
def test_mail_of_a_program_is_recognised(headers: dict[str, str]) -> None:
    mail = parse(raw_mail(**headers))
    assert isinstance(mail.automatic, AutoReply)
    assert mail.automatic.reason
    assert reason_not_to_answer(mail, our_addresses=OURS) is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"auto_submitted": "no"},
        {"subject": "Re: Automatic reply: Printer"},
        {"subject": "Our automatic reply does not work"},
        {"subject": "Vacation calendar is broken"},
        {"subject": "Out of office next week: who takes my tickets?"},
        {"subject": "Automatic reply does not work"},
        {"subject": "On vacation from Monday, please look after the printer"},
        {"precedence": "normal"},
        {"x_auto_response_suppress": "DR, RN"},
    ],
)
def test_mail_of_a_person_is_not_taken_for_a_programs(headers: dict[str, str]) -> None:
    mail = parse(raw_mail(**headers))
    assert mail.automatic is None
    assert reason_not_to_answer(mail, our_addresses=OURS) is None


@pytest.mark.parametrize(
    ("headers", "list_id"),
    [
        ({"list_id": "Users <users.lists.example>"}, "users.lists.example"),
        ({"list_unsubscribe": "<mailto:x@y.example>"}, ""),
        ({"precedence": "bulk"}, ""),
        ({"precedence": "List"}, ""),
        ({"precedence": "junk"}, ""),
    ],
)
def test_list_and_bulk_mail_is_recognised(headers: dict[str, str], list_id: str) -> None:
    mail = parse(raw_mail(**headers))
    assert isinstance(mail.automatic, ListMail)
    assert mail.automatic.list_id == list_id
    assert reason_not_to_answer(mail, our_addresses=OURS) is Refusal.AUTOMATIC


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"return_path": "<>"}, Refusal.NO_RETURN_PATH),
        ({"from": "a1@acme.example, b@x.example"}, Refusal.NO_SENDER),
        ({"from": "Desk <Support@desk.example>"}, Refusal.OURSELVES),
        ({"from": "support+t7.abc@desk.example"}, Refusal.OURSELVES),
        ({"return_path": "<help@desk.example>"}, Refusal.OURSELVES),
        ({"from": "mailer-daemon@acme.example"}, Refusal.AUTOMATIC),
        ({"from": "postmaster@acme.example"}, Refusal.UNMANNED),
        ({"from": "no-reply@acme.example"}, Refusal.UNMANNED),
        ({"from": "owner-staff@acme.example"}, Refusal.UNMANNED),
        ({"return_path": "<staff-bounces+x=y@acme.example>"}, Refusal.UNMANNED),
        ({"to": "someone@acme.example"}, Refusal.NOT_ADDRESSED),
        ({"x_auto_response_suppress": "All"}, Refusal.SUPPRESSED),
        ({"x_auto_response_suppress": "DR, OOF"}, Refusal.SUPPRESSED),
        ({"x_tierdesk_loop": "other.example; hops=3"}, Refusal.LOOP),
        ({"list_id": "<x.y>"}, Refusal.AUTOMATIC),
    ],
)
def test_each_reason_not_to_answer(headers: dict[str, str], reason: Refusal) -> None:
    assert reason_not_to_answer(parse(raw_mail(**headers)), our_addresses=OURS) is reason


@pytest.mark.parametrize(
    "headers",
    [
        {"to": "boss@acme.example", "cc": "Desk <help@desk.example>"},
        {"to": "support+t7.abcdefgh@desk.example"},
        {"x_tierdesk_loop": "other.example; hops=2"},
        {"return_path": "<a1@acme.example>"},
    ],
)
def test_a_person_who_names_us_may_be_answered(headers: dict[str, str]) -> None:
    assert reason_not_to_answer(parse(raw_mail(**headers)), our_addresses=OURS) is None


def test_hops_are_counted_and_nonsense_is_none() -> None:
    assert hops(parse(raw_mail(x_tierdesk_loop="desk.example; hops=12"))) == 12
    assert hops(parse(raw_mail(x_tierdesk_loop="hops=many"))) == 0
    assert hops(parse(raw_mail())) == 0


def test_a_bounce_is_a_bounce_even_from_a_list() -> None:
    mail = parse(
        raw_mail("Delivery to the following recipient failed: a@x.example", list_id="<x.y>", return_path="<>",
                 **{"from": "MAILER-DAEMON@x.example", "subject": "Undeliverable: x"})
    )  # fmt: skip
    assert isinstance(mail.automatic, Bounce)

"""Signed references in addresses and Message-IDs (M02–M07, SEC-003, SEC-013)."""

from __future__ import annotations

import pytest

from tierdesk.channels.email.token import (
    AddressToken,
    Purpose,
    mint_address,
    mint_message_id,
    verify_address,
    verify_message_id,
)

SECRET, OTHER = b"a secret of this desk", b"a secret of another one"
ADDRESS = mint_address("support@desk.example", ticket=1234, recipient="a1@acme.example", secret=SECRET)


def verified(address: str) -> AddressToken:
    token = verify_address(address, secret=SECRET)
    assert token is not None
    return token


def test_an_address_token_names_its_ticket_and_knows_its_recipient() -> None:
    token = verified(ADDRESS)
    assert (token.ticket, token.purpose) == (1234, Purpose.REPLY)
    assert token.is_for("A1@acme.example", secret=SECRET)
    assert not token.is_for("evil@x.example", secret=SECRET)


def test_gateways_may_fold_its_case() -> None:
    assert verified(ADDRESS.upper()).ticket == 1234


def test_every_altered_character_is_noticed() -> None:
    local, _, domain = ADDRESS.partition("@")
    start = local.index("+") + 1
    for at in range(start, len(local)):
        changed = "b" if local[at] != "b" else "c"
        forged = f"{local[:at]}{changed}{local[at + 1 :]}@{domain}"
        assert verify_address(forged, secret=SECRET) is None, forged


@pytest.mark.parametrize(
    "address",
    [
        "support@desk.example",
        "support+t1234@desk.example",
        "support+id1001@desk.example",
        ADDRESS.replace("@", "a@"),
        ADDRESS.replace("t1234.", "t1235."),
        ADDRESS.replace("+t", "+b"),
        ADDRESS.partition("@")[0][:-1] + "@desk.example",
        "not an address",
        "",
    ],
)
def test_a_guessed_cut_or_changed_token_is_none(address: str) -> None:
    assert verify_address(address, secret=SECRET) is None


def test_another_desks_secret_is_worth_nothing() -> None:
    assert verify_address(ADDRESS, secret=OTHER) is None


def test_it_survives_another_mailbox_another_separator_and_a_client_before_it() -> None:
    detail = ADDRESS.partition("+")[2].partition("@")[0]
    assert verified(f"help-{detail}@other.example").ticket == 1234
    assert verified(f"support+acme.{detail}@desk.example").ticket == 1234


def test_a_return_path_is_no_reply_address() -> None:
    path = mint_address(
        "support@desk.example",
        ticket=7,
        recipient="a1@acme.example",
        secret=SECRET,
        purpose=Purpose.RETURN_PATH,
    )
    assert verified(path).purpose is Purpose.RETURN_PATH
    assert verify_address(path.replace("+b7", "+t7"), secret=SECRET) is None


def test_the_local_part_stays_within_what_mail_allows() -> None:
    longest = mint_address("servicedesk@desk.example", ticket=10**12, recipient="x@y.example", secret=SECRET)
    assert len(longest.partition("@")[0]) <= 64


def test_a_message_id_names_its_ticket_for_whoever_holds_it() -> None:
    message_id = mint_message_id("desk.example", ticket=1234, serial="n55-r3", secret=SECRET)
    assert verify_message_id(message_id, secret=SECRET) == 1234
    assert verify_message_id(message_id.upper(), secret=SECRET) == 1234
    assert message_id == mint_message_id("desk.example", ticket=1234, serial="n55-r3", secret=SECRET)


@pytest.mark.parametrize(
    "message_id",
    ["<t1234.n55-r3.aaaaaaaaaaaaaaaa@desk.example>", "<notify-55-3-x@desk.example>", "<>", "", "<t1.a.b@c>"],
)
def test_a_forged_message_id_is_none(message_id: str) -> None:
    assert verify_message_id(message_id, secret=SECRET) is None


def test_a_message_id_of_one_ticket_does_not_serve_another() -> None:
    message_id = mint_message_id("desk.example", ticket=12, serial="34", secret=SECRET)
    assert verify_message_id(message_id.replace("t12.34", "t1.234"), secret=SECRET) is None
    assert verify_message_id(message_id.replace("t12.", "t13."), secret=SECRET) is None


def test_a_short_secret_a_bad_mailbox_and_a_bad_serial_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        mint_address("support@desk.example", ticket=1, recipient="a@x.example", secret=b"short")
    with pytest.raises(ValueError, match="no mailbox"):
        mint_address("support", ticket=1, recipient="a@x.example", secret=SECRET)
    with pytest.raises(ValueError, match="no serial"):
        mint_message_id("desk.example", ticket=1, serial="a>b", secret=SECRET)

"""A number as an exchange says it, read where the exchange stands."""

from __future__ import annotations

import pytest

from tierdesk.channels.phone.numbers import is_hidden, readings


@pytest.mark.parametrize(
    ("told", "region", "e164", "why"),
    [
        ("+49301234501", "DE", "+49301234501", "in full"),
        ("493055571600", "DE", "+493055571600", "the generic shape leaves the plus away"),
        ("0049301234501", "DE", "+49301234501", "dialled abroad"),
        ("02214710334", "DE", "+492214710334", "dialled at home"),
        ("2125550123", "US", "+12125550123", "no Moroccan, though +212 is Morocco"),
        ("12125550123", "DE", "+12125550123", "a foreigner without a plus"),
        ("(212) 555-0123", "US", "+12125550123", "as people write it"),
    ],
)
def test_a_number_is_read_in_e164(told: str, region: str, e164: str, why: str) -> None:
    assert next(readings(told, region)) == e164, why


@pytest.mark.parametrize("told", ["", "anonymous", "Anonymous", " unknown ", "<unknown>", "+266696687"])
def test_a_hidden_number_is_no_number(told: str) -> None:
    assert is_hidden(told)
    assert list(readings(told, "DE")) == []


@pytest.mark.parametrize("told", ["42", "1001", "lena", "sip:lena@pbx", "not a number", "1" * 60])
def test_an_extension_or_a_name_is_no_number_of_the_world(told: str) -> None:
    assert not is_hidden(told)
    assert list(readings(told, "DE")) == []

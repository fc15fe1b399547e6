"""The numbers in a subject: ours are ours, theirs are recognised however they write them."""

from __future__ import annotations

import pytest

from tierdesk.response.vendors.numbers import our_cases, possible_numbers, their_reference


@pytest.mark.parametrize(
    ("subject", "theirs"),
    [
        ("[Case 00412345] Re: Gateway drops IKE [VC-7]", "00412345"),
        ("Re: Gateway drops IKE [VC-7] [NRD-552190]", "NRD-552190"),
        ("Your request #552190 was registered", "552190"),
        ("SR 691234567: update", "691234567"),
        ("Re: Gateway drops IKE [VC-7] [NV-2026-4711]", "NV-2026-4711"),
        ("Case 2026/0815.2 was opened.", "2026/0815.2"),
        ("Re: Gateway drops IKE [VC-7]", ""),
        ("Re: [TD-1042] Gateway drops IKE [VC-7]", ""),
        ("Out of office", ""),
    ],
)
def test_the_number_that_a_subject_calls_theirs(subject: str, theirs: str) -> None:
    assert their_reference(subject) == theirs


def test_our_numbers_are_found_and_nothing_that_only_looks_like_them() -> None:
    assert our_cases("Re: [VC-7] and VC-12, not MVC-9 nor VC-") == [7, 12]


@pytest.mark.parametrize(
    ("subject", "known"),
    [
        ("Re: [CASE-00412345] more", "00412345"),
        ("TrackingID#2012300040001234", "2012300040001234"),
        ("SR 3-1234567890 : update", "3-1234567890"),
        ("re: sr 691 still open", "SR 691"),
        ("Ihre Anfrage nrd-552190.", "NRD-552190"),
    ],
)
def test_a_known_number_is_found_however_it_is_written(subject: str, known: str) -> None:
    assert known in possible_numbers(subject)


def test_words_and_our_own_numbers_are_no_numbers_of_theirs() -> None:
    assert possible_numbers("Gateway drops IKE [VC-7] [TD-1042]") == set()

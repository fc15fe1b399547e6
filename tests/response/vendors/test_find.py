"""Which case a vendor's mail speaks of: only a mail from that vendor's own domain can speak on its cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.response.vendors.conftest import Submit
from tierdesk.core.facts import Actor
from tierdesk.response.vendors.models import Case, UnderpinningContract, find_case, find_vendor

EVA = "eva@nordvik.example"
VENDOR = Actor("vendor", "Nordvik")


@pytest.fixture
def case(submit: Submit, doing: Callable[..., Any]) -> Case:
    """A case that Nordvik knows as 00412345."""
    case = submit()
    with doing(VENDOR):
        case.hear("Registered.", reference="00412345", message_id="<first@nordvik.example>")
    return case


def test_by_our_number(case: Case) -> None:
    assert find_case(EVA, f"Re: Gateway drops IKE [{case.number}]") == case


@pytest.mark.parametrize(
    "subject", ["Re: [Case 00412345] more", "CASE-00412345 closed?", "Gateway, 00412345", "#00412345"]
)
def test_by_their_number_however_they_write_it(case: Case, subject: str) -> None:
    assert find_case(EVA, subject) == case


@pytest.mark.parametrize("reference", ["<first@nordvik.example>", "first@nordvik.example"])
def test_by_the_mail_that_it_continues(case: Case, reference: str) -> None:
    assert find_case(EVA, "no number at all", [reference]) == case
    assert find_case(EVA, "no number at all") is None


@pytest.mark.parametrize(
    "address",
    [
        "mallory@evil.example",
        "eva@nordvik.example.evil.example",
        "eva@notnordvik.example",
        "eva",
        "",
        "nordvik.example",
    ],
)
def test_a_stranger_finds_nothing_with_all_the_right_numbers(case: Case, address: str) -> None:
    assert find_vendor(address) is None
    subject = f"[{case.number}] [Case 00412345]"
    assert find_case(address, subject, ["<first@nordvik.example>"]) is None


def test_a_vendor_finds_nothing_on_another_vendor_s_cases(case: Case, sudmark: UnderpinningContract) -> None:
    subject = f"[{case.number}] [Case 00412345]"
    assert find_case("eva@sudmark.example", subject, ["<first@nordvik.example>"]) is None


def test_two_vendors_may_use_the_same_number(
    case: Case, submit: Submit, sudmark: UnderpinningContract, doing: Callable[..., Any]
) -> None:
    theirs = submit(contract=sudmark)
    with doing(Actor("vendor", "Sudmark")):
        theirs.hear("Registered.", reference="00412345")
    assert find_case(EVA, "Case 00412345") == case
    assert find_case("max@sudmark.example", "Case 00412345") == theirs


def test_our_number_goes_before_theirs(case: Case, submit: Submit) -> None:
    other = submit()
    assert find_case(EVA, f"[{other.number}] see also 00412345") == other


def test_a_house_s_own_subdomain_is_of_the_house(cast: Cast, case: Case) -> None:
    assert find_case("bot@mail.nordvik.example", f"[{case.number}]") == case


def test_an_unknown_number_finds_nothing(case: Case) -> None:
    assert find_case(EVA, "Case 99999999") is None
    assert find_case(EVA, "Hello") is None

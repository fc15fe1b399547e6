"""A procedure's specification is refused when it is published, not when a ticket burns."""

from __future__ import annotations

from typing import Any

import pytest

from tierdesk.response.tiers.spec import findings

COMPLETE: dict[str, Any] = {
    "scope": {"services": ["vpn"], "priorities": [1, 2]},
    "required": ["symptom", "steps_tried"],
    "reasons": ["skill", "access"],
    "needs_book": True,
    "may_skip": False,
    "accept_min": 15,
    "max_returns": 0,
    "who_may": ["lead", "manager"],
    "to": ["team:network", "L3"],
    "allowed_when": {"reasons": ["access"], "book_followed": True, "runs": 2, "used": 40},
    "emergency": {
        "priorities": [1],
        "to": ["L3"],
        "who_may": ["lead"],
        "required": ["symptom"],
        "accept_min": 5,
        "tell": ["managers"],
    },
    "ladder": [{"at": 50, "tell": ["assignee"]}, {"at": 100, "tell": ["duty:night", "managers"]}],
}


def test_nothing_is_wrong_with_a_complete_specification_or_an_empty_one() -> None:
    assert findings(COMPLETE) == []
    assert findings({}) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"accept_minutes": 5}, "not a rule"),
        ({"scope": {"hours": "always"}}, "services and priorities"),
        ({"scope": {"priorities": [0]}}, "from 1 to 5"),
        ({"required": ["horoscope"]}, "there is no “horoscope”"),
        ({"required": "symptom"}, "is a list"),
        ({"reasons": ["boredom"]}, "there is no “boredom”"),
        ({"needs_book": "yes"}, "true or false"),
        ({"accept_min": 0}, "at least 1"),
        ({"accept_min": True}, "whole number"),
        ({"max_returns": -1}, "at least 0"),
        ({"who_may": ["the boss"]}, "there is no “the boss”"),
        ({"ladder": {"at": 50}}, "list of rungs"),
        ({"ladder": [{"at": 50, "notify": ["assignee"]}]}, "“at” and “tell”"),
        ({"ladder": [{"at": 50, "tell": "assignee"}]}, "“at” and “tell”"),
        ({"ladder": [{"at": 120, "tell": ["managers"]}]}, "from 1 to 100"),
        (
            {"ladder": [{"at": 90, "tell": ["managers"]}, {"at": 50, "tell": ["assignee"]}]},
            "higher than the one before",
        ),
        ({"ladder": [{"at": 90, "tell": ["the boss"]}]}, "nobody’s role"),
        ({"to": "L3"}, "is a list"),
        ({"to": ["L1"]}, "“L1” is no place to go"),
        ({"to": ["network"]}, "“network” is no place to go"),
        ({"allowed_when": {"moon": "full"}}, "nothing else"),
        ({"allowed_when": {"used": 101}}, "percentage"),
        ({"allowed_when": {"reasons": ["boredom"]}}, "there is no “boredom”"),
        ({"emergency": {"accept_min": 5}}, "for which priorities"),
        ({"emergency": {"priorities": [6]}}, "from 1 to 5"),
        ({"emergency": {"priorities": [1], "tell": ["the boss"]}}, "nobody’s role"),
        ({"emergency": ["now"]}, "nothing else"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(spec: dict[str, Any], said: str) -> None:
    [finding] = findings(spec)
    assert said in finding

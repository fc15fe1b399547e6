"""What a rule means, and what no rule may do."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierdesk.response.runbooks.expression import ExpressionError, Facts, Value, parse_expression

LAGGING: Facts = {"out": "75", "code": 0, "ok": True, "max_lag": 60}
GARBLED: Facts = {"out": "psql: connection refused", "code": 2, "ok": False, "max_lag": 60}


@pytest.mark.parametrize(
    ("rule", "facts", "truth", "reason"),
    [
        ("out >= max_lag", LAGGING, True, "a printed number is a number beside a number"),
        ("out < max_lag", LAGGING, False, "75 is not below 60"),
        ("out < 100", LAGGING, True, "75 is below 100, though the text 75 sorts after 100"),
        ("out < max_lag", GARBLED, None, "a text is no number"),
        ("not out < max_lag", GARBLED, None, "unknown stays unknown when it is turned round"),
        ("out != 0", GARBLED, None, "nobody knows whether a text is another number"),
        ("out < max_lag or not ok", GARBLED, True, "one true side is enough"),
        ("out < max_lag and ok", GARBLED, False, "one false side is enough"),
        ("out < max_lag and not ok", GARBLED, None, "true and unknown is unknown"),
        ("code == 2", GARBLED, True, "numbers are equal by value"),
        ("out == 75.0", LAGGING, True, "75 and 75.0 are one number"),
        ('out == "75.0"', LAGGING, False, "but two texts"),
        ('out == "75"', LAGGING, True, "texts are equal letter by letter"),
        ("out == ''", {"out": ""}, True, "an empty output can be asked for"),
        ("x == 1", {}, None, "an absent fact is unknown"),
        ('alarm.class != "DiskFull"', {}, None, "no alarm is not another alarm"),
        (
            'alarm.class == "DiskFull"',
            {"alarm.class": "DiskFull"},
            True,
            "a fact of an alarm by its full name",
        ),
        ('"refused" in out', GARBLED, True, "a text within a text"),
        ('"refused" not in out', LAGGING, True, "and not within"),
        ('out in ["t", "true"]', {"out": "true"}, True, "one of a list"),
        ("code in [0, 1]", GARBLED, False, "none of a list"),
        ("out in [1, 2]", GARBLED, None, "nobody knows whether a text is one of some numbers"),
        ('out matches "^\\d+$"', LAGGING, True, "a pattern is looked for"),
        ('out matches "x"', {"out": "x" * 20_000}, None, "a text too long to look at is unknown"),
        ('not out matches "x"', {"out": "y" * 20_000}, None, "and is not taken to be without it"),
        ("1 == 1 or 1 == 1 and 1 == 2", {}, True, "and binds closer than or"),
        ("(1 == 1 or 1 == 1) and 1 == 2", {}, False, "unless brackets say otherwise"),
        ("not ok and ok", {"ok": True}, False, "not binds closer than and"),
        ("ok == true", {"ok": True}, True, "a yes can be compared"),
        ("ok == 1", {"ok": True}, None, "but is no number"),
        ("max_lag < -5", {"max_lag": Decimal("-5.5")}, True, "negative and broken numbers"),
        ("out < 1", {"out": "9" * 5_000}, False, "a number of any length"),
    ],
)
def test_a_rule_is_true_false_or_unknown(rule: str, facts: Facts, truth: bool | None, reason: str) -> None:
    expression = parse_expression(rule)
    assert expression.truth(facts) is truth, reason
    assert expression.holds(facts) is (truth is True)


@pytest.mark.parametrize(
    ("rule", "fragment"),
    [
        ("", "the end stands where a name"),
        ("out <", "the end stands where a name"),
        ("out < 5 6", "“6” stands where “and”"),
        ("out = 5", "“= 5” cannot be read"),
        ("1 < out < 5", "“<” stands where “and”"),
        ("out", ""),
        ("5", "no yes or no"),
        ('out == 5 and "x"', "no yes or no"),
        ("out matches pattern", "a pattern in quotes"),
        ('out matches "(a"', "never closed"),
        ("out not 5", "should follow “not”"),
        ("(out == 5", "stands where “)”"),
        ("out in [1, 2", "stands where “]”"),
        ("out in []", "stands where a name"),
        ("__import__('os')", "stands where “and”"),
        ("out.__class__", ""),
        ("[x for x in out]", "stands where “]”"),
        ("out + 1 == 2", "cannot be read"),
        ("out == 5s", "cannot be read"),
        ("out == “5”", "cannot be read"),
        ("x" * 600, "at most 500 characters"),
        ("(" * 60 + "ok" + ")" * 60, "nested at most"),
        ("not " * 60 + "ok", "nested at most"),
        ("ok in " + "[" * 60 + "1" + "]" * 60, "nested at most"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(rule: str, fragment: str) -> None:
    if not fragment:
        assert parse_expression(rule).truth({"out": "yes"}) is None, (
            "a name alone is looked up and nothing else"
        )
        return
    with pytest.raises(ExpressionError, match=re.escape(fragment)):
        parse_expression(rule)


def test_a_rule_knows_the_facts_it_asks_for() -> None:
    expression = parse_expression('not ok or out < max_lag and alarm.labels.mount-point == "/"')
    assert expression.names == {"ok", "out", "max_lag", "alarm.labels.mount-point"}
    assert expression.truths == {"ok"}


WORDS = st.sampled_from(
    [
        "out",
        "code",
        "ok",
        "x.y",
        "5",
        "-1.5",
        "'a'",
        '"b"',
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "in",
        "not",
        "and",
        "or",
        "matches",
        "(",
        ")",
        "[",
        "]",
        ",",
        "true",
        "false",
        "=",
        "`",
        "$",
    ]
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just("5"),
    st.just(("a", 5)),
)


@given(st.one_of(st.lists(WORDS, max_size=14).map(" ".join), st.text(max_size=60)), VALUES, VALUES)
def test_whatever_is_written_is_read_or_refused(rule: str, out: Value, code: Value) -> None:
    try:
        expression = parse_expression(rule)
    except ExpressionError as fault:
        assert str(fault)
    else:
        assert expression.truth({"out": out, "code": code, "ok": True}) in (True, False, None)


@given(st.text(max_size=40).filter(lambda text: not re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", text, re.ASCII)))
def test_a_garbled_output_satisfies_no_comparison_with_a_number(out: str) -> None:
    for sign in ("<", "<=", "==", "!=", ">=", ">"):
        assert not parse_expression(f"out {sign} 5").holds({"out": out})
        assert not parse_expression(f"not out {sign} 5").holds({"out": out})


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_numbers_are_ordered_as_numbers(left: int, right: int) -> None:
    facts: Facts = {"out": str(left), "limit": right}
    assert parse_expression("out < limit").holds(facts) is (left < right)
    assert parse_expression("out >= limit").holds(facts) is (left >= right)
    assert parse_expression("out == limit").holds(facts) is (left == right)

"""A mapping reads anybody's JSON; people make it by pointing, so each step of that is a pure function."""

from __future__ import annotations

from typing import Any

import pytest

from tierdesk.channels.alarms.mapping import (
    MOST_VALUES,
    NoMapping,
    bind,
    checked,
    each,
    guessed,
    mapped,
    values_of,
)
from tierdesk.channels.alarms.reading import MalformedAlarm

CHECK = {
    "check": {"name": "disk", "output": "96 % used"},
    "host": "db1",
    "state": "CRITICAL",
    "level": "error",
    "when": "1780905600",
    "odd/name": {"a~b": True},
}
MAPPING = {
    "summary": ["/check/name", "/check/output"],
    "resource": ["/host"],
    "severity": ["/level"],
    "action": ["/state"],
    "key": ["/host", "/check/name"],
    "time": ["/when"],
}
LIST = {"source": "nightly", "alerts": [{"id": 1, "what": "full"}, {"id": 2, "what": "slow"}]}
FANNED = {"each": "/alerts", "summary": ["/alerts/*/what"], "key": ["/alerts/*/id"], "resource": ["/source"]}


def test_each_field_is_taken_from_where_it_points() -> None:
    [event] = mapped(MAPPING, CHECK)
    assert (event.action.value, event.key, event.resource, event.severity) == ("raise", "db1/disk", "db1", 2)
    assert event.summary == "disk 96 % used"
    assert event.at is not None and event.at.year == 2026
    assert event.labels["check.output"] == "96 % used"


@pytest.mark.parametrize(
    ("state", "action"),
    [("ok", "clear"), (" Resolved ", "clear"), ("UP", "clear"), ("ack", "ack"), ("down", "raise"), ("odd", "raise"),
     ("", "raise"), (None, "raise"), (0, "raise")],
)  # fmt: skip
def test_the_word_of_the_action_decides_and_an_unknown_one_raises(state: Any, action: str) -> None:
    [event] = mapped(MAPPING, CHECK | {"state": state})
    assert event.action.value == action


def test_a_source_may_have_words_of_its_own() -> None:
    [event] = mapped(MAPPING | {"clears": ["0"]}, CHECK | {"state": 0})
    assert event.action.value == "clear"
    [event] = mapped(MAPPING | {"clears": ["0"]}, CHECK | {"state": "ok"})
    assert event.action.value == "raise"


def test_without_a_key_resource_and_words_without_their_numbers_name_the_alarm() -> None:
    keyless = {field: places for field, places in MAPPING.items() if field != "key"}
    [one], [same], [other] = (
        mapped(keyless, CHECK | {"check": {"name": name, "output": output}})
        for name, output in (("disk", "96 % used"), ("disk", "97 % used"), ("swap", "96 % used"))
    )
    assert one.key == same.key != other.key


def test_every_entry_of_a_list_may_be_an_alarm() -> None:
    first, second = mapped(FANNED, LIST)
    assert [(event.key, event.summary, event.resource) for event in (first, second)] == [
        ("1", "full", "nightly"), ("2", "slow", "nightly"),
    ]  # fmt: skip
    assert first.labels == {"id": "1", "what": "full"}


def test_a_body_that_is_a_list_itself_is_one_too() -> None:
    assert [e.summary for e in mapped({"each": "", "summary": ["/*/what"]}, LIST["alerts"])] == [
        "full",
        "slow",
    ]


@pytest.mark.parametrize(
    ("mapping", "body", "word"),
    [
        (MAPPING, {"host": "db1"}, "/check/name"),
        (MAPPING, [], "/check/name"),
        (MAPPING, "text", "/check/name"),
        ({}, CHECK, "nowhere"),
        (FANNED, {"alerts": {}}, "/alerts"),
        (FANNED, {"alerts": []}, "/alerts"),
        (FANNED, {"alerts": [5]}, "what"),
    ],
)
def test_what_the_mapping_does_not_find_is_refused_by_its_place(mapping: Any, body: Any, word: str) -> None:
    with pytest.raises(MalformedAlarm, match=word):
        mapped(mapping, body)


class TestPointing:
    def test_a_sample_lists_what_can_be_pointed_at(self) -> None:
        values = values_of(CHECK, {})
        assert [(value.pointer, value.depth, value.text) for value in values[1:4]] == [
            ("/check", 1, None), ("/check/name", 2, "disk"), ("/check/output", 2, "96 % used"),
        ]  # fmt: skip
        assert values[-1].pointer == "/odd~1name/a~0b"
        assert values[-1].text == "true"

    def test_of_a_list_of_alarms_one_entry_stands_for_all(self) -> None:
        assert [value.pointer for value in values_of(LIST, FANNED)][2:] == [
            "/alerts", "/alerts/*", "/alerts/*/id", "/alerts/*/what",
        ]  # fmt: skip

    def test_a_long_or_deep_sample_is_shown_in_part(self) -> None:
        deep: Any = "bottom"
        for _ in range(500):
            deep = {"d": deep}
        assert max(value.depth for value in values_of(deep, {})) == 20
        assert len(values_of([{"a": n} for n in range(1000)], {})) == MOST_VALUES

    def test_pointing_again_replaces_or_adds(self) -> None:
        mapping = bind(bind({}, "resource", "/host"), "resource", "/state")
        assert mapping == {"resource": ["/state"]}
        mapping = bind(bind(bind({}, "summary", "/a"), "summary", "/b"), "summary", "/a")
        assert mapping == {"summary": ["/b", "/a"]}

    def test_the_names_in_a_sample_suggest_where_to_begin(self) -> None:
        assert guessed(CHECK) == {
            "summary": ["/check/output"],
            "action": ["/state"],
            "severity": ["/level"],
            "resource": ["/host"],
            "time": ["/when"],
        }
        assert guessed(LIST) == {"each": "/alerts", "key": ["/alerts/*/id"], "resource": ["/source"]}
        assert guessed([1, 2]) == guessed("text") == guessed({}) == {}

    def test_choosing_a_list_moves_what_pointed_into_it_and_back(self) -> None:
        mapping = bind(bind({}, "summary", "/alerts/1/what"), "resource", "/source")
        fanned = each(mapping, "/alerts")
        assert fanned == {"each": "/alerts", "summary": ["/alerts/*/what"], "resource": ["/source"]}
        assert bind(fanned, "key", "/alerts/0/id")["key"] == ["/alerts/*/id"]
        assert each(fanned, None) == {"summary": ["/alerts/0/what"], "resource": ["/source"]}

    @pytest.mark.parametrize(
        "mapping",
        [
            [], "x", {"summary": "/a"}, {"summary": []}, {"summary": ["a"]}, {"summary": [5]}, {"nonsense": ["/a"]},
            {"each": 5}, {"each": "x"}, {"clears": "ok"}, {"clears": [1]}, {"summary": ["/a"] * 9},
            {"summary": ["/" + "a" * 600]},
        ],
    )  # fmt: skip
    def test_what_is_no_mapping_is_refused_with_a_sentence(self, mapping: Any) -> None:
        with pytest.raises(NoMapping) as refused:
            checked(mapping)
        assert str(refused.value).endswith(".")

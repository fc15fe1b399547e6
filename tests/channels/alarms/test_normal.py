"""The normal form: severities, the key rule, and what it never lets through."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from tests.conftest import MONDAY_10
from tierdesk.channels.alarms.normal import Action, Link, key_of, said, shorten, template, weigh


@pytest.mark.parametrize(
    ("word", "severity", "known", "why"),
    [
        ("critical", 1, True, "the usual word"),
        (" CRITICAL ", 1, True, "senders shout and pad"),
        ("P1", 1, True, "Opsgenie's priorities"),
        ("disaster", 1, True, "Zabbix"),
        ("error", 2, True, "PagerDuty"),
        ("high", 2, True, "Zabbix"),
        ("warning", 3, True, "Prometheus"),
        ("average", 3, True, "Zabbix"),
        ("notice", 4, True, "syslog"),
        ("debug", 5, True, "syslog"),
        ("none", 5, True, "the Watchdog of Prometheus"),
        (1, 1, True, "our own numbers"),
        (5, 5, True, "our own numbers"),
        (0, 3, False, "not one of our numbers"),
        ("purple", 3, False, "a word nobody knows counts as 3 and is marked"),
        ("", 3, True, "none was given, so none is unknown"),
    ],
)
def test_the_words_of_severity(word: str | int, severity: int, known: bool, why: str) -> None:
    weight, _, was_known = weigh(word)
    assert (weight, was_known) == (severity, known), why


def test_a_source_s_own_table_corrects_a_word_and_makes_an_unknown_one_known() -> None:
    event = said(action=Action.RAISE, resource="db1", summary="odd", severity="purple")
    assert event.body()["severity_unknown"] is True
    corrected = event.weighed({"purple": 1})
    assert (corrected.severity, corrected.severity_known) == (1, True)
    assert "severity_unknown" not in corrected.body()
    assert event.weighed({"green": 5}) is event


def test_without_a_key_resource_name_and_identifying_labels_make_one() -> None:
    first = said(
        action=Action.RAISE,
        resource="db1",
        class_="DiskFull",
        labels={"mount": "/var", "severity": "warning"},
    )
    worse = said(
        action=Action.RAISE,
        resource="db1",
        class_="DiskFull",
        labels={"severity": "critical", "mount": "/var"},
    )
    other = said(action=Action.RAISE, resource="db1", class_="DiskFull", labels={"mount": "/tmp"})
    assert first.key == worse.key, "a warning that becomes critical is one alarm"
    assert first.key != other.key


def test_without_a_class_readings_in_the_summary_do_not_make_new_alarms() -> None:
    keys = {
        said(action=Action.RAISE, resource="db1", summary=f"/var is {used} % full").key
        for used in (91, 92.5, 100)
    }
    assert len(keys) == 1
    assert keys != {said(action=Action.RAISE, resource="db1", summary="swap is 92 % full").key}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/var 96 % on db1", "/var # % on db#"),
        ("took 1.250,3 s at 10:02:11", "took # s at #"),
        ("object 0x7fff12 at deadbeef01", "object # at #"),
        ("facade decade", "facade decade"),
    ],
)
def test_a_template_masks_numbers_and_ids_but_no_words(text: str, masked: str) -> None:
    assert template(text) == masked


def test_a_long_key_is_shortened_and_stays_distinct() -> None:
    one, other = "x" * 300 + "a", "x" * 300 + "b"
    assert len(shorten(one)) == len(shorten(other)) == 255
    assert shorten(one) != shorten(other)
    assert shorten("short") == "short"


def test_nothing_that_postgresql_refuses_gets_through() -> None:
    event = said(
        action=Action.RAISE,
        key="k\x00",
        resource="r\x00" + "r" * 400,
        summary="two\nlines \x00" + "s" * 400,
        text="t\x00" * 20_000,
        labels={f"l{n}\x00": "v\x00" for n in range(300)},
    )
    assert b"\\u0000" not in orjson.dumps(event.body())
    assert (len(event.resource), len(event.summary), len(event.text), len(event.labels)) == (
        255,
        300,
        20_000,
        100,
    )
    assert "\n" not in event.summary


def test_a_link_that_is_not_of_the_web_is_left_out() -> None:
    links = [
        Link("graph", "https://prom/graph"),
        Link("bad", "javascript:alert(1)"),
        Link("", ""),
        Link("f", "file:///etc"),
    ]
    event = said(action=Action.RAISE, resource="db1", summary="s", links=links)
    assert [link.href for link in event.links] == ["https://prom/graph"]


def test_a_source_time_in_the_future_is_a_wrong_clock_and_arrival_is_the_latest_it_can_be() -> None:
    ahead = said(action=Action.RAISE, key="k", at=MONDAY_10 + timedelta(minutes=9))
    behind = said(action=Action.RAISE, key="k", at=MONDAY_10 - timedelta(minutes=9))
    silent = said(action=Action.RAISE, key="k")
    assert ahead.source_time(MONDAY_10) == MONDAY_10
    assert behind.source_time(MONDAY_10) == MONDAY_10 - timedelta(minutes=9)
    assert silent.source_time(MONDAY_10) == MONDAY_10


def test_the_order_of_labels_is_no_identity() -> None:
    assert key_of(resource="r", name="n", labels={"a": "1", "b": "2"}) == key_of(
        resource="r", name="n", labels={"b": "2", "a": "1"}
    )

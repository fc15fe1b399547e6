"""Syslog lines: which are alarms, which of them are the same, and what says that one is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tierdesk.channels.alarms import shapes
from tierdesk.channels.alarms.normal import AlarmEvent
from tierdesk.channels.alarms.request import Request
from tierdesk.channels.alarms.shapes.syslog import MOST_LINES

MODERN = (
    r'<131>1 2026-11-20T08:00:00.123Z db1 postgres 812 DISKFULL [ops@32473 mount="/var" used="9\"6"][x@1 a="b"] '
    "\ufeff/var is almost full"
)


def read(*lines: str) -> list[AlarmEvent]:
    return shapes.read("syslog", Request("\n".join(lines).encode(), remote="10.0.0.9"))


def test_a_modern_line_is_taken_apart() -> None:
    [event] = read(MODERN)
    assert (event.key, event.resource, event.class_, event.severity) == (
        "db1/postgres/DISKFULL",
        "db1",
        "DISKFULL",
        2,
    )
    assert event.summary == "postgres: /var is almost full"
    assert event.at == datetime(2026, 11, 20, 8, 0, 0, 123000, UTC)
    assert event.labels == {"ops@32473.mount": "/var", "ops@32473.used": '9"6', "x@1.a": "b", "pid": "812"}


def test_an_old_line_is_named_by_its_words_without_their_numbers() -> None:
    one, same, other = read(
        "<3>Nov 20 08:00:00 web1 kernel: CPU3: temperature above threshold (events = 12)",
        "<3>Nov 20 08:01:00 web1 kernel: CPU1: temperature above threshold (events = 13)",
        "<3>Nov 20 08:01:00 web1 kernel: out of memory",
    )
    assert one.key == same.key != other.key
    assert (one.resource, one.summary) == (
        "web1",
        "kernel: CPU3: temperature above threshold (events = 12)",
    )


@pytest.mark.parametrize(
    ("priority", "severity"),
    [(0, 1), (1, 1), (2, 1), (3, 2), (4, 3), (5, None), (6, None), (7, None), (191, None), (187, 2)],
)
def test_less_than_a_warning_is_no_alarm(priority: int, severity: int | None) -> None:
    assert [event.severity for event in read(f"<{priority}>Nov 20 08:00:00 web1 app: words")] == (
        [severity] if severity else []
    )


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (
            "<187>45: *Nov 20 08:00:00: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
            "<189>46: *Nov 20 08:00:09: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up",
        ),
        (
            "<189>9: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/2, changed state to down",
            "<189>10: %LINEPROTO-5-UPDOWN: Line protocol on Interface Gi0/2, changed state to up",
        ),
        ("<189>1: %BGP-5-ADJCHANGE: neighbor 10.1.1.1 Down", "<189>2: %BGP-5-ADJCHANGE: neighbor 10.1.1.1 Up"),
        ("<6>Nov 20 08:00:00 web1 kernel: eth0: NIC Link is Down", "<6>Nov 20 08:00:01 web1 kernel: eth0: Link is Up"),
    ],
)  # fmt: skip
def test_a_pair_that_everybody_knows_is_raised_and_cleared_whatever_its_severity(down: str, up: str) -> None:
    raised, cleared = read(down, up)
    assert (raised.action.value, cleared.action.value) == ("raise", "clear")
    assert raised.key == cleared.key


def test_a_message_may_have_lines_of_its_own() -> None:
    one, other = read("<131>1 - db1 app - ONE - Traceback:", "  line 1", "", "<131>1 - db1 app - TWO - x")
    assert (one.text, other.text) == ("Traceback:\n  line 1", "x")


SLOW = {
    "one long word": "x" * 60_000,
    "a beginning again and again": "SNMP_TRAP_LINK_UP" * 4_000,
    "a name without end": "%A-1" + "-1" * 30_000,
    "all numbers": "a1" * 30_000,
    "neighbours": "neighbor " * 7_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_a_line_that_is_made_to_be_slow_is_words(name: str) -> None:
    [event] = read(f"<131>1 - db1 app - - - {SLOW[name]}")
    assert event.resource == "db1"


def test_two_interfaces_are_two_alarms() -> None:
    lines = (f"<187>1: %LINK-3-UPDOWN: Interface Gi0/{n}, changed state to down" for n in (1, 2))
    assert len({event.key for event in read(*lines)}) == 2


def test_what_names_no_host_is_its_sender_s() -> None:
    [event] = read("<131>1 - - - - - - no words of where")
    assert event.resource == "10.0.0.9"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "is empty"),
        ("hello", "begins with its priority"),
        ("<192>1 - - - - - - x", "begins with its priority"),
        pytest.param(
            "\n".join(["<14>x"] * (MOST_LINES + 1)), f"send {MOST_LINES} at most", id="too many at once"
        ),
    ],
)
def test_what_is_no_syslog_is_refused_with_a_sentence(body: str, says: str) -> None:
    with pytest.raises(shapes.MalformedAlarm, match=says):
        read(body)


@pytest.mark.parametrize(
    "rest", ["[", "[]", "[a", '[a b="', '[a b="c"', "[a b=c] x", "- x", "", '[a b="\\"] x']
)
def test_broken_structured_data_is_words(rest: str) -> None:
    [event] = read(f"<131>1 - h a - m {rest or '-'}")
    assert event.key == "h/a/m"

"""SNMP version 3 (RFC 3414): the published keys, and what is played again."""

from __future__ import annotations

import pytest

from tierdesk.channels.alarms.reading import Forged
from tierdesk.channels.alarms.usm import LAST_BOOT, WINDOW_S, Timeliness, UsmUser, _auth_key

ENGINE = bytes.fromhex("000000000000000000000002")


def test_the_key_is_that_of_the_standard() -> None:
    """RFC 3414 A.3.2: “maplesyrup” with SHA, for this engine."""
    assert _auth_key("SHA", "maplesyrup", ENGINE).hex() == "6695febc9288e36282235fc7151f128497b38f3f"


def test_no_secret_is_shown_where_a_user_is_printed() -> None:
    user = UsmUser("router", "SHA-256", "signs-what", "AES", "hides-what")
    assert "signs" not in repr(user) and "hides" not in repr(user)


@pytest.mark.parametrize(
    ("boots", "seconds", "admitted"),
    [
        (3, 1000, True),  # the same instant: two traps
        (3, 1001, True),  # later
        (3, 1000 - WINDOW_S, True),  # overtaken on the way
        (3, 999 - WINDOW_S, False),  # played again
        (4, 0, True),  # it started anew
        (2, 5000, False),  # from before its last start
        (LAST_BOOT, 0, False),  # it may not go on like this (RFC 3414 §2.3)
    ],
)
def test_what_is_older_than_the_window_is_played_again(boots: int, seconds: int, admitted: bool) -> None:
    heard = Timeliness()
    heard.admit(ENGINE, 3, 1000)
    if admitted:
        heard.admit(ENGINE, boots, seconds)
        return
    with pytest.raises(Forged, match="plays it again"):
        heard.admit(ENGINE, boots, seconds)
    heard.admit(ENGINE, 3, 1000)


def test_one_sender_says_nothing_about_another() -> None:
    heard = Timeliness()
    heard.admit(ENGINE, 9, 9000)
    heard.admit(ENGINE + b"x", 1, 1)

"""Secrets at rest: unreadable without the desk's key, and readable for their own purpose alone."""

from __future__ import annotations

from typing import Any

import pytest

from tierdesk.core.seal import Unsealable, seal, unseal


def test_what_is_sealed_is_read_again_and_cannot_be_seen() -> None:
    sealed = seal("Straße 9", purpose="mailbox")
    assert unseal(sealed, purpose="mailbox") == "Straße 9"
    assert "Straße".encode() not in sealed
    assert seal("Straße 9", purpose="mailbox") != sealed


@pytest.mark.parametrize(
    "spoilt",
    [lambda s: s[:-1] + bytes([s[-1] ^ 1]), lambda s: s[:10], lambda s: b"", lambda s: b"\2" + s[1:]],
)
def test_what_is_damaged_is_not_read(spoilt: Any) -> None:
    with pytest.raises(Unsealable):
        unseal(spoilt(seal("secret", purpose="mailbox")), purpose="mailbox")


def test_another_purpose_reads_nothing() -> None:
    with pytest.raises(Unsealable):
        unseal(seal("secret", purpose="imap a.example"), purpose="imap b.example")


def test_sec108_a_new_key_reads_what_the_old_one_sealed_as_long_as_that_is_named(settings: Any) -> None:
    sealed = seal("secret", purpose="mailbox")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key " + "y" * 40
    with pytest.raises(Unsealable):
        unseal(sealed, purpose="mailbox")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unseal(sealed, purpose="mailbox") == "secret"

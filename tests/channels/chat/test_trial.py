"""A bridge is tried out by asking its platform who we are; nothing is written there, no secret goes elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.channels.chat.test_platforms import Workplace, in_slack, place
from tierdesk.channels.chat.models import Bridge
from tierdesk.channels.chat.trial import try_bridge

__all__ = ["in_slack", "place"]

AS_WHOM = {
    "slack": "desk of Acme",
    "mattermost": "desk",
    "teams": "the app 00000000-aaaa-bbbb-cccc-000000000000",
}


def test_each_platform_says_as_whom_it_lets_us_in(place: Workplace) -> None:
    tried = try_bridge(place.bridge)
    assert tried.well, tried.seen
    assert tried.seen.endswith(f"lets us in as {AS_WHOM[place.bridge.kind]}.")
    assert place.fake.posts == []


def token_is_wrong(bridge: Bridge) -> None:
    bridge.token = "not-this-one"


def token_is_missing(bridge: Bridge) -> None:
    bridge.token = ""


def secret_is_missing(bridge: Bridge) -> None:
    bridge.secret = ""


def bot_is_somebody_else(bridge: Bridge) -> None:
    bridge.bot = "U1"


def address_is_another(bridge: Bridge) -> None:
    bridge.url = "http://127.0.0.2:9"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (token_is_wrong, "Slack does not let us in: Slack: invalid_auth"),
        (token_is_missing, "the token is not set"),
        (secret_is_missing, "the secret is not set"),
        (bot_is_somebody_else, "knows us as desk of Acme, UDESK; the bridge says “U1”"),
        (address_is_another, "given for another server"),
    ],
    ids=["wrong token", "no token", "no secret", "wrong bot", "another address"],
)
def test_what_is_wrong_is_said_in_words(
    in_slack: Workplace, spoil: Callable[[Bridge], None], why: str
) -> None:
    spoil(in_slack.bridge)
    tried = try_bridge(in_slack.bridge)
    assert not tried.well
    assert why in tried.seen


def test_a_server_inside_the_network_is_not_asked(in_slack: Workplace, settings: Any) -> None:
    settings.PRIVATE_HOSTS = []
    tried = try_bridge(in_slack.bridge)
    assert not tried.well
    assert "https://" in tried.seen


def test_what_lies_in_the_database_is_not_the_secret(in_slack: Workplace) -> None:
    kept = Bridge.objects.get()
    assert in_slack.fake.token.encode() not in bytes(kept.token_sealed)
    assert kept.token == in_slack.fake.token


def test_what_stood_in_the_environment_is_taken_in_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migration reads the variables that a bridge named; one that is not set stays empty."""
    monkeypatch.setenv("TIERDESK_OLD_SECRET", "signs")
    bridge = Bridge.objects.create(client=cast.acme, key="old", kind="slack", name="Old")
    named = _Named(bridge, secret_name="TIERDESK_OLD_SECRET", token_name="TIERDESK_NEVER_SET")
    module = importlib.import_module(
        "tierdesk.channels.chat.migrations.0007_bridges_take_their_secrets_out_of_the_environment"
    )
    module.take_in(_Apps([named]), None)
    assert (Bridge.objects.get().secret, Bridge.objects.get().token) == ("signs", "")


class _Named:
    """A bridge as the migration finds it: with the names of variables."""

    def __init__(self, bridge: Bridge, **names: str) -> None:
        self.__dict__.update(bridge=bridge, **names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bridge, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.bridge, name, value)


class _Apps:
    def __init__(self, bridges: list[_Named]) -> None:
        self.objects = self
        self._bridges = bridges

    def get_model(self, *_: str) -> _Apps:
        return self

    def all(self) -> list[_Named]:
        return self._bridges

"""Slack, Teams and Mattermost: only what they really said comes in, once; a thread is a ticket, both ways."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tests.channels.chat.keys import rsa_key
from tests.channels.chat.test_conversations import send_due
from tierdesk.channels.chat import bridged
from tierdesk.channels.chat.models import Bridge, Conversation
from tierdesk.channels.chat.platforms import slack, teams
from tierdesk.channels.chat.platforms.fakes import Fake, FakeMattermost, FakeSlack, FakeTeams
from tierdesk.channels.intake import understand_due
from tierdesk.channels.models import Inbound
from tierdesk.core import clock
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.notifications.models import Notice
from tierdesk.tickets.models import Entry, Message, Ticket

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

type Doing = Callable[..., Any]


@dataclass
class Workplace:
    """One platform with the desk bridged to it: what people do there, and what the desk's door answers."""

    fake: Any
    bridge: Bridge
    browser: Browser = field(default_factory=Browser)

    def knock(self, body: bytes, headers: dict[str, str], at: datetime) -> HttpResponse:
        with clock.frozen(at):
            answer = self.browser.post(
                f"/portal/bridge/{self.bridge.key}/", body, "application/json", headers=headers
            )
        set_scope(EVERY_CLIENT)
        return answer

    def says(self, at: datetime, text: str, *, post: str, root: str = "", user: str = "U1") -> HttpResponse:
        """Somebody writes; the desk's worker then understands it."""
        answer = self.knock(*self.written(at, text, post=post, root=root, user=user), at)
        self.understood(at)
        return answer

    def understood(self, at: datetime) -> None:
        with clock.frozen(at):
            understand_due(at)

    def written(
        self, at: datetime, text: str, *, post: str, root: str, user: str
    ) -> tuple[bytes, dict[str, str]]:
        stamp = at.timestamp()
        if isinstance(self.fake, FakeSlack):
            event = {"type": "message", "channel": "C1", "user": user, "text": text, "ts": post}
            if root:
                event["thread_ts"] = root
            return self.fake.signed(
                {"type": "event_callback", "event_id": f"Ev{post}", "event": event}, stamp
            )
        if isinstance(self.fake, FakeMattermost):
            self.fake.roots[post] = root
            words = {"token": self.fake.secret, "timestamp": int(stamp * 1000), "channel_id": "C1"}
            return json.dumps(words | {"user_id": user, "post_id": post, "text": text}).encode(), {}
        return self.fake.signed(self.activity(at, text, post=post, root=root or post, user=user), stamp)

    def activity(
        self, at: datetime, text: str, *, post: str, root: str, user: str, kind: str = "message"
    ) -> dict[str, Any]:
        return {
            "type": kind,
            "id": post,
            "timestamp": at.isoformat(),
            "serviceUrl": self.fake.url,
            "from": {"id": user},
            "conversation": {"id": f"C1;messageid={root}"},
            "text": f"<at>desk</at> {text}",
        }


def bridged_to(fake: Fake, kind: str, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    cast.acme_contract.channels = ["chat"]
    cast.acme_contract.save()
    fake.people = {"U1": ("Ann Albers", "ann@acme.example"), "U2": ("Guest", "guest@else.example")}
    monkeypatch.setattr(settings, "PRIVATE_HOSTS", [fake.url.removeprefix("http://")])
    for cached in (bridged._known_person, teams._token, teams._keys):
        cached.cache_clear()
    bridge = Bridge(
        client=cast.acme,
        key=f"acme-{kind}",
        kind=kind,
        name=kind,
        url=fake.url,
        bot=fake.app if isinstance(fake, FakeTeams) else "UDESK",
    )
    bridge.secret, bridge.token = getattr(fake, "secret", ""), fake.token
    bridge.save()
    return Workplace(fake, bridge)


@pytest.fixture(params=["slack", "mattermost", "teams"])
def place(request: pytest.FixtureRequest, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    fakes: dict[str, Fake] = {
        "slack": FakeSlack(),
        "mattermost": FakeMattermost(),
        "teams": FakeTeams(key=rsa_key()),
    }
    with fakes[request.param].running() as fake:
        yield bridged_to(fake, request.param, cast, monkeypatch)


@pytest.fixture
def in_slack(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with FakeSlack().running() as fake:
        yield bridged_to(fake, "slack", cast, monkeypatch)


@pytest.fixture
def in_teams(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with FakeTeams(key=rsa_key()).running() as fake:
        yield bridged_to(fake, "teams", cast, monkeypatch)


def test_a_thread_is_a_ticket_and_its_answers_go_back_into_it(
    cast: Cast, at: datetime, doing: Doing, place: Workplace
) -> None:
    assert place.says(at, "My VPN is dead", post="100").status_code == 200
    place.says(at + SECOND, "It says 809", post="101", root="100", user="U2")
    ticket = Ticket.objects.get()
    assert (ticket.contact, ticket.channel, ticket.subject) == (cast.ann, "chat", "My VPN is dead")
    assert list(ticket.messages.values_list("text", "by_name")) == [
        ("My VPN is dead", "Ann Albers"),
        ("It says 809", "Guest"),
    ]
    with doing(cast.lena, at + MINUTE):
        Ticket.objects.get().reply("Let me look.")
    for later in range(3):
        send_due(at + MINUTE + later * SECOND)
    assert [_text(post) for post in place.fake.posts] == [
        f"Registered as {ticket.reference}. What is written in this thread is kept there.",
        "Let me look.",
    ]
    assert all("100" in json.dumps(post) for post in place.fake.posts)
    assert set(Notice.objects.filter(channel="chat").values_list("state", flat=True)) == {"sent"}


def _text(post: dict[str, Any]) -> str:
    return str(post.get("text") or post.get("message"))


def test_another_thread_is_another_ticket(at: datetime, place: Workplace) -> None:
    place.says(at, "My VPN is dead", post="100")
    place.says(at + SECOND, "My phone, too", post="200")
    assert Ticket.objects.count() == Conversation.objects.count() == 2


def test_what_is_delivered_again_counts_once(at: datetime, place: Workplace) -> None:
    again = place.written(at, "My VPN is dead", post="100", root="", user="U1")
    assert [place.knock(*again, at + n * SECOND).status_code for n in range(3)] == [200] * 3
    place.understood(at + MINUTE)
    assert Message.objects.count() == Inbound.objects.count() == 1


def test_what_is_played_again_later_is_turned_away(at: datetime, place: Workplace) -> None:
    old = place.written(at, "My VPN is dead", post="100", root="", user="U1")
    assert place.knock(*old, at + timedelta(hours=2)).status_code == 401
    assert not Inbound.objects.exists()


def test_what_the_desk_itself_said_is_not_heard(at: datetime, place: Workplace) -> None:
    place.says(
        at,
        "Let me look.",
        post="100",
        user=f"28:{place.bridge.bot}" if isinstance(place.fake, FakeTeams) else "UDESK",
    )
    assert not Ticket.objects.exists()
    assert Inbound.objects.get().state == "done"


def test_a_room_that_is_not_listed_is_not_heard(at: datetime, place: Workplace) -> None:
    Bridge.objects.update(rooms=["C9"])
    place.says(at, "Lunch?", post="100")
    assert not Ticket.objects.exists()


def test_a_platform_that_is_slow_is_given_its_time(
    cast: Cast, at: datetime, doing: Doing, place: Workplace
) -> None:
    place.says(at, "My VPN is dead", post="100")
    place.fake.slow = 1
    send_due(at + SECOND)
    notice = Notice.objects.get(channel="chat")
    assert (notice.state, notice.tries) == ("pending", 0)
    assert notice.wake_at == at + SECOND + timedelta(seconds=7)
    send_due(at + 10 * SECOND)
    assert Notice.objects.get(channel="chat").state == "sent"


def test_a_platform_that_is_away_holds_up_no_mail(
    cast: Cast, at: datetime, doing: Doing, place: Workplace
) -> None:
    place.says(at, "My VPN is dead", post="100")
    Bridge.objects.update(url="http://127.0.0.1:9")
    teams._token.cache_clear()
    send_due(at + SECOND)
    notice = Notice.objects.get(channel="chat")
    assert (notice.state, notice.tries) == ("pending", 1)
    assert "Unreachable" in notice.error


def test_a_bridge_of_another_key_does_not_exist(place: Workplace, at: datetime) -> None:
    Bridge.objects.update(is_active=False)
    assert place.says(at, "Hello?", post="1").status_code == 404


def test_slack_is_greeted_back(in_slack: Workplace, at: datetime) -> None:
    body, headers = in_slack.fake.signed({"type": "url_verification", "challenge": "abc"}, at.timestamp())
    assert in_slack.knock(body, headers, at).json() == {"challenge": "abc"}


@pytest.mark.parametrize("flaw", ["body", "stamp", "signature", "no signature", "future", "unicode digits"])
def test_slack_with_any_flaw_is_turned_away(in_slack: Workplace, at: datetime, flaw: str) -> None:
    words = {"type": "event_callback", "event_id": "Ev1", "event": {}}
    body, headers = in_slack.fake.signed(
        words, (at + timedelta(hours=1) if flaw == "future" else at).timestamp()
    )
    if flaw == "body":
        body += b" "
    elif flaw == "stamp":
        headers["X-Slack-Request-Timestamp"] = str(int(at.timestamp()) + 1)
    elif flaw == "signature":
        headers["X-Slack-Signature"] = headers["X-Slack-Signature"][:-1] + "x"
    elif flaw == "no signature":
        del headers["X-Slack-Signature"]
    elif flaw == "unicode digits":
        headers["X-Slack-Request-Timestamp"] = "²"
    assert in_slack.knock(body, headers, at).status_code == 401
    assert not Inbound.objects.exists()


def test_an_edit_and_a_deletion_are_facts_and_history_stays(in_slack: Workplace, at: datetime) -> None:
    in_slack.says(at, "My VPN is dead", post="100")
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "message": {"ts": "100", "user": "U1", "text": "My VPN is slow"},
        "previous_message": {"ts": "100", "text": "My VPN is dead"},
    }
    deleted = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": "100"}
    for number, event in enumerate((changed, deleted)):
        words = {"type": "event_callback", "event_id": f"Ex{number}", "event": event}
        in_slack.knock(*in_slack.fake.signed(words, at.timestamp()), at)
        in_slack.understood(at + (number + 1) * SECOND)
    assert Message.objects.get().text == "My VPN is dead"
    assert [e.details["text"] for e in Entry.objects.filter(kind="amended").order_by("id")] == [
        "My VPN is slow",
        None,
    ]


def test_slacks_escapes_and_links_are_read_as_people_see_them() -> None:
    assert slack._plain("a &lt;b&gt; &amp;amp; <https://x.example|the page> <https://y.example>") == (
        "a <b> &amp; the page (https://x.example) https://y.example"
    )
    assert slack._escaped("<!channel> & co") == "&lt;!channel&gt; &amp; co"


def test_teams_edits_are_facts_too(in_teams: Workplace, at: datetime) -> None:
    in_teams.says(at, "My VPN is dead", post="100")
    for number, kind in enumerate(("messageUpdate", "messageDelete"), 1):
        then = at + number * SECOND
        activity = in_teams.activity(then, "My VPN is slow", post="100", root="100", user="U1", kind=kind)
        in_teams.knock(*in_teams.fake.signed(activity, then.timestamp()), then)
        in_teams.understood(then)
    assert [e.details["text"] for e in Entry.objects.filter(kind="amended").order_by("id")] == [
        "My VPN is slow",
        None,
    ]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-bot"},
        {"exp": 1.0},
        {"nbf": 4e9},
        {"serviceurl": "https://evil.example"},
    ],
    ids=str,
)
def test_a_token_of_teams_with_another_claim_is_turned_away(
    in_teams: Workplace, at: datetime, claims: dict[str, Any]
) -> None:
    activity = in_teams.activity(at, "Hi", post="1", root="1", user="U1")
    assert in_teams.knock(*in_teams.fake.signed(activity, at.timestamp(), **claims), at).status_code == 401


@pytest.mark.parametrize(
    "flaw", ["signature", "claims", "alg none", "HS256", "another key", "no token", "rubbish"]
)
def test_a_token_of_teams_with_any_flaw_is_turned_away(in_teams: Workplace, at: datetime, flaw: str) -> None:
    activity = in_teams.activity(at, "Hi", post="1", root="1", user="U1")
    body, headers = in_teams.fake.signed(activity, at.timestamp())
    head, claims, signature = headers["Authorization"].removeprefix("Bearer ").split(".")
    if flaw == "signature":
        signature = ("A" if signature[9] != "A" else "B").join((signature[:9], signature[10:]))
    elif flaw == "claims":
        claims = claims[:-4] + "AAAA"
    elif flaw in ("alg none", "HS256"):
        header = {"alg": flaw.removeprefix("alg "), "kid": "k1"}
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    elif flaw == "another key":
        body, headers = FakeTeams(key=rsa_key(seed=8), url=in_teams.fake.url).signed(activity, at.timestamp())
        head, claims, signature = headers["Authorization"].removeprefix("Bearer ").split(".")
    shown = {"no token": "", "rubbish": "Bearer a.b"}.get(flaw, f"Bearer {head}.{claims}.{signature}")
    assert in_teams.knock(body, {"Authorization": shown}, at).status_code == 401
    assert not Inbound.objects.exists()


def test_the_secrets_stand_in_the_environment_and_nowhere_else(in_slack: Workplace) -> None:
    row = Bridge.objects.values().get()
    assert in_slack.fake.secret not in json.dumps(row, default=str)
    assert in_slack.bridge.secret == in_slack.fake.secret

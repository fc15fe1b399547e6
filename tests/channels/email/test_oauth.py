"""A mailbox without a password: a provider lets us in, its permission is renewed, and its end is told before it comes.

Dovecot asks the provider about each token, as the clouds' own mail servers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.channels.email.letters import raw_mail
from tests.channels.email.mailboxes import Box, set_up
from tests.servers.dovecot import DOVECOT, Dovecot
from tests.servers.post import relay_running
from tests.servers.postfix import Postfix, why_not
from tests.servers.provider import CLIENT_ID, CLIENT_SECRET, SCOPE, Provider, provider_running
from tierdesk.channels.email.collectors import said
from tierdesk.channels.email.compose import Envelope
from tierdesk.channels.email.imap import Refused
from tierdesk.channels.email.models import Grant, Mailbox, Security
from tierdesk.channels.email.oauth import Errand, GrantLost, access_token, redeem, terms_of
from tierdesk.channels.email.sender import sender
from tierdesk.channels.email.submission import NoWayOut
from tierdesk.channels.email.watch import ending
from tierdesk.core import clock
from tierdesk.core.fetch import NoAnswer
from tierdesk.core.reach import OffLimits
from tierdesk.core.seal import Unsealable

BACK = "https://desk.example/settings/mailboxes/1/permission/"
MINUTE = timedelta(minutes=1)

ASKS_THE_PROVIDER = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2.conf
}}
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Provider]:
    with provider_running() as provider:
        yield provider


@pytest.fixture(scope="module")
def dovecot(cloud: Provider) -> Iterator[Dovecot]:
    if DOVECOT is None:
        pytest.skip("no Dovecot on this machine: `bin/setup --tests` installs one")
    server = Dovecot(mechanisms="plain xoauth2", more=ASKS_THE_PROVIDER)
    (server.home / "oauth2.conf").write_text(f"""
introspection_url = {cloud.url}/known?token=
introspection_mode = get
username_attribute = username
active_attribute = active
active_value = true
""")
    with server:
        yield server


@pytest.fixture(autouse=True)
def _the_cloud_is_well(cloud: Provider) -> None:
    cloud.lives_s, cloud.renewal_lives_s, cloud.refuses, cloud.silent = 3600, 0, "", False
    cloud.asked.clear()


@pytest.fixture
def grant(fresh: Box, cloud: Provider, private: list[str]) -> Grant:
    """The fresh mailbox, set up to be opened with the cloud's permission, which nobody has given yet."""
    private.append(f"127.0.0.1:{cloud.port}")
    cloud.account = fresh.name
    fresh.mailbox.password = ""
    fresh.mailbox.save()
    grant = Grant(
        mailbox=fresh.mailbox,
        provider="other",
        authorize_url=f"{cloud.url}/authorize",
        token_url=f"{cloud.url}/token",
        scope=SCOPE,
        application_id=CLIENT_ID,
    )
    grant.application_secret = CLIENT_SECRET
    grant.save()
    return grant


@pytest.fixture
def allowed(grant: Grant, cloud: Provider) -> Grant:
    return allow(grant, cloud)


def allow(grant: Grant, cloud: Provider, at: datetime | None = None) -> Grant:
    """An administrator goes to the provider, says yes, and comes back."""
    errand = Errand.fresh()
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(errand.address(grant, back_to=BACK)).query).items()
    }
    back = {name: values[0] for name, values in parse_qs(urlsplit(cloud.allow(asked)).query).items()}
    assert back["state"] == errand.state
    redeem(grant, code=back["code"], verifier=errand.verifier, back_to=BACK, at=at or clock.now())
    return grant


def test_mail_is_fetched_with_the_providers_permission_alone(fresh: Box, allowed: Grant) -> None:
    fresh.look()
    [mail] = fresh.arrive("One.")
    assert fresh.look() == 1
    assert fresh.stored() == [mail]


def test_mail_leaves_with_the_same_permission(fresh: Box, allowed: Grant, private: list[str]) -> None:
    """A Postfix asks Dovecot, which asks the provider; and it says in words when the token is not good."""
    if reason := why_not():
        pytest.skip(reason)
    with (
        relay_running() as world,
        Postfix(outward=f"[127.0.0.1]:{world.port}", sasl=fresh.dovecot.sasl) as postfix,
    ):
        private.append(f"127.0.0.1:{postfix.port}")
        fresh.mailbox.smtp_host, fresh.mailbox.smtp_port = "127.0.0.1", postfix.port
        fresh.mailbox.smtp_security = Security.PLAIN
        mail = raw_mail("hi", **{"from": fresh.name, "to": "ann@acme.example", "subject": "By token"})
        envelope = Envelope(fresh.name, "ann@acme.example", "<1@desk.example>", mail)
        sender(fresh.mailbox).send(envelope)
        world.mail_soon("ann@acme.example", about="By token")
        assert f"sasl_method=XOAUTH2, sasl_username={fresh.name}" in postfix.log
        allowed.access_token = "made up"
        allowed.save()
        with pytest.raises(NoWayOut, match=f"does not let {fresh.name} in"):
            sender(fresh.mailbox).send(envelope)


def test_without_permission_nobody_is_let_in(fresh: Box, grant: Grant) -> None:
    with pytest.raises(GrantLost, match="Nobody has allowed it yet"):
        fresh.look()


def test_a_token_that_the_mail_server_does_not_know_is_refused_in_words(fresh: Box, allowed: Grant) -> None:
    allowed.access_token = "made up"
    allowed.save()
    with pytest.raises(Refused, match="does not let"):
        fresh.look()


def test_it_is_renewed_at_half_of_its_life_and_each_renewal_is_used_once(
    fresh: Box, grant: Grant, cloud: Provider
) -> None:
    now = clock.now()
    allow(grant, cloud, now)
    first = access_token(fresh.mailbox, now + 29 * MINUTE)
    second = access_token(fresh.mailbox, now + 31 * MINUTE)
    third = access_token(fresh.mailbox, now + 62 * MINUTE)
    assert len({first, second, third}) == 3
    assert [form["grant_type"] for form in cloud.asked] == [
        "authorization_code",
        "refresh_token",
        "refresh_token",
    ]


def test_m33_when_it_is_taken_back_we_know_before_it_ends(fresh: Box, grant: Grant, cloud: Provider) -> None:
    now = clock.now()
    allow(grant, cloud, now)
    token = access_token(fresh.mailbox, now)
    cloud.refuses = "The user changed the password."
    assert access_token(fresh.mailbox, now + 31 * MINUTE) == token
    grant.refresh_from_db()
    assert "changed the password" in ending(grant, now + 31 * MINUTE)
    with pytest.raises(GrantLost, match="changed the password"):
        access_token(fresh.mailbox, now + 60 * MINUTE)
    cloud.refuses = ""
    allow(grant, cloud, now + 90 * MINUTE)
    assert access_token(fresh.mailbox, now + 91 * MINUTE)
    assert ending(grant, now + 91 * MINUTE) == ""


def test_m33_nothing_is_lost_meanwhile(fresh: Box, allowed: Grant, cloud: Provider) -> None:
    fresh.look()
    mails = fresh.arrive("One.", "Two.")
    Grant.objects.update(access_expires_at=clock.now())
    cloud.refuses = "no more"
    with pytest.raises(GrantLost):
        fresh.look()
    cloud.refuses = ""
    allow(allowed, cloud)
    assert fresh.look() == 2
    assert fresh.stored() == mails


def test_a_provider_that_is_out_of_order_is_asked_again_and_not_all_the_time(
    fresh: Box, grant: Grant, cloud: Provider
) -> None:
    now = clock.now()
    allow(grant, cloud, now)
    cloud.silent = True
    token = access_token(fresh.mailbox, now)
    for minute in range(31, 58):
        assert access_token(fresh.mailbox, now + minute * MINUTE) == token
    assert len(cloud.asked) == 1 + 6
    with pytest.raises(NoAnswer):
        access_token(fresh.mailbox, now + 60 * MINUTE)
    cloud.silent = False
    assert access_token(fresh.mailbox, now + 61 * MINUTE) != token


@pytest.mark.parametrize(
    ("told", "after", "words"),
    [
        ({"refresh_expires_at": True}, timedelta(days=22), ""),
        ({"refresh_expires_at": True}, timedelta(days=24), "The permission ends on"),
        ({"secret_ends_date": date(2026, 6, 30)}, timedelta(0), ""),
        (
            {"secret_ends_date": date(2026, 6, 30)},
            timedelta(days=2),
            "The application’s secret ends on 30 June",
        ),
        ({}, timedelta(days=300), ""),
    ],
)
def test_what_ends_is_told_in_time(at: datetime, told: dict[str, Any], after: timedelta, words: str) -> None:
    if told.get("refresh_expires_at"):
        told = {"refresh_expires_at": at + timedelta(days=30)}
    assert ending(Grant(**told), at + after).startswith(words)
    assert bool(ending(Grant(**told), at + after)) == bool(words)


def test_a_code_of_somebody_elses_errand_is_worth_nothing(grant: Grant, cloud: Provider) -> None:
    """The verifier never left the browser that began: a stolen code cannot be redeemed (RFC 7636)."""
    errand = Errand.fresh()
    query = {n: v[0] for n, v in parse_qs(urlsplit(errand.address(grant, back_to=BACK)).query).items()}
    code = parse_qs(urlsplit(cloud.allow(query)).query)["code"][0]
    with pytest.raises(GrantLost):
        redeem(grant, code=code, verifier=Errand.fresh().verifier, back_to=BACK, at=clock.now())
    assert Grant.objects.get().granted_at is None


def test_a_token_server_inside_the_network_is_not_asked(
    grant: Grant, cloud: Provider, private: list[str]
) -> None:
    private.clear()
    with pytest.raises(OffLimits):
        redeem(grant, code="x", verifier="y", back_to=BACK, at=clock.now())
    assert cloud.asked == []


def test_the_applications_secret_is_only_for_the_provider_it_was_given_for(grant: Grant) -> None:
    grant.token_url = "https://evil.example/token"
    with pytest.raises(Unsealable):
        redeem(grant, code="x", verifier="y", back_to=BACK, at=clock.now())


def test_no_secret_shows_in_the_database_or_in_words(fresh: Box, allowed: Grant, cloud: Provider) -> None:
    token, renewal = allowed.access_token, allowed.refresh_token
    columns = str(Grant.objects.values().get()) + str(Mailbox.objects.values())
    cloud.refuses = "no"
    Grant.objects.update(access_expires_at=clock.now())
    with suppress(GrantLost):
        access_token(fresh.mailbox, clock.now())
    spoken = Grant.objects.get().error + said(GrantLost("no"))
    for secret in (token, renewal, CLIENT_SECRET):
        assert secret not in columns
        assert secret not in spoken


@pytest.mark.parametrize(
    ("provider", "hosts", "scopes"),
    [
        ("microsoft", "login.microsoftonline.com/acme.example/", "IMAP.AccessAsUser.All"),
        ("google", "accounts.google.com/", "https://mail.google.com/"),
    ],
)
def test_the_known_providers_are_asked_for_mail_and_for_renewal(
    fresh: Box, provider: str, hosts: str, scopes: str
) -> None:
    grant = Grant(mailbox=fresh.mailbox, provider=provider, tenant="acme.example", application_id="x")
    address = Errand.fresh().address(grant, back_to=BACK)
    assert address.startswith(f"https://{hosts}")
    assert scopes in terms_of(grant).scope
    query = parse_qs(urlsplit(address).query)
    assert query["login_hint"] == [fresh.name]
    assert "offline" in terms_of(grant).scope or query["access_type"] == ["offline"]


def test_another_servers_mailbox_is_untouched_by_all_this(fresh: Box) -> None:
    """A mailbox with a password asks no provider."""
    box = Box(fresh.dovecot, set_up(fresh.dovecot))
    assert access_token(box.mailbox, clock.now()) == ""
    assert box.look() == 0

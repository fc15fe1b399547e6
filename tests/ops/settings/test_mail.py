"""Administrators see how each mailbox does, try it out, and let a provider let us in; others see no such page."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.servers.post import relay_running
from tests.servers.provider import CLIENT_ID, CLIENT_SECRET, SCOPE, provider_running
from tierdesk.channels.email.models import Collection, Grant, Mailbox, Vigil
from tierdesk.core import clock


@pytest.fixture
def mailbox(cast: Cast, settings: Any, tmp_path: Any) -> Mailbox:
    settings.HOME = tmp_path
    mailbox = Mailbox.objects.create(address="help@desk.example", imap_host="127.0.0.1")
    Collection.objects.create(mailbox=mailbox, looked_at=clock.now(), fetched_count=12)
    return mailbox


@pytest.fixture
def admin(cast: Cast, client: Browser) -> Browser:
    cast.lou.user.is_admin = True
    cast.lou.user.save(update_fields=["is_admin"])
    client.force_login(cast.lou.user)
    return client


@pytest.mark.parametrize("page", ["", "permission/?state=x&code=y", "{pk}/", "{pk}/trial/"])
def test_it_is_for_administrators(cast: Cast, client: Browser, mailbox: Mailbox, page: str) -> None:
    address = f"/settings/mail/{page.format(pk=mailbox.pk)}"
    assert client.post(address).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.post(address).headers["Location"].startswith("/portal/")
    client.force_login(cast.lena.user)
    assert client.post(address).status_code == 404
    assert client.get(address).status_code == 404


def test_a_mailbox_that_does_well_says_so_and_one_that_does_not_says_why(
    admin: Browser, mailbox: Mailbox
) -> None:
    assert "Fetched" in admin.get("/settings/mail/").content.decode()
    Collection.objects.update(looked_at=clock.now() - timedelta(minutes=5))
    assert "the worker does not run, or hangs" in admin.get("/settings/mail/").content.decode()
    why = {"7": [3, "Internal error occurred", "2026-01-01T00:00:00+00:00"]}
    Collection.objects.update(looked_at=clock.now(), error="Nobody listens at this port.", skipped=why)
    page = admin.get(f"/settings/mail/{mailbox.pk}/").content.decode()
    assert "Nobody listens at this port." in page
    assert "Internal error occurred" in page


def test_a_mailbox_says_when_its_canary_came_and_that_none_did(admin: Browser, mailbox: Mailbox) -> None:
    at = clock.now()
    Mailbox.objects.update(imap_host="", canary_minutes=10)
    vigil = Vigil.objects.create(
        mailbox=mailbox, since_at=at, sent_at=at, back_sent_at=at, took_s=12, wake_at=at
    )
    assert "Comes" in (listed := admin.get("/settings/mail/").content.decode()) and "12 s" in listed
    assert "on its way for 12 s" in admin.get(f"/settings/mail/{mailbox.pk}/").content.decode()
    vigil.missed_at = at
    vigil.back_sent_at = None
    vigil.save()
    for page in ("/settings/mail/", f"/settings/mail/{mailbox.pk}/"):
        assert "did not come within 10 minutes" in admin.get(page).content.decode()


def test_trying_it_out_says_what_is_wrong_with_each_way(
    admin: Browser, mailbox: Mailbox, settings: Any
) -> None:
    settings.PRIVATE_HOSTS = []
    told = unescape(admin.post(f"/settings/mail/{mailbox.pk}/trial/", follow=True).content.decode())
    assert "Receiving: 127.0.0.1 is inside the network" in told
    assert "Sending: a mail to lou@desk.example has left" in told
    [left] = (settings.HOME / "outbox").iterdir()
    assert "A mail to try out help@desk.example" in left.read_text()


def test_a_mail_to_try_it_out_arrives_at_the_relay(admin: Browser, mailbox: Mailbox, settings: Any) -> None:
    with relay_running() as relay:
        settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT = "127.0.0.1", relay.port
        told = unescape(admin.post(f"/settings/mail/{mailbox.pk}/trial/", follow=True).content.decode())
        assert "Sending: a mail to lou@desk.example has left" in told
        assert relay.mail_soon("lou@desk.example", about="try out help@desk.example")


def test_a_relay_that_takes_no_mail_is_told_too(admin: Browser, mailbox: Mailbox, settings: Any) -> None:
    settings.SMTP_RELAY_HOST, settings.SMTP_RELAY_PORT = "127.0.0.1", 1
    told = unescape(admin.post(f"/settings/mail/{mailbox.pk}/trial/", follow=True).content.decode())
    assert "Sending: Nobody listens at this port." in told


def test_an_administrator_goes_to_the_provider_and_comes_back_with_its_permission(
    admin: Browser, mailbox: Mailbox, settings: Any
) -> None:
    with provider_running() as provider:
        settings.PRIVATE_HOSTS = [f"127.0.0.1:{provider.port}"]
        grant = granted_by(provider.url, mailbox)
        page = unescape(admin.get(f"/settings/mail/{mailbox.pk}/").content.decode())
        way = page.split(f'href="{provider.url}/authorize?')[1].partition('"')[0]
        back = provider.allow({name: values[0] for name, values in parse_qs(way).items()})
        assert back.startswith(f"{settings.BASE_URL}/settings/mail/permission/?code=")
        answer = f"/settings/mail/permission/?{urlsplit(back).query}"
        assert "The provider lets us in." in admin.get(answer, follow=True).content.decode()
        grant.refresh_from_db()
        assert grant.access_token in provider.tokens
        assert "belongs to no question of ours" in admin.get(answer, follow=True).content.decode()


def test_a_provider_that_says_no_is_told_in_its_words(admin: Browser, mailbox: Mailbox) -> None:
    grant = granted_by("https://cloud.example", mailbox)
    page = unescape(admin.get(f"/settings/mail/{mailbox.pk}/").content.decode())
    state = page.split("state=")[1].partition("&")[0]
    said = f"/settings/mail/permission/?state={state}&error=access_denied&error_description=Not+you"
    assert "did not allow it: Not you" in unescape(admin.get(said, follow=True).content.decode())
    grant.refresh_from_db()
    assert grant.granted_at is None


def granted_by(url: str, mailbox: Mailbox) -> Grant:
    """A permission that nobody has given yet, of a provider at `url`."""
    told = {"authorize_url": f"{url}/authorize", "token_url": f"{url}/token", "scope": SCOPE}
    grant = Grant(mailbox=mailbox, provider="other", application_id=CLIENT_ID, **told)
    grant.application_secret = CLIENT_SECRET
    grant.save()
    return grant


def test_a_mailbox_is_added_from_where_one_sees_how_mail_does(admin: Browser, mailbox: Mailbox) -> None:
    assert 'href="/settings/new/mailboxes/"' in admin.get("/settings/mail/").content.decode()

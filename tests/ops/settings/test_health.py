"""An administrator who is no agent sees how the channels do, and nothing of what was said on them."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.models import Inbound, InboundState
from tierdesk.core import clock
from tierdesk.directory.staff.models import User

PAGE = "/settings/channels/"


@pytest.fixture
def root(client: Browser) -> Browser:
    client.force_login(User.objects.create_user("root@desk.example", name="Root", is_admin=True))
    return client


def park(raw: bytes) -> None:
    pk, _ = Inbound.store("email", raw)
    Inbound.objects.filter(pk=pk).update(state=InboundState.PARKED)


def test_it_is_for_administrators(cast: Cast, client: Browser) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/sign-in/")
    client.force_login(cast.ann.user)
    assert client.get(PAGE).headers["Location"].startswith("/portal/")
    client.force_login(cast.lena.user)
    assert client.get(PAGE).status_code == 404


def test_what_is_in_trouble_is_said(cast: Cast, root: Browser) -> None:
    Source.objects.create(
        client=cast.acme,
        key="prometheus",
        name="Prometheus at Acme",
        shape="alertmanager",
        token_sha256="0" * 64,
        silent_since=clock.now(),
        beat_s=60,
    )
    page = root.get(PAGE).content.decode()
    assert "Prometheus at Acme" in page
    assert "In trouble" in page


def test_what_is_parked_is_counted_and_not_shown(cast: Cast, root: Browser) -> None:
    park(b"Subject: The salaries\r\n\r\nof all")
    page = root.get(PAGE).content.decode()
    assert "salaries" not in page
    assert "/parked/" not in page, "it would lead back here"
    assert 'data-align="end">1<' in page


def test_an_agent_who_administers_is_shown_there(cast: Cast, client: Browser) -> None:
    cast.lou.user.is_admin = True
    cast.lou.user.save(update_fields=["is_admin"])
    park(b"Hello")
    client.force_login(cast.lou.user)
    page = client.get(PAGE).content.decode()
    assert "/parked/?channel=email" in page
    assert 'href="/channels/"' in page

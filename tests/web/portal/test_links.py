"""A contact without a password signs in by a link; nobody else does, and nobody learns who is known."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import signing

from tests.cast import Cast
from tests.web.portal.conftest import Browser
from tierdesk.channels.email.models import mailbox_for
from tierdesk.channels.email.sender import envelope_of
from tierdesk.core import clock
from tierdesk.directory.clients.models import Contact
from tierdesk.directory.staff.models import User
from tierdesk.response.notifications.models import Notice


def asked(browser: Browser, address: str) -> str:
    response = browser.post("/portal/link/", {"email": address}, follow=True)
    assert response.status_code == 200
    return re.sub(
        r'(nonce|csrf-token" content|csrfmiddlewaretoken" value)="[^"]*"', "", response.content.decode()
    )


def mailed() -> str:
    """The path of the newest link."""
    found = re.search(r"https?://[^/]+(/portal/link/\S+)", Notice.objects.latest("id").text)
    assert found is not None
    return found[1]


def test_a_link_signs_a_contact_in_once(cast: Cast, stranger: Browser) -> None:
    asked(stranger, "Ann@ACME.example ")
    path = mailed()
    assert "Ann Albers" in stranger.reads(path)
    assert stranger.get("/portal/").headers["Location"].startswith("/sign-in/")  # looking signs nobody in
    assert stranger.post(path).headers["Location"] == "/portal/"
    assert "Ann Albers" in stranger.reads("/portal/")
    other = Browser()
    assert other.get(path).status_code == 410
    assert other.post(path).status_code == 410
    assert other.get("/portal/").headers["Location"].startswith("/sign-in/")


def test_using_one_link_kills_the_others(cast: Cast, stranger: Browser) -> None:
    asked(stranger, "ann@acme.example")
    first = mailed()
    asked(stranger, "ann@acme.example")
    stranger.post(mailed())
    assert stranger.post(first).status_code == 410


def test_a_contact_without_an_account_gets_one(cast: Cast, stranger: Browser) -> None:
    new = Contact.objects.create(client=cast.acme, name="Nele Neu", email="nele@acme.example")
    asked(stranger, new.email)
    stranger.post(mailed())
    new.refresh_from_db()
    assert new.user is not None
    assert not new.user.has_usable_password()
    assert "Nele Neu" in stranger.reads("/portal/")


def test_the_answer_is_the_same_for_everybody(cast: Cast, stranger: Browser) -> None:
    assert asked(stranger, "ann@acme.example") == asked(stranger, "nobody@nowhere.example")
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("address", ["lena@desk.example", "root@desk.example", "gone@acme.example"])
def test_agents_administrators_and_the_departed_get_no_link(
    cast: Cast, stranger: Browser, address: str
) -> None:
    User.objects.create_user("root@desk.example", name="Root", is_admin=True)
    for taken in ("lena@desk.example", "root@desk.example"):
        Contact.objects.create(client=cast.acme, name="Same address", email=taken)
    Contact.objects.create(client=cast.acme, name="Gone", email="gone@acme.example", is_active=False)
    asked(stranger, address)
    assert not Notice.objects.exists()
    assert not Contact.objects.filter(email=address, user__isnull=False).exists()


def test_at_most_three_links_in_a_quarter_of_an_hour(cast: Cast, stranger: Browser) -> None:
    for _ in range(5):
        asked(stranger, "ann@acme.example")
    assert Notice.objects.filter(kind="sign_in").count() == 3
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        asked(stranger, "ann@acme.example")
    assert Notice.objects.filter(kind="sign_in").count() == 4


def test_a_link_is_too_old_after_a_quarter_of_an_hour(
    cast: Cast, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(stranger, "ann@acme.example")
    real = signing.time.time
    monkeypatch.setattr(signing.time, "time", lambda: real() + 14 * 60)
    assert stranger.get(mailed()).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: real() + 16 * 60)
    assert stranger.get(mailed()).status_code == 410


def test_a_changed_password_or_a_changed_token_makes_a_link_worthless(cast: Cast, stranger: Browser) -> None:
    asked(stranger, "ann@acme.example")
    path = mailed()
    assert stranger.get(path[:-3] + "xyz/").status_code == 410
    assert cast.ann.user is not None
    cast.ann.user.set_password("a-new-and-long-one")
    cast.ann.user.save()
    assert stranger.get(path).status_code == 410


def test_a_blocked_account_gets_nowhere(cast: Cast, stranger: Browser) -> None:
    asked(stranger, "ann@acme.example")
    assert cast.ann.user is not None
    User.objects.filter(pk=cast.ann.user.pk).update(is_active=False)
    assert stranger.post(mailed()).status_code == 410
    asked(stranger, "ann@acme.example")
    assert Notice.objects.count() == 1


def test_what_is_no_address_is_said(stranger: Browser, db: None) -> None:
    response = stranger.post("/portal/link/", {"email": "ann"})
    assert response.status_code == 422
    assert "not an e-mail address" in response.content.decode()


def test_the_link_travels_as_a_proper_mail(cast: Cast, stranger: Browser) -> None:
    asked(stranger, "ann@acme.example")
    notice = Notice.objects.get()
    envelope = envelope_of(notice, clock.now(), mailbox_for(notice.client))
    assert envelope.rcpt_to == "ann@acme.example"
    assert notice.wake_at is not None

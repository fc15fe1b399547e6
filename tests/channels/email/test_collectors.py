"""Who fetches mail: a thread for each mailbox, held by one worker, patient with servers and quick with mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections

from tests.channels.email.mailboxes import Box, set_up
from tests.servers.certificates import Pair
from tests.servers.desk import until
from tests.servers.dovecot import Dovecot
from tests.servers.wire import Wire
from tierdesk.channels.email import collectors, imap
from tierdesk.channels.email.collectors import Collector, Collectors, hold, said
from tierdesk.channels.email.models import Collection, Mailbox, Security
from tierdesk.core import clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The collectors of a worker, at work, in short rounds; set the event to stop them."""
    monkeypatch.setattr(collectors, "ROUND_S", 0.5)
    stopping = threading.Event()

    def run() -> None:
        Collectors().run(stopping)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield stopping
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _threads_give_their_connections_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pool a connection lives as long as its thread; the test database is to be emptied after each test."""
    monkeypatch.setattr(collectors, "close_old_connections", connections.close_all)


@pytest.fixture
def standing(transactional_db: None, dovecot: Dovecot, private: list[str]) -> Box:
    return Box(dovecot, set_up(dovecot))


@pytest.fixture
def wired(transactional_db: None, dovecot: Dovecot, wire: Wire) -> Box:
    return Box(dovecot, set_up(dovecot, imap_port=wire.port))


def looked(box: Box) -> bool:
    return Collection.objects.filter(mailbox=box.mailbox).exclude(looked_at=None).exists()


def test_a_mail_is_here_seconds_after_it_arrived(standing: Box, worker: threading.Event) -> None:
    assert until(lambda: looked(standing))
    began = time.monotonic()
    [mail] = standing.arrive("One.")
    assert until(lambda: standing.stored() == [mail])
    took = time.monotonic() - began
    print(f"a mail was stored {took:.2f} s after it arrived")
    assert took < 10


def test_a_mailbox_that_is_set_up_now_is_fetched_soon_and_one_that_is_switched_off_no_more(
    standing: Box, worker: threading.Event
) -> None:
    assert until(lambda: looked(standing))
    other = Box(standing.dovecot, set_up(standing.dovecot))
    assert until(lambda: looked(other))
    Mailbox.objects.filter(pk=standing.mailbox.pk).update(is_active=False)
    assert until(lambda: standing.state.held_by == "")
    standing.arrive("Into the void.")
    [mail] = other.arrive("One.")
    assert until(lambda: other.stored() == [mail])
    assert standing.stored() == []


def test_a_mailbox_that_does_not_answer_holds_up_no_other(
    wired: Box, wire: Wire, standing: Box, worker: threading.Event
) -> None:
    wire.dead = True
    assert until(lambda: looked(standing))
    [mail] = standing.arrive("One.")
    assert until(lambda: standing.stored() == [mail], within_s=15)
    assert not looked(wired)


def test_it_comes_back_when_the_server_does(
    wired: Box, wire: Wire, worker: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collectors, "FIRST_PAUSE_S", 0.5)
    assert until(lambda: looked(wired))
    wire.cut_at = b"OK"
    [mail] = wired.arrive("One.")
    assert until(lambda: wired.state.error != "", within_s=20)
    assert wired.state.failing_since is not None
    wire.cut_at = b""
    assert until(lambda: wired.stored() == [mail], within_s=20)
    assert until(lambda: (wired.state.error, wired.state.failing_since) == ("", None))


def test_a_server_that_goes_silent_is_found_out_within_two_minutes(
    wired: Box, wire: Wire, worker: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LM-05. The waits are shortened here; the real ones are asserted to add up to less than two minutes."""
    assert collectors.LOOK_EVERY_S + imap.TIMEOUT_S < 120
    monkeypatch.setattr(collectors, "LOOK_EVERY_S", 2)
    monkeypatch.setattr(imap, "TIMEOUT_S", 2)
    assert until(lambda: looked(wired))
    wire.dead = True
    assert until(lambda: wired.state.error == "The server does not answer in time.", within_s=30)


def test_of_two_workers_one_looks_after_a_mailbox(standing: Box) -> None:
    boxes = {standing.mailbox.pk: standing.mailbox}
    assert hold(boxes, "one") == boxes.keys()
    assert hold(boxes, "two") == set()
    with clock.frozen(clock.now() + timedelta(seconds=31)):
        assert hold(boxes, "two") == boxes.keys()
        assert hold(boxes, "one") == set()


def test_a_worker_that_stops_lets_go_at_once(standing: Box, worker: threading.Event) -> None:
    assert until(lambda: standing.state.held_by != "")
    worker.set()
    assert until(lambda: standing.state.held_by == "")


def test_a_changed_password_is_used_at_once(standing: Box, worker: threading.Event) -> None:
    standing.mailbox.password = "wrong"
    standing.mailbox.save()
    assert until(lambda: "does not let" in standing.state.error)
    assert "wrong" not in standing.state.error
    standing.mailbox.password = "Straße-und-Zug-9"
    standing.mailbox.save()
    assert until(lambda: looked(standing) and standing.state.error == "")


# -- what is said when it does not work


def why(mailbox: Mailbox) -> str:
    """What an administrator reads when this mailbox is connected to."""
    try:
        with imap.connected(mailbox) as server:
            server.open()
    except Exception as error:
        return said(error)
    return ""


def test_a_wrong_password_is_said_and_not_tried_every_few_seconds(standing: Box) -> None:
    standing.mailbox.password = "not this one"
    assert why(standing.mailbox).startswith(f"The server does not let {standing.name} in:")
    pause = Collector(standing.mailbox, "me")._note(imap.Refused("no"))
    assert pause >= 48


def test_a_collector_that_was_let_go_says_nothing_of_the_mailbox_any_more(
    standing: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung in a server that does not answer, while another worker took the mailbox over."""
    collector = Collector(standing.mailbox, "me")

    def hang(_: Collector) -> None:
        collector.stopping.set()
        raise TimeoutError("timed out")

    noted: list[Exception] = []
    monkeypatch.setattr(Collector, "_stay_connected", hang)
    monkeypatch.setattr(Collector, "_note", lambda _, error: noted.append(error))
    collector.start()
    collector.join(10)
    assert not collector.is_alive()
    assert noted == []


def test_a_folder_that_is_not_there_is_named(standing: Box) -> None:
    standing.mailbox.folder = "Nowhere"
    assert why(standing.mailbox).startswith("The folder “Nowhere” cannot be opened:")


def test_a_server_inside_the_network_must_be_allowed_by_the_operator(
    standing: Box, private: list[str]
) -> None:
    private.clear()
    assert why(standing.mailbox) == f"Port {standing.dovecot.port} is not one of 143, 993."
    standing.mailbox.imap_port = 143
    assert "TIERDESK_PRIVATE_HOSTS=127.0.0.1" in why(standing.mailbox)


def test_nobody_listening_and_no_such_server_are_told_apart(standing: Box, private: list[str]) -> None:
    private.append("127.0.0.1")
    standing.mailbox.imap_port = 143
    assert why(standing.mailbox) == "Nobody listens at this port."
    standing.mailbox.imap_host = "no-such-server.invalid"
    assert why(standing.mailbox) == "There is no server of this name."


@pytest.fixture
def tls(standing: Box, monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The same mailbox over TLS, by a name that the server's certificate is for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(standing.dovecot.certificates.authority))
    mailbox = standing.mailbox
    mailbox.imap_host, mailbox.imap_port = "localhost", standing.dovecot.tls_port
    mailbox.imap_security = Security.TLS
    mailbox.password = "Straße-und-Zug-9"
    return mailbox


def test_tls_is_spoken_and_the_certificate_checked(tls: Mailbox) -> None:
    assert why(tls) == ""


def test_sec103_a_certificate_that_nobody_we_trust_signed_is_refused(
    tls: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert why(tls).startswith("The server’s certificate is not trusted:")


@pytest.mark.parametrize("which", ["elsewhere", "expired", "unknown"])
def test_sec103_neither_another_name_nor_an_expired_nor_a_forged_certificate_will_do(
    tls: Mailbox, which: str, private: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Dovecot()
    show(other, getattr(other.certificates, which))
    with other:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.certificates.authority))
        private.append(f"localhost:{other.tls_port}")
        tls.imap_port = other.tls_port
        assert why(tls).startswith("The server’s certificate is not trusted:")


def show(server: Dovecot, pair: Pair) -> None:
    """This certificate and its key in the place of those that the server would show."""
    server.certificates.trusted.certificate.write_bytes(pair.certificate.read_bytes())
    server.certificates.trusted.key.write_bytes(pair.key.read_bytes())


def test_starttls_upgrades_the_line(tls: Mailbox, private: list[str], dovecot: Dovecot) -> None:
    private.append(f"localhost:{dovecot.port}")
    tls.imap_port, tls.imap_security = dovecot.port, Security.STARTTLS
    assert why(tls) == ""


def test_tls_at_a_port_for_starttls_is_said_in_words(
    tls: Mailbox, private: list[str], dovecot: Dovecot
) -> None:
    private.append(f"localhost:{dovecot.port}")
    tls.imap_port = dovecot.port
    assert why(tls) == "The server does not speak TLS at this port; STARTTLS may be meant."


def test_a_password_is_only_for_the_server_it_was_given_for(standing: Box, private: list[str]) -> None:
    """SEC-102: whoever may change the host must not thereby learn the password."""
    standing.mailbox.imap_host = "localhost"
    private.append(f"localhost:{standing.dovecot.port}")
    assert "enter it again" in why(standing.mailbox)

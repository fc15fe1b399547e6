"""The worker's line to Asterisk: calls become rows, a broken line is dialled again, a wrong secret is said."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast, settle_in
from tests.channels.phone.pbx import SECRET, USER, Pbx, Peer, some_pbx
from tests.exchange import ANN
from tierdesk.channels.phone import ami
from tierdesk.channels.phone.models import Call, Exchange, Extension
from tierdesk.core import clock

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    cast = settle_in()
    exchange = Exchange.objects.create(key="asterisk", name="Asterisk", kind="asterisk")
    for number in ("42", "43"):
        Extension.objects.create(exchange=exchange, number=number, agent=cast.lena)
    return cast


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Pbx]:
    with some_pbx(tmp_path) as pbx:
        yield pbx


@pytest.fixture
def listening(cast: Cast, pbx: Pbx, settings: Any, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with attending(pbx, settings, caplog):
        yield


@contextmanager
def attending(
    pbx: Pbx,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    *,
    secret: str = SECRET,
    says: str = "listening to",
) -> Iterator[None]:
    """A worker's thread attends to the exchange; the block begins once it `says` so."""
    settings.AMI_HOST, settings.AMI_PORT, settings.AMI_USER, settings.AMI_SECRET = (
        "127.0.0.1",
        pbx.port,
        USER,
        secret,
    )
    stopping = threading.Event()
    thread = threading.Thread(target=ami.attend, args=(stopping,), daemon=True)
    with caplog.at_level(logging.INFO, ami.__name__):
        thread.start()
        assert _soon(lambda: says in caplog.text), caplog.text
        yield
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()


def _soon(fulfilled: Callable[[], object], within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while not fulfilled() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(fulfilled())


def test_a_call_that_is_taken_is_a_row_with_its_agent(cast: Cast, pbx: Pbx, listening: None) -> None:
    pbx.caller(ANN, "4930999")
    assert _soon(lambda: Call.objects.filter(state="ended").exists()), list(Call.objects.values())
    call = Call.objects.get()
    assert (call.contact, call.number, call.our_number) == (cast.ann, ANN, "4930999")
    assert (call.agent, call.rings_for) == (cast.lena, [cast.lena.pk])
    assert call.lasted is not None


def test_a_call_that_nobody_takes_is_missed(cast: Cast, pbx: Pbx, listening: None) -> None:
    pbx.caller(ANN, "4930998")
    assert _soon(lambda: Call.objects.filter(state="missed").exists()), list(Call.objects.values())
    assert (Call.objects.get().agent, Call.objects.get().rings_for) == (None, [cast.lena.pk])


def test_a_broken_line_is_dialled_again_and_what_was_overlooked_has_ended(
    cast: Cast, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With a peer in any case: only a peer hangs up when it is told to."""
    peer = Peer()
    with peer.running(), attending(peer, settings, caplog):
        overlooked = Call.objects.create(
            exchange=Exchange.objects.get(), ext_id="1.1", state="answered", started_at=clock.now()
        )
        caplog.clear()
        peer.hang_up_on_us()
        assert _soon(lambda: "listening to Asterisk" in caplog.text)
        assert "the other side hung up" in caplog.text
        assert _soon(lambda: Call.objects.get(pk=overlooked.pk).state == "ended")
        peer.caller(ANN, "4930999")
        assert _soon(lambda: Call.objects.filter(state="ended", contact=cast.ann).exists())


def test_a_wrong_secret_is_said_and_not_shown(
    cast: Cast, pbx: Pbx, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with attending(pbx, settings, caplog, secret="quite another secret", says="is not let in"):
        assert "another secret" not in caplog.text

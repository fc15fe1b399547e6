"""An exchange, and time that passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.cast import Cast
from tests.exchange import Pbx, connect


@pytest.fixture
def pbx(cast: Cast) -> Pbx:
    return connect(cast)


@pytest.fixture
def follow_up(live_until: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Let the desk do by itself what is due until then."""
    return live_until

"""What tests of the workspace share: an exchange, a widget of Acme's, a visitor who writes there."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from tests.channels.chat.conftest import talk, widget
from tests.exchange import Pbx, connect

__all__ = ["talk", "widget"]


@pytest.fixture
def pbx(cast: Cast) -> Pbx:
    return connect(cast)

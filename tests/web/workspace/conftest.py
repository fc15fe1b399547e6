"""An exchange beside the workspace."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from tests.exchange import Pbx, connect


@pytest.fixture
def pbx(cast: Cast) -> Pbx:
    return connect(cast)

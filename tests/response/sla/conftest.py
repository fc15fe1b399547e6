"""Every test of the clocks ends with a replay."""

from tests.replayed import _clocks_are_a_replay  # noqa: F401

"""The Chromium that the tests drive, without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
SWITCHES += ["--disable-background-networking", "--disable-component-update"]

# The first one is the whole browser without its own windows. Others open one, unseen, for each context that a test asks
# for, and take a second of a processor to do so.
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A browser that ends with the block; skips the test on a machine that has none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: `bin/setup --tests` installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()

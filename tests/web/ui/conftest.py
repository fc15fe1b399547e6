"""The components as templates see them, without a database."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.test import RequestFactory
from jinja2 import Environment

import tierdesk.web.ui

ROOM = Path(tierdesk.web.ui.__file__).parent
TEMPLATES = ROOM / "templates/ui"
COMPONENTS = TEMPLATES / "components"
CSS = ROOM / "static/ui/css"
JS = ROOM / "static/ui/js"


@pytest.fixture(scope="session")
def env() -> Environment:
    """The environment every page is rendered in."""
    backend = engines["jinja2"]
    assert isinstance(backend, Jinja2)
    return backend.env


@pytest.fixture(scope="session")
def ui(env: Environment) -> Any:
    """What a template gets from `{% import "ui/components.html" as ui %}`."""
    return env.get_template("ui/components.html").module


@pytest.fixture
def visit() -> HttpRequest:
    """A stranger's look at a page; without the message middleware there are no messages to show."""
    return RequestFactory().get("/ui/")

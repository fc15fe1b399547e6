"""Rows of a queue as markup, rendered once per ticket version: rendering is most of what a queue page costs.

The key is everything that the row shows (times are told by the browser from their instants), so a kept row is never
an old one; what a user may see was decided before, by the query.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.translation import get_language
from markupsafe import Markup

KEPT = 20_000

type Shown = tuple[tuple[str, str | int | float | bool | datetime | None], ...]


def rendered(row: dict[str, Any]) -> Markup:
    """The row's markup, in the reader's language."""
    return _rendered(tuple(row.items()), get_language() or "en")


@lru_cache(maxsize=KEPT)
def _rendered(shown: Shown, _language: str) -> Markup:
    template = get_template("workspace/queue_row.html")
    return Markup(template.render({"row": dict(shown)}))  # noqa: S704 - a template of ours, which escapes

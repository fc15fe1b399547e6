"""The gallery of components, and whole pages composed of them."""

from datetime import timedelta
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tierdesk.core import clock
from tierdesk.web.ui import sample

PATTERNS = ("queue", "ticket", "portal", "sign-in")
_SPRITE = Path(__file__).parent / "static/ui/icons.svg"


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component in every state."""
    specimens = {
        "icons": icon_names(),
        "patterns": PATTERNS,
        "form": sample.SampleForm({"urgent": "on"}),
        "lone_form": sample.SampleForm(prefix="lone"),
    }
    return render(request, "ui/gallery.html", _morning() | specimens)


@require_safe
def pattern(request: HttpRequest, name: str) -> HttpResponse:
    """A whole page with made-up content, to build the real one from."""
    if name not in PATTERNS:
        raise Http404(f"There is no pattern “{name}”; there are {', '.join(PATTERNS)}.")
    return render(request, f"ui/patterns/{name}.html", _morning())


def icon_names() -> list[str]:
    """The names in the sprite, in its order."""
    return [line.split('"')[1] for line in _SPRITE.read_text().splitlines() if line.startswith("<symbol")]


def _morning() -> dict[str, object]:
    return {
        "now": clock.now(),
        "delta": timedelta,
        "queue": sample.QUEUE,
        "book_before": sample.BOOK_BEFORE,
        "book_after": sample.BOOK_AFTER,
    }

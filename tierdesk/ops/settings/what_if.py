"""What if these contracts had applied? An administrator tries a draft on the last days' tickets; nothing is written."""

from __future__ import annotations

import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused, Findings, compose
from tierdesk.ops.settings.desk_file import LARGEST
from tierdesk.ops.settings.views import page
from tierdesk.ops.whatif import (
    DAYS,
    SHOWN,
    TABLES,
    NothingDrafted,
    in_words,
    names_of,
    unasked_in_words,
    what_if,
)
from tierdesk.response.sla.whatif import Comparison
from tierdesk.web.workspace.guard import admin_page

MOST: Final = 5_000
"""Tickets that a page replays, the newest; the command takes all."""

LONGEST: Final = 366


@admin_page
def whatif(request: HttpRequest) -> HttpResponse:
    """A draft in an editor, which begins with the contracts as they are. POST compares."""
    if request.method != "POST":
        return _show(request, _contracts_of(export_desk()), DAYS)
    text, days = request.POST.get("text", "").replace("\r\n", "\n"), _days(request)
    if len(text) > LARGEST:
        return _show(
            request, text, days, nothing=f"The text is longer than {LARGEST:,} characters.", status=422
        )
    found = Findings()
    try:
        compared = what_if(compose(text, found), found, days=days, most=MOST)
    except DeskRefused as refusal:
        return _show(request, text, days, wrong=list(refusal.wrong), status=422)
    except NothingDrafted as nothing:
        return _show(request, text, days, nothing=str(nothing))
    return _show(request, text, days, compared=compared)


def _contracts_of(text: str) -> str:
    """Only that part of a desk file: what a draft leaves out stays as it is."""
    part = re.search(r"^contracts:\n(?:[ \-#].*\n|\n)*", text, re.MULTILINE)
    return part[0] if part else "contracts: []\n"


def _days(request: HttpRequest) -> int:
    raw = request.POST.get("days", "")
    return min(int(raw), LONGEST) if raw.isdecimal() and raw.isascii() and 0 < len(raw) < 5 else DAYS


def _show(
    request: HttpRequest,
    text: str,
    days: int,
    *,
    compared: Comparison | None = None,
    wrong: list[tuple[int, str]] | None = None,
    nothing: str = "",
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"text": text, "days": days, "wrong": wrong or [], "nothing": nothing}
    context |= {"compared": compared, "tables": _tables(compared) if compared else [], "most": MOST}
    if compared:
        context["unasked"] = unasked_in_words(compared) if compared.unasked else ""
        context["differing"] = [(one.ticket, in_words(one)) for one in compared.differing[:SHOWN]]
    return page(request, "whatif.html", context, section="whatif", status=status)


def _tables(compared: Comparison) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """For each table its name, and its lines: name, now, then."""
    names = names_of(compared)
    return [
        (
            title,
            [
                (names.get(key, str(key)) if place == 0 else name % key, now, then)
                for key, (now, then) in compared.by(place).items()
            ],
        )
        for title, place, name in TABLES
    ]

"""The desk's file in the browser: an administrator edits it, sees the difference, and applies it."""

from __future__ import annotations

import hashlib
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tierdesk.ops.desk.change import Difference, apply_document, changing_the_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused, Findings, compose
from tierdesk.ops.settings.telling import Story, story_of
from tierdesk.ops.settings.views import page
from tierdesk.web.workspace.guard import admin_page

LARGEST: Final = 2_000_000


@admin_page
def desk_file(request: HttpRequest) -> HttpResponse:
    """The desk as text. POST shows what it would change; with `do=apply` it brings about what was shown."""
    if request.method != "POST":
        now = export_desk()
        return _show(request, now, now=now)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    # Whoever goes on typing after the difference was shown has not seen that of what they typed.
    is_applied = request.POST.get("do") == "apply" and request.POST.get("shown") == _print(text)
    with changing_the_desk():
        before = export_desk()
        if request.POST.get("seen") != _print(before):
            return _show(request, text, now=before, meanwhile=before, status=409)
        try:
            difference = _apply(text, dry_run=not is_applied)
        except DeskRefused as refusal:
            return _show(request, text, now=before, wrong=list(refusal.wrong), status=422)
    if is_applied:
        messages.success(
            request,
            f"Applied: {len(difference.changes)} changed." if difference.changes else "Nothing to do.",
        )
        return redirect("settings:file")
    stories = [story_of(change) for change in difference.changes]
    return _show(request, text, now=before, stories=stories, doubts=difference.doubts)


@admin_page
def download(request: HttpRequest) -> HttpResponse:
    """The desk's file as a file."""
    answer = HttpResponse(export_desk(), content_type="application/yaml; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="desk.yaml"'
    return answer


def _apply(text: str, *, dry_run: bool) -> Difference:
    if len(text) > LARGEST:
        sentence = f"The text is longer than {LARGEST:,} characters; use “tierdesk apply” for it."
        raise DeskRefused([sentence], [(1, sentence)])
    found = Findings()
    return apply_document(compose(text, found), found, dry_run=dry_run)


def _show(
    request: HttpRequest,
    text: str,
    *,
    now: str,
    stories: list[Story] | None = None,
    wrong: list[tuple[int, str]] | None = None,
    doubts: list[tuple[int, str]] | None = None,
    meanwhile: str = "",
    status: int = 200,
) -> HttpResponse:
    """The editor with `text`. `now`: the desk as it was seen; `meanwhile`: the same, if somebody else made it so."""
    context = {
        "text": text,
        "stories": stories,
        "wrong": wrong or [],
        "doubts": doubts or [],
        "meanwhile": meanwhile,
        "seen": _print(now),
        "shown": _print(text) if stories else "",
    }
    return page(request, "file.html", context, section="file", status=status)


def _print(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

"""The desk's file in the browser: an administrator edits it, sees the difference, and applies it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused
from tierdesk.web.workspace.guard import agent_page, user_of
from tierdesk.web.workspace.navigation import navigation

LARGEST = 2_000_000


@agent_page
def desk_file(request: HttpRequest) -> HttpResponse:
    """The desk as text. POST shows what it would change; POST with `apply` brings it about."""
    if not user_of(request).is_admin:
        raise Http404
    text = request.POST.get("text", "").replace("\r\n", "\n")
    findings: list[str] = []
    difference = ""
    if request.method == "POST":
        try:
            difference, changed = _brought(text, dry_run="apply" not in request.POST)
            if "apply" in request.POST and changed:
                messages.success(request, "Applied.")
                return redirect("desk-file")
        except DeskRefused as refusal:
            findings = list(refusal.findings)
    else:
        with seeing(EVERY_CLIENT):
            text = export_desk()
    context = {"text": text, "difference": difference, "findings": findings}
    status = 422 if findings else 200
    return render(
        request, "workspace/desk_file.html", context | navigation(request, "settings"), status=status
    )


def _brought(text: str, *, dry_run: bool) -> tuple[str, bool]:
    """(the difference in words, whether there is one) of applying `text`. Raises DeskRefused."""
    with tempfile.TemporaryDirectory(prefix="tierdesk-") as folder:
        path = Path(folder) / "desk.yaml"
        path.write_text(text[:LARGEST])
        difference = apply_desk(path, dry_run=dry_run)
    return str(difference), bool(difference.changes)

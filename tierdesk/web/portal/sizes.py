"""How much somebody may send at once. What is a little too large is read and gets a kind answer at its field; what is
absurd is not even read.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from tierdesk.web.portal.guard import View

MOST_OCTETS: Final = 100 * 1024 * 1024


def of_sane_size(view: View) -> View:
    """The check of the token, which reads the body, comes after this one."""
    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def measured(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if int(request.headers.get("Content-Length") or 0) > MOST_OCTETS:
            return render(request, "portal/too_large.html", {"form": request.get_full_path()}, status=413)
        return protected(request, *args, **kwargs)

    return measured

"""Signing in and out. One door for agents and contacts; each is shown to the own face."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST


@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with mail address and password; the same words whether the address or the password is wrong."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if request.method == "POST":
        email, password = request.POST.get("username", ""), request.POST.get("password", "")
        user = authenticate(request, username=email[:254], password=password[:1024])
        if user is not None:
            login(request, user)
            return redirect(target if _is_ours(request, target) else "workspace:home")
    context = {
        "failed": request.method == "POST",
        "email": request.POST.get("username", "")[:254],
        "next": target,
    }
    return render(request, "workspace/sign_in.html", context, status=422 if context["failed"] else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("workspace:sign-in")


def _is_ours(request: HttpRequest, target: str) -> bool:
    return bool(target) and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )

"""Where exchanges tell us of calls."""

from __future__ import annotations

from django.urls import path

from tierdesk.channels.phone import webhook

urlpatterns = [
    path("", webhook.calls, name="phone-events"),
    path("<str:token>/", webhook.calls, name="phone-events-by-token"),
]

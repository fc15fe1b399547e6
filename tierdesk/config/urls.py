"""Which face answers which address."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("ui/", include("tierdesk.web.ui.urls")),
    path("portal/", include("tierdesk.web.portal.urls")),
    path("api/", include("tierdesk.web.api.urls")),
    path("", include("tierdesk.web.workspace.urls")),
]

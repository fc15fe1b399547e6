"""Which face answers which address."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("ui/", include("tierdesk.web.ui.urls")),
    path("portal/", include("tierdesk.web.portal.urls")),
    path("api/", include("tierdesk.web.api.urls")),
    path("phone/", include("tierdesk.channels.phone.urls")),
    path("settings/", include("tierdesk.ops.settings.urls")),
    path("", include("tierdesk.web.workspace.urls")),
]

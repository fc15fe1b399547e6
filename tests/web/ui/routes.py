"""The design system's own addresses alone."""

from django.urls import include, path

urlpatterns = [path("ui/", include("tierdesk.web.ui.urls"))]

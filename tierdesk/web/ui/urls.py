"""The pages of the design system itself."""

from django.urls import path

from tierdesk.web.ui import views

app_name = "ui"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("patterns/<slug:name>/", views.pattern, name="pattern"),
]

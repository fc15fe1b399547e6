from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path


def tickets(request: HttpRequest) -> HttpResponse:
    return HttpResponse("portal")


app_name = "portal"
urlpatterns = [path("", tickets, name="tickets")]

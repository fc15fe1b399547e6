"""The API: `/api/v1/…` for programs, and `/api/openapi.json`, which describes it. docs/howto/api.md has examples."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path, re_path
from ninja import NinjaAPI

from tierdesk.web.api import (
    actions,
    belonging,
    clients,
    clocks,
    contacts,
    handovers,
    majors,
    problems,
    reports,
    reviews,
    tickets,
    timeline,
)
from tierdesk.web.api.bearer import Bearer, behind_the_lock
from tierdesk.web.api.errors import not_found, speak, with_the_right_method

app_name = "api"

api = NinjaAPI(
    title="Tierdesk",
    version="1",
    description="Tickets, clocks and timelines of a Tierdesk, for programs.",
    auth=Bearer(),
    docs_url=None,
    openapi_url=None,
    urls_namespace="v1",
)
api.add_decorator(behind_the_lock, mode="view")
speak(api)
for resource in (tickets, actions, belonging, handovers, timeline, clocks):
    api.add_router("/v1/tickets", resource.router)
api.add_router("/v1/tickets", majors.of_tickets)
api.add_router("/v1/major", majors.router)
api.add_router("/v1/major", reviews.router)
api.add_router("/v1/tickets", problems.of_tickets)
api.add_router("/v1/problems", problems.router)
api.add_router("/v1/clients", clients.router)
api.add_router("/v1/contacts", contacts.router)
api.add_router("/v1/report", reports.router)


def description(request: HttpRequest) -> JsonResponse:
    """The OpenAPI document. It tells no client's secrets, so it needs no token."""
    prefix = request.path.removesuffix("openapi.json")
    return JsonResponse(api.get_openapi_schema(path_prefix=prefix))


operations, _, namespace = api.urls
for operation in operations:
    if operation.callback is not None:
        operation.callback = with_the_right_method(operation.callback)

urlpatterns = [
    path("openapi.json", description, name="openapi"),
    path("", (operations, "v1", namespace)),
    re_path("", not_found),
]

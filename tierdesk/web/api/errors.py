"""Refusals, all in one shape: `{"error": {"code": …, "message": …}}`: the code for programs, the message for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel

from tierdesk.response.tiers.models import GateShut
from tierdesk.tickets.lifecycle import UnableTo

log = logging.getLogger(__name__)


class Error(BaseModel):
    code: str
    message: str


class Refusal(BaseModel):
    error: Error


REFUSALS = {401: Refusal, 404: Refusal, 422: Refusal}


class Invalid(Exception):
    """A field of the request names something that does not exist, or does not fit."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")


def refuse(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)


def not_found(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """Unknown and forbidden alike."""
    return refuse(404, "not_found", "There is nothing here, or nothing that you may see.")


def speak(api: NinjaAPI) -> None:
    """Teach `api` to refuse in this shape."""
    api.add_exception_handler(AuthenticationError, _unauthenticated)
    api.add_exception_handler(Http404, not_found)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(Invalid, lambda _, error: refuse(422, "invalid", str(error)))
    api.add_exception_handler(GateShut, lambda _, shut: refuse(422, "gate_shut", str(shut)))
    api.add_exception_handler(UnableTo, lambda _, error: refuse(422, "unable", str(error)))
    api.add_exception_handler(HttpError, _unreadable)
    api.add_exception_handler(Exception, _broken)


def with_the_right_method(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ninja refuses a wrong method before our handlers are asked, as plain text; say it in the one shape."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = response.headers["Allow"]
        refusal = refuse(405, "method_not_allowed", f"Here you can only {allowed}.")
        refusal.headers["Allow"] = allowed
        return refusal

    return answer


def _unauthenticated(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    response = refuse(401, "unauthorized", "Send a valid token: Authorization: Bearer td_…")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    """Ninja's own refusal: a body that is not JSON."""
    return refuse(error.status_code, "bad_request", "The body is not JSON that can be read.")


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    return refuse(422, "invalid", "; ".join(_sentence(one) for one in error.errors))


def _sentence(error: Mapping[str, Any]) -> str:
    """One complaint, with the name of its field and without the value: what was sent may be a secret."""
    field = _field(error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{field}: there is no such field"
    return f"{field}: {str(error['msg']).removeprefix('Value error, ')}"


def _field(loc: Sequence[object]) -> str:
    """The field without what only says where we read it from: `('body', 'body', 'subject')` is `subject`."""
    names = [str(part) for part in loc if part not in {"body", "query", "path", "header"}]
    return ".".join(names)[:100] or str(loc[0])


def _broken(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=error)  # type: ignore[arg-type]
    return refuse(500, "broken", "Something failed on our side. Nothing was changed; try again later.")

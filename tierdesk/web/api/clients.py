"""Clients, as far as the caller serves them."""

from __future__ import annotations

from typing import Self

from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from tierdesk.directory.clients.models import Client
from tierdesk.web.api.bearer import caller
from tierdesk.web.api.errors import REFUSALS
from tierdesk.web.api.fields import Paging, Word

router = Router(tags=["clients"])


class ClientShown(BaseModel):
    """A client. `key` is what other requests name it by."""

    id: int
    key: str
    name: str
    timezone: str
    region: str
    language: str
    is_active: bool

    @classmethod
    def of(cls, client: Client) -> Self:
        return cls(**{name: getattr(client, name) for name in cls.model_fields})


class ClientPage(BaseModel):
    items: list[ClientShown]
    next: int | None


@router.get("", response={200: ClientPage, **REFUSALS})
def list_clients(request: HttpRequest, paging: Query[Paging]) -> ClientPage:
    page, following = paging.oldest_first(Client.objects.visible_to(caller(request)))
    return ClientPage(items=[ClientShown.of(client) for client in page], next=following)


@router.get("/{key}", response={200: ClientShown, **REFUSALS})
def show_client(request: HttpRequest, key: Word) -> ClientShown:
    client = Client.objects.visible_to(caller(request)).filter(key=key).first()
    if client is None:
        raise Http404
    return ClientShown.of(client)

"""Contacts of the clients that the caller serves."""

from __future__ import annotations

from typing import Self

from django.http import Http404, HttpRequest
from ninja import Query, Router
from pydantic import BaseModel

from tierdesk.directory.clients.models import Contact
from tierdesk.web.api.bearer import caller
from tierdesk.web.api.errors import REFUSALS
from tierdesk.web.api.fields import Paging, Word

router = Router(tags=["contacts"])


class ContactShown(BaseModel):
    """A person at a client, which is named by its key. `timezone` is the person's own or the client's."""

    id: int
    client: str
    name: str
    email: str
    timezone: str
    is_vip: bool
    is_active: bool

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            id=contact.pk,
            client=contact.client.key,
            name=contact.name,
            email=contact.email,
            timezone=contact.zone,
            is_vip=contact.is_vip,
            is_active=contact.is_active,
        )


class ContactPage(BaseModel):
    items: list[ContactShown]
    next: int | None


class Filters(Paging):
    """Which contacts: of a client (its key), with an address."""

    client: Word | None = None
    email: Word | None = None


@router.get("", response={200: ContactPage, **REFUSALS})
def list_contacts(request: HttpRequest, filters: Query[Filters]) -> ContactPage:
    contacts = Contact.objects.visible_to(caller(request)).select_related("client")
    if filters.client is not None:
        contacts = contacts.filter(client__key=filters.client)
    if filters.email is not None:
        contacts = contacts.filter(email=filters.email.lower())
    page, following = filters.oldest_first(contacts)
    return ContactPage(items=[ContactShown.of(contact) for contact in page], next=following)


@router.get("/{int:pk}", response={200: ContactShown, **REFUSALS})
def show_contact(request: HttpRequest, pk: int) -> ContactShown:
    contact = Contact.objects.visible_to(caller(request)).select_related("client").filter(pk=pk).first()
    if contact is None:
        raise Http404
    return ContactShown.of(contact)

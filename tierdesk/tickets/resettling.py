"""A ticket that was logged for the wrong client: it goes to the one whose it is, with everything that hangs on it.

Nobody of the old client sees it any longer. Its number stays, and its clocks count anew for the other client
(promises.md E12). Rooms whose rows cannot follow refuse it in a reaction.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import ForeignKey, Model

from tierdesk.core.work import record
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import version_in_force
from tierdesk.directory.staff.models import Agent, Team
from tierdesk.tickets.conversation import Direction, Message
from tierdesk.tickets.facts import ClientChanged
from tierdesk.tickets.lifecycle import State, UnableTo
from tierdesk.tickets.models import Participant, Relation, Ticket

STAY = frozenset({"sla.Clock", "sla.Rung"})
"""The clocks that counted for the old client end as its own: they are left out of its figures, visibly."""


def move_to_client(
    ticket: Ticket,
    client: Client,
    *,
    by: Agent,
    why: str,
    contact: Contact | None = None,
    theirs: bool = False,
) -> None:
    """It is a matter of `client`, and always was: promises count from when it was received, under their contract.

    `contact`: who of theirs has the trouble. `theirs`: what was said so far are their words, which they may read; else
    it stays with us, as notes do. Who followed the ticket, what it was tied to, and the old client's service go.

    Raises UnableTo for who does not serve both clients, for a ticket that waits, is over, major or merged, and where
    its team does not serve the other client.
    """
    _refuse(ticket, client, by, why, contact)
    ticket.hold()
    before = ticket.client_id
    _hand_words_over(ticket, contact or client, theirs=theirs)
    Participant.objects.filter(ticket=ticket).delete()
    Relation.objects.filter(ticket=ticket).delete()
    Relation.objects.filter(other=ticket).delete()
    _let_rows_follow(ticket, before=before, after=client.pk)
    _settle(ticket, client, contact, theirs=theirs)
    record(
        ClientChanged(
            ticket=ticket,
            before=before,
            after=client.pk,
            contact=contact.pk if contact else None,
            theirs=theirs,
            priority=ticket.priority,
            why=why.strip(),
        )
    )
    if ticket.assignee is not None and not _sees(ticket.assignee, client):
        ticket.assign(None)


def was_of(ticket: Ticket, client: Client) -> bool:
    """Whether it had been logged for this client, until somebody saw that it is another's."""
    moves = ticket.entries.filter(kind=ClientChanged.kind, details__before=client.pk)
    return client.pk != ticket.client_id and bool(moves.exists())


def _refuse(ticket: Ticket, client: Client, by: Agent, why: str, contact: Contact | None) -> None:
    if client.pk == ticket.client_id:
        raise UnableTo(f"{ticket.reference} belongs to {client.name} already.")
    if not (_sees(by, client) and _sees(by, ticket.client)):
        raise UnableTo("Only who serves both clients moves a ticket from one to the other.")
    if not client.is_active:
        raise UnableTo(f"{client.name} is no longer a client.")
    if not ticket.is_unresolved():
        raise UnableTo(f"{ticket.reference} is {ticket.state}; whose it was is history.")
    if ticket.state == State.PENDING:
        raise UnableTo(
            f"{ticket.reference} waits for somebody of {ticket.client.name}; take it up again first."
        )
    if ticket.is_major:
        raise UnableTo(f"{ticket.reference} is a major incident; stand it down first.")
    if ticket.duplicates.exists():
        raise UnableTo(
            f"A ticket of {ticket.client.name} is merged into {ticket.reference}; take it out first."
        )
    if ticket.team is not None and not _serves(ticket.team, client):
        raise UnableTo(
            f"{ticket.team.name} does not serve {client.name}; hand it to a team that serves both first."
        )
    if contact is not None and (contact.client_id != client.pk or not contact.is_active):
        raise UnableTo(f"{contact.name} is nobody of {client.name}.")
    if not why.strip():
        raise UnableTo(f"Say why it is a matter of {client.name}.")


def _sees(agent: Agent, client: Client) -> bool:
    return bool(Client.objects.visible_to(agent.user).filter(pk=client.pk).exists())


def _serves(team: Team, client: Client) -> bool:
    return team.serves_every_client or team.clients.filter(pk=client.pk).exists()


def _settle(ticket: Ticket, client: Client, contact: Contact | None, *, theirs: bool) -> None:
    """The row itself: the other client's contract, matrix and people, and nothing of the old one's."""
    ticket.client, ticket.contact = client, contact
    if ticket.service is not None and ticket.service.client_id is not None:
        ticket.service = None
    version = version_in_force(client.pk, ticket.created_at.date(), ticket.type)
    computed = ticket.priority_by(version, ticket.impact, ticket.urgency)
    voice = ticket.voice_team if ticket.voice_team and _serves(ticket.voice_team, client) else ticket.team
    ticket.change(
        client=client,
        contact=contact,
        service=ticket.service,
        component=None,
        contract_version=version,
        computed_priority=computed,
        priority=computed,
        voice_team=voice,
        first_responded_at=ticket.first_responded_at if theirs else None,
        opened_as=ticket.opened_as if theirs else "",
    )


def _hand_words_over(ticket: Ticket, to: Contact | Client, *, theirs: bool) -> None:
    said = Message.objects.filter(ticket=ticket)
    if theirs:
        key = to.pk if isinstance(to, Contact) else None
        said.filter(by_kind="contact").update(by_id=key, by_name=to.name)
    else:
        said.public().update(direction=Direction.INTERNAL, why="said when it was another client’s")


def _let_rows_follow(ticket: Ticket, *, before: int, after: int) -> None:
    """Every row that hangs on the ticket and names its client names the other one, and nobody of the old one."""
    for model, path in following():
        rows = model._base_manager.filter(**{path: ticket.pk}, client=before)
        if _points_to(model, Contact):
            rows.filter(contact__client=before).update(contact=None)
        rows.update(client=after)


def following() -> Iterator[tuple[type[Model], str]]:
    """The models whose rows follow their ticket to another client, each with the way from its rows to the ticket.

    A new one that names a client and hangs on a ticket, or on something that does, follows without a line here.
    """
    paths: dict[type[Model], str] = {Ticket: "pk"}
    waiting = [one for one in apps.get_models() if _points_to(one, Client) and one._meta.label not in STAY]
    while found := {model: path for model in waiting if model not in paths and (path := _way(model, paths))}:
        paths |= found
    del paths[Ticket]
    yield from paths.items()


def _way(model: type[Model], paths: dict[type[Model], str]) -> str:
    """By a key of the ticket itself, else of something that follows it."""
    keys = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    for field in sorted(keys, key=lambda field: field.related_model is not Ticket):
        path = paths.get(field.related_model)
        if path is not None and field.name != "client":
            return f"{field.name}__{path}"
    return ""


def _points_to(model: type[Model], other: type[Model]) -> bool:
    return any(field.related_model is other for field in model._meta.concrete_fields if field.is_relation)

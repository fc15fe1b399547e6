"""Who gets in, who finds nothing, and that nothing of one call is left for the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser

from tests.cast import Cast
from tests.web.api.conftest import Program
from tierdesk.core import clock
from tierdesk.directory.staff.models import User
from tierdesk.tickets.models import Ticket
from tierdesk.web.api.models import Token, UnableToIssue, digest

ACTIONS: dict[str, dict[str, Any]] = {
    "replies": {"text": "Hello"},
    "notes": {"text": "Hello"},
    "assignment": {"version": 1, "agent": "me"},
    "waiting": {"version": 1, "reason": "vendor"},
    "resumption": {"version": 1, "why": "it is time"},
    "resolution": {"version": 1, "code": "fixed"},
    "reopening": {"version": 1, "why": "not fixed"},
    "client": {"version": 1, "client": "BOR", "why": "Bob works there"},
    "type": {"version": 1, "type": "request", "why": "nothing is broken"},
    "promised-date": {"version": 1, "at": "2099-01-01T12:00:00Z", "why": "told on the phone"},
    "promised-date/taking-back": {"version": 1, "why": "another ticket"},
    "escalations": {"version": 1, "team": "ops", "reason": "skill", "pack": {}},
    "acceptance": {"version": 1},
    "return": {"version": 1, "reason": "missing_info", "note": "no log"},
    "withdrawal": {"version": 1, "why": "solved it"},
    "merge": {"version": 1, "into": 2, "why": "the same"},
    "parting": {"version": 1, "why": "not the same"},
    "messages/1/place": {"version": 1, "to": None, "subject": "Mine", "why": "another matter"},
    "messages/1/division": {"version": 1, "subject": "Mine", "text": "And this.", "why": "another matter"},
}
UNAUTHORIZED = {
    "error": {"code": "unauthorized", "message": "Send a valid token: Authorization: Bearer td_…"}
}


def routes() -> list[tuple[str, str]]:
    """(method, path) of every operation of the OpenAPI document, with 1 for every parameter."""
    from tierdesk.web.api.urls import api

    paths: dict[str, dict[str, Any]] = api.get_openapi_schema(path_prefix="/api/")["paths"]
    return [
        (
            method,
            path.replace("{pk}", "1")
            .replace("{message}", "1")
            .replace("{action}", "1")
            .replace("{key}", "ACME"),
        )
        for path, methods in paths.items()
        for method in methods
    ]


def scope() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('tierdesk.clients', true)")
        found: str = cursor.fetchone()[0]
        return found


def test_the_document_names_every_resource(client: Browser, db: None) -> None:
    document = client.get("/api/openapi.json").json()
    assert {"/api/v1/tickets", "/api/v1/tickets/{pk}/clocks", "/api/v1/report"} <= set(document["paths"])
    assert len(routes()) >= 16


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_asks_for_a_token(client: Browser, method: str, path: str) -> None:
    response = getattr(client, method)(path, content_type="application/json")
    assert (response.status_code, response.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    "word", ["Bearer td_nobody", "Basic bGVuYTpsZW5h", "Bearer", "Bearer \udce4", "td_x"]
)
def test_a_wrong_token_opens_nothing(client: Browser, db: None, word: str) -> None:
    response = client.get("/api/v1/tickets", headers={"Authorization": word})
    assert (response.status_code, response.json()) == (401, UNAUTHORIZED)


def test_a_session_is_not_a_token(cast: Cast, client: Browser) -> None:
    client.force_login(cast.lena.user)
    assert client.get("/api/v1/tickets").status_code == 401


def test_a_cookie_adds_nothing_to_what_the_token_may_see(
    cast: Cast, program: Callable[[User], Program], ticket: Ticket
) -> None:
    olga = program(cast.olga.user)
    olga.http.force_login(cast.lena.user)
    assert olga.get(f"/tickets/{ticket.pk}").status_code == 404


def test_a_revoked_token_opens_nothing(cast: Cast, lena: Program) -> None:
    assert lena.get("/tickets").status_code == 200
    token = Token.objects.get(sha256=digest(lena.secret))
    token.revoke(clock.now())
    assert lena.get("/tickets").json() == UNAUTHORIZED


def test_an_expired_token_opens_nothing(cast: Cast) -> None:
    now = clock.now()
    with clock.frozen(now):
        secret = Token.issue(cast.lena.user, "short", now, expires_at=now + timedelta(hours=1))
        assert Program(secret).get("/tickets").status_code == 200
    with clock.frozen(now + timedelta(hours=1)):
        assert Program(secret).get("/tickets").json() == UNAUTHORIZED


def test_a_token_ends_with_its_account(cast: Cast, lena: Program) -> None:
    User.objects.filter(pk=cast.lena.user.pk).update(is_active=False)
    assert lena.get("/tickets").json() == UNAUTHORIZED


def test_a_contact_gets_no_token(cast: Cast) -> None:
    assert cast.ann.user is not None
    with pytest.raises(UnableToIssue):
        Token.issue(cast.ann.user, "mine", clock.now())


def test_the_token_of_an_agent_who_became_a_contact_only_opens_nothing(cast: Cast, lena: Program) -> None:
    assert cast.ann.user is not None
    Token.objects.update(user=cast.ann.user)
    assert lena.get("/tickets").json() == UNAUTHORIZED


def test_only_a_digest_of_the_secret_is_kept(cast: Cast) -> None:
    secret = Token.issue(cast.lena.user, "a robot", clock.now())
    assert secret.startswith("td_")
    assert len(secret) == len("td_") + 43
    kept = Token.objects.values().get(name="a robot")
    assert secret not in map(str, kept.values())


def test_use_is_noted_at_most_once_a_minute(cast: Cast, lena: Program) -> None:
    start = clock.now()
    seen = []
    for seconds in (0, 59, 60):
        with clock.frozen(start + timedelta(seconds=seconds)):
            lena.get("/clients")
        seen.append(Token.objects.get().last_used_at)
    assert seen == [start, start, start + timedelta(seconds=60)]


@pytest.mark.parametrize("page", ["", "/timeline", "/clocks"])
def test_an_outsider_does_not_find_a_ticket(olga: Program, ticket: Ticket, page: str) -> None:
    hidden, unknown = olga.get(f"/tickets/{ticket.pk}{page}"), olga.get(f"/tickets/{10**12}{page}")
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content


@pytest.mark.parametrize("action", ACTIONS)
def test_an_outsider_does_nothing_to_a_ticket(olga: Program, ticket: Ticket, action: str) -> None:
    entries = ticket.entries.count()
    assert olga.post(f"/tickets/{ticket.pk}/{action}", ACTIONS[action]).status_code == 404
    assert ticket.entries.count() == entries


def test_lists_tell_an_outsider_nothing(cast: Cast, olga: Program, ticket: Ticket) -> None:
    for path in ("/tickets", "/clients", "/contacts", "/tickets?client=ACME", "/contacts?client=ACME"):
        body = olga.get(path).content.decode()
        assert "acme" not in body.lower()
        assert ticket.subject not in body
    assert [c["key"] for c in olga.get("/clients").json()["items"]] == ["BOR"]
    assert [c["name"] for c in olga.get("/contacts").json()["items"]] == ["Bob Byrne"]


def test_an_outsider_does_not_find_a_client_or_its_contacts(cast: Cast, olga: Program) -> None:
    assert olga.get("/clients/ACME").status_code == 404
    assert olga.get(f"/contacts/{cast.ann.pk}").status_code == 404
    assert olga.get("/clients/BOR").status_code == 200
    assert olga.get(f"/contacts/{cast.bob.pk}").status_code == 200


def test_an_outsider_opens_no_ticket_of_another_client(cast: Cast, olga: Program) -> None:
    before = Ticket.objects.count()
    body = {"client": "ACME", "subject": "Hello", "text": "x"}
    assert olga.post("/tickets", body).status_code == 404
    assert Ticket.objects.count() == before


def test_the_report_is_for_managers(cast: Cast, lena: Program, program: Callable[[User], Program]) -> None:
    assert lena.get("/report").status_code == 404
    assert program(cast.lou.user).get("/report").status_code == 200


def test_an_administrator_who_is_no_agent_gets_in(
    cast: Cast, program: Callable[[User], Program], ticket: Ticket
) -> None:
    root = User.objects.create_user("root@desk.example", name="Root", is_admin=True)
    admin = program(root)
    assert admin.get("/report").status_code == 200
    answer = admin.post(f"/tickets/{ticket.pk}/assignment", {"version": _version(ticket), "agent": "me"})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "Only an agent can do this."


def test_the_second_lock_holds_where_the_first_is_forgotten(
    cast: Cast, olga: Program, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierdesk.tickets.models.Tickets.visible_to", lambda tickets, user: tickets)
    assert olga.get(f"/tickets/{ticket.pk}").status_code == 404
    assert olga.get("/tickets").json()["items"] == []


@pytest.mark.parametrize("path", ["/nowhere", "/tickets/", "/tickets/one", "/../v2/tickets", "/clients/a/b"])
def test_what_does_not_exist_is_said_in_the_same_shape(cast: Cast, lena: Program, path: str) -> None:
    answer = lena.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_wrong_method_is_refused_in_the_same_shape(cast: Cast, lena: Program) -> None:
    answer = lena.post("/clients", {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json()["error"] == {"code": "method_not_allowed", "message": "Here you can only GET."}


@pytest.mark.parametrize("path", ["/tickets", "/tickets/1", "/nowhere", "/tickets?state=odd"])
def test_no_call_leaves_the_lock_open(cast: Cast, lena: Program, path: str) -> None:
    Browser().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {lena.secret}"})
    if path != "/nowhere":
        assert scope() == ""


def test_what_fails_leaves_the_lock_closed_and_tells_nothing(
    cast: Cast, lena: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("tierdesk.web.api.clients.ClientShown.of", fail)
    answer = Browser(raise_request_exception=False).get(
        "/api/v1/clients", headers={"Authorization": f"Bearer {lena.secret}"}
    )
    assert scope() == ""
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "broken"
    assert "secret" not in answer.content.decode()


def test_the_models_and_the_migrations_agree(db: None) -> None:
    call_command("makemigrations", "api", check=True, dry_run=True, verbosity=0)


def _version(ticket: Ticket) -> int:
    return Ticket.objects.get(pk=ticket.pk).version

"""What agents do on the ticket page: each action is one domain call, and the slower of two is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from tests.cast import Cast
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Number
from tierdesk.directory.contracts.models import ContractVersion, Promise
from tierdesk.directory.services.models import Service
from tierdesk.response.notifications.models import Notice
from tierdesk.response.tiers.models import Escalation
from tierdesk.tickets.models import Ticket


@pytest.fixture
def ticket(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    with doing(cast.lena):
        return cast.ticket()


@pytest.fixture
def lena(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.lena.user)
    return client


def post(browser: Browser, address: str, form: dict[str, Any]) -> HttpResponse:
    """Post as the browser's user; afterwards the test sees every client again, as the request did not."""
    answer = browser.post(address, form)
    set_scope(EVERY_CLIENT)
    return answer


def told(browser: Browser, ticket: Ticket) -> str:
    return browser.get(f"/tickets/{ticket.pk}/").content.decode()


@pytest.mark.parametrize("version", ["²", "-1", "x"])
def test_a_version_that_is_no_number_is_none(cast: Cast, lena: Browser, ticket: Ticket, version: str) -> None:
    answer = post(lena, f"/tickets/{ticket.pk}/assignment/", {"version": version})
    assert answer.status_code == 302
    ticket.refresh_from_db()
    assert ticket.assignee == cast.lena


def test_taking_a_ticket_makes_it_the_agents(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    post(lena, f"/tickets/{ticket.pk}/assignment/", {"version": ticket.version})
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.state) == (cast.lena, "open")


def test_a_ticket_is_of_another_type(lena: Browser, ticket: Ticket) -> None:
    why = "nothing is broken"
    post(lena, f"/tickets/{ticket.pk}/type/", {"version": ticket.version, "type": "request", "why": why})
    ticket.refresh_from_db()
    assert ticket.type == "request"
    assert "changed its type from incident to service request: nothing is broken" in told(lena, ticket)


def test_an_agent_says_which_service_it_is_about(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    till = Service.objects.create(client=cast.acme, key="till", name="Remote <access>")
    assert "Remote &lt;access&gt;" in told(lena, ticket), "it is offered"
    post(lena, f"/tickets/{ticket.pk}/service/", {"version": ticket.version, "service": till.pk})
    ticket.refresh_from_db()
    assert ticket.service == till
    assert "said that it is about Remote &lt;access&gt;, not VPN" in told(lena, ticket)
    post(lena, f"/tickets/{ticket.pk}/service/", {"version": ticket.version, "service": ""})
    ticket.refresh_from_db()
    assert ticket.service is None
    assert "said that it is not about Remote &lt;access&gt;" in told(lena, ticket)


@pytest.mark.parametrize("named", ["x", "0", "²"])
def test_a_service_that_is_none_is_not_found(lena: Browser, ticket: Ticket, named: str) -> None:
    path = f"/tickets/{ticket.pk}/service/"
    assert lena.post(path, {"version": ticket.version, "service": named}).status_code == 404


def test_another_clients_service_is_not_named(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    theirs = Service.objects.create(client=cast.borealis, key="far", name="Tunnel of Borealis")
    assert theirs.name not in told(lena, ticket)
    said = {"version": ticket.version, "service": theirs.pk}
    answer = lena.post(f"/tickets/{ticket.pk}/service/", said, follow=True)
    assert "is not a service of" in answer.content.decode()
    set_scope(EVERY_CLIENT)
    ticket.refresh_from_db()
    assert ticket.service != theirs


def test_a_ticket_has_another_subject(lena: Browser, ticket: Ticket) -> None:
    post(lena, f"/tickets/{ticket.pk}/subject/", {"version": ticket.version, "subject": "Tunnel <to> Oslo"})
    ticket.refresh_from_db()
    assert ticket.subject == "Tunnel <to> Oslo"
    assert "from “VPN does not connect” to “Tunnel &lt;to&gt; Oslo”" in told(lena, ticket)
    answer = lena.post(
        f"/tickets/{ticket.pk}/subject/", {"version": ticket.version, "subject": ""}, follow=True
    )
    assert "Say what it is about." in answer.content.decode()


def test_a_question_makes_the_ticket_wait(lena: Browser, ticket: Ticket) -> None:
    post(lena, f"/tickets/{ticket.pk}/words/", {"audience": "reply", "text": "Which one?", "ask": "on"})
    ticket.refresh_from_db()
    assert (ticket.state, ticket.pending_reason) == ("pending", "requester_info")


def test_a_note_is_internal(lena: Browser, ticket: Ticket) -> None:
    post(lena, f"/tickets/{ticket.pk}/words/", {"audience": "note", "text": "Between us."})
    assert ticket.messages.get(direction="internal").text == "Between us."


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("resolution", {"code": "fixed", "text": "Done."}),
        ("assignment", {"agent": "0"}),
        ("waiting", {"reason": "vendor"}),
        ("cancellation", {"why": "twice"}),
        ("assessment", {"impact": "1", "urgency": "1", "reason": "all are hit"}),
        ("type", {"type": "request", "why": "nothing is broken"}),
    ],
)
def test_the_slower_of_two_changes_nothing_and_is_told(
    cast: Cast, lena: Browser, ticket: Ticket, doing: Callable[..., Any], path: str, form: dict[str, str]
) -> None:
    seen = ticket.version
    with doing(cast.lou):
        ticket.resolve(code="fixed", text="Lou was faster.")
    before = ticket.version
    post(lena, f"/tickets/{ticket.pk}/{path}/", form | {"version": str(seen)})
    ticket.refresh_from_db()
    assert ticket.version == before
    assert "changed by somebody else" in told(lena, ticket)


def test_two_who_escalate_at_once_send_one_hand_over(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    pack = {"symptom": "x", "scope": "y", "steps_tried": "z", "exact_ask": "look", "reason": "skill"}
    form = pack | {"team": str(cast.ops.pk), "version": str(ticket.version)}
    post(lena, f"/tickets/{ticket.pk}/escalation/", form)
    again = post(lena, f"/tickets/{ticket.pk}/escalation/", form)
    assert Escalation.objects.count() == 1
    assert again.status_code == 200
    assert "changed by somebody else" in again.content.decode() or "higher tier" in again.content.decode()


def test_only_a_lead_overrides_a_priority(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    form = {"priority": "1", "reason": "the board asked"}
    post(lena, f"/tickets/{ticket.pk}/assessment/", form)
    ticket.refresh_from_db()
    assert ticket.priority == 3
    lena.force_login(cast.lou.user)
    post(lena, f"/tickets/{ticket.pk}/assessment/", form)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.computed_priority) == (1, 3)


@pytest.mark.parametrize(
    "path", ["words", "assignment", "waiting", "resolution", "cancellation", "assessment", "category", "runs"]
)
def test_an_agent_of_another_client_cannot_act(
    cast: Cast, client: Browser, ticket: Ticket, path: str
) -> None:
    client.force_login(cast.olga.user)
    before = ticket.version
    answer = post(
        client, f"/tickets/{ticket.pk}/{path}/", {"text": "x", "category": "network/vpn", "revision": "0"}
    )
    assert answer.status_code == 404
    ticket.refresh_from_db()
    assert ticket.version == before


@pytest.mark.parametrize("path", ["words", "assignment", "resolution"])
def test_a_get_changes_nothing(lena: Browser, ticket: Ticket, path: str) -> None:
    assert lena.get(f"/tickets/{ticket.pk}/{path}/").status_code == 405


def test_a_waiting_ticket_s_page_says_what_happens_next_and_when(
    cast: Cast, lena: Browser, ticket: Ticket
) -> None:
    cast.acme_contract.pending = {"dependency_group": {"every": 8 * 3600, "then": "return"}}
    cast.acme_contract.save()
    post(
        lena,
        f"/tickets/{ticket.pk}/waiting/",
        {"reason": "dependency_group", "team": cast.ops.pk, "version": ticket.version},
    )
    page = told(lena, ticket)
    assert "Northern Team" not in page, "it does not serve Acme"
    assert "If nobody answers" in page
    assert "reminder 1 of 2 to Operations" in page
    assert "back to work, as nobody answered" in page


def test_a_ticket_that_waits_for_nobody_in_particular_promises_nothing(lena: Browser, ticket: Ticket) -> None:
    post(lena, f"/tickets/{ticket.pk}/waiting/", {"reason": "evidence", "version": ticket.version})
    assert "If nobody answers" not in told(lena, ticket)


@pytest.fixture
def next_version(cast: Cast) -> ContractVersion:
    """Acme's next contract, with two hours to solve what is urgent."""
    now = cast.acme_contract
    version = ContractVersion.objects.create(
        client=cast.acme,
        contract=now.contract,
        version=2,
        effective_from=date(2026, 12, 1),
        calendar=now.calendar,
        matrix=now.matrix,
    )
    for priority in range(1, 5):
        Promise.objects.create(
            client=cast.acme,
            contract_version=version,
            metric="resolve",
            priority=priority,
            target_s=7200,
            calendar=cast.always,
        )
    return version


def test_a_lead_lets_other_terms_apply_with_a_reason(
    cast: Cast, client: Browser, ticket: Ticket, next_version: ContractVersion
) -> None:
    client.force_login(cast.lou.user)
    assert "Let other terms apply" in told(client, ticket)
    form = {"contract_version": next_version.pk, "why": "agreed by phone", "version": ticket.version}
    post(client, f"/tickets/{ticket.pk}/terms/", form)
    ticket.refresh_from_db()
    assert ticket.contract_version == next_version
    assert ticket.clocks.get(metric="resolve", party="SLA", state="running").target_s == 7200
    assert "other terms apply, standard@2: agreed by phone" in told(client, ticket)


@pytest.mark.parametrize("why", ["", "agreed"], ids=["without a reason", "not a lead"])
def test_other_terms_need_a_lead_and_a_reason(
    cast: Cast, client: Browser, ticket: Ticket, next_version: ContractVersion, why: str
) -> None:
    client.force_login((cast.lena if why else cast.lou).user)
    post(client, f"/tickets/{ticket.pk}/terms/", {"contract_version": next_version.pk, "why": why})
    ticket.refresh_from_db()
    assert ticket.contract_version == cast.acme_contract


def test_the_terms_of_another_client_are_not_offered_and_not_taken(
    cast: Cast, client: Browser, ticket: Ticket
) -> None:
    client.force_login(cast.lou.user)
    assert "Let other terms apply" not in told(client, ticket)
    form = {"contract_version": cast.borealis_contract.pk, "why": "a try"}
    post(client, f"/tickets/{ticket.pk}/terms/", form)
    ticket.refresh_from_db()
    assert ticket.contract_version == cast.acme_contract
    assert "not of the ticket’s client" in told(client, ticket)
    client.force_login(cast.olga.user)
    assert post(client, f"/tickets/{ticket.pk}/terms/", form).status_code == 404


def test_news_of_a_ticket_bring_what_stands_beside_it_and_the_version_of_now(
    cast: Cast, lena: Browser, ticket: Ticket
) -> None:
    post(lena, f"/tickets/{ticket.pk}/assignment/", {"version": ticket.version})
    ticket.refresh_from_db()
    news = lena.get(f"/tickets/{ticket.pk}/", headers={"HX-Request": "true"}).content.decode()
    body, aside, dialogs = news.partition('id="ticket-aside"')[0], *news.split('hx-swap-oob="innerHTML"')[1:]
    assert "took it" in body
    assert "Promises" in aside
    assert f'name="version" value="{ticket.version}"' in dialogs
    assert 'class="composer"' not in news


def test_what_an_agent_wrote_is_shown_as_markdown_and_what_a_contact_wrote_as_it_is(
    cast: Cast, lena: Browser, ticket: Ticket, doing: Callable[..., Any]
) -> None:
    with doing(cast.lena):
        ticket.reply("Press **both**.")
    with doing(cast.ann):
        ticket.hear("I press **both**.", channel="email")
    assert "<p>Press <strong>both</strong>.</p>" in told(lena, ticket)
    assert "<p>I press **both**.</p>" in told(lena, ticket)


def test_the_contact_can_be_called_from_the_ticket(cast: Cast, lena: Browser, ticket: Ticket) -> None:
    Number.objects.create(client=cast.acme, contact=cast.ann, e164="+4930123450199")
    assert '<a class="nowrap" href="tel:+4930123450199">+49 30 123450199</a>' in told(lena, ticket)


@pytest.fixture
def nobodys(cast: Cast, doing: Callable[..., Any]) -> Ticket:
    """A ticket that nobody in particular has, such as a call back to a switchboard."""
    with doing(cast.lena):
        return cast.ticket(contact=None, channel="phone")


def test_a_ticket_without_a_contact_offers_a_note_and_to_name_somebody(
    cast: Cast, lena: Browser, nobodys: Ticket, ticket: Ticket
) -> None:
    page = told(lena, nobodys)
    assert "Nobody would get a reply: this ticket has no contact." in page
    assert 'name="audience" value="reply"' not in page
    assert 'name="audience" value="note" checked' in page
    [key] = re.findall(r'<button[^>]*data-key="r"[^>]*>', page)
    assert 'commandfor="name-contact"' in key
    assert '<option value="ann@acme.example">Ann Albers</option>' in page and "bob@" not in page
    page = told(lena, ticket)
    assert 'name="audience" value="reply" checked' in page and "name-contact" not in page


@pytest.mark.parametrize("form", [{"audience": "reply"}, {"audience": "reply", "ask": "on"}])
def test_nobody_writes_to_nobody(lena: Browser, nobodys: Ticket, form: dict[str, str]) -> None:
    """Else a promise to respond would be kept by words that nobody ever reads."""
    said = nobodys.messages.count()
    post(lena, f"/tickets/{nobodys.pk}/words/", form | {"text": "Hello?"})
    nobodys.refresh_from_db()
    assert (nobodys.messages.count(), nobodys.first_responded_at) == (said, None)
    assert "Nobody would get a reply" in told(lena, nobodys)


def test_whoever_is_named_is_written_to(cast: Cast, lena: Browser, nobodys: Ticket) -> None:
    form = {"version": nobodys.version, "contact": " Ann@acme.example"}
    post(lena, f"/tickets/{nobodys.pk}/contact/", form)
    nobodys.refresh_from_db()
    assert nobodys.contact == cast.ann
    page = told(lena, nobodys)
    assert "named Ann Albers as its contact" in page and "Ann Albers &lt;ann@acme.example&gt;" in page
    post(lena, f"/tickets/{nobodys.pk}/words/", {"audience": "reply", "text": "Hello!"})
    assert Notice.objects.get(ticket=nobodys, kind="reply").address == "ann@acme.example"


@pytest.mark.parametrize("address", ["", "bob@borealis.example", "nobody@acme.example"])
def test_only_somebody_of_the_client_is_named(lena: Browser, nobodys: Ticket, address: str) -> None:
    post(lena, f"/tickets/{nobodys.pk}/contact/", {"version": nobodys.version, "contact": address})
    nobodys.refresh_from_db()
    assert nobodys.contact is None
    assert "Nobody of Acme GmbH has the address" in told(lena, nobodys)


def test_an_agent_who_does_not_serve_the_client_names_nobody(
    cast: Cast, client: Browser, nobodys: Ticket
) -> None:
    client.force_login(cast.olga.user)
    form = {"version": nobodys.version, "contact": "ann@acme.example"}
    assert post(client, f"/tickets/{nobodys.pk}/contact/", form).status_code == 404
    nobodys.refresh_from_db()
    assert nobodys.contact is None

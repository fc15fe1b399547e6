"""The pages of vendor cases: any tier prepares one, the third line hands it in and drives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import Cast
from tests.response.vendors.conftest import nordvik, submit, ticket
from tests.web.workspace.test_actions import post
from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.response.notifications.models import Notice
from tierdesk.response.vendors.models import Case, UnderpinningContract
from tierdesk.tickets.models import Entry, Ticket
from tierdesk.web.ui.wording import duration

__all__ = ["nordvik", "submit", "ticket"]

SOON, TYPED = datetime(2035, 6, 4, 8, tzinfo=UTC), "2035-06-04T10:00"
"""An instant, and how somebody in Berlin types it."""


@pytest.fixture
def kira(cast: Cast, client: Browser) -> Browser:
    client.force_login(cast.kira.user)
    return client


@pytest.fixture
def said(nordvik: UnderpinningContract) -> dict[str, Any]:
    return {"contract": nordvik.pk, "severity": 1, "subject": "Gateway drops", "text": "Look.", "draft": "1"}


@pytest.fixture
def case(submit: Callable[..., Case]) -> Case:
    return submit()


def read(browser: Browser, address: str) -> str:
    page = browser.get(address).content.decode()
    set_scope(EVERY_CLIENT)
    return page


def page(case: Case, verb: str = "") -> str:
    return f"/tickets/{case.ticket_id}/cases/{case.pk}/" + (f"{verb}/" if verb else "")


def test_the_first_line_prepares_a_draft_and_the_vendor_hears_nothing(
    cast: Cast, client: Browser, ticket: Ticket, said: dict[str, Any]
) -> None:
    client.force_login(cast.lena.user)
    form = read(client, f"/tickets/{ticket.pk}/cases/")
    assert "Prepare a draft" in form and "Open the case" not in form
    answer = post(client, f"/tickets/{ticket.pk}/cases/", said | {"product_version": " 7.2  (b)"})
    case = Case.objects.get()
    assert answer.headers["Location"] == page(case)
    assert (case.state, case.product_version, case.driver) == ("draft", "7.2 (b)", cast.lena)
    told = read(client, page(case))
    assert "Nordvik has not heard of it yet." in told and "hands it in" in told
    assert "Hand it in" not in told
    assert not Notice.objects.filter(case_id=case.pk).exists()


def test_a_draft_is_written_anew_by_any_tier_until_the_vendor_hears_of_it(
    cast: Cast, client: Browser, ticket: Ticket, said: dict[str, Any]
) -> None:
    client.force_login(cast.lena.user)
    post(client, f"/tickets/{ticket.pk}/cases/", said)
    case = Case.objects.get()
    assert f'href="{page(case, "draft")}"' in read(client, page(case))
    form = read(client, page(case, "draft"))
    assert 'value="Gateway drops"' in form and "Look.</textarea>" in form
    empty = post(client, page(case, "draft"), said | {"text": " "})
    assert "a subject and a text" in empty.content.decode()
    answer = post(client, page(case, "draft"), said | {"severity": 2, "text": "IKE stops after an hour."})
    case.refresh_from_db()
    assert answer.headers["Location"] == page(case)
    assert (case.state, case.severity, case.text) == ("draft", 2, "IKE stops after an hour.")
    assert Entry.objects.of(ticket.pk).filter(kind="case_rewritten").count() == 1
    client.force_login(cast.kira.user)
    post(client, page(case, "submission"), {})
    late = post(client, page(case, "draft"), said | {"text": "Too late."})
    assert "no draft any more" in late.content.decode()
    case.refresh_from_db()
    assert case.text == "IKE stops after an hour."


def test_an_outsider_finds_no_draft_to_rewrite(
    cast: Cast, client: Browser, ticket: Ticket, said: dict[str, Any]
) -> None:
    client.force_login(cast.lena.user)
    post(client, f"/tickets/{ticket.pk}/cases/", said)
    case = Case.objects.get()
    client.force_login(cast.olga.user)
    assert client.get(page(case, "draft")).status_code == 404
    assert post(client, page(case, "draft"), said).status_code == 404


def test_who_may_not_open_one_is_refused_in_words(
    cast: Cast, client: Browser, ticket: Ticket, said: dict[str, Any]
) -> None:
    client.force_login(cast.lena.user)
    answer = client.post(f"/tickets/{ticket.pk}/cases/", said | {"draft": ""}).content.decode()
    assert "Only L3 or a manager opens a case" in answer
    set_scope(EVERY_CLIENT)
    assert not Case.objects.exists()


def test_the_third_line_hands_a_draft_in_and_drives_it_from_then_on(
    cast: Cast, kira: Browser, ticket: Ticket, said: dict[str, Any], doing: Any, nordvik: UnderpinningContract
) -> None:
    with doing(cast.lena):
        case = Case.draft(ticket, nordvik, by=cast.lena, severity=1, subject="Gateway", text="Look.")
    assert "Hand it in" in read(kira, page(case))
    post(kira, page(case, "submission"), {})
    case.refresh_from_db()
    assert (case.state, case.driver) == ("submitted", cast.kira)
    assert Notice.objects.filter(case_id=case.pk).exists()


def test_a_draft_can_be_discarded(
    cast: Cast, kira: Browser, ticket: Ticket, doing: Any, nordvik: UnderpinningContract
) -> None:
    with doing(cast.lena):
        case = Case.draft(ticket, nordvik, by=cast.lena, severity=1, subject="Gateway", text="Look.")
    post(kira, page(case, "closing"), {"code": "abandoned"})
    case.refresh_from_db()
    assert (case.state, case.close_code) == ("closed", "abandoned")


def test_the_vendors_promises_say_how_much_of_them_is_left(kira: Browser, case: Case) -> None:
    told = read(kira, page(case)).partition("The vendor’s promises")[2]
    assert "Respond · vendor" in told and "Resolve · vendor" in told
    for one in case.ticket.clocks.filter(party="UC"):
        assert f" of {duration(one.target)}</span>" in told, "the time used stands beside the target"
        assert f"/tickets/{case.ticket_id}/clocks/{one.pk}/" in told


def test_a_vendor_s_deadline_names_its_contract_and_severity(kira: Browser, case: Case) -> None:
    one = case.ticket.clocks.get(party="UC", metric="resolve")
    told = read(kira, f"/tickets/{case.ticket_id}/clocks/{one.pk}/")
    assert "Promised by Nordvik: Gateway: 8 h of working time" in told and "for severity S1." in told
    assert "started, 8 h for S1" in told and ">Nordvik: Gateway<br>" in told


def test_the_vendor_is_chased_and_the_driver_reminded_when_they_said(kira: Browser, case: Case) -> None:
    assert "we are waiting for news on this case" in read(kira, page(case))
    post(kira, page(case, "chaser"), {"text": "Any news?", "again_at": TYPED})
    case.refresh_from_db()
    assert case.chase_count == 1
    assert case.wake_at == SOON
    assert "1 times so far" in read(kira, page(case))


def test_a_promise_of_the_vendor_is_noted(kira: Browser, case: Case) -> None:
    post(kira, page(case, "promise"), {"until": TYPED, "words": "a patch"})
    case.refresh_from_db()
    assert case.promised_at == SOON
    assert Entry.objects.of(case.ticket_id).get(kind="case_promised").details["words"] == "a patch"
    assert "Promised by" in read(kira, page(case))


def test_a_promise_needs_a_time_and_not_one_that_is_over(kira: Browser, case: Case) -> None:
    for until, told in (("", "Say by when"), ("2020-01-01T10:00", "in the future"), ("soon", "not a date")):
        post(kira, page(case, "promise"), {"until": until})
        assert told in read(kira, page(case))
    case.refresh_from_db()
    assert case.promised_at is None


def test_the_severity_is_changed_with_a_reason(kira: Browser, case: Case) -> None:
    post(kira, page(case, "severity"), {"severity": "2", "why": ""})
    case.refresh_from_db()
    assert case.severity == 1
    post(kira, page(case, "severity"), {"severity": "2", "why": "there is a way around it"})
    case.refresh_from_db()
    assert case.severity == 2


def test_the_defect_and_the_release_without_it_are_noted(kira: Browser, case: Case) -> None:
    post(kira, page(case, "defect"), {"bug": "IKE-88", "target_release": "7.3"})
    told = read(kira, page(case))
    assert "IKE-88" in told and "7.3" in told


@pytest.mark.parametrize(
    "verb", ["submission", "words", "chaser", "promise", "severity", "defect", "state", "heard", "closing"]
)
def test_whoever_may_not_drive_cases_changes_nothing(
    cast: Cast, client: Browser, case: Case, verb: str
) -> None:
    client.force_login(cast.lena.user)
    before = Case.objects.filter(pk=case.pk).values().get()
    form = {"text": "Hello", "until": TYPED, "severity": "3", "why": "x", "bug": "x"}
    post(client, page(case, verb), form | {"state": "vendor_working", "code": "fixed"})
    assert Case.objects.filter(pk=case.pk).values().get() == before
    shown = read(client, page(case))
    assert "Only L3 or a manager drives a case." in shown
    assert "Write to the vendor" not in shown


def test_an_outsider_finds_neither_the_case_nor_its_verbs(cast: Cast, client: Browser, case: Case) -> None:
    for user in (cast.olga.user, cast.ann.user):
        client.force_login(user)
        assert client.get(page(case)).status_code in {302, 404}
        assert client.post(page(case, "chaser"), {"text": "x"}).status_code in {302, 404}
    set_scope(EVERY_CLIENT)
    case.refresh_from_db()
    assert case.chase_count == 0


def test_there_is_no_other_verb(kira: Browser, case: Case) -> None:
    assert kira.post(page(case, "burning"), {}).status_code == 404

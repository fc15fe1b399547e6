"""A thing is changed as its form says: after the difference was shown, whole or not at all, nothing typed is lost."""

from __future__ import annotations

import html
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from tests.cast import HOUR, Cast
from tests.ops.settings.conftest import Opens, Sheet
from tests.response.paging.conftest import on_call, publish
from tierdesk.channels.alarms.models import Source
from tierdesk.channels.alarms.tokens import digest, unsealed
from tierdesk.channels.email.models import Mailbox
from tierdesk.channels.web_form.models import Form as WebForm
from tierdesk.core import clock
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import Contract, ContractVersion
from tierdesk.directory.oncall.models import Turn
from tierdesk.ops.desk.change import apply_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.response.runbooks.models import Book
from tierdesk.response.tiers.models import Procedure

__all__ = ["on_call"]

CONTRACT = "contracts/ACME~standard"


def newest(contract: str = "standard", client: str = "ACME") -> ContractVersion:
    return Contract.objects.get(client__key=client, key=contract).versions.order_by("-version")[0]


def resolve_s(version: ContractVersion, priority: int) -> int:
    return int(version.promises.get(metric="resolve", party="SLA", priority=priority).target_s)


def test_the_difference_is_shown_in_words_before_anything_changes(cast: Cast, opens: Opens) -> None:
    shown = opens(CONTRACT).fill(promises__P1__resolve="3 h", channels=["email", "phone"]).send()

    assert shown.status == 200
    assert "Nothing has changed yet." in shown.words
    assert "changed Acme GmbH standard support contract" in shown.words
    assert "Promises · P1 · Resolve was 4 h → becomes 3 h" in shown.words
    assert "Agreed channels was Alarms taken out" in shown.words
    assert "Tickets keep the version they were opened under." in shown.words
    assert newest() == cast.acme_contract


def test_applied_it_is_a_new_version_and_the_file_says_the_same(
    cast: Cast, opens: Opens, tmp_path: Path
) -> None:
    shown = opens(CONTRACT).fill(promises__P1__resolve="3 h").send()

    done = shown.sheet.send("apply")

    assert done.response.headers["Location"] == "/settings/contracts/"
    assert (newest().version, newest().effective_from) == (2, clock.now().date())
    assert resolve_s(newest(), 1) == 3 * HOUR
    assert resolve_s(newest(), 2) == 8 * HOUR, "what was not touched stays"
    written = tmp_path / "desk.yaml"
    written.write_text(export_desk())
    assert apply_desk(written).changes == []


def test_going_on_editing_brings_back_what_was_typed(cast: Cast, opens: Opens) -> None:
    shown = opens(CONTRACT).fill(name="Renamed", promises__P1__resolve="3 h").send()

    sheet = shown.sheet.send("edit").sheet

    assert (sheet["name"], sheet["promises.P1.resolve"]) == ("Renamed", "3 h")
    assert newest() == cast.acme_contract


def test_what_a_wait_leads_to_is_told_by_the_name_of_what_is_waited_for(cast: Cast, opens: Opens) -> None:
    words = opens(CONTRACT).fill(pending__dependency_group__every="4 h").send().words
    assert "Reminders, and what follows · Waiting for another team · A reminder every becomes 4 h" in words


def test_nonsense_changes_nothing_and_is_told_at_its_field(cast: Cast, opens: Opens) -> None:
    answer = (
        opens(CONTRACT)
        .fill(name="", promises__P1__resolve="three hours", promises__P2__update="90 min", reopen_days="soon")
        .send("apply")
    )

    assert answer.status == 422
    assert "Nothing was changed Name : “name” is empty" in answer.words
    assert "Promises: P1 Resolve : “three hours” is no duration; write such as" in answer.words
    assert 'id="field-promises.P1.resolve" name="promises.P1.resolve" value="three hours"' in answer.body
    assert 'aria-describedby="field-promises.P1.resolve-error" aria-invalid="true"' in answer.body
    assert answer.sheet["promises.P2.update"] == "90 min", "what was right is not lost either"
    assert answer.sheet["reopen_days"] == "soon"
    assert newest() == cast.acme_contract


def test_whom_a_policy_calls_and_where_it_leads_is_chosen_by_name(
    cast: Cast, on_call: None, opens: Opens
) -> None:
    publish(steps=[{"after": 0, "page": ["schedule:l1"]}, {"after": 300, "hand": "L2"}])
    words = opens("paging_policies/p1").body
    for value, name in (
        ("schedule:l1", "on call: "),
        ("next:l1", "next on call: "),
        ("team:ops", "everybody of Operations"),
        ("user:lou@desk.example", "Lou Lead"),
    ):
        assert re.search(rf'name="steps.0.page.1".*?<option value="{value}"[^>]*>{name}', words, re.S)
    assert re.search(r'<option value="L2" selected>the team of L2 that serves the client', words)


def test_a_procedure_that_leads_in_a_circle_is_refused_in_words(cast: Cast, opens: Opens) -> None:
    Procedure.publish("up", name="Up", from_tier=2, spec={"to": ["L3"]})
    answer = opens("procedures/~up").fill(rules__to__0="L2").send("apply")
    assert "Nothing was changed What it asks for : It leads to L2, which is not above L2." in answer.words
    assert Procedure.objects.get(key="up").spec == {"to": ["L3"]}


@pytest.mark.parametrize(
    ("path", "fill", "place", "sentence"),
    [
        ("clients/ACME", {"timezone": "Europe/Bonn"}, "timezone", "no time zone"),
        ("clients/ACME", {"domains__0": "borealis.example"}, "domains", "is BOR’s already"),
        ("clients/ACME", {"phones__1": "030 123"}, "phones.1", "no country code"),
        ("clients/ACME", {"phones__1": "+49301234500"}, "phones.1", "in the list twice"),
        ("calendars/office-de", {"week__mon__0__to": ""}, "week.mon.0.from", "are no hours"),
        (
            "calendars/office-de",
            {"week__mon__1__from": "8", "week__mon__1__to": "9"},
            "week.mon.1.from",
            "no hours",
        ),
        (
            "calendars/office-de",
            {"partial__0__key": "2026-12-24", "partial__0__value": "noon"},
            "partial.0.value",
            "no hours",
        ),
        (CONTRACT, {"effective_from": "2020-01-01"}, "effective_from", "begins on 2026-01-01"),
        (CONTRACT, {"promises__P5__calendar": "always"}, "promises", "P5 promises nothing"),
        (CONTRACT, {"matrix__1__0": ""}, "matrix.1.0", "does not fit"),
        (CONTRACT, {"performers__L1": ""}, None, None),
        ("agents/lou@desk.example", {"leads": ["desk", "ops"]}, "leads", "add it to “teams” too"),
        (
            "agents/lou@desk.example",
            {
                "skills__0__key": "linux",
                "skills__0__value": "3",
                "skills__1__key": "linux",
                "skills__1__value": "1",
            },
            "skills.1.key",
            "given twice",
        ),
        ("agents/lou@desk.example", {"skills__0__key": "linux"}, "skills.0.value", "does not fit"),
        ("teams/desk", {"tier": ""}, "tier", "is empty"),
        ("teams/desk", {"name": "x" * 200}, None, "value too long"),
    ],
)
def test_every_reason_stands_where_it_belongs(
    opens: Opens, path: str, fill: dict[str, Any], place: str | None, sentence: str | None
) -> None:
    answer = opens(path).fill(**fill).send()

    if sentence is None:
        assert answer.status == 200
        return
    assert answer.status == 422
    assert sentence in answer.words
    if place:
        assert f'href="#field-{place}"' in answer.body and f'id="field-{place}"' in answer.body


def test_a_client_is_added(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/clients").fill(
        key="POLAR",
        name="Polar Bikes",
        timezone="Europe/Oslo",
        domains__0="polar.example",
        teams=["northern"],
    )

    shown = sheet.send()
    assert "new Polar Bikes client" in shown.words
    assert "Teams that serve it becomes Northern Team (L2)" in shown.words
    assert not Client.objects.filter(key="POLAR").exists()
    shown.sheet.send("apply")

    polar = Client.objects.get(key="POLAR")
    assert [domain.name for domain in polar.domains.all()] == ["polar.example"]
    assert [team.key for team in polar.teams.all()] == ["northern"]


def test_a_key_that_is_taken_is_refused(opens: Opens) -> None:
    answer = opens("new/clients").fill(key="ACME", name="Another Acme").send("apply")

    assert answer.status == 422
    assert "Key : “ACME” is there already; change that client." in answer.words
    assert Client.objects.get(key="ACME").name == "Acme GmbH"


def test_a_key_stays(opens: Opens) -> None:
    sheet = opens("clients/ACME")
    assert "key" not in sheet.fields

    sheet.fill(key="OTHER", name="Acme AG").send("apply")

    assert Client.objects.get(key="ACME").name == "Acme AG"
    assert not Client.objects.filter(key="OTHER").exists()


def test_a_new_mailbox_leads_to_where_it_is_tried_out_and_a_new_source_to_how_it_is_pointed_here(
    cast: Cast, opens: Opens
) -> None:
    sheet = opens("new/mailboxes?client=ACME").fill(address="help@acme.desk.example")
    done = sheet.send().sheet.send("apply").response.headers["Location"]
    mailbox = Mailbox.objects.get(address="help@acme.desk.example")
    assert done == f"/settings/mail/{mailbox.pk}/"
    sheet = opens("new/alarm_sources?client=ACME").fill(key="nas", name="NAS", shape="plain")
    done = sheet.send().sheet.send("apply").response.headers["Location"]
    assert done == f"/settings/pointed-here/{Source.objects.get(key='nas').pk}/"


def test_whose_a_new_thing_is_is_asked_first_and_offers_follow(
    cast: Cast, admin: Browser, opens: Opens
) -> None:
    body = admin.get("/settings/new/contacts/").content.decode()
    assert "For which client?" in body and 'value="BOR"' in body
    assert "and it stays" in body
    assert "and it stays" not in admin.get("/settings/new/mailboxes/").content.decode(), (
        "a mailbox can change hands"
    )
    body = opens("new/components?client=BOR").body
    assert 'value="mail"' in body, "what everybody has"
    assert 'value="vpn"' not in body, "what is another client’s"
    assert 'value="vpn"' in opens("new/components?client=ACME").body
    sheet = opens("new/contacts?client=BOR").fill(email="liv@borealis.example", name="Liv")
    sheet.send().sheet.send("apply")
    assert Contact.objects.get(email="liv@borealis.example").client == cast.borealis


def test_what_would_not_hang_together_any_more_is_named(cast: Cast, opens: Opens) -> None:
    answer = opens("teams/ops").fill(every_client=None).send("apply")

    assert answer.status == 422
    assert (
        "It would not hang together with Acme GmbH standard support, contract : L2 is unreachable"
        in answer.words
    )
    assert 'href="/settings/contracts/ACME~standard/"' in answer.body
    cast.ops.refresh_from_db()
    assert cast.ops.serves_every_client


def test_what_did_not_hang_together_before_can_be_mended_thing_by_thing(
    cast: Cast, admin: Browser, opens: Opens
) -> None:
    cast.ops.serves_every_client = False
    cast.ops.save(update_fields=["serves_every_client"])
    told = admin.get("/settings/check/").content.decode()
    assert "This does not hang together" in told
    assert told.count("L2 is unreachable") == 1, "the northern team serves Borealis"

    assert opens("categories/network%252Fvpn").fill(name="Tunnels").send("apply").status == 302
    assert opens("teams/ops").fill(every_client="true").send("apply").status == 302
    assert "Everything hangs together." in admin.get("/settings/check/").content.decode()


def test_changed_hours_draw_the_contracts_along_from_the_same_day(cast: Cast, opens: Opens) -> None:
    shown = opens("calendars/office-de").fill(week__fri__0__to="15:00", effective_from="2030-01-01").send()
    assert "The week · Friday was 09:00–17:00 → becomes 09:00–15:00" in shown.words
    assert "And with it changed Acme GmbH standard support contract" in shown.words
    assert "Calendar was Office hours, Berlin, version 1 → becomes Office hours, Berlin" in shown.words
    assert "Measured in" not in shown.words, "what follows from the contract’s calendar is not told again"

    shown.sheet.send("apply")

    assert newest().calendar == Calendar.objects.get(key="office-de").current()
    assert newest().effective_from == date(2030, 1, 1)
    assert newest(client="BOR") == cast.borealis_contract


def test_a_token_is_offered_once_and_kept_as_its_digest(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/alarm_sources?client=ACME").fill(key="nagios", name="Nagios", shape="plain")
    token = sheet["token"]
    shown = sheet.send()
    assert token not in shown.words
    shown.sheet.send("apply")
    assert Source.objects.get(key="nagios").token_sha256 == digest(token)

    again = opens("alarm_sources/ACME~nagios")
    assert again["token"] == ""
    again.fill(name="Nagios 2").send("apply")
    assert Source.objects.get(key="nagios").token_sha256 == digest(token), "empty keeps the one in use"
    opens("alarm_sources/ACME~nagios").fill(token="another-secret-token").send("apply")
    assert Source.objects.get(key="nagios").token_sha256 == digest("another-secret-token")


def test_a_book_is_added_from_the_one_that_the_form_begins_with(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/books?client=")
    sheet.fill(text=sheet["text"].replace("Printer is offline", "Printer sulks")).send().sheet.send("apply")
    book = Book.objects.get(key="printer-offline")
    assert book.title == "Printer sulks"

    sheet = opens("books/~printer-offline")
    answer = sheet.fill(text=sheet["text"].replace("id: printer-offline", "id: another")).send("apply")
    assert answer.status == 422
    assert "This would be another book, “another”" in answer.words
    answer = opens("books/~printer-offline").fill(text="no book").send()
    assert "The book : The book cannot be read" in answer.words and answer.sheet["text"] == "no book"


def test_a_procedure_says_only_what_differs_from_the_house_rule(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/procedures?client=ACME")
    assert sheet.fields["rules.required"] == ["symptom", "scope", "steps_tried", "exact_ask"]
    assert sheet["rules.accept_min"] == "30"
    sheet.fill(key="up", name="Up", from_tier="L1", rules__accept_min="20", rules__needs_book="true")
    sheet.fill(rules__ladder__0__at="75", rules__ladder__0__tell=["assignee", "managers"])

    sheet.send().sheet.send("apply")

    assert Procedure.objects.get(key="up").spec == {
        "needs_book": True,
        "accept_min": 20,
        "ladder": [{"at": 75, "tell": ["assignee", "managers"]}],
    }
    assert "Nothing to do" in done_without_a_change(opens("procedures/ACME~up"))


def test_the_questions_of_a_web_form_are_yaml_and_stay_as_they_were_typed(cast: Cast, opens: Opens) -> None:
    typed = '- {key: shop, label: "Which shop?", required: false}\n'
    sheet = opens("new/forms?client=ACME").fill(key="till", name="Till")

    refused = sheet.fill(fields="- {key: shop").send("apply")
    assert refused.status == 422
    assert "Questions : This is no plain YAML" in refused.words
    assert refused.sheet["fields"] == "- {key: shop"
    assert sheet.fill(fields=typed).send("apply").words == ""

    assert WebForm.objects.get(key="till").fields == [
        {"key": "shop", "label": "Which shop?", "required": False}
    ]
    assert "Nothing to do" in done_without_a_change(opens("forms/ACME~till"))
    opens("clients/ACME").fill(name="Acme AG").send("apply")
    assert WebForm.objects.get(key="till").fields[0]["required"] is False, "drawn along as it is"


def test_a_secret_is_never_shown_and_kept_where_none_is_typed(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/alarm_sources?client=ACME").fill(key="nagios", name="Nagios", shape="plain")
    shown = sheet.fill(secret="between-you-and-me").send()
    assert "Secret becomes a secret" in shown.words and "between-you-and-me" not in shown.words
    shown.sheet.send("apply")

    again = opens("alarm_sources/ACME~nagios")
    assert again["secret"] == "" and "between-you-and-me" not in again.body
    again.fill(name="Nagios 2").send("apply")

    assert unsealed(Source.objects.get(key="nagios").secret) == "between-you-and-me"


def test_a_secret_that_another_key_of_the_desk_sealed_is_nobody_else_s_change(
    cast: Cast, opens: Opens, settings: Any
) -> None:
    kept = settings.SECRET_KEY
    settings.SECRET_KEY = "another " + "x" * 50
    source = Source.objects.create(client=cast.acme, key="nagios", name="Nagios", shape="plain")
    source.sign_with("between-you-and-me")
    source.save()
    settings.SECRET_KEY = kept

    opens("alarm_sources/ACME~nagios").fill(name="Nagios 2").send("apply")
    assert Source.objects.get(key="nagios").name == "Nagios 2"
    opens("alarm_sources/ACME~nagios").fill(secret="said again").send("apply")
    assert unsealed(Source.objects.get(key="nagios").secret) == "said again"


@pytest.mark.parametrize("field", ["secret", "token"])
def test_the_server_s_environment_is_not_read_for_a_page(
    cast: Cast, opens: Opens, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """An administrator of the desk is not one of its server: what stands there is not theirs to send elsewhere."""
    monkeypatch.setenv("TIERDESK_DATABASE_PASSWORD", "of-the-server-alone")
    sheet = opens("new/alarm_sources?client=ACME").fill(key="nagios", name="Nagios", shape="plain")
    shown = sheet.fill(**{field: "${TIERDESK_DATABASE_PASSWORD}"}).send()
    assert "read only for a file that is applied on the server" in shown.words
    assert not Source.objects.filter(key="nagios").exists()


def test_nothing_ticked_is_not_the_same_as_nothing_said(cast: Cast, opens: Opens) -> None:
    sheet = opens(CONTRACT)
    assert "requester_info" in sheet.fields["policies.pause_reasons"], "as usual"

    sheet.fill(policies__pause_reasons=None).send("apply")

    assert newest().policies == {"pause_reasons": []}
    assert "policies.pause_reasons" not in opens(CONTRACT).fields


def test_without_scripts_rows_are_added_taken_out_and_moved(cast: Cast, opens: Opens) -> None:
    sheet = opens("new/schedules").fill(
        key="rota",
        name="Rota",
        team="desk",
        layers__0__name="Weeks",
        layers__0__starts="2026-01-05",
        layers__0__shift_days="7",
        layers__0__handover="09:00",
        layers__0__turns__0="lena@desk.example",
    )
    sheet = sheet.send("add:layers.0.turns").sheet
    assert [sheet["layers.0.turns.0"], sheet["layers.0.turns.1"]] == ["lena@desk.example", ""]
    sheet = sheet.fill(layers__0__turns__1="tom@desk.example").send("add:layers.0.turns").sheet
    sheet = sheet.fill(layers__0__turns__2="kira@desk.example").send("up:layers.0.turns.2").sheet
    assert [sheet[f"layers.0.turns.{i}"] for i in range(3)] == [
        "lena@desk.example",
        "kira@desk.example",
        "tom@desk.example",
    ]
    sheet = sheet.send("drop:layers.0.turns.0").sheet
    assert (sheet["name"], sheet["layers.0.turns.0"], sheet["layers.0.turns.1"]) == (
        "Rota",
        "kira@desk.example",
        "tom@desk.example",
    )

    sheet.send().sheet.send("apply")

    turns = Turn.objects.filter(layer__schedule__key="rota")
    assert [turn.agent.user.email for turn in turns] == ["kira@desk.example", "tom@desk.example"]


def done_without_a_change(sheet: Sheet) -> str:
    """What the desk says when a form is sent as it was opened."""
    answer = sheet.send("apply")
    assert answer.status == 302
    return sheet.browser.get(answer.response.headers["Location"]).content.decode()


def test_none_cannot_be_chosen_where_one_always_holds(admin: Browser) -> None:
    """“None” of the encryptions is one of them, and was offered twice."""
    page = admin.get("/settings/new/mailboxes/?client=ACME").content.decode()
    asked = page[page.index('name="imap_security"') :]
    options = re.findall(r'<option value="(\w*)"( selected)?>', asked[: asked.index("</select>")])
    assert options == [("tls", " selected"), ("starttls", ""), ("plain", "")]


def test_a_source_speaks_as_a_tool_that_one_knows_by_name(admin: Browser) -> None:
    page = admin.get("/settings/new/alarm_sources/?client=ACME").content.decode()
    assert '<option value="oncall">Grafana OnCall (formatted webhook)</option>' in page


def asked_only_with(body: str, label: str) -> str:
    """With which kinds of sender alone the field of that label is asked for; empty: with every one."""
    asked = re.search(rf">{label} ?<", body)
    assert asked, label
    begun = body[: asked.start()].rpartition("</show-when>")[2].rpartition("<show-when")
    return html.unescape(begun[2].partition(">")[0]) if begun[1] else ""


def test_what_belongs_to_some_kinds_of_sender_is_asked_of_those_alone(opens: Opens) -> None:
    body = opens("new/alarm_sources?client=ACME").body
    assert asked_only_with(body, "User of SNMP version 3") == ' data-when="{"shape": ["snmp_trap"]}"'
    assert '"plain"' in asked_only_with(body, "Mapping")
    assert '"syslog"' in asked_only_with(body, "Sends from")
    assert asked_only_with(body, "Give or take") == ""


def test_what_was_not_asked_changes_nothing(opens: Opens) -> None:
    """As a browser with scripts sends it: without what it hides."""
    told: dict[str, Any] = {
        "key": "log",
        "name": "Log",
        "shape": "syslog",
        "quiet": "1 h",
        "senders.0": "10.0.0.9",
    }
    opens("new/alarm_sources?client=ACME").fill(**told).send("apply")
    sheet = opens("alarm_sources/ACME~log")
    for name in ("usm_user", "usm_auth", "usm_privacy", "usm_privacy_secret", "mapping"):
        del sheet.fields[name]
    assert sheet.send().response.headers["Location"] == "/settings/alarm_sources/", (
        "a difference would be shown"
    )


def test_a_user_of_snmp_is_seen_whatever_the_source_speaks(opens: Opens) -> None:
    told: dict[str, Any] = {"key": "core", "name": "Core", "shape": "snmp_trap", "quiet": "1 h"}
    told |= {"senders.0": "10.0.0.9", "secret": "signs-what-it-says", "usm_user": "router"}
    told |= {"usm_privacy_secret": "hides-what-it-says"}
    opens("new/alarm_sources?client=ACME").fill(**told).send("apply")
    kept = opens("alarm_sources/ACME~core")
    assert asked_only_with(kept.body, "User of SNMP version 3") == ""
    refused = kept.fill(shape="syslog").send()
    assert "take “usm_user” away" in refused.words
    assert asked_only_with(refused.body, "User of SNMP version 3") == ""


def test_what_is_wrong_with_a_part_is_seen_whatever_else_is_answered(opens: Opens) -> None:
    told: dict[str, Any] = {"key": "log", "name": "Log", "shape": "plain", "senders.0": "ten"}
    refused = opens("new/alarm_sources?client=ACME").fill(**told).send()
    assert asked_only_with(refused.body, "Sends from") == ""

"""A desk file makes the desk, changes it, and does nothing the second time."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tierdesk.channels.alarms.models import MaintenanceWindow, Source
from tierdesk.channels.alarms.tokens import digest, unsealed
from tierdesk.channels.email.models import Grant, Mailbox, Vigil
from tierdesk.channels.phone.models import Exchange
from tierdesk.core import clock
from tierdesk.core.seal import Unsealable
from tierdesk.directory.calendars.models import Calendar
from tierdesk.directory.clients.models import Client, Contact
from tierdesk.directory.contracts.models import Contract, version_in_force
from tierdesk.directory.oncall.models import Schedule
from tierdesk.directory.services.models import Service
from tierdesk.directory.staff.models import Agent, Team, User
from tierdesk.ops import apply, export
from tierdesk.ops.desk.change import Difference, apply_desk
from tierdesk.ops.desk.export import export_desk
from tierdesk.ops.desk.lines import DeskRefused
from tierdesk.response.runbooks.models import Book
from tierdesk.response.tiers.models import Procedure
from tierdesk.response.vendors.models import UnderpinningContract

DEMO = Path(apply.__file__).parent / "demo" / "desk.yaml"

SMALL = """\
calendars:
  - {key: office, name: Office, timezone: Europe/Berlin, effective_from: 2026-01-01, week: {mon-fri: 09:00-17:00}}
teams:
  - {key: desk, name: Desk, tier: L1, every_client: true}
clients:
  - {key: ACME, name: Acme, timezone: Europe/Berlin}
contracts:
  - client: ACME
    key: standard
    name: Standard
    effective_from: 2026-01-01
    calendar: office
    performers: {L1: us}
    matrix: {1: [1, 2, 3], 2: [2, 3, 4], 3: [3, 4, 5]}
    promises:
      P1: {resolve: 4 h, ola: {L1: 30 min}}
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    path = tmp_path / "desk.yaml"
    path.write_text(SMALL)
    return path


def rewrite(path: Path, old: str, new: str) -> Difference:
    """Change the file's words and apply it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return apply_desk(path)


HOLIDAYS = """\
  - key: office
    name: Office
    timezone: Europe/Berlin
    effective_from: 2026-01-01
    week: {mon-fri: 09:00-17:00}
    closed: [2026-12-24]
    holidays: |
      BEGIN:VCALENDAR
      BEGIN:VEVENT
      SUMMARY:Christmas
      DTSTART;VALUE=DATE:20201225
      RRULE:FREQ=YEARLY
      END:VEVENT
      END:VCALENDAR
teams:
"""


def test_holidays_close_a_calendar_and_the_file_that_they_came_from_is_kept(
    desk: Path, tmp_path: Path
) -> None:
    apply_desk(desk)
    written = desk.read_text()
    desk.write_text(written[: written.index("  - {key: office")] + HOLIDAYS + written.split("teams:\n")[1])
    apply_desk(desk)
    hours = Calendar.objects.get(key="office").current().hours
    assert {date(2026, 12, 24), date(2026, 12, 25), date(2031, 12, 25)} <= hours.closed
    assert not apply_desk(desk).changes, "the same words change nothing"
    again = tmp_path / "exported.yaml"
    again.write_text(export_desk())
    assert "      RRULE:FREQ=YEARLY\n" in again.read_text()
    assert not apply_desk(again).changes


def test_a_window_that_somebody_ended_is_read_back_as_it_was_written(tmp_path: Path, at: datetime) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(
        SMALL + "maintenance:\n  - {client: ACME, key: night, name: Night, begins: 2026-01-01 00:00 UTC}\n"
    )
    apply_desk(path)
    window = MaintenanceWindow.objects.get()
    window.end(by="Lena Lang", why="done", at=at + timedelta(seconds=7.25))
    again = tmp_path / "again.yaml"
    again.write_text(export_desk())
    assert f"{at:%Y-%m-%d %H:%M}:07 UTC" in again.read_text()
    assert not apply_desk(again).changes
    MaintenanceWindow.objects.update(ends_at=at + timedelta(microseconds=5))
    again.write_text(export_desk())
    assert not apply_desk(again).changes


def test_what_a_wait_leads_to_makes_a_new_version(desk: Path) -> None:
    apply_desk(desk)
    difference = rewrite(
        desk,
        "    promises:\n",
        "    pending: {requester_info: {every: 8 h, chasers: 2, then: resolve}}\n    promises:\n",
    )
    assert "pending requester_info every: nothing → 8 h" in str(difference)
    version = Contract.objects.get().versions.order_by("-version")[0]
    assert version.version == 2
    assert version.pending == {"requester_info": {"every": 8 * 3600, "then": "resolve"}}
    assert "then: resolve" in export_desk()
    assert not apply_desk(desk).changes


def test_the_demo_s_file_makes_a_whole_desk() -> None:
    difference = apply_desk(DEMO)

    assert all(change.is_new for change in difference.changes)
    assert set(Client.objects.values_list("key", flat=True)) == {"HALDEN", "BRIGHT"}
    assert Book.objects.count() == 8
    lou = Agent.objects.get(user__email="lou@desk.example")
    assert lou.is_manager
    assert lou.leads(Team.objects.get(key="service-desk").pk)
    assert lou.user.check_password("tierdesk-demo-2026")
    till = Service.objects.get(key="point-of-sale")
    assert {needed.name for needed in till.depends_on.all()} == {"ERP", "Internet access"}
    assert [layer.turns.count() for layer in Schedule.objects.get(key="operations-on-call").layers.all()] == [
        3,
        2,
    ]
    assert UnderpinningContract.objects.get(vendor__key="nordvik").targets["1"] == {
        "respond": 1800,
        "resolve": 14400,
    }
    assert Procedure.objects.get(key="network-hands-up").rules.needs_book


def test_a_second_apply_has_nothing_to_do() -> None:
    apply_desk(DEMO)

    again = apply_desk(DEMO)

    assert again.changes == []
    assert str(again).startswith("Nothing to do")


def test_what_is_exported_applies_without_a_change(tmp_path: Path) -> None:
    apply_desk(DEMO)
    written = tmp_path / "desk.yaml"
    written.write_text(export_desk())

    assert apply_desk(written).changes == []
    assert export_desk() == written.read_text()


def test_an_export_makes_the_same_desk_again_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply_desk(DEMO)
    exported = export_desk()
    monkeypatch.setenv("ALARM_TOKEN", "a-token-from-the-environment")
    tokens = iter(["${ALARM_TOKEN}", *(f"a-token-of-its-own-{n}" for n in range(9))])
    written = tmp_path / "desk.yaml"
    written.write_text(re.sub("token: kept", lambda _: f'token: "{next(tokens)}"', exported))
    for model in (
        Source,
        Exchange,
        Book,
        Schedule,
        Contract,
        UnderpinningContract,
        Procedure,
        Client,
        Agent,
        Team,
        Calendar,
        User,
    ):
        if model is Calendar:
            for calendar in Calendar.objects.all():
                calendar.versions.all().delete()
        model.objects.all().delete()

    apply_desk(written)

    assert export_desk() == exported
    assert Source.objects.filter(token_sha256=digest("a-token-from-the-environment")).exists()


def test_a_dry_run_tells_the_difference_and_changes_nothing(desk: Path) -> None:
    difference = apply_desk(desk, dry_run=True)

    assert "+ clients ACME" in str(difference)
    assert not Client.objects.exists()
    assert not Calendar.objects.exists()


def test_a_change_is_told_field_by_field_in_the_file_s_own_words(desk: Path) -> None:
    apply_desk(desk)

    difference = rewrite(
        desk, "name: Acme, timezone: Europe/Berlin", "name: Acme GmbH, timezone: Europe/Vienna"
    )

    assert str(difference) == (
        "~ clients ACME\n"
        "    name: Acme → Acme GmbH\n"
        "    timezone: Europe/Berlin → Europe/Vienna\n"
        "0 created, 1 changed, 3 unchanged."
    )


def test_what_an_item_leaves_out_goes_back_to_its_default(desk: Path) -> None:
    apply_desk(desk)

    rewrite(desk, ", timezone: Europe/Berlin}\ncontracts", "}\ncontracts")

    assert Client.objects.get(key="ACME").timezone == "UTC"


def test_an_item_that_the_file_does_not_name_stays(desk: Path) -> None:
    apply_desk(desk)
    Team.objects.create(key="night", name="Night", tier=1)

    assert apply_desk(desk).changes == []
    assert Team.objects.filter(key="night").exists()


def test_a_changed_contract_is_a_new_version_from_the_date_in_the_file(desk: Path) -> None:
    apply_desk(desk)
    contract = Contract.objects.get(key="standard")

    rewrite(desk, "effective_from: 2026-01-01\n    calendar", "effective_from: 2026-07-01\n    calendar")
    assert contract.versions.count() == 1, "a date alone is no change"
    rewrite(desk, "resolve: 4 h", "resolve: 3 h")

    before = version_in_force(contract.client_id, date(2026, 6, 30))
    after = version_in_force(contract.client_id, date(2026, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.version, after.version) == (1, 2)
    assert before.promises.get(metric="resolve", party="SLA").target_s == 4 * 3600
    assert after.promises.get(metric="resolve", party="SLA").target_s == 3 * 3600
    assert after.promises.get(metric="resolve", party="OLA", tier=1).target_s == 1800


def test_without_a_date_a_new_version_begins_today(desk: Path, at: object) -> None:
    apply_desk(desk)
    text = desk.read_text().replace("    effective_from: 2026-01-01\n", "").replace("4 h", "5 h")
    desk.write_text(text)

    apply_desk(desk)

    newest = Contract.objects.get(key="standard").versions.order_by("-version")[0]
    assert newest.effective_from == clock.now().date()


def test_changed_hours_make_new_versions_of_the_calendar_and_of_the_contracts_that_promise_by_it(
    desk: Path,
) -> None:
    apply_desk(desk)

    difference = rewrite(desk, "09:00-17:00", "08:00-18:00")

    assert [str(change.item) for change in difference.changes] == [
        "calendars office",
        "contracts ACME standard",
    ]
    contract = Contract.objects.get(key="standard")
    old, new = contract.versions.order_by("version")
    assert old.calendar.spec["week"]["0"] == [["09:00", "17:00"]]
    assert new.calendar.spec["week"]["0"] == [["08:00", "18:00"]]
    assert apply_desk(desk).changes == []


def test_a_contact_of_the_portal_gets_an_account_and_loses_it_again(desk: Path) -> None:
    desk.write_text(
        SMALL + "contacts:\n  - {client: ACME, email: ann@acme.example, name: Ann, portal: true}\n"
    )
    apply_desk(desk)
    ann = Contact.objects.get(email="ann@acme.example")
    assert ann.user is not None
    assert not ann.user.has_usable_password()

    rewrite(desk, ", portal: true", "")

    ann.user.refresh_from_db()
    assert not ann.user.is_active


def test_a_secret_is_sealed_and_kept_and_taken_away(desk: Path) -> None:
    source = "{client: ACME, key: s, name: S, shape: sentry, token: a-very-secret-token, secret: hush}"
    desk.write_text(f"{desk.read_text()}alarm_sources:\n  - {source}\n")
    apply_desk(desk)
    assert unsealed(Source.objects.get(key="s").secret) == "hush"
    assert b"hush" not in bytes(Source.objects.get(key="s").secret)
    assert "secret: kept" in export_desk()
    assert not rewrite(desk, "secret: hush", "secret: kept").changes
    assert unsealed(Source.objects.get(key="s").secret) == "hush"
    told = str(rewrite(desk, "secret: kept", "secret: another"))
    assert "secret: kept → a new one" in told and "another" not in told
    rewrite(desk, ", secret: another", "")
    assert not Source.objects.get(key="s").secret


def test_a_token_is_kept_as_its_digest_only_and_never_written_back(desk: Path) -> None:
    source = "alarm_sources:\n  - {client: ACME, key: nagios, name: Nagios, shape: plain, token: a-very-secret-token}\n"
    desk.write_text(SMALL + source)
    apply_desk(desk)

    assert Source.objects.get(key="nagios").token_sha256 == digest("a-very-secret-token")
    assert "token: kept" in export_desk()
    told = str(rewrite(desk, "a-very-secret-token", "another-secret-token"))
    assert "token: kept → a new one" in told
    assert "another" not in told


def test_the_command_shows_the_difference_and_says_that_it_is_applied(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert apply.run(Namespace(file=desk, dry_run=True)) == 0
    assert "dry run" in capsys.readouterr().out
    assert apply.run(Namespace(file=desk, dry_run=False)) == 0
    assert capsys.readouterr().out.endswith("4 created, 0 changed, 0 unchanged.\nApplied.\n")
    assert apply.run(Namespace(file=desk, dry_run=False)) == 0
    assert capsys.readouterr().out == "Nothing to do: 4 items are as the file says.\n"


def test_the_command_writes_the_desk_to_a_file_or_to_standard_output(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_desk(desk)

    assert export.run(Namespace(file=None)) == 0
    assert export.run(Namespace(file=tmp_path / "out.yaml")) == 0
    assert capsys.readouterr().out == (tmp_path / "out.yaml").read_text()
    assert export.run(Namespace(file=tmp_path / "nowhere" / "out.yaml")) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_mailboxs_password_is_sealed_kept_and_never_written_back(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "CANARY-SEC-c0de")
    box = "mailboxes:\n  - {address: help@desk.example, imap_host: mail.example, password: "
    desk.write_text(SMALL + box + '"${MAIL_PASSWORD}"}\n')
    apply_desk(desk)
    kept = Mailbox.objects.get(address="help@desk.example")
    assert kept.password == "CANARY-SEC-c0de"
    exported = export_desk()
    assert "password: kept" in exported
    assert "CANARY" not in exported
    told = str(rewrite(desk, "${MAIL_PASSWORD}", "another one"))
    assert "password: kept → a new one" in told
    assert "another" not in told
    assert not rewrite(desk, "another one", "kept").changes
    rewrite(desk, "mail.example", "mail.elsewhere.example")
    kept.refresh_from_db()
    with pytest.raises(Unsealable):
        assert kept.password


def test_a_password_that_is_said_again_beside_a_new_server_is_for_that_server(desk: Path) -> None:
    box = (
        "mailboxes:\n  - {address: help@desk.example, imap_host: mail.example, password: the-same-as-ever}\n"
    )
    desk.write_text(SMALL + box)
    apply_desk(desk)
    told = str(rewrite(desk, "mail.example", "mail.elsewhere.example"))
    assert "mail.elsewhere.example" in told and "password" not in told
    assert Mailbox.objects.get(address="help@desk.example").password == "the-same-as-ever"


def test_an_applications_secret_that_is_said_again_is_for_the_provider_that_is_said_beside_it(
    desk: Path,
) -> None:
    other = "provider: other\n    authorize_url: https://a.example/in\n    token_url: https://a.example/token"
    desk.write_text(SMALL + PROVIDER.replace("provider: microsoft", f"{other}\n    scope: mail"))
    apply_desk(desk)
    rewrite(desk, "https://a.example/token", "https://b.example/token")
    grant = Grant.objects.get(mailbox__address="help@desk.example")
    assert grant.application_secret == "CANARY-SEC-0a07"


def test_a_mailbox_that_promises_a_rhythm_is_waited_for(desk: Path) -> None:
    desk.write_text(SMALL + "mailboxes:\n  - {address: help@desk.example, quiet_hours: 24}\n")
    apply_desk(desk)
    assert Vigil.objects.get().mailbox.address == "help@desk.example"
    rewrite(desk, "quiet_hours: 24", "quiet_hours: 0, canary_minutes: 5")
    assert Vigil.objects.get().mailbox.canary_minutes == 5
    rewrite(desk, "canary_minutes: 5", "canary_minutes: 0")
    assert not Vigil.objects.exists()


PROVIDER = """
mailboxes:
  - address: help@desk.example
    imap_host: outlook.office365.com
    provider: microsoft
    application_id: 6731de76
    application_secret: CANARY-SEC-0a07
    secret_ends: 2027-05-01
"""


def test_a_providers_terms_are_written_in_the_file_and_a_change_asks_it_anew(desk: Path) -> None:
    desk.write_text(SMALL + PROVIDER)
    apply_desk(desk)
    grants = Grant.objects.filter(mailbox__address="help@desk.example")
    assert (grants.get().application_secret, str(grants.get().secret_ends_date)) == (
        "CANARY-SEC-0a07",
        "2027-05-01",
    )
    assert "application_secret: kept" in export_desk() and "CANARY" not in export_desk()
    grants.update(granted_at=clock.now())
    assert not rewrite(desk, "CANARY-SEC-0a07", "kept").changes
    rewrite(desk, "2027-05-01", "2028-05-01")
    assert grants.get().granted_at is not None
    rewrite(desk, "6731de76", "another")
    assert (grants.get().granted_at, grants.get().application_secret) == (None, "CANARY-SEC-0a07")
    desk.write_text(SMALL + PROVIDER.partition("    provider")[0])
    apply_desk(desk)
    assert not grants.exists()


@pytest.mark.parametrize(
    ("was", "is_now", "sentence"),
    [
        ("provider: microsoft", "tenant: acme", "is about a provider"),
        ("provider: microsoft", "provider: other", "needs “token_url”"),
        ("application_id: 6731de76", "password: secret", "needs “application_id”"),
        ("secret_ends: 2027-05-01", "password: secret", "take the password away"),
    ],
)
def test_a_provider_that_is_half_told_is_refused(desk: Path, was: str, is_now: str, sentence: str) -> None:
    desk.write_text(SMALL + PROVIDER.replace(was, is_now))
    with pytest.raises(DeskRefused, match=sentence):
        apply_desk(desk)


def test_a_schedule_that_nobody_could_hold_is_refused_with_its_lines(tmp_path: Path) -> None:
    desk = tmp_path / "desk.yaml"
    desk.write_text("""
teams:
  - {key: ops, name: Operations, tier: L2}
schedules:
  - key: night
    name: Night
    team: ops
    layers:
      - {name: All, starts: 2026-02-30, shift_days: 0, handover: "9", turns: [nobody@desk.example]}
  - key: day
    name: Day
    team: ops
    layers:
      - {name: All, starts: 2026-01-05, shift_days: 7}
      - {name: All, starts: 2026-01-05, shift_days: 7, handover: "09:00", turns: [], calendar: no-such}
  - {key: empty, name: Empty, team: ops, layers: []}
""")
    with pytest.raises(DeskRefused) as refused:
        apply_desk(desk)
    assert refused.value.findings == [
        "desk.yaml:9: There is no “nobody@desk.example” among the agents (none yet); add it or correct the name.",
        "desk.yaml:9: “0” does not fit; write a whole number from 1 to 365.",
        "desk.yaml:9: “2026-02-30” is no date; write such as 2026-12-24.",
        "desk.yaml:9: “9” is no time of day; write such as 08:00.",
        "desk.yaml:13: Layer 1 needs its “handover”; give it.",
        "desk.yaml:13: Layer 2 needs its “turns”; give it.",
        "desk.yaml:13: Two layers are called “All”; give each its own name.",
        "desk.yaml:15: There is no “no-such” among the calendars (none yet); add it or correct the name.",
        "desk.yaml:16: Nobody would be on call; give a layer with its turns.",
    ]

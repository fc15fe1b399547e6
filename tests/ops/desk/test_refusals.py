"""A file that is wrong is refused as a whole, with every reason and the line it stands on."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from tests.ops.desk.test_apply import SMALL
from tierdesk.directory.clients.models import Client
from tierdesk.directory.staff.models import Team, User
from tierdesk.ops import apply
from tierdesk.ops.desk.change import apply_desk, read_document
from tierdesk.ops.desk.lines import DeskRefused, Findings, compose
from tierdesk.ops.desk.sections import SECTIONS

pytestmark = pytest.mark.django_db


def refusal(tmp_path: Path, text: str) -> list[str]:
    """What applying `text` is refused with; nothing may have changed."""
    path = tmp_path / "desk.yaml"
    path.write_text(text)
    with pytest.raises(DeskRefused) as refused:
        apply_desk(path)
    assert not Client.objects.exists()
    assert not Team.objects.exists()
    return refused.value.findings


WRONG = [
    pytest.param(
        "    calendar: office",
        "    major_updates: {P1: 2 min}\n    calendar: office",
        12,
        "write whole minutes from 5 min to 24 h",
        id="news of a major incident that nobody could write",
    ),
    pytest.param(
        "    calendar: office",
        "    major_updates: {P1: 90 s}\n    calendar: office",
        12,
        "write whole minutes from 5 min to 24 h",
        id="news at no whole minute",
    ),
    pytest.param("name: Acme,", "nmae: Acme,", 6, "have no “nmae”", id="an unknown name"),
    pytest.param("teams:\n", "teems:\n", 3, "no section “teems”", id="an unknown section"),
    pytest.param(
        "calendar: office",
        "calendar: offfice",
        12,
        "no “offfice” among the calendars (office)",
        id="nobody by that key",
    ),
    pytest.param(
        "client: ACME", "client: ACNE", 8, "no “ACNE” among the clients", id="a client that is not there"
    ),
    pytest.param("tier: L1,", "tier: first,", 4, "write L1 to L4", id="a tier that is none"),
    pytest.param("every_client: true", "every_client: maybe", 4, "neither true nor false", id="a switch"),
    pytest.param(
        "Acme, timezone: Europe/Berlin",
        "Acme, timezone: Europe/Bonn",
        6,
        "no time zone",
        id="an unknown zone",
    ),
    pytest.param(
        "week: {mon-fri: 09:00-17:00}}",
        "week: {mon-fri: 09:00-17:00}, holidays: 25.12.}",
        2,
        "These are no holidays. It is no iCalendar file",
        id="holidays that are no file",
    ),
    pytest.param("resolve: 4 h", "resolve: 4 hours", 16, "write such as “30 min”", id="a bad duration"),
    pytest.param("resolve: 4 h", "resolve: 0 h", 16, "takes time", id="a promise of nothing"),
    pytest.param("3: [3, 4, 5]", "3: [3, 4]", 14, "matrix is incomplete", id="a short line of the matrix"),
    pytest.param(", 3: [3, 4, 5]", "", 14, "matrix is incomplete", id="a matrix without a line"),
    pytest.param("[1, 2, 3]", "[0, 2, 3]", 14, "from 1 to 5", id="a priority 0"),
    pytest.param("{L1: us}", "{L1: us, L2: us}", 13, "L2 is unreachable", id="a tier that no team holds"),
    pytest.param("{L1: us}", "{L1: us, L4: vendor}", 13, "L4 is unreachable", id="no vendor"),
    pytest.param("name: Desk,", "name: [Desk],", 4, "one value here", id="a list for a text"),
    pytest.param("09:00-17:00", "9-5", 2, "are no hours", id="hours"),
    pytest.param("mon-fri", "mon-day", 2, "is no day", id="a day"),
    pytest.param(
        "effective_from: 2026-01-01\n", "effective_from: 2026-02-30\n", 11, "is no date", id="a date"
    ),
    pytest.param("name: Acme, ", "", 6, "needs its “name”", id="something left out"),
    pytest.param("key: desk, name", "key: desk, key: other, name", 4, "given twice", id="a name twice"),
]


@pytest.mark.parametrize(("old", "new", "line", "reason"), WRONG)
def test_nonsense_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    assert old in SMALL
    found = refusal(tmp_path, SMALL.replace(old, new, 1))

    assert any(finding.startswith(f"desk.yaml:{line}: ") and reason in finding for finding in found), found


WAITS = [
    ("requester_info: {chasers: 1}", "Say how often"),
    ("vendor: {every: 8 h, then: resolve}", "Only the contact’s silence solves a ticket"),
    ("access: {every: 8 h, chasers: 0}", "leave it out"),
    ("lunch: {every: 8 h}", "“lunch” is not one of"),
    ("access: {every: 8 h, then: shout}", "“shout” is not one of"),
]


@pytest.mark.parametrize(("pending", "reason"), WAITS)
def test_a_wait_that_leads_nowhere_is_refused(tmp_path: Path, pending: str, reason: str) -> None:
    found = refusal(tmp_path, SMALL + f"    pending:\n      {pending}\n")
    assert any(finding.startswith("desk.yaml:1") and reason in finding for finding in found), found


RUNGS = [
    ("{at: soon, tell: [managers]}", "is no moment"),
    ("{at: 75 %, tell: [managers]}", "a procedure’s ladder says who is told"),
    ("{at: 50 %}", "whom to “tell:”"),
    ("{at: 50 %, tell: [the boss]}", "nobody’s role"),
    ("{at: 50 %, tell: [managers], teams: [night]}", "no “night” among the teams"),
    ("{at: 60 min after, tell: [managers]}, {at: 1 h after, tell: [duty]}", "same moment"),
]


@pytest.mark.parametrize(("rungs", "reason"), RUNGS)
def test_a_rung_that_stands_nowhere_is_refused(tmp_path: Path, rungs: str, reason: str) -> None:
    found = refusal(tmp_path, SMALL + f"    rungs: [{rungs}]\n")
    assert any(finding.startswith("desk.yaml:1") and reason in finding for finding in found), found


ADDED = [
    pytest.param(
        "services:\n  - {key: a, name: A, depends_on: [b]}\n  - {key: b, name: B, depends_on: [a]}\n",
        18,
        "circle: a → b → a",
        id="services in a circle",
    ),
    pytest.param(
        "services:\n  - {key: a, name: A}\n  - {key: a, name: B}\n",
        19,
        "duplicate of line 18",
        id="a duplicate",
    ),
    pytest.param(
        "routes:\n  - {client: ACME, category: network/*, team: desk}\n",
        18,
        "no “network/*” among the categories",
        id="a category nobody wrote",
    ),
    pytest.param(
        'forms:\n  - {key: f, name: F, category: "*", fields: [{key: a, label: A}]}\n',
        18,
        "no “*” among the categories",
        id="a pattern where one category is meant",
    ),
    pytest.param(
        "routes:\n  - {client: ACME, team: night}\nprocedures:\n",
        18,
        "no “night” among the teams",
        id="a route to nobody",
    ),
    pytest.param(
        "procedures:\n  - {key: up, name: Up, from_tier: L1}\n",
        18,
        "leads nowhere",
        id="a procedure into the void",
    ),
    pytest.param(
        "procedures:\n  - {key: up, name: Up, from_tier: L1, rules: {color: red}}\n",
        18,
        "no “color” here",
        id="an unknown rule",
    ),
    pytest.param("books:\n  - {file: no-such.md}\n", 18, "cannot be read", id="a book that is not there"),
    pytest.param(
        "books:\n  - {text: no book at all}\n", 18, "book cannot be read", id="words that are no book"
    ),
    pytest.param("books:\n  - {owner: desk}\n", 18, "needs its words", id="a book without words"),
    pytest.param(
        "password: secret-of-mine\n", 17, "Passwords do not belong", id="a password in a real desk's file"
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: plain, token: kept}\n",
        18,
        "no token to keep",
        id="a token that is nowhere kept",
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: plain, token: sixteen-letters-long, "
        "mapping: {summary: title}}\n",
        18,
        "such as /check/name",
        id="a mapping that points nowhere",
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: plain, token: sixteen-letters-long, "
        "usm_user: router, secret: signs-what-it-says}\n",
        18,
        "Only SNMP traps have a user",
        id="a user of SNMP for something else",
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: snmp_trap, quiet: 30 min, "
        "token: sixteen-letters-long, senders: [10.0.0.9], usm_user: router, secret: signs-what-it-says}\n",
        18,
        "It encrypts with a “usm_privacy_secret” of at least 8 characters",
        id="a user of SNMP who cannot encrypt",
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: snmp_trap, quiet: 30 min, "
        "token: sixteen-letters-long, usm_user: router, secret: signs-what-it-says, "
        "usm_privacy_secret: hides-what-it-says}\n",
        18,
        "give the addresses of its “senders”",
        id="a user of SNMP from nowhere",
    ),
    pytest.param(
        'alarm_sources:\n  - {client: ACME, key: n, name: N, shape: plain, token: "${NOT_SET}"}\n',
        18,
        "no “NOT_SET”",
        id="a token the environment lacks",
    ),
    pytest.param(
        "alarm_sources:\n  - {client: ACME, key: n, name: N, shape: morse, token: sixteen-letters-long}\n",
        18,
        "not one of",
        id="an unknown shape",
    ),
    pytest.param(
        "contacts:\n  - {client: ACME, email: ann, name: Ann}\n", 18, "not a mail address", id="an address"
    ),
    pytest.param(
        "contacts:\n  - {client: ACME, email: a@acme.example, name: Ann, phones: [030 123]}\n",
        18,
        "no country code",
        id="a phone number without its country",
    ),
    pytest.param(
        "agents:\n  - {email: l@desk.example, name: L, leads: [desk], teams: []}\n",
        18,
        "add it to “teams”",
        id="a lead outside the team",
    ),
]


@pytest.mark.parametrize(("added", "line", "reason"), ADDED)
def test_what_does_not_hang_together_is_refused_with_its_line(
    tmp_path: Path, added: str, line: int, reason: str
) -> None:
    found = refusal(tmp_path, SMALL + added)

    assert any(finding.startswith(f"desk.yaml:{line}: ") and reason in finding for finding in found), found


@pytest.mark.parametrize("token", ["${NOT_SET}", "short"])
def test_a_token_that_cannot_be_used_is_told_once(tmp_path: Path, token: str) -> None:
    source = f'alarm_sources:\n  - {{client: ACME, key: n, name: N, shape: plain, token: "{token}"}}\n'
    [finding] = refusal(tmp_path, SMALL + source)
    assert "no token to keep" not in finding


def test_hours_that_cannot_be_read_are_told_once(tmp_path: Path) -> None:
    [finding] = refusal(tmp_path, SMALL.replace("09:00-17:00", "9-5"))

    assert "“9-5” are no hours" in finding


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = SMALL.replace("L1,", "L9,").replace("4 h", "4 hours").replace("calendar: office", "calendar: none")

    found = refusal(tmp_path, text)

    assert [int(finding.split(":")[1]) for finding in found] == sorted(
        int(finding.split(":")[1]) for finding in found
    )
    assert {int(finding.split(":")[1]) for finding in found} >= {4, 12, 16}


def test_a_version_that_would_never_come_into_force_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(SMALL)
    apply_desk(path)
    path.write_text(SMALL.replace("effective_from: 2026-01-01\n", "effective_from: 2025-01-01\n"))

    with pytest.raises(DeskRefused, match="begins on 2026-01-01"):
        apply_desk(path)


def test_a_file_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{n}: &{n} [{', '.join([f'*{p}'] * 10)}]" for p, n in zip("abcdef", "bcdefg", strict=True)]

    assert "unfolds to more than" in refusal(tmp_path, "\n".join(lines))[0]


@pytest.mark.parametrize(
    "text", ["teams: [", "- a list", "", "[" * 3000, "a: !!python/object:os.system x", "\x00"]
)
def test_what_is_no_desk_is_refused_in_words(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text)[0].startswith("desk.yaml:1: ")


def test_a_domain_of_another_client_is_refused(tmp_path: Path) -> None:
    twice = SMALL.replace("clients:\n", "clients:\n  - {key: BOR, name: Borealis, domains: [acme.example]}\n")
    found = refusal(tmp_path, twice.replace("name: Acme,", "name: Acme, domains: [acme.example],"))

    assert found == [
        "desk.yaml:6: “acme.example” is ACME’s already; give each its own.",
        "desk.yaml:7: “acme.example” is BOR’s already; give each its own.",
    ]


def test_two_sources_with_one_token_are_refused_without_a_word_of_it(tmp_path: Path) -> None:
    source = "  - {client: ACME, key: %s, name: N, shape: plain, token: sixteen-letters-long}\n"
    found = refusal(tmp_path, SMALL + "alarm_sources:\n" + source % "a" + source % "b")

    assert found[0] == "desk.yaml:18: This token is ACME b’s already; give each its own."
    assert "sixteen" not in "".join(found)


def test_what_only_the_database_refuses_is_told_with_its_line_too(tmp_path: Path) -> None:
    User.objects.create_user("ann@acme.example", name="Ann")
    borealis = "clients:\n  - {key: BOR, name: Borealis}\n"
    contacts = "contacts:\n" + "".join(
        f"  - {{client: {key}, email: ann@acme.example, name: Ann, portal: true}}\n"
        for key in ("ACME", "BOR")
    )
    found = refusal(tmp_path, SMALL.replace("clients:\n", borealis) + contacts)

    assert found[0].startswith("desk.yaml:20: The database refuses contacts BOR ann@acme.example")


def test_without_the_mark_of_a_demo_accounts_have_no_password(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(SMALL + "agents:\n  - {email: lena@desk.example, name: Lena, teams: [desk]}\n")

    apply_desk(path)

    assert not User.objects.get(email="lena@desk.example").has_usable_password()


def test_the_command_prints_every_reason_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(SMALL.replace("L1,", "L9,").replace("4 h", "4 hours"))

    assert apply.run(Namespace(file=path, dry_run=False)) == 1
    told = capsys.readouterr().err
    assert "desk.yaml:4:" in told
    assert "desk.yaml:16:" in told
    assert apply.run(Namespace(file=tmp_path / "nowhere.yaml", dry_run=False)) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_every_example_of_the_howto_is_read_without_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_TOKEN", "a-token-from-the-environment")
    monkeypatch.setenv("SUPPORT_PASSWORD", "a-password-from-the-environment")
    monkeypatch.setenv("HALDEN_SLACK_SECRET", "a-secret-from-the-environment")
    monkeypatch.setenv("HALDEN_SLACK_TOKEN", "a-token-from-the-environment")
    howto = Path(apply.__file__).parents[2] / "docs" / "howto" / "desk-as-code.md"
    example = howto.read_text().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "books").mkdir()
    book = Path(apply.__file__).parent / "demo" / "books" / "vpn-not-connecting.md"
    (tmp_path / "books" / "vpn.md").write_text(book.read_text())
    path = tmp_path / "desk.yaml"
    path.write_text(example)
    found = Findings(path)

    read = read_document(compose(example, found), found)

    assert found.wrong == []
    assert {item.section.name for item in read.items} == {section.name for section in SECTIONS}

"""What keeps a book from being saved, and what its author is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.response.runbooks.library import DEMO_BOOKS, example, small, spoiled, with_steps
from tierdesk.response.runbooks.lint import Finding, Severity, check, refusals
from tierdesk.response.runbooks.parse import parse_book

DESTRUCTIVE = "write approve=L2 destructive"


def sentences(findings: list[Finding], severity: Severity) -> list[tuple[int, str]]:
    return [(one.line, one.sentence) for one in findings if one.severity is severity]


def test_the_example_passes_every_check() -> None:
    assert check(example()) == []


def test_the_small_book_passes_every_check() -> None:
    assert check(small()) == []


def test_the_demo_desk_has_eight_books() -> None:
    assert len(DEMO_BOOKS) == 8


@pytest.mark.parametrize("path", DEMO_BOOKS, ids=lambda path: path.stem)
def test_every_book_of_the_demo_desk_passes_every_check(path: Path) -> None:
    book = parse_book(path.read_text(encoding="utf-8"))
    assert check(book) == []
    assert book.id == path.stem


@pytest.mark.parametrize(
    ("old", "new", "line", "fragment"),
    [
        ("→ #change", "→ #chnage", 23, "there is no step “chnage”"),
        ("→ #change", "→ #ask", 26, "no way leads to “change”"),
        (
            '- choose "Yes" → done "it works"\n- choose "No" → escalate L2 "it does not work"',
            "",
            39,
            "what follows",
        ),
        ('choose "Yes" → done "it works"', 'choose "Yes" → #look', 17, "can go round for ever"),
        ('choose "No" → escalate', 'choose "Yes" → escalate', 44, "“Yes” is offered twice"),
        ("timeout=20s read", "read", 19, "has a timeout"),
        ("timeout=20s read", "timeout=20s", 19, "either read or write"),
        ("timeout=20s read", "timeout=20s read write", 19, "either read or write"),
        ('- else → escalate L2 "cannot look"\n', "", 17, "needs an else"),
        ("on=host timeout=20s read", "timeout=20s read", 19, "does not say where it runs"),
        ("on=host timeout=20s read", "on=server timeout=20s read", 19, "names no input of type host"),
        ("on=host timeout=20s read", "on=sure timeout=20s read", 19, "names no input of type host"),
        ("```sh {undo}\nrm /tmp/x\n```\n", "", 28, "has an undo fence, or says undo=none"),
        ("write approve=L2", "write approve=L2 undo=none", 28, "has no undo fence"),
        ("write approve=L2", "read", 32, "nothing to undo"),
        ("write approve=L2", "write approve=self destructive", 28, "needs a second person"),
        ("write approve=L2", "write destructive", 28, "needs a second person"),
        (
            "timeout=20s read",
            "timeout=20s read approve=L2 destructive",
            19,
            "only a write can be destructive",
        ),
        ("{undo}", "{undo write}", 32, "takes only on= and timeout="),
        ("{undo}", "{undo on=server}", 32, "names no input of type host"),
        ("if `ok` → #change", "if `out < limit` → #change", 23, "no input of this book"),
        ("if `ok` → #change", "if `not out` → #change", 23, "compare it with something"),
        ('choose "Yes" → done', 'if `ok` → done "x"\n- choose "Yes" → done', 43, "this step runs nothing"),
        ('category == "test"', 'alarm.clas == "test"', 7, "no fact"),
        ('category == "test"', "not category", 7, "compare it with something"),
        ("from: alarm.resource", "from: alarm.host", 11, "no fact to take “host” from"),
        ("default: true", "default: yes", 12, "does not take its own value"),
        ("{type: bool, default: true}", "{default: c, values: [a, b]}", 12, "not one of a, b"),
    ],
)
def test_a_book_is_refused_for_one_fault(old: str, new: str, line: int, fragment: str) -> None:
    found = sentences(check(parse_book(spoiled(old, new))), Severity.REFUSAL)
    assert [where for where, sentence in found if fragment in sentence] == [line], found


@pytest.mark.parametrize(
    ("steps", "line", "fragment"),
    [
        ('## A {#a}\n\nDo.\n\n- else → done "x"\n', 17, "at least one “escalate” exit"),
        ('## A {#a}\n\nDo.\n\n- if `sure` → escalate L2 "x"\n', 17, "needs an else"),
        ("## A {#a}\n\nDo.\n\n- again 3 every 1m → #a\n", 17, "no way leads to done or escalate"),
        ("## A {#a}\n\nDo.\n\n- else → #a\n", 17, "no way leads to done or escalate"),
        (
            '## A {#a}\n\nDo.\n\n- choose "x" → #b\n- choose "y" → escalate L2 "y"\n\n'
            '## B {#b}\n\nDo.\n\n- choose "x" → #a\n- else → done "x"\n',
            17,
            "“a”, “b” can go round for ever",
        ),
    ],
)
def test_a_way_that_leads_nowhere_is_refused(steps: str, line: int, fragment: str) -> None:
    found = sentences(check(with_steps(steps)), Severity.REFUSAL)
    assert [where for where, sentence in found if fragment in sentence] == [line], found


def test_a_counted_circle_is_no_circle() -> None:
    book = with_steps('## A {#a}\n\nDo.\n\n- again 3 every 1m → #a\n- else → escalate L2 "x"\n')
    assert refusals(check(book)) == []


def test_a_destruction_with_a_second_approver_is_accepted() -> None:
    assert check(parse_book(spoiled("write approve=L2", DESTRUCTIVE))) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "fragment"),
    [
        ("For tests.\n", "", 3, "does not say when it applies"),
        ('match: category == "test"\n', "", 2, "never offered"),
        ("review: 90d\n", "", 2, "whether the book is still true"),
        ("from: alarm.resource", "required: true", 11, "must be typed in"),
        ("Ask whether it works.\n", "", 39, "does not say what to do"),
        ("if `ok` → #change\n- else → escalate", "else → #change\n- else → escalate", 17, "what it expects"),
        ("if `ok` → #change\n- else → escalate", "else → #change\n- else → escalate", 24, "never tried"),
        ("Ask whether it works.", "Ask.\n\n```sh\nuptime\n```", 43, "shown and not run"),
        ('done "it works"', "done", 43, "does not say why"),
        ('escalate L2 "it does not work"', 'escalate L1 "it does not work"', 44, "does not escalate to L1"),
        ("write approve=L2", "write", 28, "nobody agrees"),
        ("risk: medium", "risk: low", 8, "not of low risk"),
        ("if `ok` → #ask", 'if `sure` → #ask\n- if `ok` → done "x"', 37, "look whether it helped"),
        ("timeout=20s read", "timeout=2h read", 19, "longer than 30 minutes"),
    ],
)
def test_a_book_is_warned_of_one_weakness(old: str, new: str, line: int, fragment: str) -> None:
    found = sentences(check(parse_book(spoiled(old, new))), Severity.WARNING)
    assert [where for where, sentence in found if fragment in sentence] == [line], found


def test_a_weakness_does_not_keep_a_book_from_being_saved() -> None:
    findings = check(parse_book(spoiled("For tests.\n", "")))
    assert findings
    assert refusals(findings) == []


def test_a_long_book_is_warned_of_its_tenth_step() -> None:
    steps = "".join(f'## S{n} {{#s{n}}}\n\nDo.\n\n- choose "x" → #s{n + 1}\n\n' for n in range(9))
    book = with_steps(steps + '## S9 {#s9}\n\nDo.\n\n- else → escalate L2 "x"\n')
    assert sentences(check(book), Severity.WARNING) == [
        (book.steps[9].line, "a book of more than 9 steps is two books")
    ]


def test_findings_come_in_the_order_of_the_lines() -> None:
    findings = check(parse_book(spoiled("timeout=20s read", "dry").replace("→ #ask", "→ #nowhere")))
    assert len(findings) > 3
    assert [one.line for one in findings] == sorted(one.line for one in findings)

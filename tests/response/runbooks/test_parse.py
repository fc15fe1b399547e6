"""A book is read whole, or refused with the line that is wrong."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.response.runbooks.library import EXAMPLE, SMALL, example, small, spoiled
from tierdesk.response.runbooks.book import (
    Again,
    BookError,
    Choose,
    Done,
    Effect,
    Else,
    Escalate,
    Goto,
    If,
    InputError,
    Language,
    Risk,
)
from tierdesk.response.runbooks.parse import parse_book


def test_the_head_is_read() -> None:
    book = example()
    assert (book.id, book.revision, book.owner, book.tier) == ("pg-replica-lag", 4, "team/dba", 1)
    assert (book.risk, book.review, book.secrets) == (Risk.MEDIUM, timedelta(days=180), ("ssh/ops",))
    assert book.match is not None
    assert book.match.names == {"alarm.class", "service.kind"}
    assert book.preamble == (
        "Readers see old data while a replica lags. Never restart the primary from this book."
    )


def test_the_inputs_are_read_in_their_types() -> None:
    host, max_lag = example().inputs
    assert (host.name, host.source, host.default, host.line) == ("host", "alarm.resource", None, 11)
    assert (max_lag.default, max_lag.unit, max_lag.read("90")) == ("60", "s", 90)


def test_the_steps_are_read_in_order() -> None:
    book = example()
    assert [step.id for step in book.steps] == ["lag", "space", "ask", "resume", "wait"]
    assert [step.line for step in book.steps] == [18, 28, 37, 45, 57]
    assert book.steps[2].title == "Is a long report running?"
    assert book.steps[2].prose.startswith("Open **Activity** on the primary's dashboard.")


def test_a_fence_to_run_is_read_with_its_undo() -> None:
    step = example().steps[3]
    assert step.command is not None
    assert (step.command.language, step.command.on, step.command.approve) == (Language.SQL, "host", "L2")
    assert step.command.timeout == timedelta(seconds=30)
    assert step.command.effects == {Effect.WRITE}
    assert step.command.text == "select pg_wal_replay_resume()\n"
    assert step.undo is not None
    assert step.undo.text == "select pg_wal_replay_pause()\n"


def test_an_undo_runs_where_and_as_its_write_does() -> None:
    undoing = example().steps[3].undoing
    assert undoing is not None
    assert (undoing.on, undoing.timeout, undoing.approve) == ("host", timedelta(seconds=30), "L2")


def test_outcomes_are_read_in_order() -> None:
    lag, _, ask, _, wait = example().steps
    assert [type(one.condition) for one in lag.outcomes] == [If, If, Else]
    assert [one.target for one in lag.outcomes] == [
        Done("lag recovered by itself"),
        Goto("space"),
        Escalate(2, "could not read the lag"),
    ]
    assert ask.choices == ("Yes, a report", "No", "I cannot tell")
    assert [type(one.condition) for one in ask.outcomes] == [Choose, Choose, Choose]
    assert wait.outcomes[0].condition == Again(3, timedelta(minutes=5))
    assert wait.outcomes[0].line == 61


@pytest.mark.parametrize(
    "same",
    [
        EXAMPLE.replace("→", "->"),
        EXAMPLE.replace("\n", "\r\n"),
        "\ufeff" + EXAMPLE,
        EXAMPLE.replace("`out < max_lag`", "out < max_lag"),
        EXAMPLE.replace("\n- ", "\n* "),
    ],
    ids=["plain arrows", "lines of another system", "a byte order mark", "no ticks", "stars"],
)
def test_a_book_may_be_written_in_another_hand(same: str) -> None:
    assert parse_book(same) == example()


def test_an_illustration_is_prose() -> None:
    book = parse_book(spoiled("For tests.", "For tests, such as\n\n```text\n## Not a step\n```"))
    assert "## Not a step" in book.preamble
    assert [step.id for step in book.steps] == ["look", "change", "ask"]


def test_a_list_that_is_no_list_of_outcomes_is_prose() -> None:
    ask = parse_book(spoiled("Ask whether it works.", "Ask:\n\n- today\n- if possible, now")).steps[2]
    assert ask.prose == "Ask:\n\n- today\n- if possible, now"
    assert ask.choices == ("Yes", "No")


def test_the_definition_of_a_link_stays_in_its_step() -> None:
    ask = parse_book(spoiled("Ask whether it works.", "See [the page][p].\n\n[p]: https://a.example")).steps[
        2
    ]
    assert "[p]: https://a.example" in ask.prose


def test_words_that_yaml_would_turn_into_something_else_stay_words() -> None:
    book = parse_book(
        spoiled("sure: {type: bool, default: true}", "sure: {values: [no, off, 010], default: no}")
    )
    assert book.inputs[1].values == ("no", "off", "010")


@pytest.mark.parametrize(
    ("old", "new", "line", "fragment"),
    [
        ("---\n", "", 1, "begins with a head"),
        ("---\n\nFor tests.", "\nFor tests.", 1, "not closed"),
        ("id: small\n", "", 1, "no “id”"),
        ("id: small", "id: Small Book", 2, "cannot be the id"),
        ("tier: L1", "tier: L4", 6, "cannot be the tier"),
        ("risk: medium", "risk: none", 8, "cannot be the risk"),
        ("revision: 1", "revision: one", 4, "cannot be the revision"),
        ("review: 90d", "review: soon", 9, "no duration"),
        ("review: 90d", "review: 0d", 9, "no duration"),
        ("owner: team/desk", "owner:", 5, "one line"),
        ("owner: team/desk", "owner: [a, b]", 5, "one value"),
        ("owner: team/desk", "onwer: team/desk", 5, "has no “onwer”"),
        ("owner: team/desk", "id: other", 5, "given twice"),
        ("owner: team/desk", "owner: [", 7, "no YAML"),
        ("owner: team/desk", "owner: !!python/object:os.system x", 5, "no “!” tags"),
        ("owner: team/desk", "owner: &a team/desk", 5, "references"),
        ("owner: team/desk", "owner: [[[[[[[[[[[[]]]]]]]]]]]]", 5, "nested too deep"),
        ('match: category == "test"', "match: category = 1", 7, "cannot be read"),
        ("host: {type: host, from: alarm.resource}", "host: alarm", 11, "list of “name: value”"),
        ("host: {type: host", "host: {type: ip", 11, "type of “host”"),
        ("host: {type: host", "ok: {type: host", 11, "name of an input"),
        ("sure: {type: bool", "sure: {required: maybe", 12, "true or false"),
        ("sure: {type: bool", "sure: {pattern: '(a'", 12, "never closed"),
        ("## Look {#look}", "## Look", 17, "ends with its name"),
        ("## Change {#change}", "## Change {#look}", 26, "two steps are named"),
        ("timeout=20s read", "timeout=soon read", 19, "no attribute “timeout=soon”"),
        ("timeout=20s read", "timeout=20s reed", 19, "no attribute “reed”"),
        ("timeout=20s read", "timeout=20s read read", 19, "given twice"),
        ("approve=L2", "approve=boss", 28, "no attribute “approve=boss”"),
        ("```sh {on", "```cobol {on", 19, "opens with sh, sql"),
        ("uptime\n", "", 19, "empty"),
        ("```sh {undo}", "```sh {on=host read}", 32, "one fence to run"),
        ("```sh {on", "> ```sh {on", 19, "left margin"),
        ("For tests.", "```sh {on=host}\nx\n```", 15, "belongs to a step"),
        ("if `ok` → #change", "if `ok` → change", 23, "no outcome"),
        ("if `ok` → #change", "if `ok and` → #change", 23, "cannot be read"),
        ("if `ok` → #change", 'if `out matches "(a"` → #change', 23, "never closed"),
        ("if `ok` → #change", "again 0 every 5m → #change", 23, "1 to 100 times"),
        ("if `ok` → #change", "again 2 every while → #change", 23, "no duration"),
        ("if `ok` → #change", "perhaps → #change", 23, "no outcome"),
        ("if `ok` → #change", "if `ok` → #change\n  - if `ok` → #ask", 23, "one line"),
        ("Ask whether it works.", "- today\n  - else → #look", 41, "one line"),
        ('escalate L2 "cannot look"', 'escalate L5 "cannot look"', 24, "no outcome"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_line(old: str, new: str, line: int, fragment: str) -> None:
    with pytest.raises(BookError) as refused:
        parse_book(spoiled(old, new))
    assert fragment in refused.value.sentence
    assert refused.value.line == line


def test_a_book_without_steps_is_refused() -> None:
    with pytest.raises(BookError, match="at least one step"):
        parse_book(SMALL.partition("## Look")[0])


def test_a_book_without_limits_is_refused() -> None:
    with pytest.raises(BookError, match="at most 200000 characters"):
        parse_book(SMALL + "x" * 200_000)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("{type: int}", "-5", -5),
        ("{type: number}", "0.000000001", Decimal("0.000000001")),
        ("{type: bool}", "false", False),
        ("{type: host}", "db1.acme.example:9100", "db1.acme.example:9100"),
        ("{type: text}", "two words", "two words"),
        ("{values: [a, b]}", "b", "b"),
        ("{pattern: '/[a-z]+'}", "/var", "/var"),
    ],
)
def test_an_input_takes_what_fits(declared: str, text: str, value: object) -> None:
    book = parse_book(spoiled("{type: bool, default: true}", declared))
    assert book.inputs[1].read(text) == value


@pytest.mark.parametrize(
    ("declared", "text", "reason"),
    [
        ("{type: int}", "5; id", "a command behind a number"),
        ("{type: int}", "٥", "digits of another script"),
        ("{type: number}", "1e5", "a notation that rules cannot compare"),
        ("{type: host}", "-oProxyCommand=x", "an option in place of a host"),
        ("{type: host}", "a b", "two words in place of a host"),
        ("{type: host}", "$(id)", "a command in place of a host"),
        ("{type: text}", "--help", "an option in place of a text"),
        ("{type: text}", "a\nb", "a second line"),
        ("{type: text}", "a\u2028b", "a second line in disguise"),
        ("{type: text}", "a\x00b", "an end of text"),
        ("{type: text}", "x" * 1_001, "more than a line"),
        ("{type: text}", "", "nothing"),
        ("{type: bool}", "yes", "a word for true that is not true"),
        ("{values: [a, b]}", "c", "none of the values"),
        ("{pattern: '/[a-z]+'}", "/var\n/x", "a pattern describes the whole value"),
        ("{pattern: '^/[a-z]+$'}", "/var/", "edges of a line do not shorten it"),
    ],
)
def test_an_input_refuses_what_does_not_fit(declared: str, text: str, reason: str) -> None:
    book = parse_book(spoiled("{type: bool, default: true}", declared))
    with pytest.raises(InputError):
        book.inputs[1].read(text)
        pytest.fail(reason)


SNIPPETS = st.sampled_from(
    [
        *(
            "---\n",
            "## ",
            "{#look}",
            "```",
            "```sh {",
            "}",
            "- ",
            "→",
            "#",
            "\n",
            "\n\n",
            ":",
            "`",
            '"',
            "&a ",
            "*a",
        ),
        *(
            "!!x ",
            "[",
            "{",
            "> ",
            "    ",
            "if `",
            "choose ",
            "again 9 every ",
            "else",
            "\x00",
            "\u2028",
            "\r",
            "\t",
        ),
        *("<!--", "[a]: b\n", "- - - "),
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """A book in which some places were cut out, doubled, or overwritten."""
    text = draw(st.sampled_from([EXAMPLE, SMALL]))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = draw(st.integers(begin, min(len(text), begin + 60)))
        put = draw(st.one_of(st.just(""), SNIPPETS, st.text(max_size=8), st.just(text[begin:end] * 2)))
        text = text[:begin] + put + text[end:]
    return text


@settings(max_examples=300, deadline=None)
@given(mutations())
def test_a_damaged_book_is_read_or_refused(text: str) -> None:
    try:
        book = parse_book(text)
    except BookError as fault:
        assert 1 <= fault.line <= len(text.splitlines()) + 1
        assert fault.sentence
    else:
        assert book.steps


@pytest.mark.parametrize("filler", ["[" * 50_000, "> " * 10_000, "- " * 10_000, "`" * 50_000, "*a " * 20_000])
def test_a_book_made_to_exhaust_the_reader_is_read_or_refused(filler: str) -> None:
    text = SMALL.replace("For tests.", filler)
    try:
        assert parse_book(text).preamble
    except BookError as fault:
        assert fault.sentence


def test_a_small_book_reads_alike_twice() -> None:
    assert small() == small()

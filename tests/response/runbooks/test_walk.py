"""A run is walked from its results: what is next, what it ends in, what can be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.response.runbooks.library import DEMO_BOOKS, example, small, with_steps
from tierdesk.response.runbooks.book import Book
from tierdesk.response.runbooks.expression import Facts
from tierdesk.response.runbooks.parse import parse_book
from tierdesk.response.runbooks.walk import (
    MOST_STEPS,
    NONE_OF_THESE,
    Answer,
    Execute,
    Finish,
    Gap,
    HandUp,
    Look,
    Next,
    Reason,
    Result,
    Show,
    UnableToWalk,
    decide,
    undo,
)

INPUTS: Facts = {"host": "db2", "max_lag": 60}
LAGGING = Result("lag", out="75\n", code=0)
ROOM = Result("space", out="40", code=0)
NO_REPORT = Result("ask", answer="No")
RESUMED = Result("resume", code=0)
WAITED = Result("wait")
ROUND = [LAGGING, ROOM, NO_REPORT, RESUMED, WAITED]


def next_of(*results: Result, book: Book | None = None) -> Next:
    return decide(book or example(), results, INPUTS)


def test_a_run_begins_at_the_first_step() -> None:
    first = next_of()
    assert isinstance(first, Execute)
    assert (first.step.id, first.command.on, first.after) == ("lag", "host", timedelta(0))


def test_a_rule_that_holds_ends_the_run() -> None:
    last = next_of(Result("lag", out="3", code=0))
    assert isinstance(last, Finish)
    assert last.words == "lag recovered by itself"


def test_a_rule_that_holds_leads_on() -> None:
    following = next_of(LAGGING)
    assert isinstance(following, Execute)
    assert following.step.id == "space"


def test_an_output_that_cannot_be_read_falls_through_to_else() -> None:
    last = next_of(Result("lag", out="psql: no route to host", code=2))
    assert isinstance(last, HandUp)
    assert (last.tier, last.words, last.reason) == (2, "could not read the lag", Reason.BOOK_FAILED)


def test_a_step_for_a_person_is_shown_with_its_answers() -> None:
    asked = next_of(LAGGING, ROOM)
    assert isinstance(asked, Show)
    assert asked.step.id == "ask"
    assert asked.choices == ("Yes, a report", "No", "I cannot tell")


def test_an_answer_leads_on() -> None:
    following = next_of(LAGGING, ROOM, NO_REPORT)
    assert isinstance(following, Execute)
    assert following.command.approve == "L2"


def test_again_leads_back_after_its_pause() -> None:
    back = next_of(*ROUND)
    assert isinstance(back, Execute)
    assert (back.step.id, back.after) == ("lag", timedelta(minutes=5))


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_again_is_taken_as_often_as_the_book_says(rounds: int) -> None:
    assert isinstance(next_of(*ROUND * rounds), Execute)


def test_again_is_not_taken_once_more() -> None:
    last = next_of(*ROUND * 4)
    assert isinstance(last, HandUp)
    assert (last.words, last.reason) == ("still lagging after 15 minutes", Reason.BOOK_FAILED)


def test_a_command_whose_output_a_person_must_judge_waits_for_the_answer() -> None:
    book = with_steps(
        "## Read {#read}\n\n```sh {on=host timeout=5s read}\ndu\n```\n\n"
        '- if `not ok` → escalate L2 "cannot read"\n- choose "Logs" → done "x"\n- else → escalate L2 "?"\n'
    )
    printed = Result("read", out="9 /var/log", code=0)
    asked = decide(book, [printed])
    assert isinstance(asked, Answer)
    assert asked.choices == ("Logs", NONE_OF_THESE)
    assert isinstance(decide(book, [Result("read", code=0, answer="Logs")]), Finish)
    assert isinstance(decide(book, [Result("read", code=1)]), HandUp), "a rule above the answers comes first"


def test_none_of_these_leads_to_else() -> None:
    book = with_steps('## A {#a}\n\nDo.\n\n- choose "x" → done "x"\n- else → escalate L3 "neither"\n')
    last = decide(book, [Result("a", answer=NONE_OF_THESE)])
    assert isinstance(last, HandUp)
    assert (last.tier, last.reason) == (3, Reason.BOOK_INSUFFICIENT)


def test_a_step_a_person_carried_out_has_printed_nothing() -> None:
    book = with_steps('## A {#a}\n\nDo.\n\n- if `out == ""` → done "x"\n- else → escalate L2 "y"\n')
    assert isinstance(decide(book, [Result("a")]), HandUp)


@pytest.mark.parametrize("result", [Result("resume", unknown=True), Result("resume")])
def test_a_change_nobody_knows_the_end_of_is_looked_at(result: Result) -> None:
    stopped = next_of(LAGGING, ROOM, NO_REPORT, result)
    assert isinstance(stopped, Look)
    assert stopped.step.id == "resume"


def test_what_a_person_saw_settles_it() -> None:
    assert isinstance(next_of(LAGGING, ROOM, NO_REPORT, Result("resume", ok=True)), Show)
    assert isinstance(next_of(LAGGING, ROOM, NO_REPORT, Result("resume", ok=False)), HandUp)


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        (Gap.MISSING, Reason.BOOK_MISSING),
        (Gap.NOT_APPLICABLE, Reason.BOOK_MISSING),
        (Gap.WRONG, Reason.BOOK_INSUFFICIENT),
        (Gap.OUTDATED, Reason.BOOK_INSUFFICIENT),
        (Gap.AMBIGUOUS, Reason.BOOK_INSUFFICIENT),
        (Gap.STEP_FAILED, Reason.BOOK_FAILED),
        (Gap.NO_ACCESS, Reason.ACCESS),
    ],
)
def test_a_gap_ends_the_run_with_its_reason(gap: Gap, reason: Reason) -> None:
    last = next_of(LAGGING, ROOM, Result("ask", gap=gap, remark="no such page"))
    assert isinstance(last, HandUp)
    assert (last.tier, last.words, last.reason, last.gap) == (2, "no such page", reason, gap)
    assert last.step.id == "ask"


@pytest.mark.parametrize("gap", list(Gap))
@pytest.mark.parametrize(
    "results", [[], [LAGGING], [LAGGING, ROOM, NO_REPORT], [LAGGING, ROOM, NO_REPORT, RESUMED]]
)
def test_every_step_can_be_left_through_a_gap(results: list[Result], gap: Gap) -> None:
    here = next_of(*results)
    assert isinstance(next_of(*results, Result(here.step.id, gap=gap)), HandUp)


def test_only_what_concerns_the_book_improves_it() -> None:
    assert [reason for reason in Reason if reason.improves_the_book] == [
        Reason.BOOK_MISSING,
        Reason.BOOK_INSUFFICIENT,
        Reason.BOOK_FAILED,
    ]


@pytest.mark.parametrize(
    ("outcomes", "answer", "reason", "words", "why"),
    [
        ('- choose "x" → escalate L2 "too hard"', "x", Reason.SKILL, "too hard", "the author foresaw it"),
        (
            '- choose "x" → escalate L2 "access: no root"',
            "x",
            Reason.ACCESS,
            "no root",
            "the words begin with a code",
        ),
        ('- choose "x" → escalate L2 "note: y"', "x", Reason.SKILL, "note: y", "not every colon ends a code"),
        ('- choose "x" → escalate L2', "x", Reason.SKILL, "", "an exit may be silent"),
        (
            '- choose "x" → done "y"\n- else → escalate L2 "z"',
            "",
            Reason.BOOK_INSUFFICIENT,
            "z",
            "no answer fitted",
        ),
        (
            '- else → escalate L2 "hand over"',
            None,
            Reason.SKILL,
            "hand over",
            "the book ends here as planned",
        ),
    ],
)
def test_an_exit_has_a_coded_reason(
    outcomes: str, answer: str | None, reason: Reason, words: str, why: str
) -> None:
    last = decide(with_steps(f"## A {{#a}}\n\nDo.\n\n{outcomes}\n"), [Result("a", answer=answer)])
    assert isinstance(last, HandUp)
    assert (last.reason, last.words, last.gap) == (reason, words, None), why


@pytest.mark.parametrize(
    ("results", "fragment"),
    [
        ([ROOM], "stands at “lag”"),
        ([LAGGING, NO_REPORT], "stands at “space”"),
        ([LAGGING, ROOM, Result("ask", answer="Maybe")], "no answer to “ask”"),
        ([LAGGING, ROOM, Result("ask", answer=NONE_OF_THESE)], "no answer to “ask”"),
        ([Result("lag", out="3", code=0), ROOM], "stopped at “lag”"),
        ([LAGGING, ROOM, Result("ask"), RESUMED], "stopped at “ask”"),
        ([LAGGING, ROOM, NO_REPORT, Result("resume", unknown=True), WAITED], "stopped at “resume”"),
        ([Result("lag", gap=Gap.WRONG), ROOM], "stopped at “lag”"),
    ],
)
def test_results_that_the_book_does_not_lead_to_are_refused(results: list[Result], fragment: str) -> None:
    with pytest.raises(UnableToWalk, match=fragment):
        next_of(*results)


def test_a_step_that_is_not_there_hands_up() -> None:
    last = decide(with_steps("## A {#a}\n\nDo.\n\n- else → #nowhere\n"), [Result("a")])
    assert isinstance(last, HandUp)
    assert (last.gap, last.reason) == (Gap.WRONG, Reason.BOOK_INSUFFICIENT)


def test_a_step_that_leads_nowhere_hands_up() -> None:
    last = decide(with_steps("## A {#a}\n\nDo.\n"), [Result("a")])
    assert isinstance(last, HandUp)
    assert (last.gap, last.words) == (Gap.MISSING, "the book does not say what follows")


def test_a_circle_hands_up_in_the_end() -> None:
    circle = with_steps("## A {#a}\n\nDo.\n\n- else → #a\n")
    assert isinstance(decide(circle, [Result("a")] * (MOST_STEPS - 1)), Show)
    assert isinstance(decide(circle, [Result("a")] * MOST_STEPS), HandUp)


def test_what_was_changed_can_be_taken_back() -> None:
    (change,) = undo(example(), ROUND)
    assert (change.step.id, change.certain) == ("resume", True)
    assert (change.command.text, change.command.on) == ("select pg_wal_replay_pause()\n", "host")


def test_the_last_change_is_taken_back_first() -> None:
    later = (
        '## B {#b}\n\n```sh {on=host timeout=1s write}\nb\n```\n```sh {undo}\nunb\n```\n\n- else → done "x"\n'
    )
    earlier = later.replace("B {#b}", "A {#a}").replace("\nb\n", "\na\n").replace("unb", "una")
    book = with_steps(earlier.replace('done "x"', "#b") + "\n" + later)
    results = [Result("a", code=0), Result("b", code=0)]
    assert [one.command.text for one in undo(book, results)] == ["unb\n", "una\n"]


@pytest.mark.parametrize(
    ("change", "offered", "reason"),
    [
        (Result("change", code=0), [True], "it took effect"),
        (Result("change", unknown=True), [False], "it may have taken effect"),
        (Result("change", code=1), [], "it did not take effect"),
        (Result("change", code=0, undone=True), [], "it is taken back already"),
    ],
)
def test_only_what_took_effect_is_taken_back(change: Result, offered: list[bool], reason: str) -> None:
    assert [one.certain for one in undo(small(), [Result("look", code=0), change])] == offered, reason


# ---- every run ends ----------------------------------------------------------------------------------------

OUTPUTS = st.one_of(
    st.sampled_from(["", "0", "50", "97", "100", "t", "f", "ESTABLISHED INSTALLED"]), st.text(max_size=5)
)
BOOKS = [example(), small(), *(parse_book(path.read_text(encoding="utf-8")) for path in DEMO_BOOKS)]


def result_for(stop: Next, draw: st.DataObject) -> Result:
    """Something that can happen at a stop."""
    step = stop.step.id
    if isinstance(stop, Show):
        return Result(step, answer=draw.draw(st.sampled_from(stop.choices)) if stop.choices else None)
    if isinstance(stop, Look):
        return Result(step, ok=draw.draw(st.booleans()))
    out, code = draw.draw(OUTPUTS), draw.draw(st.sampled_from([0, 0, 0, 1, None]))
    if isinstance(stop, Answer):
        return Result(step, out=out, code=0, answer=draw.draw(st.sampled_from(stop.choices)))
    return Result(step, out=out, code=code)


def walked(book: Book, draw: st.DataObject, most: int) -> tuple[Next, int]:
    """Where a run of chance ends, and after how many results."""
    inputs: Facts = {one.name: one.read(one.default) for one in book.inputs if one.default}
    results: list[Result] = []
    stop = decide(book, results, inputs)
    while not isinstance(stop, Finish | HandUp) and len(results) <= most:
        happened = result_for(stop, draw)
        results[-1:] = [happened] if isinstance(stop, Answer | Look) else [*results[-1:], happened]
        stop = decide(book, results, inputs)
    return stop, len(results)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_run_of_a_good_book_ends_by_itself(data: st.DataObject) -> None:
    stop, length = walked(data.draw(st.sampled_from(BOOKS)), data, MOST_STEPS)
    assert isinstance(stop, Finish | HandUp)
    assert length < MOST_STEPS
    assert not (isinstance(stop, HandUp) and stop.gap), "a good book covers whatever its own outcomes lead to"


@st.composite
def wild_books(draw: st.DrawFn) -> Book:
    """Books that no lint has seen: circles, missing steps, steps without a way out."""
    names = ["a", "b", "c"]
    targets = st.sampled_from(["#a", "#b", "#c", "#nowhere", 'done "x"', 'escalate L2 "x"'])
    conditions = st.sampled_from(
        ['choose "x"', 'choose "y"', "if `ok`", "if `out > 5`", "else", "again 2 every 1m"]
    )
    outcome = st.tuples(conditions, targets).map(lambda pair: f"- {pair[0]} → {pair[1]}\n")
    fence = st.sampled_from(["Do.\n\n", "```sh {on=host timeout=5s read}\nuptime\n```\n\n"])
    steps = [
        f"## {name} {{#{name}}}\n\n{draw(fence)}" + "".join(draw(st.lists(outcome, max_size=4)))
        for name in names
    ]
    return with_steps("\n".join(steps))


@settings(max_examples=100, deadline=None)
@given(wild_books(), st.data())
def test_every_run_of_any_book_ends(book: Book, data: st.DataObject) -> None:
    stop, length = walked(book, data, MOST_STEPS)
    assert isinstance(stop, Finish | HandUp)
    assert length <= MOST_STEPS

"""Reads a whole book: the head through `head.py`, its fences and outcomes through `grammar.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tierdesk.response.runbooks.book import Book, BookError, Command, Language, Outcome, Risk, Step
from tierdesk.response.runbooks.grammar import LINE_CHARACTERS, is_like_an_outcome, read_fence, read_outcome
from tierdesk.response.runbooks.head import IDENTIFIER, WHOLE, Head

BOOK_CHARACTERS: Final = 200_000
TITLE: Final = re.compile(r"(?P<title>\S.*?)\s*\{#(?P<id>[a-z0-9][\w-]{0,63})\}", re.ASCII)
# Only blocks matter here. Inline parsing is left to the page that shows the prose; it costs quadratic time on
# "[[[[". The definition of a link stays with the prose it stands in.
BLOCKS: Final = MarkdownIt("commonmark").disable(["inline", "reference"])


def parse_book(source: str) -> Book:
    """Reads a whole book. Raises BookError for the first thing that cannot be read, and nothing else."""
    if len(source) > BOOK_CHARACTERS:
        raise BookError(1, f"a book has at most {BOOK_CHARACTERS} characters")
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head_text, body = _divided(text)
    head = Head(head_text)
    first_line = text.count("\n", 0, len(text) - len(body))
    preamble, steps = _Body(body, lines_before=first_line).read()
    return Book(
        id=head.word("id", IDENTIFIER),
        title=head.text("title"),
        revision=int(head.word("revision", WHOLE)),
        owner=head.text("owner"),
        tier=int(head.word("tier", re.compile("L[1-3]"))[1]),
        risk=Risk(head.word("risk", re.compile("|".join(Risk)))),
        match=head.rule("match"),
        review=head.duration("review"),
        inputs=head.inputs(),
        secrets=head.secrets(),
        preamble=preamble,
        steps=steps,
        head_lines=head.lines(),
    )


def _divided(text: str) -> tuple[str, str]:
    """The YAML between the first two lines of `---`, and everything below."""
    if not text.startswith("---\n"):
        raise BookError(1, "a book begins with a head between two lines of “---”")
    head, closed, body = text[4:].partition("\n---\n")
    if not closed:
        raise BookError(1, "the head is not closed: a line “---” is missing below it")
    return head, body


@dataclass(slots=True)
class _Draft:
    """A step while it is read."""

    id: str
    title: str
    line: int
    prose: list[str] = field(default_factory=list)
    command: Command | None = None
    undo: Command | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    shown_fences: list[int] = field(default_factory=list)

    def finished(self) -> Step:
        prose = "\n\n".join(self.prose)
        outcomes, shown = tuple(self.outcomes), tuple(self.shown_fences)
        return Step(self.id, self.title, self.line, prose, self.command, self.undo, outcomes, shown)


class _Body:
    """Everything below the head, block by block."""

    def __init__(self, text: str, *, lines_before: int) -> None:
        self.source = text.split("\n")
        self.lines_before = lines_before
        self.tokens = BLOCKS.parse(text)
        self.preamble: list[str] = []
        self.drafts: list[_Draft] = []

    def read(self) -> tuple[str, tuple[Step, ...]]:
        for block in _parts(self.tokens, level=0):
            self._read_block(block)
        if not self.drafts:
            raise BookError(self.lines_before + 1, "a book has at least one step: “## Title {#id}”")
        return "\n\n".join(self.preamble), tuple(draft.finished() for draft in self.drafts)

    def _read_block(self, block: list[Token]) -> None:
        first = block[0]
        if first.type == "heading_open" and first.tag == "h2":
            self._begin_step(block)
        elif _is_to_run(first):
            self._read_fence(first)
        elif first.type == "bullet_list_open" and self.drafts and any(map(_is_outcome, block)):
            self._read_list(block)
        else:
            self._read_prose(block)

    def _begin_step(self, block: list[Token]) -> None:
        line = self._line(block[0])
        found = TITLE.fullmatch(block[1].content.strip()[:LINE_CHARACTERS])
        if found is None:
            raise BookError(line, "the heading of a step ends with its name: “## Title {#name}”")
        if any(draft.id == found["id"] for draft in self.drafts):
            raise BookError(line, f"two steps are named “{found['id']}”")
        self.drafts.append(_Draft(found["id"], found["title"], line))

    def _read_prose(self, block: list[Token]) -> None:
        for token in filter(_is_to_run, block):
            line = self._line(token)
            raise BookError(line, "a fence to run stands at the left margin, outside of lists and quotes")
        self._keep(*(block[0].map or (0, 0)))
        if block[0].type == "fence" and self.drafts and block[0].info.strip() in tuple(Language):
            self.drafts[-1].shown_fences.append(self._line(block[0]))

    def _read_fence(self, token: Token) -> None:
        line = self._line(token)
        if not self.drafts:
            raise BookError(line, "a fence to run belongs to a step")
        step, (command, is_undo) = self.drafts[-1], read_fence(token.info, token.content, line)
        if (step.undo if is_undo else step.command) is not None:
            raise BookError(line, "a step has one fence to run and one undo at most; make it two steps")
        if is_undo:
            step.undo = command
        else:
            step.command = command

    def _read_list(self, block: list[Token]) -> None:
        """Reads outcomes. Markdown makes one list of a list in the prose and the outcomes right below it."""
        items = list(_parts(block[1:-1], level=1))
        first = next(place for place, item in enumerate(items) if any(map(_is_outcome, item)))
        if first:
            self._keep(_begin(block), _begin(items[first]))
        for item in items[first:]:
            line = self._line(item[0])
            if [token.type for token in item[1:-1]] != ["paragraph_open", "inline", "paragraph_close"]:
                raise BookError(line, "an outcome is one line, and nothing is indented below it")
            self.drafts[-1].outcomes.append(read_outcome(item[2].content, line))

    def _keep(self, begin: int, end: int) -> None:
        """Takes lines of the body as prose."""
        into = self.drafts[-1].prose if self.drafts else self.preamble
        into.append("\n".join(self.source[begin:end]).strip("\n"))

    def _line(self, token: Token) -> int:
        return self.lines_before + _begin([token]) + 1


def _parts(tokens: list[Token], *, level: int) -> Iterator[list[Token]]:
    """The elements at one level, each with all tokens inside it."""
    part: list[Token] = []
    for token in tokens:
        part.append(token)
        if token.level == level and token.nesting <= 0:
            yield part
            part = []


def _begin(part: list[Token]) -> int:
    """The line of the body that a part begins at, from 0."""
    return part[0].map[0] if part[0].map else 0


def _is_to_run(token: Token) -> bool:
    return token.type == "fence" and "{" in token.info


def _is_outcome(token: Token) -> bool:
    return token.type == "inline" and is_like_an_outcome(token.content)

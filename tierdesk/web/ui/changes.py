"""What changed between two versions of a text, line by line."""

from difflib import SequenceMatcher
from typing import Literal, NamedTuple


class Line(NamedTuple):
    """One line of a comparison and what became of it."""

    fate: Literal["kept", "added", "removed"]
    text: str


def line_changes(before: str, after: str) -> list[Line]:
    """Compare two texts; within a changed passage the removed lines come before the added ones."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[Line] = []
    passages = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for fate, old_from, old_to, new_from, new_to in passages:
        if fate == "equal":
            lines += [Line("kept", text) for text in old[old_from:old_to]]
            continue
        lines += [Line("removed", text) for text in old[old_from:old_to]]
        lines += [Line("added", text) for text in new[new_from:new_to]]
    return lines

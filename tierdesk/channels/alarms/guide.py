"""How each kind of sender is pointed at the desk: on a source's page, and as docs/operate/alarm-sources.md.

The file is written by `python -m tierdesk.channels.alarms.guide`; a test holds it against the shapes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tierdesk.channels.alarms import shapes

SENDERS: Final = Path(__file__).parent / "senders"
"""What is put where the monitoring runs: a command, a media type."""

DOCS: Final = Path(__file__).parents[3] / "docs/operate/alarm-sources.md"
BEGINS: Final = re.compile(r"\s*([-*+]|\d+[.)]|#+|>|\|)\s")
"""What a line begins with that is no continuation of the one before: an item, a heading, a quotation, a table."""

EXAMPLE = "https://desk.example.com"
FROM_DOCS = "../../tierdesk/channels/alarms/senders/{}"

HEAD = """\
# Where alarms come from

Each of these tools can send its alarms here. Make a source under *Settings*, or in the desk's file
(`alarm_sources:`, see [desk as code](../howto/desk-as-code.md)), with the `shape` that stands in brackets, and put its
token where `TOKEN` stands below. What is common to all of them is in [alarms.md](alarms.md).
This file is written by `python -m tierdesk.channels.alarms.guide`.
"""


def guide(shape: str, *, desk: str = EXAMPLE, senders: str = "{}") -> str:
    """The Markdown that sets up a sender of this shape for the desk at that address. Raises UnknownShape.

    `senders`: the address of a file of SENDERS, with {} for its name.
    """
    host = urlsplit(desk).hostname or ""
    text = shapes.named(shape).guide.strip().replace(EXAMPLE, desk).replace(urlsplit(EXAMPLE).netloc, host)
    for file in senders_files():
        text = text.replace(f"]({file})", f"]({senders.format(file)})")
    return text


def flowing(text: str) -> str:
    """The same Markdown with each paragraph on one line, for where the end of a line is one to its readers, too."""
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        fences = line.lstrip().startswith("```")
        goes_on = (
            lines and lines[-1].strip() and line.strip() and not (in_code or fences or BEGINS.match(line))
        )
        if goes_on and not lines[-1].lstrip().startswith("```"):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        in_code ^= fences
    return "\n".join(lines)


def senders_files() -> list[str]:
    return sorted(one.name for one in SENDERS.iterdir() if one.is_file())


def page() -> str:
    """All of them as one Markdown page, by title."""
    known = sorted((shapes.named(name) for name in shapes.names()), key=lambda one: one.title.lower())
    parts = [f"## {one.title} (`{one.name}`)\n\n{guide(one.name, senders=FROM_DOCS)}\n" for one in known]
    return "\n".join([HEAD, *parts])


if __name__ == "__main__":
    DOCS.write_text(page())

"""The desk as YAML: what `apply` reads. Secrets stay here: tokens say `kept`, passwords are not written."""

from __future__ import annotations

from typing import Any

import yaml

from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.ops.desk.schema import Section, Values
from tierdesk.ops.desk.sections import SECTIONS

HEAD = "# The desk, as “tierdesk export” wrote it. Change it and “tierdesk apply” it; see docs/howto/desk-as-code.md.\n"


class Writer(yaml.SafeDumper):
    """YAML as people write it: indented lists, long texts as blocks, no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(writer: Writer, text: str) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Writer.add_representer(str, _text)


def export_desk() -> str:
    """The whole desk; applying it changes nothing."""
    with seeing(EVERY_CLIENT):
        desk = notation_of_desk()
    body = yaml.dump(
        desk, Dumper=Writer, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return HEAD + body


def notation_of_desk() -> dict[str, list[Values]]:
    """The whole desk in the file's notation, by section. Needs to see every client."""
    return {section.name: written for section in SECTIONS if (written := _section(section))}


def _section(section: Section) -> list[Values]:
    rows = sorted(section.rows(), key=lambda row: tuple(str(part or "") for part in section.key_of(row)))
    return [section.notation_of(row) for row in rows]

"""`tierdesk export`: the desk as YAML, to a file or to standard output."""

from __future__ import annotations

import argparse
import sys

from tierdesk.ops.desk.export import export_desk


def run(options: argparse.Namespace) -> int:
    """Write the desk; 1 if the file cannot be written."""
    text = export_desk()
    if options.file is None:
        print(text, end="")
        return 0
    try:
        options.file.write_text(text, encoding="utf-8")
    except OSError as fault:
        print(f"{options.file} cannot be written: {fault}. Give a path that can.", file=sys.stderr)
        return 1
    return 0

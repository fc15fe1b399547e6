"""Run beside a desk that stands: Acme's routers and hosts, which are known by their address, and an administrator."""

from __future__ import annotations

import json

import django

SIGNS, HIDES = "signs-what-it-says", "hides-what-it-says"


def main() -> None:
    django.setup()
    from tierdesk.channels.alarms.models import Source
    from tierdesk.core.scope import EVERY_CLIENT, seeing
    from tierdesk.directory.clients.models import Client
    from tierdesk.directory.staff.models import User

    with seeing(EVERY_CLIENT):
        ada = User.objects.create_user("ada@desk.example", name="Ada Admin", is_admin=True)
        acme = Client.objects.get(key="ACME")
        for key, shape, user in (("routers", "snmp_trap", "router"), ("hosts", "syslog", "")):
            one = Source(client=acme, key=key, name=key, shape=shape, usm_user=user)
            one.senders, one.quiet_s = ["127.0.0.1"], 600
            one.sign_with(SIGNS)
            one.encrypt_with(HIDES)
            one.take_new_token()
            one.save()
    print(json.dumps({"admin": ada.email}))


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")
    main()

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

from tierdesk.core import roles


class CoreConfig(AppConfig):
    name = "tierdesk.core"
    label = "core"

    def ready(self) -> None:
        connection_created.connect(_take_the_app_role, dispatch_uid="tierdesk.core.roles")


def _take_the_app_role(*, connection: Any, **_: Any) -> None:
    if settings.DATABASE_ROLE and not roles.acting_as_owner():
        roles.take_app_role(connection)

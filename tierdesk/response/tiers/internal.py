"""Rows that are the desk's own business."""

from __future__ import annotations

from typing import Self

from tierdesk.directory.clients.visibility import ClientRows
from tierdesk.directory.staff.models import User


class InternalRows(ClientRows):
    """Rows that agents see for the clients they serve, and contacts never, not even for their own client."""

    def visible_to(self, user: User) -> Self:
        return super().visible_to(user) if user.is_agent or user.is_admin else self.none()

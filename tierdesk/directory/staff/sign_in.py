"""Who a session belongs to, read with what every page asks next."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend

from tierdesk.core.written import Written
from tierdesk.directory.staff.models import User

_USER = Written(lambda pk: User.objects.select_related("agent").filter(pk=pk))


class AccountBackend(ModelBackend):
    """Django's accounts, with the agent behind one read in the same query."""

    def get_user(self, user_id: int) -> User | None:
        user = next(iter(_USER(pk=user_id)), None)
        return user if user is not None and self.user_can_authenticate(user) else None

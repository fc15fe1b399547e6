from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    """A caller whom nobody knows belongs to no client yet; the first lock then shows the call to agents alone."""

    dependencies = [("phone", "0001_initial"), ("core", "0001_the_app_role_may_work_but_owns_nothing")]
    operations = [*lock("phone_exchange", shared=True), *lock("phone_call", shared=True)]

from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    """What belongs to no client yet is seen by those who see every client, and by nobody else."""

    dependencies = [("channels", "0001_initial"), ("core", "0001_the_app_role_may_work_but_owns_nothing")]
    operations = [*lock("channels_inbound")]

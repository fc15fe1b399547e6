from django.db import migrations

from tierdesk.channels.alarms.sql import INSTALL, REMOVE
from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [("alarms", "0001_initial"), ("core", "0001_the_app_role_may_work_but_owns_nothing")]
    operations = [
        migrations.RunSQL(INSTALL, REMOVE),
        migrations.RunSQL("GRANT USAGE, SELECT ON SEQUENCE alarms_change TO tierdesk_app", migrations.RunSQL.noop),
        *lock("alarms_source", "alarms_alarm", "alarms_event", "alarms_refusal"),
    ]

from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("core", "0001_the_app_role_may_work_but_owns_nothing")]
    operations = [
        *lock(
            "tickets_ticket",
            "tickets_message",
            "tickets_attachment",
            "tickets_entry",
            "tickets_participant",
            "tickets_relation",
        ),
        migrations.RunSQL("SELECT setval(pg_get_serial_sequence('tickets_ticket', 'id'), 1000)", migrations.RunSQL.noop),
    ]

from django.db import migrations

from tierdesk.channels.alarms.sql import INTAKE


class Migration(migrations.Migration):

    dependencies = [("alarms", "0014_sources_count_once_a_second")]

    operations = [migrations.RunSQL(INTAKE, migrations.RunSQL.noop)]

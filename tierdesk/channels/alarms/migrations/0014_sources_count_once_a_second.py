from django.db import migrations

from tierdesk.channels.alarms.sql import INTAKE


class Migration(migrations.Migration):

    dependencies = [("alarms", "0013_what_flaps_is_left_alone_until_it_may_be_calm")]

    operations = [migrations.RunSQL(INTAKE, migrations.RunSQL.noop)]

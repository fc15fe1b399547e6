from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [("prediction", "0001_initial")]
    operations = [*lock("prediction_outlook")]

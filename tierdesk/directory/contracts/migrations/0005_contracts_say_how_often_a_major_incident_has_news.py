
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0004_contracts_say_who_may_touch_what'),
    ]

    operations = [
        migrations.AddField(
            model_name='contractversion',
            name='major_updates',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]

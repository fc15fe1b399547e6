
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0006_contracts_may_be_for_a_type'),
    ]

    operations = [
        migrations.AddField(
            model_name='contractversion',
            name='major_updates',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]

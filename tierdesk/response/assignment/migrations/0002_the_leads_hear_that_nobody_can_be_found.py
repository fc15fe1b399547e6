
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('assignment', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='offer',
            name='tell_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

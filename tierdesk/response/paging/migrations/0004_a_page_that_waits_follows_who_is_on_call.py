
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paging', '0003_a_browser_s_address_is_long'),
    ]

    operations = [
        migrations.AddField(
            model_name='page',
            name='shift_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='page',
            name='target',
            field=models.CharField(blank=True, db_default='', max_length=60),
        ),
    ]

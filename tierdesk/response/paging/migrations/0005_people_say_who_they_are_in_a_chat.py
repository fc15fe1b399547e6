
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('paging', '0004_a_page_that_waits_follows_who_is_on_call'),
    ]

    operations = [
        migrations.AddField(
            model_name='way',
            name='identity',
            field=models.CharField(blank=True, db_default='', max_length=300),
        ),
    ]

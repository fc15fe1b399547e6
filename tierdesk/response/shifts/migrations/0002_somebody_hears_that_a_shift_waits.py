
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shifts', '0001_initial'),
        ('staff', '0003_teams_and_agents_have_hours'),
    ]

    operations = [
        migrations.AddField(
            model_name='shifthandover',
            name='wake_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='shifthandover',
            index=models.Index(condition=models.Q(('wake_at__isnull', False)), fields=['wake_at'], name='shifts_that_wait'),
        ),
        migrations.AddConstraint(
            model_name='shifthandover',
            constraint=models.CheckConstraint(condition=models.Q(('taken_at__isnull', True), ('wake_at__isnull', True), _connector='OR'), name='nobody_is_told_of_a_shift_that_was_taken'),
        ),
    ]


import django.db.models.deletion
import tierdesk.core.clock
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('calendars', '0001_initial'),
        ('oncall', '0005_who_is_on_call_can_be_subscribed_to'),
        ('staff', '0003_teams_and_agents_have_hours'),
    ]

    operations = [
        migrations.CreateModel(
            name='ToldGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_at', models.DateTimeField()),
                ('to_at', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField()),
                ('near_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['from_at'],
            },
        ),
        migrations.AddField(
            model_name='schedule',
            name='needed_in',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='needed_schedules', to='calendars.calendar'),
        ),
        migrations.AddField(
            model_name='schedule',
            name='wake_at',
            field=models.DateTimeField(blank=True, default=tierdesk.core.clock.now, null=True),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(condition=models.Q(('wake_at__isnull', False)), fields=['wake_at'], name='schedules_to_look_at'),
        ),
        migrations.AddField(
            model_name='toldgap',
            name='schedule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='told_gaps', to='oncall.schedule'),
        ),
        migrations.AddConstraint(
            model_name='toldgap',
            constraint=models.CheckConstraint(condition=models.Q(('to_at__isnull', True), ('to_at__gt', models.F('from_at')), _connector='OR'), name='a_told_gap_has_length'),
        ),
    ]

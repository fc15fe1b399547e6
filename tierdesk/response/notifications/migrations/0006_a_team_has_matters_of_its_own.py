
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0002_each_client_sees_its_own_rows'),
        ('notifications', '0005_failures_are_found'),
        ('staff', '0003_teams_and_agents_have_hours'),
        ('tickets', '0004_tickets_are_found_by_their_words'),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='path',
            field=models.CharField(blank=True, db_default='', max_length=200),
        ),
        migrations.AddField(
            model_name='notice',
            name='team',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='staff.team'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('team__isnull', True), models.Q(('client__isnull', True), ('ticket__isnull', True)), _connector='OR'), name='a_matter_of_a_team_is_no_client_s'),
        ),
    ]

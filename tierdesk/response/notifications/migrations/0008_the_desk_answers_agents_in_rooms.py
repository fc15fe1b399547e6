
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0002_each_client_sees_its_own_rows'),
        ('notifications', '0007_matters_of_a_team_are_read_by_whoever_they_are_for'),
        ('staff', '0003_teams_and_agents_have_hours'),
        ('tickets', '0004_tickets_are_found_by_their_words'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='notice',
            name='a_notice_goes_to_somebody',
        ),
        migrations.AlterField(
            model_name='notice',
            name='address',
            field=models.CharField(blank=True, max_length=1000),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agent__isnull', False), ('channel', 'desk')), models.Q(('address__gt', ''), ('channel__in', ['mail', 'room'])), models.Q(('channel', 'chat'), ('ticket__isnull', False)), _connector='OR'), name='a_notice_goes_to_somebody'),
        ),
    ]

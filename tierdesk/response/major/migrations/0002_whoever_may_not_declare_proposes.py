
import django.db.models.deletion
from django.db import migrations, models

from tierdesk.core.scope import lock


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0002_each_client_sees_its_own_rows'),
        ('major', '0001_initial'),
        ('staff', '0003_teams_and_agents_have_hours'),
        ('tickets', '0004_tickets_are_found_by_their_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('why', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Waits for an answer'), ('accepted', 'Declared'), ('declined', 'Declined'), ('lapsed', 'Over before anybody answered')], default='open', max_length=8)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('answer', models.TextField(blank=True)),
                ('answered_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='staff.agent')),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='clients.client')),
                ('proposed_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='staff.agent')),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='major_proposals', to='tickets.ticket')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('ticket',), name='a_ticket_is_proposed_once_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('answered_at__isnull', False)), _connector='OR'), name='an_answered_proposal_says_when')],
            },
        ),
        *lock("major_proposal"),
    ]

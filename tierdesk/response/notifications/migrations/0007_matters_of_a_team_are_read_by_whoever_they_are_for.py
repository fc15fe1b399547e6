from django.db import migrations

TABLE = "notifications_notice"
OWN = "client_id IS NULL AND team_id IS NOT NULL"
"""A matter of one of our teams is no client's: the second lock lets it through, `on_the_desk_of` says whose it is."""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_a_team_has_matters_of_its_own")]
    operations = [
        migrations.RunSQL(
            f"CREATE POLICY matters_of_teams ON {TABLE} USING ({OWN}) WITH CHECK ({OWN});",
            f"DROP POLICY matters_of_teams ON {TABLE};",
        )
    ]

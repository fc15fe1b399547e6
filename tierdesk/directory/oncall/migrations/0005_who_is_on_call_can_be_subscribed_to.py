import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("oncall", "0004_turns_are_those_of_a_layer"),
        ("staff", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField()),
                ("owner", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="feeds", to="staff.agent")),
                ("schedule", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="feeds", to="oncall.schedule")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "schedule"), name="one_feed_of_each_for_a_person", nulls_distinct=False)
                ],
            },
        ),
    ]

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("calendars", "0001_initial"),
        ("oncall", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Layer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=120)),
                ("starts_date", models.DateField()),
                ("shift_days", models.PositiveSmallIntegerField(default=7)),
                ("handover", models.TimeField()),
                ("calendar", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="on_call_layers", to="calendars.calendar")),
                ("schedule", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="layers", to="oncall.schedule")),
            ],
            options={
                "ordering": ["order"],
                "constraints": [
                    models.UniqueConstraint(fields=("schedule", "order"), name="layers_lie_one_over_another"),
                    models.CheckConstraint(condition=models.Q(("shift_days__range", (1, 365))), name="a_turn_has_days"),
                ],
            },
        ),
        migrations.AddField(
            model_name="turn",
            name="layer",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="turns", to="oncall.layer"),
        ),
        migrations.AddField(model_name="override", name="reason", field=models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField(
            model_name="override",
            name="made_by",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(model_name="override", name="made_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="override",
            name="withdrawn_by",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(model_name="override", name="withdrawn_at", field=models.DateTimeField(null=True)),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("oncall", "0003_a_rotation_becomes_the_first_layer")]

    operations = [
        migrations.RemoveConstraint(model_name="turn", name="one_agent_per_turn"),
        migrations.RemoveField(model_name="turn", name="schedule"),
        migrations.AlterField(
            model_name="turn",
            name="layer",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="turns", to="oncall.layer"),
        ),
        migrations.AlterModelOptions(name="turn", options={"ordering": ["order"]}),
        migrations.AddConstraint(
            model_name="turn",
            constraint=models.UniqueConstraint(fields=("layer", "order"), name="one_agent_per_turn"),
        ),
        migrations.RemoveField(model_name="schedule", name="starts_date"),
        migrations.RemoveField(model_name="schedule", name="shift_days"),
        migrations.RemoveField(model_name="schedule", name="handover"),
    ]

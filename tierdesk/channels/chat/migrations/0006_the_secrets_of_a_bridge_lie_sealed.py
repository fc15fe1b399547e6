from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_a_bridge_is_not_silent_for_ever")]
    operations = [
        migrations.AddField(
            model_name="bridge",
            name="secret_sealed",
            field=models.BinaryField(blank=True, db_default=b"", default=b""),
        ),
        migrations.AddField(
            model_name="bridge",
            name="token_sealed",
            field=models.BinaryField(blank=True, db_default=b"", default=b""),
        ),
    ]

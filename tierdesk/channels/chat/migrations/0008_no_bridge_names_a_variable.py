from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0007_bridges_take_their_secrets_out_of_the_environment")]
    operations = [
        migrations.RemoveField(model_name="bridge", name="secret_name"),
        migrations.RemoveField(model_name="bridge", name="token_name"),
    ]

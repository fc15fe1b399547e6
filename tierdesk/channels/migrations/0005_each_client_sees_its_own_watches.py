from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    """What is watched for the whole house is seen by everybody who may look at channels."""

    dependencies = [("channels", "0004_the_desk_keeps_watch")]
    operations = [*lock("channels_watch", shared=True)]

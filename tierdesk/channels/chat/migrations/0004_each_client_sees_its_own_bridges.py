from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [("chat", "0003_threads_of_platforms_are_conversations")]
    operations = [*lock("chat_bridge")]

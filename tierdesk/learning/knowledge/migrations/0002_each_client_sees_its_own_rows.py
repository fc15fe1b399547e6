from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0001_initial"),
        ("core", "0001_the_app_role_may_work_but_owns_nothing"),
    ]
    operations = lock("knowledge_selfservice")

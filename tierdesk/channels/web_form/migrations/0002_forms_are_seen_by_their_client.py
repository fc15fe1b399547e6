from django.db import migrations

from tierdesk.core.scope import lock


class Migration(migrations.Migration):
    dependencies = [("web_form", "0001_initial"), ("core", "0001_the_app_role_may_work_but_owns_nothing")]
    operations = [*lock("web_form_form", shared=True)]

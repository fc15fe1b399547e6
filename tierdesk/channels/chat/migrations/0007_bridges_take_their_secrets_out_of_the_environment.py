import os
from typing import Any

from django.db import migrations

from tierdesk.core.seal import seal


def take_in(apps: Any, schema_editor: Any) -> None:
    """Once, from the variables that the bridges named. What is not set now is entered on the settings page."""
    for bridge in apps.get_model("chat", "Bridge").objects.all():
        secret, token = (os.environ.get(name, "") for name in (bridge.secret_name, bridge.token_name))
        if secret:
            bridge.secret_sealed = seal(secret, purpose=f"the secret of a bridge to {bridge.kind}")
        if token:
            bridge.token_sealed = seal(token, purpose=f"the token of a bridge to {bridge.url}")
        bridge.save(update_fields=["secret_sealed", "token_sealed"])


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_the_secrets_of_a_bridge_lie_sealed")]
    operations = [migrations.RunPython(take_in, migrations.RunPython.noop)]

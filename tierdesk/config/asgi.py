"""One port: two small plain ASGI lanes, and Django's WSGI handler in threads for everything else.

Why not Django's own ASGI handler: docs/adr/ (it costs several times its WSGI path for ordinary pages).
"""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tierdesk.config.settings")

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

application = WSGIMiddleware(get_wsgi_application(), workers=8)

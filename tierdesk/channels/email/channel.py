"""Mail, as a channel."""

from __future__ import annotations

from tierdesk.channels.email.understand import told, understand
from tierdesk.channels.registry import Channel

CHANNEL = Channel("email", "E-mail", understand, told)

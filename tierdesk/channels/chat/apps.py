from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "tierdesk.channels.chat"
    label = "chat"

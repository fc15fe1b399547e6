from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "tierdesk.channels"
    label = "channels"

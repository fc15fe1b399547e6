from django.apps import AppConfig


class PhoneConfig(AppConfig):
    name = "tierdesk.channels.phone"
    label = "phone"

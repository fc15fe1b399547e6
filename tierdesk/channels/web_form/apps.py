from django.apps import AppConfig


class WebFormConfig(AppConfig):
    name = "tierdesk.channels.web_form"
    label = "web_form"

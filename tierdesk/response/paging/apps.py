from django.apps import AppConfig


class PagingConfig(AppConfig):
    name = "tierdesk.response.paging"
    label = "paging"

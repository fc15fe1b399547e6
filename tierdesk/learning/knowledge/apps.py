from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "tierdesk.learning.knowledge"
    label = "knowledge"

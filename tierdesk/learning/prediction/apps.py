from django.apps import AppConfig


class PredictionConfig(AppConfig):
    name = "tierdesk.learning.prediction"
    label = "prediction"

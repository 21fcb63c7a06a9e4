"""The Django project: settings, Celery, URLs, health, and what belongs to no app."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]

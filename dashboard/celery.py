"""The Celery application. A message carries only the id of a job row; the row is the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("numberdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

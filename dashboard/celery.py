"""The Celery application. A message carries only the id of a job row; the row is the truth."""

import logging.config
import os
from typing import Any

from celery import Celery, signals
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("numberdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@signals.setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Celery sets up logging of its own unless this signal has a receiver: ours is Django's."""
    logging.config.dictConfig(settings.LOGGING)

"""Two addresses for machines. `/livez`: this web server answers. `/healthz`: the whole installation works.

Both are open to everybody, so they name the part that fails and never why; the log has the reason.
"""

from collections.abc import Callable, Mapping
from functools import partial

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.connection import Connection
from kombu.exceptions import KombuError

from phone_numbers.models import Pulse
from phone_numbers.services.change_crews import PLANS
from phone_numbers.services.runs import SYNCS

BROKER_TIMEOUT_SECONDS = 2
OK = "ok"

logger = structlog.get_logger(__name__)


@require_safe
@never_cache
def livez(_: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": OK})


@require_safe
@never_cache
def healthz(_: HttpRequest) -> HttpResponse:
    """200 when every part is ok, else 503; the body says which part is not."""
    parts = {name: verdict(name, check) for name, check in CHECKS.items()}
    healthy = all(part == OK for part in parts.values())
    return JsonResponse({"status": OK if healthy else "failing", **parts}, status=200 if healthy else 503)


def verdict(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, KombuError, OSError) as error:
        logger.warning("health check failed", part=name, error=str(error))
        return "unreachable"


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def migrations() -> str:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(plan)} pending" if plan else OK


def broker() -> str:
    """Connects anew, with a time-out of its own: a pooled connection can look well after the broker is gone."""
    timeouts = {"socket_timeout": BROKER_TIMEOUT_SECONDS, "socket_connect_timeout": BROKER_TIMEOUT_SECONDS}
    options = current_app.conf.broker_transport_options | timeouts
    with Connection(settings.CELERY_BROKER_URL, transport_options=options) as fresh:
        fresh.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS)
    return OK


def heard_of(name: str) -> str:
    """A worker is alive when it did something lately: a process that merely exists can be stuck."""
    silence = Pulse.silence(name, timezone.now())
    if silence is None:
        return "not seen yet"
    seconds = abs(silence.total_seconds())  # A time to come: the clock was put back.
    return OK if seconds <= settings.WORKER_SILENCE_SECONDS else f"not seen for {int(seconds)} s"


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "broker": broker,
    "worker": partial(heard_of, "tick"),
    "syncs": partial(heard_of, SYNCS),
    "plans": partial(heard_of, PLANS),
}

"""What the logs look like: a line of JSON in production, a readable line on one machine. Never a secret.

httpx logs whole addresses at INFO, and Celery every task twice, so both are heard from WARNING on; kombu warns at each
connection that a folder has no host name.
"""

from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

SECRET_NAMES = frozenset({"authorization", "auth_token", "credentials", "password", "secret", "token"})
QUIET_LOGGERS = dict.fromkeys(("httpx", "httpcore", "celery.app.trace", "celery.worker.strategy"), "WARNING") | {
    "kombu.connection": "ERROR"
}


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The second lock: nothing binds a secret to a log line, and were it to, its value would not be printed."""
    for name in event:
        if name.lower() in SECRET_NAMES:
            event[name] = "hidden"
    return event


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso"),
    hide_secrets,
]
JSON: list[Processor] = [
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
]
READABLE: list[Processor] = [
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
]


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """For Django's LOGGING. Neither format prints the local variables of a traceback."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *SHARED],
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(JSON if as_json else READABLE),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        }
        | {name: {"level": quiet} for name, quiet in QUIET_LOGGERS.items()},
    }


def configure_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )

"""What reaches the log, and what never does."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import settings

from dashboard.logs import logging_config

Lines = Callable[[], str]


def log_to(stream: io.StringIO, *, as_json: bool) -> None:
    logging.config.dictConfig(logging_config(level="INFO", as_json=as_json))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)


@pytest.fixture(params=[True, False], ids=["json", "readable"])
def logged(request: pytest.FixtureRequest) -> Iterator[Lines]:
    stream = io.StringIO()
    log_to(stream, as_json=request.param)
    yield stream.getvalue
    logging.config.dictConfig(settings.LOGGING)


@pytest.mark.parametrize("name", ["credentials", "auth_token", "password", "Authorization"])
def test_it_hides_what_was_bound_by_the_name_of_a_secret(logged: Lines, name: str) -> None:
    structlog.get_logger("test").info("signed in", **{name: "hunter2"})
    assert "hunter2" not in logged()


def test_it_hides_secrets_of_plain_loggers_too(logged: Lines) -> None:
    logging.getLogger("test").info("signed in", extra={"auth_token": "hunter2"})
    assert "hunter2" not in logged()


def test_it_prints_no_local_variables_of_a_traceback(logged: Lines) -> None:
    def fail() -> None:
        canary = "hunter" + "2"
        raise RuntimeError(len(canary))

    try:
        fail()
    except RuntimeError:
        structlog.get_logger("test").exception("failed")
    written = logged()
    assert "RuntimeError" in written
    assert "hunter2" not in written


def test_it_does_not_print_the_addresses_httpx_asks(logged: Lines) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET /v1/Account/secret/")
    assert logged() == ""


@pytest.mark.parametrize("logged", [True], indirect=True)
def test_it_writes_a_json_object_a_line(logged: Lines) -> None:
    structlog.get_logger("test").info("signed in", user="olga")
    line = json.loads(logged())
    assert (line["event"], line["user"], line["level"], line["logger"]) == ("signed in", "olga", "info", "test")

"""A real browser on a real server. Console errors, policy violations and requests to other hosts fail every test."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, Request

from phone_numbers.models import Account, Change, SyncRun
from phone_numbers.services.changes import apply_change
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.phone_numbers.jobs import make_account, sync
from tests.roles import make_user
from tests.servers import chromium_path

LAUNCH = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": chromium_path(), "args": [*LAUNCH, "--disable-component-update", "--disable-sync"]}


@pytest.fixture
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}


@dataclass
class Watch:
    """What the browser complained about."""

    root: str
    expected: list[str] = field(default_factory=lambda: [r"htmx:(sendAbort|afterRequest)"])
    """Regular expressions of complaints that the test provokes; htmx says when leaving a page aborts a poll."""
    complaints: list[str] = field(default_factory=list)

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(f"console: {message.text}")

    def note_request(self, request: Request) -> None:
        if not request.url.startswith((self.root, "data:", "blob:")):
            self.complaints.append(f"request to another host: {request.url}")

    def unexpected(self) -> list[str]:
        return [each for each in self.complaints if not any(re.search(known, each) for known in self.expected)]


@pytest.fixture
def watch(live_server: Any) -> Watch:
    return Watch(live_server.url)


@pytest.fixture
def page(page: Page, watch: Watch) -> Iterator[Page]:
    page.on("console", watch.note_console)
    page.on("pageerror", lambda error: watch.complaints.append(f"page error: {error}"))
    page.on("request", watch.note_request)
    page.set_default_timeout(10_000)
    yield page
    assert watch.unexpected() == []


@dataclass
class Site:
    """The server, a browser window on it, and the person in front of it."""

    root: str
    page: Page

    def open(self, path: str) -> Page:
        self.page.goto(self.root + path)
        return self.page

    def sign_in(self, user: User) -> None:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[project.SESSION_COOKIE_NAME].value
        self.page.context.add_cookies([{"name": project.SESSION_COOKIE_NAME, "value": cookie, "url": self.root}])

    def sign_out(self) -> None:
        self.page.context.clear_cookies(name=project.SESSION_COOKIE_NAME)


@pytest.fixture
def operator(transactional_db: None) -> User:
    return make_user("operator", username="olga")


@pytest.fixture
def site(live_server: Any, page: Page, operator: User) -> Site:
    """Signed in as an operator."""
    site = Site(live_server.url, page)
    site.sign_in(operator)
    return site


@pytest.fixture
def account(transactional_db: None, simulator: Simulator, settings: Any) -> Account:
    """A simulated account that was read once."""
    settings.SIMULATOR_URL = simulator.root
    account = make_account()
    sync(account)
    return account


@pytest.fixture
def work() -> Callable[[], None]:
    """Does what workers are rung for, once and now: no worker runs beside the test."""

    def work_off() -> None:
        for run in SyncRun.objects.filter(state=SyncRun.State.QUEUED):
            run_sync(run.pk)
        for change in Change.objects.filter(state__in=Change.LIVE):
            apply_change(change.pk)

    return work_off

"""The embedded mode: migrations, the demo, and then web server, worker and simulator under one supervisor."""

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections
from filelock import FileLock, Timeout

from dashboard.supervisor import Program, Supervisor, write_line
from phone_numbers.services.demo import retire_demo

WEB_THREADS = 12
WORKER_THREADS = 4


class Command(BaseCommand):
    help = "Start the whole dashboard on this machine: web server, worker, schedule and, for the demo, the simulator."

    def handle(self, **_: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("`up` is for one machine; docs/operations.md says how to run MODE=production.")
        if not is_free(settings.HOST, settings.PORT):
            raise CommandError(f"Port {settings.PORT} is taken; choose another one: make run PORT={settings.PORT + 10}")
        try:
            with FileLock(settings.DATA_DIR / "up.lock", timeout=0):
                sys.exit(self.start())
        except KeyboardInterrupt:
            sys.exit(130)
        except Timeout:
            raise CommandError(f"Another dashboard is running on the data in {settings.DATA_DIR}.") from None

    def start(self) -> int:
        call_command("migrate", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("seed_demo")
        else:
            retire_demo()
        connections.close_all()
        return Supervisor(programs(), announce).run()


def is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def programs() -> list[Program]:
    port = str(simulator_port())
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "SIMULATOR_PORT": port}
    commands = {
        "web": web_command(),
        "worker": worker_command("celery"),
        "syncs": worker_command("syncs"),
        "plans": worker_command("plans"),
        "beat": celery_command("beat", "--pidfile="),
    }
    if settings.DEMO:
        commands = {"simulator": simulator_command(port), **commands}
    return [
        Program(name=name, command=[sys.executable, *command], environment=environment)
        for name, command in commands.items()
    ]


def simulator_command(port: str) -> list[str]:
    state = str(settings.DATA_DIR / "simulator.jsonl")
    numbers = str(settings.DEMO_NUMBERS)
    return ["-m", "providers.simulator", "--port", port, "--numbers", numbers, "--demo", "--state", state]


def web_command() -> list[str]:
    server = ["-m", "gunicorn", "dashboard.wsgi", "--bind", f"{settings.HOST}:{settings.PORT}", "--no-control-socket"]
    threads = ["--worker-class", "gthread", "--workers", "1", "--threads", str(WEB_THREADS)]
    return [*server, *threads, "--limit-request-line", "8190", "--graceful-timeout", "5", "--log-level", "warning"]


def worker_command(queue: str) -> list[str]:
    """Edits must not wait behind syncs or plans, so each queue has a worker of its own."""
    pool = ["--pool", "threads", "--concurrency", str(WORKER_THREADS)]
    return celery_command("worker", "--queues", queue, "--hostname", f"{queue}@%h", *pool)


def celery_command(*words: str) -> list[str]:
    as_root_too = ["-W", "ignore:You're running the worker"]
    return [*as_root_too, "-m", "celery", "--app", "dashboard", "--quiet", *words, "--loglevel", "WARNING"]


def simulator_port() -> int:
    """The configured port, or any free one: nobody but our own processes needs to know it."""
    if is_free("127.0.0.1", settings.SIMULATOR_PORT):
        return int(settings.SIMULATOR_PORT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def announce() -> bool:
    """Print the address as soon as the web server answers there."""
    try:
        socket.create_connection((settings.HOST, settings.PORT), timeout=0.5).close()
    except OSError:
        return False
    address = f"\nNumberdesk is at http://{settings.HOST}:{settings.PORT}  (Ctrl-C stops it)"
    write_line("\n".join([address, *(demo_lines() if settings.DEMO else first_user_lines())]))
    return True


def demo_lines() -> list[str]:
    return [
        "Sign in as demo with the password demo.",
        "The accounts are demo accounts: a simulator on this machine plays the providers, no real number is touched.",
        "README.md says how to connect a real account; DEMO=false make run starts without the demo.\n",
    ]


def first_user_lines() -> list[str]:
    if get_user_model().objects.exists():
        return [""]
    return ["Nobody can sign in yet. Make the first user: .venv/bin/python manage.py createsuperuser\n"]

"""`python -m tests.chaos.bare`: makes a worker of each line it reads, and kills it where the line says.

Workers are forked from a process that has Django ready, so one is cheap; each is a real process that does one job with
the product's own code. Told by `Workers` in processes.py; the file descriptor in argv gets each worker's process id.
"""

import ctypes
import itertools
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

django.setup()

import httpcore  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import OperationalError, close_old_connections, connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from dashboard.celery import app  # noqa: E402
from phone_numbers import tasks  # noqa: E402
from phone_numbers.models import Account, Change, PhoneNumber  # noqa: E402
from phone_numbers.services import change_crews, changes, runs, sync  # noqa: E402
from tests.chaos.breakages import break_it  # noqa: E402
from tests.chaos.haste import hasten  # noqa: E402
from tests.phone_numbers.jobs import ask  # noqa: E402

PR_SET_PDEATHSIG = 1


def run_sync(pk: int) -> None:
    sync.run_sync(pk)


def start_syncs(pk: int, at: float, threads: int, asked: str) -> None:
    """From so many threads, at a moment shared with other processes: ask for the account's sync and do it.

    The file `asked` grows by a letter for everybody who has asked.
    """

    def start(_: int) -> None:
        account = Account.objects.get(pk=pk)
        time.sleep(max(at - time.time(), 0))
        run = runs.request_sync(account, trigger="person")
        with Path(asked).open("a") as letters:
            letters.write(".")
        sync.run_sync(run.pk)
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(start, range(threads)))


def apply_change(pk: int) -> None:
    changes.apply_change(pk)


def tick_for_ever(seconds: float) -> None:
    """Schedule and worker in one: whatever a tick rings for is done at once, and the next tick follows."""
    app.conf.task_always_eager = True
    while True:
        close_old_connections()
        try:
            tasks.tick()
        except Exception:  # noqa: BLE001 - as a worker goes on to its next message
            traceback.print_exc()
        time.sleep(seconds)


def sync_for(seconds: float, pk: int, results: str) -> None:
    """One sync after the other, whatever differs."""
    locked = done = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sync.run_sync(runs.request_sync(Account.objects.get(pk=pk), trigger="person").pk)
            done += 1
        except OperationalError as error:
            locked += "locked" in str(error)
    Path(results).write_text(json.dumps({"done": done, "locked": locked, "seconds": []}))


def edit_for(seconds: float, pks: list[int], user_id: int, results: str) -> None:
    """Ask for one edit after the other, as fast as three quick people; each is called off at once."""
    lasted, locked, end = [], 0, time.monotonic() + seconds
    user = User.objects.get(pk=user_id)
    for turn in itertools.count():
        if time.monotonic() >= end:
            break
        began = time.monotonic()
        try:
            change = ask(PhoneNumber.objects.get(pk=pks[turn % len(pks)]), user, alias=f"Mine {turn}")
            Change.objects.filter(pk=change.pk).update(state=Change.State.CANCELLED)
        except OperationalError as error:
            locked += "locked" in str(error)
        except changes.StaleBase:
            continue
        lasted.append(time.monotonic() - began)
        time.sleep(0.01)
    Path(results).write_text(json.dumps({"done": len(lasted), "locked": locked, "seconds": lasted}))


def ask_for_edit(pk: int, user_id: int, alias: str, key: str) -> None:
    """As a page does it for whoever sends its form."""
    ask(PhoneNumber.objects.get(pk=pk), User.objects.get(pk=user_id), key, alias=alias)


def work_plans_for_ever(seconds: float) -> None:
    """Schedule and worker in one, for plans and single edits."""
    while True:
        close_old_connections()
        now = timezone.now()
        try:
            for pk in change_crews.due_accounts(now):
                change_crews.work_for_account(pk)
            for pk in changes.due_changes(now):
                changes.apply_change(pk)
        except Exception:  # noqa: BLE001 - as a worker goes on to its next message
            traceback.print_exc()
        time.sleep(seconds)


DUTIES: dict[str, Callable[..., None]] = {
    "run_sync": run_sync,
    "start_syncs": start_syncs,
    "apply_change": apply_change,
    "tick_for_ever": tick_for_ever,
    "sync_for": sync_for,
    "edit_for": edit_for,
    "ask_for_edit": ask_for_edit,
    "work_plans_for_ever": work_plans_for_ever,
}


@contextmanager
def killed_at(*, statement: int = 0, request: int = 0, after: bool = False) -> Iterator[None]:
    """SIGKILL before, or after, so many statements or requests of this thread."""
    statements = countdown(statement, after=after)
    send = httpcore.ConnectionPool.handle_request
    requests = countdown(request, after=after)

    def send_counted(pool: httpcore.ConnectionPool, asked: httpcore.Request) -> httpcore.Response:
        return requests(lambda: send(pool, asked))

    httpcore.ConnectionPool.handle_request = send_counted
    with connection.execute_wrapper(lambda run, *rest: statements(lambda: run(*rest))):
        yield


def countdown(left: int, *, after: bool) -> Callable[[Callable[[], Any]], Any]:
    """Calls what it is given, and dies at the call whose turn it is."""

    def call(act: Callable[[], Any]) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = act()
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def work(order: dict[str, Any]) -> None:
    settings.CRASH_AT = order.pop("crash_at", "")
    break_it(order.pop("broken", ""))
    hasten(order.pop("hastened", 1))
    with killed_at(**order.pop("killed", {})):
        DUTIES[order.pop("duty")](**order)


def fork(order: dict[str, Any]) -> int:
    connections.close_all()
    if pid := os.fork():
        return pid
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        work(order)
    except BaseException:  # noqa: BLE001 - it must not go on as a second parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(answers: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        os.write(answers, f"{fork(json.loads(line))}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))

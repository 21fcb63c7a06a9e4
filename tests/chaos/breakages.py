"""Defects to put into the product on purpose, each in the process that asks for it: a row must notice them."""

import sys
import time
from collections.abc import Callable
from typing import Any

from celery.signals import task_postrun
from django.apps import AppConfig
from django.conf import settings


class Breakages(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        if settings.BREAKAGE:
            break_it(settings.BREAKAGE)


def break_it(name: str) -> None:
    if name:
        BREAKAGES[name]()


def replace(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Wherever the product's modules know the function."""
    for module in [module for name, module in sys.modules.items() if name.startswith("phone_numbers")]:
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


def no_fence() -> None:
    """A worker's writes are not checked against its lease."""
    from phone_numbers.models import SyncRun  # noqa: PLC0415 - not before the models are there
    from phone_numbers.services.runs import Lease  # noqa: PLC0415

    def renew(lease: Lease, **columns: Any) -> None:
        SyncRun.objects.filter(pk=lease.run.pk).update(**columns)

    Lease.renew, Lease.stay_alive = renew, lambda lease, _=0: renew(lease)


def no_claim() -> None:
    """A run is taken whoever has it."""
    from phone_numbers.models import SyncRun  # noqa: PLC0415
    from phone_numbers.services import runs, sync  # noqa: F401, PLC0415

    claim = runs.claim_run

    def claim_anyway(run_id: int) -> Any:
        SyncRun.objects.filter(pk=run_id).update(state=SyncRun.State.QUEUED)
        return claim(run_id)

    replace(claim, claim_anyway)


def no_reaper() -> None:
    """Nobody looks after runs and changes whose worker or message was lost."""
    from phone_numbers import tasks  # noqa: F401, PLC0415
    from phone_numbers.services import change_states, runs  # noqa: PLC0415

    replace(runs.reap_runs, lambda _: [])
    replace(change_states.due_changes, lambda _: [])


def no_clock_rule() -> None:
    """A lease that ends in a far future is believed."""
    from django.db.models import Q  # noqa: PLC0415

    from phone_numbers.services import leases, runs  # noqa: F401, PLC0415

    replace(leases.has_lapsed, lambda now: Q(lease_expires_at__lte=now))


def no_slot() -> None:
    """A schedule that is late does not see that the moment was another's."""
    from phone_numbers.models import SyncRun  # noqa: PLC0415
    from phone_numbers.services import runs  # noqa: PLC0415

    def start_anyway(account: Any, _: Any) -> Any:
        time.sleep(0.4)
        while runs.live_run(account):
            time.sleep(0.02)
        return runs.request_sync(account, trigger=SyncRun.Trigger.SCHEDULE)

    replace(runs.start_slot, start_anyway)


def blind_resume() -> None:
    """What a lost worker may have sent is sent again, without looking."""
    from phone_numbers.services import changes  # noqa: PLC0415

    def send_again(change: Any, provider: Any) -> None:
        provider.send_edit(change.number.remote_id, change.desired)
        changes.check(change, provider)

    replace(changes.resume, send_again)


def resumes_from_the_start() -> None:
    """A crew that takes over a plan sends all of it, whatever was confirmed."""
    from phone_numbers.models import Change  # noqa: PLC0415
    from phone_numbers.services import changes  # noqa: PLC0415

    def send_anyway(change: Any, provider: Any) -> None:
        provider.send_edit(change.number.remote_id, change.desired)
        changes.check(change, provider)

    confirmed = Change.objects.filter(state=Change.State.CONFIRMED, change_set__state="applying")
    confirmed.update(state=Change.State.PENDING, lease_token=None, lease_expires_at=None, next_attempt_at=None)
    replace(changes.start, send_anyway)


def leak() -> None:
    """Every job leaves something behind."""
    left: list[bytearray] = []

    def keep(**_: Any) -> None:
        left.append(bytearray(b"x" * 100_000))

    task_postrun.connect(keep, weak=False)


ALL = (no_fence, no_claim, no_reaper, no_clock_rule, no_slot, blind_resume, resumes_from_the_start, leak)
BREAKAGES = {each.__name__: each for each in ALL}

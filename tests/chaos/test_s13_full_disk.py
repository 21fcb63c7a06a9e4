"""S13: the disk fills up in the middle of a sync. It says so, nothing is spoilt, and it goes on once there is space."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phone_numbers.models import Account, PhoneNumber, SyncRun
from phone_numbers.services.runs import request_sync
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.chaos.processes import Databases, Installation, wait_for, wait_until_dead
from tests.chaos.rows import report
from tests.chaos.worlds import Shaker, is_intact, stuck
from tests.servers import unavailable
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.timeout(240)]

MEGABYTES = 12
"""A database with every index takes three of them, and SQLite's log up to four."""
LEASE_SECONDS = 1
SECOND_PAGE = r"DEMO0001/Number/\?.*offset=19(?!\d)"
simulator = simulator_of(200)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(mounted)]
    if os.geteuid() or not mount or subprocess.run([mount, *options], check=False, capture_output=True).returncode:
        unavailable("A small disk", "mounting one needs the rights of root")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"\0" * 4096)
        except OSError:
            return


def presences(account: Account) -> dict[str, str]:
    return dict(PhoneNumber.objects.filter(account=account).values_list("remote_id", "presence"))


def test_s13_a_full_disk_spoils_nothing(
    disk: Path, databases: Databases, install: Callable[..., Installation], simulator: Simulator
) -> None:
    path = Path(databases.make_sqlite().removeprefix("sqlite:///"))
    shutil.move(path, disk / path.name)
    installation = install(database_url=f"sqlite:///{disk / path.name}")
    (account,) = installation.add_accounts("Plivo main")
    shaker = Shaker(simulator, account)
    run_sync(request_sync(account, trigger=SyncRun.Trigger.PERSON).pk)
    before = presences(account)
    workers = installation.workers(LEASE_SECONDS=LEASE_SECONDS)
    for number in list(shaker.there)[1:]:
        simulator.world.change(shaker.there, number.digits, alias=f"Before {number.digits}")
    shaker.shake()
    simulator.fault("act", path=SECOND_PAGE, action=lambda _: fill(disk))
    account.refresh_from_db()
    run = request_sync(account, trigger=SyncRun.Trigger.PERSON)
    pid = workers.start("run_sync", pk=run.pk)
    wait_until_dead(pid)
    typed = "disk is full" in workers.log.read_text()
    report("S13", "a typed error, in the log", typed, "yes", holds=typed)
    intact = is_intact()
    report("S13", "the database is intact", intact, "yes", holds=intact)
    after = presences(account)
    changed = sum(after.get(number) != presence for number, presence in before.items())
    report("S13", "presences changed", changed, "0", holds=not changed)
    (disk / "filler").unlink()
    workers.start("tick_for_ever", seconds=0.2)
    seconds = wait_for(lambda: not stuck([account]), 30, lambda: stuck([account]))
    run.refresh_from_db()
    lost = shaker.lost()
    good = run.state == SyncRun.State.COMPLETE and not lost
    what = f"{run.state} after {seconds:.1f} s, {len(lost)} lost"
    report("S13", "once there is space again", what, "complete, 0 lost", holds=good)


@pytest.mark.full
def test_s13_notices_a_damaged_database(databases: Databases, install: Callable[..., Installation]) -> None:
    """A page of the file is overwritten."""
    url = databases.make_sqlite()
    install(database_url=url)
    with Path(url.removeprefix("sqlite:///")).open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\0" * 4096)
    caught = not is_intact()
    report("S13", "with a damaged page", "caught" if caught else "NOT caught", "caught", holds=caught)

"""S5: the threshold that holds a run is exact, and only the typed count of its numbers lets them through."""

from dataclasses import dataclass

from django.db import transaction
from pytest_django import Settings

from phone_numbers.models import PhoneNumber, SyncRun
from phone_numbers.services.holds import HoldRefused, accept_absences
from phone_numbers.services.sync import run_sync
from providers.simulator import Simulator
from tests.chaos.rows import FULL, report
from tests.phone_numbers.jobs import make_account, presences, sync
from tests.roles import make_user
from tests.simulators import TODAY

State = SyncRun.State


@dataclass(frozen=True)
class Point:
    known: int
    absent: int
    held: bool
    minimum: int = 3
    percent: int = 2


POINTS = (
    Point(100, 3, held=False),
    Point(100, 4, held=True),
    Point(300, 6, held=False),
    Point(300, 7, held=True),
    Point(3, 2, held=False),
    Point(3, 3, held=True),
    Point(60, 6, held=False, minimum=0, percent=10),
    Point(60, 7, held=True, minimum=0, percent=10),
    Point(60, 1, held=True, minimum=0, percent=0),
)


def hold(settings: Settings, point: Point, counts: tuple[int, ...] = ()) -> tuple[list[str], dict[str, int]]:
    """How a list that lacks so many is judged, and what each typed count brings about. Nothing of it lasts."""
    with Simulator(numbers=point.known, today=TODAY) as simulator, transaction.atomic():
        settings.SIMULATOR_URL = simulator.root
        account = make_account(hold_minimum=point.minimum, hold_percent=point.percent)
        sync(account)
        world = simulator.world.account()
        for _ in range(point.absent):
            simulator.world.remove(world, world.at(0).digits)
        held = sync(account)
        ends = [held.state]
        user = make_user("operator")
        for count in counts:
            try:
                accepting = accept_absences(held, count=count, user=user)
            except HoldRefused:
                ends.append("refused")
            else:
                run_sync(accepting.pk)
                ends.append(SyncRun.objects.get(pk=accepting.pk).state)
        found = presences(account)
        transaction.set_rollback(True)
    return ends, found


def misjudged(settings: Settings, points: tuple[Point, ...]) -> list[Point]:
    """Points where a run is held and should not be, or the other way round, or where a held run moves a number."""
    wrong = []
    for point in points:
        (state,), found = hold(settings, point)
        moved = found.get(PhoneNumber.Presence.UNCONFIRMED, 0)
        if (state, moved) != ((State.HELD, 0) if point.held else (State.COMPLETE, point.absent)):
            wrong.append(point)
    return wrong


def test_s5_thresholds(db: None, settings: Settings) -> None:
    points = POINTS if FULL else POINTS[4:8]
    wrong = misjudged(settings, points)
    figure = f"{len(points) - len(wrong)} of {len(points)} points exact"
    report("S5", "the boundary", figure, "all", holds=not wrong)


def test_s5_overrides(db: None, settings: Settings) -> None:
    ends, found = hold(settings, Point(45, 5, held=True), counts=(4, 6, 45, 5, 5))
    exact = ends == [State.HELD, "refused", "refused", "refused", State.COMPLETE, "refused"]
    report("S5", "counts typed: 4, 6, 45, 5, 5 again", ", ".join(ends[1:]), "only 5 accepted, once", holds=exact)
    right = found == {"present": 40, "unconfirmed": 5}
    report("S5", "numbers let through", found.get("unconfirmed", 0), "5", holds=right)

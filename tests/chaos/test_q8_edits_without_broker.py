"""Q8: an operator saves while the broker is down: saved, said so, and sent when it is back."""

import signal
import time
from collections.abc import Callable

import pytest

from phone_numbers.models import Change
from providers.simulator import Simulator
from tests.chaos.edits import Edits
from tests.chaos.processes import Installation, holds_within, ticking
from tests.chaos.rows import report
from tests.servers import Server
from tests.simulators import simulator_of

pytestmark = [pytest.mark.processes, pytest.mark.lane2, pytest.mark.full, pytest.mark.timeout(240)]

DOWN_SECONDS = 6
MOST_SECONDS = 20
SAVED = "200, Sending, 1 saved"
simulator = simulator_of(40)


def save_while_down(installation: Installation, simulator: Simulator, server: Server) -> tuple[Edits, str]:
    """And what the page said."""
    edits = Edits(installation.add_accounts("Plivo main")[0], simulator)
    web = installation.start_web()
    web.sign_in(edits.user)
    server.stop(signal.SIGKILL)
    began = time.monotonic()
    answer = web.save_alias(edits.account.numbers.earliest("pk"), "By us")
    said = "Sending" if "Sending" in answer.text else "something else"
    edits.pks = list(Change.objects.filter(state=Change.State.PENDING).values_list("pk", flat=True))
    time.sleep(max(began + DOWN_SECONDS - time.monotonic(), 0))
    server.start()
    return edits, f"{answer.status_code}, {said}, {len(edits.pks)} saved"


def test_q8_an_edit_is_saved_now_and_sent_later(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    server, url = broker
    installation = install("postgresql", url)
    installation.start_services("worker", "beat")
    edits, said = save_while_down(installation, simulator, server)
    began = time.monotonic()
    report(
        "Q8",
        "the page's answer while the broker is down",
        said,
        "200, Sending, 1 saved",
        holds=said == "200, Sending, 1 saved",
    )
    holds_within(edits.confirmed, MOST_SECONDS + 10)
    seconds = time.monotonic() - began
    report("Q8", "sent after it is back", f"{seconds:.1f} s", f"<= {MOST_SECONDS} s", holds=seconds <= MOST_SECONDS)
    bad = edits.lost() + edits.doubled()
    report("Q8", "edits lost or doubled", bad, "0", holds=not bad)


def test_q8_notices_that_nobody_sends_it_later(
    install: Callable[..., Installation], simulator: Simulator, broker: tuple[Server, str]
) -> None:
    server, url = broker
    installation = install("postgresql", url)
    chaos = {"CELERY_BEAT_SCHEDULE": ticking(1.0)}
    installation.start_services("worker", "beat", BREAKAGE="no_reaper", **chaos)
    edits, _ = save_while_down(installation, simulator, server)
    caught = not holds_within(edits.confirmed, 10)
    report("Q8", "with the reaper removed", "caught" if caught else "NOT caught", "caught", holds=caught)

"""`python -m providers.simulator`: the simulator as a server of its own."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from providers.simulator.demo import DEMO_SIZES
from providers.simulator.journal import StateMismatch
from providers.simulator.plivo_world import AUTH_ID, AUTH_TOKEN
from providers.simulator.simulator import Simulator


def main() -> None:
    options = _parser().parse_args()
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    try:
        simulator = _simulator(options)
        root = simulator.start()
    except (OSError, OverflowError, StateMismatch, ValueError) as error:
        sys.exit(_sentence(error, options))
    accounts = simulator.world.accounts
    providers = {kind for kind, _ in accounts}
    numbers = sum(map(len, accounts.values()))
    sentence = f"Simulating {len(accounts)} accounts of {len(providers)} providers at {root} with {numbers:,} numbers."
    print(sentence, flush=True)  # noqa: T201
    if not options.demo:
        print(f"Plivo's credentials there: {AUTH_ID}, {AUTH_TOKEN}", flush=True)  # noqa: T201
    stop.wait()
    simulator.stop()


def _simulator(options: argparse.Namespace) -> Simulator:
    return Simulator(
        options.numbers,
        options.seed,
        sizes=DEMO_SIZES if options.demo else None,
        host=options.host,
        port=options.port,
        state=options.state,
        latency_seconds=options.latency_ms / 1000,
        rate_limit=options.rate_limit,
        cursors=options.cursors,
    )


def _sentence(error: Exception, options: argparse.Namespace) -> str:
    if isinstance(error, OverflowError):
        return "The port must be between 0 and 65535."
    if isinstance(error, OSError) and error.filename is None:
        return f"The simulator cannot listen on {options.host}:{options.port}: {error.strerror}. Choose another --port."
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m providers.simulator", description="Simulated phone number providers."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--numbers", type=int, default=50, help="1 to 1,000,000")
    parser.add_argument("--demo", action="store_true", help="all of them in the first Plivo account, fewer in others")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another world")
    parser.add_argument("--state", type=Path, help="a file that keeps every change over restarts")
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--rate-limit", action="store_true", help="enforce the providers' documented limits")
    parser.add_argument("--cursors", action="store_true", help="page by opaque cursors where the provider may")
    return parser


if __name__ == "__main__":
    main()

"""The simulator as a whole: one world, one server, the providers' APIs mounted side by side.

`{root}/{provider}/{host}` stands for a provider's host; what follows is the path of its real API.
"""

import datetime as dt
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from providers.simulator import fone_dynamics_world, plivo_world, signalwire_world, twilio_world
from providers.simulator.control import PREFIX, Control
from providers.simulator.faults import Api, Call, Fault, Faults
from providers.simulator.fone_dynamics import FoneDynamics
from providers.simulator.plivo import Plivo
from providers.simulator.request_log import RequestLog
from providers.simulator.server import Request, Response, Server
from providers.simulator.signalwire import SignalWire
from providers.simulator.twilio import HOSTS, Twilio
from providers.simulator.world import World


class Simulator:
    """Start it, speak to its root URL, look into its `world`. Usable as a context manager."""

    def __init__(
        self,
        numbers: int = 50,
        seed: int = 1,
        *,
        sizes: Mapping[str, int] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | str | None = None,
        latency_seconds: float = 0.0,
        rate_limit: bool = False,
        cursors: bool = False,
        today: dt.date | None = None,
    ) -> None:
        if not 1 <= numbers <= 1_000_000:
            raise ValueError("A world holds 1 to 1,000,000 numbers.")
        self.latency_seconds = latency_seconds
        self.world = World(numbers=numbers, seed=seed, sizes=sizes, today=today, state=Path(state) if state else None)
        plivo_world.populate(self.world)
        signalwire_world.populate(self.world)
        fone_dynamics_world.populate(self.world)
        twilio_world.populate(self.world)
        self.faults = Faults(seed)
        self.requests = RequestLog()
        self._control = Control(self.world, self.faults, self.requests)
        self._apis: dict[str, Api] = {
            "/plivo/api": Plivo(self.world, rate_limit=rate_limit, cursors=cursors),
            "/signalwire/api": SignalWire(self.world),
            "/fone_dynamics/api": FoneDynamics(self.world),
            **{f"/twilio/{host}": Twilio(self.world, host) for host in HOSTS},
        }
        self._address = (host, port)
        self._server: Server | None = None

    @property
    def root(self) -> str:
        return self._running().root

    def start(self) -> str:
        """Serve from threads. Returns the root URL. Raises OSError when the port is taken."""
        self._server = Server(self._address, self.answer)
        self._address = self._server.address
        self._server.start()
        return self.root

    def stop(self) -> None:
        """Stop serving. The world stays as it is; another start serves it at the same address."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.world.close()

    def fault(self, kind: str, **settings: Any) -> Fault:
        """Script a fault: `simulator.fault("error", status=503, path="/Number/", nth=2)`."""
        return self.faults.add(kind, **settings)

    def answer(self, request: Request) -> Response:
        if request.target.startswith(PREFIX):
            return self._control.answer(request)
        at = time.time()
        if self.latency_seconds:
            self._running().stopping.wait(self.latency_seconds)
        response = self._provider_answer(request)
        self.requests.add(at, request, response)
        return response

    def _provider_answer(self, request: Request) -> Response:
        mount = "/".join(request.target.split("/", 3)[:3])
        api = self._apis.get(mount)
        if api is None:
            return Response(404, b"No provider is simulated here.", {"Content-Type": "text/plain"})
        request.mount = mount
        return self.faults.answer(Call(request, api, self.world, self._running().stopping.wait))

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("The simulator is not started.")
        return self._server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

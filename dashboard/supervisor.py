"""Runs a few programs as one: prefixes their output, restarts what dies, and leaves no process behind.

Knows nothing of what it runs, and starts no thread, so that forking stays safe.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 15
QUICK_DEATH_SECONDS = 10
FIRST_PAUSE_SECONDS = 1.0
DEATHS_ALLOWED = 4
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def write_line(line: str) -> None:
    """To standard output, which may be a terminal that is gone."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


def leash(parent: int) -> None:
    """In a new child: ask the kernel (Linux) for SIGTERM when the supervisor dies, even of SIGKILL."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


class Child:
    """A program's present process, in a session of its own so that its whole family can be killed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.quick_deaths = 0
        self.restart_at = 0.0
        self.start()

    def start(self) -> None:
        parent = os.getpid()
        self.started_at = time.monotonic()
        self.pipe, write_end = os.pipe()
        os.set_blocking(self.pipe, False)
        self.process = subprocess.Popen(  # noqa: S603 - the commands are our own
            self.program.command,
            env=self.program.environment,
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
            preexec_fn=lambda: leash(parent),  # noqa: PLW1509 - no other thread runs here
        )
        os.close(write_end)
        self.rest = b""
        self.is_buried = False

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def forward(self) -> bool:
        """Print what the process wrote, whole lines only. False at the end of its output."""
        try:
            written = os.read(self.pipe, 65536)
        except BlockingIOError:
            return True
        *lines, self.rest = (self.rest + written).split(b"\n")
        if not written and self.rest:
            lines, self.rest = [self.rest], b""
        for line in lines:
            write_line(f"{self.program.name:<9} | {line.decode(errors='replace')}")
        return bool(written)

    def bury(self) -> None:
        """The process died: kill what it left behind, and count how often it dies young."""
        self.kill_family()
        self.forward()
        os.close(self.pipe)
        self.is_buried = True
        lived = time.monotonic() - self.started_at
        self.quick_deaths = self.quick_deaths + 1 if lived < QUICK_DEATH_SECONDS else 0
        pause = FIRST_PAUSE_SECONDS * 2.0 ** max(self.quick_deaths - 1, 0)
        self.restart_at = time.monotonic() + pause

    def kill_family(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """`run` returns the exit code: 0 when it was told to stop, 1 when a program would not stay up."""

    def __init__(self, programs: Sequence[Program], announce: Callable[[], bool] = lambda: True) -> None:
        self.programs = programs
        self.announce = announce  # called until it returns True
        self.selector = selectors.DefaultSelector()
        self.children: list[Child] = []
        self.told_to_stop = False
        self.parent = os.getppid()
        self.has_terminal = os.isatty(0)

    def run(self) -> int:
        for number in STOP_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup asks for
                signal.signal(number, self.on_signal)
        for program in self.programs:
            self.watch(Child(program))
        announced = False
        failed: Child | None = None
        while not (failed or self.is_over()):
            self.forward_output()
            announced = announced or self.announce()
            failed = self.revive()
        if failed:
            write_line(f"{failed.program.name} died {DEATHS_ALLOWED} times in a row; its last words are above.")
        self.stop()
        return 1 if failed else 0

    def is_over(self) -> bool:
        """Told to stop, or left alone. make, for one, tells nobody when its terminal is closed, and waits."""
        return self.told_to_stop or os.getppid() != self.parent or (self.has_terminal and not os.isatty(0))

    def on_signal(self, *_: object) -> None:
        self.told_to_stop = True

    def watch(self, child: Child) -> None:
        if child not in self.children:
            self.children.append(child)
        self.selector.register(child.pipe, selectors.EVENT_READ, child)

    def forward_output(self) -> None:
        if not self.selector.get_map():
            time.sleep(0.2)
        for key, _ in self.selector.select(timeout=0.2):
            if not key.data.forward():
                self.selector.unregister(key.fd)

    def revive(self) -> Child | None:
        """Restart what died, after a pause that doubles. Returns the child that is past helping."""
        for child in self.children:
            if child.is_buried:
                if time.monotonic() >= child.restart_at:
                    child.start()
                    self.watch(child)
            elif not child.is_running:
                self.bury(child)
                if child.quick_deaths >= DEATHS_ALLOWED:
                    return child
                write_line(f"{child.program.name} ended with code {child.process.returncode}; starting it again.")
        return None

    def bury(self, child: Child) -> None:
        with suppress(KeyError):
            self.selector.unregister(child.pipe)
        child.bury()

    def stop(self) -> None:
        """Ask every main process to end (never its family: that would cut off work in hand), then kill what stays."""
        living = [child for child in self.children if not child.is_buried]
        for child in living:
            child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.is_running for child in living) and time.monotonic() < deadline:
            self.forward_output()
        for child in living:
            child.kill_family()
            child.process.wait()
            child.forward()

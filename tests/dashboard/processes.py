"""Starting programs as a person would, and finding out what is left of them."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def wait_until(holds: Callable[[], object], seconds: float = 30, why: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"It did not happen within {seconds} s. {why}")
        time.sleep(0.05)


def hear_interrupts() -> None:
    """Also where these tests themselves run in the background or under nohup, and neither signal is for them."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def take_terminal() -> None:
    """In a new session: make standard input its controlling terminal."""
    hear_interrupts()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Started:
    """A program in a session of its own, known by a mark in the environment of all its descendants."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: Path,
        terminal: int | None = None,
        directory: Path = ROOT,
    ) -> None:
        self.mark = f"NUMBERDESK_TEST_MARK={output.parent.name}-{time.monotonic_ns()}"
        name, _, value = self.mark.partition("=")
        self.output = output
        with output.open("wb") as written:
            self.process = subprocess.Popen(
                command,
                env={**environment, name: value},
                cwd=directory,
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=written if terminal is None else terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=hear_interrupts if terminal is None else take_terminal,  # noqa: PLW1509
            )

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def family(self) -> dict[int, str]:
        """Every living process that carries the mark: its id and command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def wait_for_text(self, text: str, seconds: float = 60) -> None:
        wait_until(lambda: text in self.text or self.process.poll() is not None, seconds, self.text)
        assert text in self.text, self.text

    def wait_until_gone(self, seconds: float = 25) -> None:
        wait_until(lambda: self.process.poll() is not None, seconds, self.text)
        wait_until(lambda: not self.family(), seconds, str(self.family()))

    def sweep(self) -> None:
        for pid in (self.process.pid, *self.family()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


class Terminal:
    """A terminal with a program in its foreground."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        self.master, slave = pty.openpty()
        self.started = Started(command, environment, output, terminal=slave)
        os.close(slave)
        self.is_open = True
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        """Never waits inside a read: that would keep the terminal open after it is closed."""
        with self.started.output.open("wb", buffering=0) as written, suppress(OSError):
            while self.is_open:
                if select.select([self.master], [], [], 0.1)[0]:
                    written.write(os.read(self.master, 4096))

    def press_ctrl_c(self) -> None:
        os.write(self.master, b"\x03")

    def close(self) -> None:
        self.is_open = False
        self.reader.join()
        os.close(self.master)

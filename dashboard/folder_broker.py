"""The broker of one machine: kombu's folder of messages, made safe for several processes.

In kombu's own a reader can meet a file that is created but not yet written, which ends a worker, or a web request.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any

from filelock import FileLock
from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    @contextmanager
    def locked_table(self) -> Iterator[None]:
        with FileLock(Path(self.control_folder, "table.lock")):
            yield

    def get_table(self, exchange: str) -> Any:
        with self.locked_table():
            return super().get_table(exchange)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        with self.locked_table():
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def _put(self, queue: str, payload: object, **_: Any) -> None:  # type: ignore[override]
        """The message appears whole or not at all: it is written beside the folder and then moved in."""
        name = f"{time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        draft = Path(self.processed_folder, name)
        try:
            draft.write_text(dumps(payload))
            draft.rename(Path(self.data_folder_out, name))
        except OSError as error:
            raise ChannelError(f"Cannot add {name} to the queue.") from error


class Transport(filesystem.Transport):
    Channel = Channel

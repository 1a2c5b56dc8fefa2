"""A controller in a thread of its own, for those who live in synchronous code."""

import asyncio
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Self

from kfambassador.controller.process import run_parts
from kfambassador.controller.settings import ControllerSettings
from kfambassador.kube.client import KubeClient


class ControllerThread:
    """Runs a controller in the thread ``kfa-loop`` between ``start`` and ``close``, or inside ``with``.

    Args:
        client: The cluster; the caller closes it.
        settings: How to run.

    Attributes:
        diagnostics_url: Where the read API answers, once started.
    """

    def __init__(self, client: KubeClient, settings: ControllerSettings) -> None:
        self.diagnostics_url = ""
        self._client = client
        self._settings = settings
        self._stopping: Future[None] = Future()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Self:
        """Start; when this returns the sockets are open and the cluster is being listed.

        Raises:
            ConfigurationError: A socket or port cannot be had.
        """
        started: Future[str] = Future()
        self._thread = Thread(target=self._run, args=(started,), name="kfa-loop", daemon=True)
        self._thread.start()
        self.diagnostics_url = started.result()
        return self

    def close(self) -> None:
        """Stop and wait until everything has ended. Does nothing the second time."""
        if self._thread is None:
            return
        if not self._stopping.done():
            self._stopping.set_result(None)
        self._thread.join()

    def _run(self, started: "Future[str]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: "Future[str]") -> None:
        async with run_parts(self._client, self._settings) as running:
            started.set_result(running.diagnostics_url)
            await asyncio.wrap_future(self._stopping)

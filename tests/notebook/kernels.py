"""A real kernel, and what it says to a page: outputs, and the messages of its widgets."""

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.notebook.lab_server import make_environment

_PATIENCE = 60.0


@dataclass
class Kernel:
    """A running kernel, asked as a page asks it.

    Attributes:
        client: Its channels.
        heard: Everything it has said to everybody, oldest first.
    """

    client: BlockingKernelClient
    heard: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, code: str) -> str:
        """Begin to run a cell; give its number."""
        number: str = self.client.execute(code)
        return number

    def run(self, code: str) -> list[dict[str, Any]]:
        """Run a cell to its end; give what it shows."""
        return self.finish(self.begin(code))

    def finish(self, number: str) -> list[dict[str, Any]]:
        """Wait until a cell has ended; give what it shows."""
        self.wait_for(lambda heard: _is_of(heard, number, "status") and heard["content"]["execution_state"] == "idle")
        said = [each for each in self.heard if each["parent_header"].get("msg_id") == number]
        failed = [each["content"] for each in said if each["msg_type"] == "error"]
        assert not failed, "\n".join(failed[0]["traceback"])
        shown = {"display_data", "execute_result", "stream"}
        return [each["content"] for each in said if each["msg_type"] in shown]

    def tell(self, code: str) -> str:
        """Run a cell; give what it prints."""
        return "".join(str(shown.get("text", "")) for shown in self.run(code)).strip()

    def send(self, widget: str, content: dict[str, Any]) -> None:
        """Say something to a widget, as its page does."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        self.client.shell_channel.send(message)

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], *, after: int = 0) -> dict[str, Any]:
        """The first thing said that holds, once it is said; ``after`` leaves out so many that were heard."""
        deadline = time.monotonic() + _PATIENCE
        place = after
        while True:
            while place < len(self.heard):
                if condition(self.heard[place]):
                    return self.heard[place]
                place += 1
            try:
                self.heard.append(self.client.get_iopub_msg(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                kinds = [said["msg_type"] for said in self.heard[after:]]
                raise AssertionError(f"it was not said in time; this was: {kinds}") from None

    def custom(self, widget: str, *, after: int = 0, **said: object) -> Any:
        """The first message of a widget that says so."""
        return _content(self.wait_for(lambda heard: said.items() <= _content(heard, widget).items(), after=after))

    def event(self, widget: str, kind: str, *, after: int = 0, **said: object) -> Any:
        """The first event of a kind that a widget tells, and that says so."""
        wanted = {"kind": kind, **said}

        def holds(heard: dict[str, Any]) -> bool:
            return bool(wanted.items() <= _content(heard, widget).get("event", {}).items())

        return _content(self.wait_for(holds, after=after))["event"]


@contextmanager
def running_kernel(home: Path) -> Iterator[Kernel]:
    """Run a kernel in a home of its own."""
    # Files instead of ports: nobody else can ask it, and none can be taken.
    manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(home / "k"))
    manager.start_kernel(env=make_environment(home))
    try:
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_PATIENCE)
            yield Kernel(client)
        finally:
            client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def _content(heard: dict[str, Any], widget: str = "") -> dict[str, Any]:
    """What a message says that is a widget's own and none of its state; nothing for all others."""
    is_its = heard["msg_type"] == "comm_msg" and heard["content"]["comm_id"].startswith(widget)
    data = heard["content"]["data"] if is_its else {}
    content: dict[str, Any] = data["content"] if data.get("method") == "custom" else {}
    return content


def _is_of(said: dict[str, Any], number: str, kind: str) -> bool:
    return bool(said["msg_type"] == kind and said["parent_header"].get("msg_id") == number)

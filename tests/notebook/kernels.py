"""A real kernel, and what it says to a page: outputs, and the messages of its widgets."""

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from kfambassador.local.daemon import shared_role
from kfambassador.local.stack import LocalStack
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
        """Wait until a cell has ended well; give what it shows."""
        shown, failed = self.end(number)
        assert not failed, "\n".join([*failed[0]["traceback"], failed[0]["evalue"]])
        return shown

    def end(self, number: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Wait until a cell has ended; give what it shows, and the errors it ended with."""
        self.wait_for(lambda heard: _is_of(heard, number, "status") and heard["content"]["execution_state"] == "idle")
        said = [each for each in self.heard if each["parent_header"].get("msg_id") == number]
        shown = {"display_data", "execute_result", "stream"}
        failed = [each["content"] for each in said if each["msg_type"] == "error"]
        return [each["content"] for each in said if each["msg_type"] in shown], failed

    def fail(self, code: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Run a cell that fails; give what it shows, and its error."""
        shown, failed = self.end(self.begin(code))
        assert len(failed) == 1, shown
        return shown, failed[0]

    def complete(self, code: str) -> tuple[list[str], str]:
        """Press Tab at the end of code; give the words that are offered, and what they take the place of."""
        number = self.client.complete(code, len(code))
        while True:
            reply = self.client.get_shell_msg(timeout=_PATIENCE)
            if reply["parent_header"].get("msg_id") == number:
                content = reply["content"]
                return content["matches"], code[content["cursor_start"] : content["cursor_end"]]

    def tell(self, code: str) -> str:
        """Run a cell; give what it prints."""
        return "".join(str(shown.get("text", "")) for shown in self.run(code)).strip()

    def send(self, widget: str, content: dict[str, Any], *, subshell: str | None = None) -> None:
        """Say something to a widget, as its page does; in the main shell, or in a subshell."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def open_subshell(self) -> str:
        """Begin a subshell, as JupyterLab does for the widgets of a page; give its number."""
        number: str = self._control("create_subshell_request", {})["subshell_id"]
        return number

    def close_subshell(self, number: str) -> None:
        """End a subshell."""
        self._control("delete_subshell_request", {"subshell_id": number})

    def _control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        while True:
            reply = self.client.get_control_msg(timeout=_PATIENCE)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                assert reply["content"]["status"] == "ok", reply["content"]
                answer: dict[str, Any] = reply["content"]
                return answer

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
def shared_stack(home: Path) -> Iterator[LocalStack]:
    """Run a gateway that is this user's shared one, as far as kernels of that home can see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KFAMBASSADOR_RUNTIME_DIR", str(home / "gateway"))
        with shared_role() as tell, LocalStack() as stack:
            assert tell is not None
            tell(stack.endpoint)
            yield stack


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

"""A real kernel of a notebook, asked as a page asks it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_PATIENCE = 60.0


@contextmanager
def running_kernel() -> Iterator[tuple[Any, int]]:
    """Run a kernel; give its client and its process."""
    from jupyter_client.manager import KernelManager

    with TemporaryDirectory(prefix="kfa") as directory:
        # Files instead of ports: nobody else can ask it.
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(Path(directory) / "k"))
        manager.start_kernel(env={**os.environ, "IPYTHONDIR": directory, "JUPYTER_RUNTIME_DIR": directory})
        client = manager.blocking_client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=_PATIENCE)
            process = manager.provisioner.pid  # type: ignore[union-attr]  # it has been started
            yield client, process
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()


def run_cell(client: Any, code: str) -> str:  # noqa: ANN401 - it has no types
    """Run a cell to its end; give what it prints."""
    said: list[str] = []
    reply = client.execute_interactive(
        code, timeout=_PATIENCE, output_hook=lambda message: said.append(message["content"].get("text", ""))
    )
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"]["traceback"]))
    return "".join(said)

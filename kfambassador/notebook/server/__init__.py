"""What JupyterLab's panel asks, answered by the Jupyter server, so also while every kernel is busy.

Answers only whom the Jupyter server knows as its user, changes nothing by being looked at, and keeps the server's loop
free: whatever may take a moment runs aside. No token of a gateway leaves in an answer or in a log. Nothing of ours that
takes long to import is imported before somebody asks.
"""

from typing import TYPE_CHECKING

from kfambassador import __version__ as __version__

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say which module the Jupyter server loads."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server_app: "ServerApp") -> None:
    """Answer below ``kfambassador/`` from now on."""
    from kfambassador.notebook.server.routes import add_routes

    add_routes(server_app.web_app)

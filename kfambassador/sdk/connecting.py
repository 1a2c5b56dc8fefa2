"""Connecting to a gateway: this machine's, or a cluster's.

What a gateway is used with takes about as long to import as the gateway of this machine to start: neither waits for the
other.
"""

import os
import sys
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Final

from kfambassador.errors import ConfigurationError
from kfambassador.sdk.targets import Local, Target, choose_target

if TYPE_CHECKING:
    from kfambassador.sdk.calling.credentials import Credentials
    from kfambassador.sdk.gateway import Gateway

#: What a gateway is used with.
_GATEWAY: Final = "kfambassador.sdk.gateway"


def connect(
    target: Target | str | None = None,
    *,
    url: str | None = None,
    diagnostics_url: str | None = None,
    diagnostics_token: str | None = None,
    credentials: "Credentials | None" = None,
    quiet: bool = False,
) -> "Gateway":
    """Connect to a gateway: this machine's, or a cluster's.

    A cluster's gateway is found by its Service: in the namespace that ``KFAMBASSADOR_NAMESPACE`` names, in
    ``kfambassador``, or in whichever it is where one may look into all. Where that Service has no address outside the
    cluster, a tunnel through the Kubernetes API leads there. Where its read API cannot be reached, the routing table
    is compiled here, from what you may read. Either is said on standard error.

    Args:
        target: ``"local"``, ``"in-cluster"``, the name of a kubeconfig context, or a
            :class:`~kfambassador.sdk.targets.Local`, :class:`~kfambassador.sdk.targets.Kubeconfig` or
            :class:`~kfambassador.sdk.targets.InCluster`. None means what ``KFAMBASSADOR_TARGET`` says; else the
            cluster when this runs in one; else this machine, whose gateway is started when there is none. A kubeconfig
            that merely lies about is never used.
        url: A cluster's gateway as callers reach it; None means ``KFAMBASSADOR_URL``, or as it is found.
        diagnostics_url: The read API of its controller; None means ``KFAMBASSADOR_DIAGNOSTICS_URL``, or as it is found.
        diagnostics_token: The token of that; None means ``KFAMBASSADOR_DIAGNOSTICS_TOKEN``, or none. A read API that
            was found is shown the token by which Kubernetes knows you.
        credentials: What is shown to the gateway when models are called, where it asks for something.
        quiet: Do not say on standard error which gateway it is, nor the way to it.

    Raises:
        ConfigurationError: There is no such context, or the cluster's gateway cannot be found.
        NoGateway: The gateway of this machine could not be started, or that of the cluster has no ready pod.
        ApiError: The Kubernetes API refused something that is needed.
    """
    chosen = choose_target(target, os.environ)
    if isinstance(chosen, Local):
        if url or diagnostics_url or diagnostics_token:
            raise ConfigurationError(
                "url= and diagnostics_...= are for the gateway of a cluster, and this machine's is meant: name the "
                "cluster as well, connect('CONTEXT', url=...)."
            )
        gateway = _connect_here(credentials, quiet=quiet)
    else:
        from kfambassador.sdk.gateway import Gateway
        from kfambassador.sdk.reaching.clusters import connect_cluster, join_said

        said = join_said(url=url, diagnostics_url=diagnostics_url, diagnostics_token=diagnostics_token)
        tell = _say_nothing if quiet else _say
        gateway = Gateway(connect_cluster(chosen, said, credentials, tell=tell, quiet=quiet))
    if not quiet:
        _say(f"{gateway.place}: gateway at {gateway.url}")
    if "IPython" in sys.modules:
        _announce(gateway)
    return gateway


def _connect_here(credentials: "Credentials | None", *, quiet: bool) -> "Gateway":
    from kfambassador.local.daemon import ensure_gateway, hold_lease

    Thread(target=import_module, args=(_GATEWAY,), name="kfa-import").start()
    endpoint = ensure_gateway(progress=None if quiet else _say)
    hold_lease()
    from kfambassador.sdk.gateway import Gateway

    return Gateway.at(endpoint, credentials=credentials, quiet=quiet)


def _announce(gateway: "Gateway") -> None:
    """Let JupyterLab's panel know which gateway a notebook uses."""
    from kfambassador.displays import find_display
    from kfambassador.sdk.readiness.progress import is_notebook

    if is_notebook() and (announce := find_display("connected")) is not None:
        announce(gateway)


def _say(words: str) -> None:
    sys.stderr.write(f"kfambassador: {words}\n")


def _say_nothing(_words: str) -> None:
    """Take the place of standard error."""

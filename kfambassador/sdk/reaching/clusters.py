"""Connecting to a cluster's gateway, with whatever the caller and the environment say of the way to it."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from kfambassador.kube.client import KubeClient
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.credentials import Credentials
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.reaching.discovery import URL_VARIABLE
from kfambassador.sdk.reaching.ways import Reach, Said
from kfambassador.sdk.targets import InCluster, Kubeconfig

#: Environment variables that say where the read API of a cluster's gateway is, when the caller does not.
DIAGNOSTICS_URL_VARIABLE: Final = "KFAMBASSADOR_DIAGNOSTICS_URL"
DIAGNOSTICS_TOKEN_VARIABLE: Final = "KFAMBASSADOR_DIAGNOSTICS_TOKEN"  # noqa: S105 - the variable's name, not a token


def join_said(*, url: str | None, diagnostics_url: str | None, diagnostics_token: str | None) -> Said:
    """Join what the caller says with what the environment does; the caller counts first."""
    return Said(
        url=url or os.environ.get(URL_VARIABLE) or "",
        diagnostics_url=diagnostics_url or os.environ.get(DIAGNOSTICS_URL_VARIABLE) or "",
        diagnostics_token=diagnostics_token or os.environ.get(DIAGNOSTICS_TOKEN_VARIABLE) or "",
    )


def connect_cluster(
    place: Kubeconfig | InCluster,
    said: Said,
    credentials: Credentials | None,
    *,
    tell: Callable[[str], None],
    quiet: bool,
) -> Access:
    """Find the ways to the gateway of a cluster.

    Args:
        place: Which cluster.
        said: What is known of the way to it.
        credentials: What is shown to the gateway when models are called.
        tell: Told in a few words which way is taken.
        quiet: Whether progress is shown to nobody.

    Raises:
        ConfigurationError: There is no such context, or the gateway cannot be found.
        NoGateway: It has no ready pod.
        ApiError: The Kubernetes API refused something that is needed.
    """
    with ExitStack() as parts:
        # The cluster first: where there is no such context, nobody needs to be asked for addresses.
        client = parts.enter_context(_connect_kubernetes(place))
        reach = Reach(client, os.environ, is_inside=isinstance(place, InCluster), tell=tell)
        parts.callback(reach.close)
        way = reach.find(said)
        http = parts.enter_context(HttpClient(credentials=credentials, origin=way.url, direct=way.is_direct))
        access = Access(client, way.reader, http, way.url, place=place, internal_url=way.internal_url, quiet=quiet)
        access.on_close(reach.close)
        parts.pop_all()
    return access


def _connect_kubernetes(place: Kubeconfig | InCluster) -> KubeClient:
    if isinstance(place, InCluster):
        return KubeClient.in_cluster()
    return KubeClient.from_kubeconfig(context=place.context, path=place.path)

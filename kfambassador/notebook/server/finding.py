"""Which gateways there are: this machine's, those that kernels announce, and the configured cluster.

All of it looks, and nothing here starts or uses a gateway. May take seconds: never called in the server's loop.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kfambassador.errors import ConfigurationError, NoGateway
from kfambassador.local.daemon import ensure_gateway, find_gateway
from kfambassador.local.runtime_directory import RUNTIME_VARIABLE, open_runtime_directory
from kfambassador.notebook.announcing import Announced, describe, find_announcements
from kfambassador.routing.describe import Json
from kfambassador.sdk.targets import Local, Target, choose_target

if TYPE_CHECKING:
    from kfambassador.local.endpoint import GatewayEndpoint
    from kfambassador.sdk.gateway import Gateway

#: Said where somebody asks for a gateway that is not there.
NOT_THERE: Final = (
    "This gateway does not run any more. In a notebook kfambassador.connect() starts one; so does the button above."
)


@dataclass(frozen=True, slots=True)
class Found:
    """A gateway that was found.

    Attributes:
        id: The same for the same gateway, also after it was started anew.
        label: What people call it.
        target: Which one it is.
        endpoint: How to reach it, for one of this machine; None for a cluster's, which is connected to when chosen.

    Example:
        >>> from kfambassador.sdk.targets import Kubeconfig
        >>> Found("cluster-1", "The cluster of context 'staging'", Kubeconfig("staging")).url
        ''
    """

    id: str
    label: str
    target: Target
    endpoint: "GatewayEndpoint | None" = None

    @property
    def url(self) -> str:
        """Where models answer; "" when that is only known once it is connected to."""
        return self.endpoint.url if self.endpoint else ""

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        return isinstance(self.target, Local)

    @property
    def run(self) -> tuple[int, float] | None:
        """What is another after it was started anew; None where that cannot be seen."""
        return (self.endpoint.pid, self.endpoint.started) if self.endpoint else None

    def describe(self) -> dict[str, Json]:
        """Say it for a page; how to be let in is no part of it."""
        state = "running" if self.is_here else "not connected yet"
        return {"id": self.id, "label": self.label, "url": self.url, "is_here": self.is_here, "state": state}

    def connect(self) -> "Gateway":
        """Connect to it. It is not started, and nothing keeps it from ending when nobody uses it.

        Raises:
            KfAmbassadorError: It cannot be reached; the message says why.
        """
        if self.endpoint is not None:
            from kfambassador.sdk.gateway import Gateway

            return Gateway.at(self.endpoint, quiet=True)
        from kfambassador.sdk.connecting import connect

        return connect(self.target, quiet=True)


def find_gateways() -> list[Found]:
    """Find all gateways: those of this machine that run, and the clusters that are configured or announced."""
    wanted = dict.fromkeys([*_find_own(), *find_announcements()])
    return [found for announced in wanted if (found := _look(announced)) is not None]


def list_gateways() -> dict[str, Json]:
    """List all gateways for a page, and tell whether this machine's could be started."""
    gateways = find_gateways()
    own = None
    with suppress(ConfigurationError):
        own = _name(describe(Local()))
    can_start = own is not None and all(gateway.id != own for gateway in gateways)
    return {"gateways": [gateway.describe() for gateway in gateways], "can_start": can_start}


def find_one(gateway: str) -> Found:
    """Find a gateway by its id.

    Raises:
        NoGateway: It does not run, or there is none of that id.
    """
    for announced in (*_find_own(), *find_announcements()):
        if _name(announced) == gateway and (found := _look(announced)) is not None:
            return found
    raise NoGateway(NOT_THERE)


def start_here() -> Found:
    """Start this machine's gateway, as somebody has asked for; one that runs is found.

    Raises:
        KfAmbassadorError: It cannot be started; the message says why.
    """
    ensure_gateway()
    found = _look(describe(Local()))
    if found is None:
        raise NoGateway("The gateway was stopped as soon as it had started.")
    return found


def _find_own() -> Iterator[Announced]:
    """Find what this process itself would connect to: this machine's gateway always, and the configured cluster."""
    for target in dict.fromkeys([Local(), choose_target(None, os.environ)]):
        with suppress(ConfigurationError):
            yield describe(target)


def _look(announced: Announced) -> Found | None:
    if announced.runtime is None:
        return Found(_name(announced), _write_label(str(announced.target)), announced.target)
    # To look makes no directory.
    if not announced.runtime.is_dir():
        return None
    try:
        runtime = open_runtime_directory({RUNTIME_VARIABLE: str(announced.runtime)})
        endpoint = find_gateway(runtime)
    except (ConfigurationError, OSError):
        return None
    if endpoint is None:
        return None
    label = _write_label(str(announced.target))
    if announced.runtime != _own_directory():
        label = f"{label}, in {announced.runtime}"
    return Found(_name(announced), label, announced.target, endpoint)


def _own_directory() -> Path | None:
    try:
        return open_runtime_directory().path
    except ConfigurationError:
        return None


def _name(announced: Announced) -> str:
    # Paths may hold anything, and an id stands in an address.
    digest = hashlib.sha256(repr(announced).encode()).hexdigest()[:16]
    return f"{'cluster' if announced.runtime is None else 'local'}-{digest}"


def _write_label(words: str) -> str:
    return words[:1].upper() + words[1:]

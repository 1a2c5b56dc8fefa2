"""The page of Envoy and of the controller itself: for the gateway's owner."""

import json
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kfambassador import __version__
from kfambassador.controller.asking import ask_admin
from kfambassador.controller.history import Refusal
from kfambassador.controller.overview import Seen
from kfambassador.errors import NoGateway
from kfambassador.xds.session import NodeStatus

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Lagging:
    """One Envoy that is connected.

    Attributes:
        node: How far it is.
        behind: By how many tables it is behind the newest.
    """

    node: NodeStatus
    behind: int


@dataclass(frozen=True, slots=True)
class EnvoyPage:
    """What Envoy and the controller are doing.

    Attributes:
        version: Envoy's version, such as ``1.40.0``.
        build: The same, with what it was built from and how.
        state: What it says of its state, such as LIVE.
        uptime: How long it runs.
        error: Why it could not be asked; "" when it was.
        memory: What it takes of memory, in words.
        levels: What its loggers log at, by logger; one entry ``all`` where all log alike.
        nodes: The Envoys that are connected.
        refusals: What was refused, the newest first, each with its age in seconds.
        lost: What cannot be followed of the cluster, and why, by kind.
        controller: Facts of the controller.
    """

    version: str
    build: str
    state: str
    uptime: str
    error: str
    memory: Dict[str, str]
    levels: Dict[str, str]
    nodes: tuple[Lagging, ...]
    refusals: tuple[tuple[Refusal, float | None], ...]
    lost: Dict[str, str]
    controller: Dict[str, str]

    @property
    def level(self) -> str:
        """The level all its loggers log at; "" where they differ."""
        found = set(self.levels.values())
        return found.pop() if len(found) == 1 else ""


async def read_memory(socket: Path | None) -> dict[str, str]:
    """Ask Envoy what it takes of memory; nothing where it does not answer."""
    if socket is None:
        return {}
    try:
        told = json.loads(await ask_admin(socket, "/memory"))
    except (NoGateway, ValueError):
        return {}
    names = {"allocated": "in use", "heap_size": "reserved"}
    return {words: _write_mebibytes(told[name]) for name, words in names.items() if str(told.get(name, "")).isdigit()}


def view_envoy(seen: Seen, memory: Dict[str, str]) -> EnvoyPage:
    """Look at Envoy and the controller."""
    policy, history, envoy = seen.settings.policy, seen.history, seen.envoy
    facts = {
        "version": __version__,
        "follows": f"namespace {seen.settings.namespace}" if seen.settings.namespace else "all namespaces",
        "gateway's own namespace": policy.gateway_namespace or "none",
        "ambassador_id": ", ".join(sorted(policy.gateway_ids)),
    }
    generation = seen.work.generation
    return EnvoyPage(
        version=_find_version(envoy.version),
        build=envoy.version,
        state=envoy.state,
        uptime=envoy.uptime,
        error=envoy.error,
        memory=memory,
        levels=dict(sorted(envoy.levels.items())),
        nodes=tuple(Lagging(node, generation - (node.acknowledged or 0)) for node in seen.nodes),
        refusals=tuple((each, history.age(each.at)) for each in reversed(history.refusals)),
        lost=seen.lost,
        controller=facts,
    )


def _find_version(build: str) -> str:
    """Find the version in what Envoy says: a commit, the version, and how it was built.

    Example:
        >>> _find_version("9e5580933/1.40.0/Clean/RELEASE/BoringSSL"), _find_version("")
        ('1.40.0', '')
    """
    return next((part for part in build.split("/") if part.count(".") > 1), build)


def _write_mebibytes(number: object) -> str:
    return f"{int(str(number)) / _MIB:,.0f} MiB"

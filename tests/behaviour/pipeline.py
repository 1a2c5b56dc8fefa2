"""From the text somebody applies to what Envoy is served: the project's own way, in one place."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.problems import Problem
from kfambassador.resources.manifests import read_manifests
from kfambassador.resources.meta import ResourceSet
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import TenancyPolicy
from tests.behaviour.casefile import Case
from tests.builders import Manifest, service, slice_

#: A change to what was read, for mutations.
Change = Callable[[ResourceSet], ResourceSet]

_PLACEHOLDER = re.compile(r"\$\{([\w.-]+)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a backend listens: for each port of its Service, the ports on this machine."""

    ports: Mapping[int, tuple[int, ...]]


def unchanged(resources: ResourceSet) -> ResourceSet:
    """Leave what was read as it is."""
    return resources


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of ``${name}``; what is no known name stays, it may be an expression's.

    Raises:
        KeyError: There is no value of that name.
    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def encode(text: str | bytes) -> str:
    """Write text as a Secret holds it."""
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


def read_services(text: str) -> list[dict[str, Any]]:
    """The Services among what somebody applies."""
    documents = [each for each in yaml.load_all(text, yaml.CSafeLoader) if isinstance(each, dict)]
    return [each for each in documents if each.get("kind") == "Service" and each.get("apiVersion") == "v1"]


def with_backends(text: str, places: Mapping[str, Place], namespace: str) -> str:
    """Add to what somebody applies the Services and EndpointSlices of the backends it leaves to the harness.

    A Service of its own gets the endpoints of the backend that ``spec.selector.app`` names, or its own name.
    """
    services = read_services(text)
    added: list[Manifest] = []
    for each in services:
        metadata, selector = each["metadata"], (each.get("spec") or {}).get("selector") or {}
        place = places.get(selector.get("app", metadata["name"]))
        if place is not None:
            added += write_slices(metadata["name"], metadata.get("namespace", namespace), place, each)
    taken = {(each["metadata"].get("namespace", namespace), each["metadata"]["name"]) for each in services}
    for name, place in places.items():
        if ("default", name) not in taken:
            own = service(name, "default", ports=tuple((f"p{port}", port) for port in place.ports))
            added += [own, *write_slices(name, "default", place, own)]
    return "\n---\n".join([text, *(yaml.dump(manifest, Dumper=yaml.CSafeDumper) for manifest in added)])


def write_slices(name: str, namespace: str, place: Place, manifest: Manifest) -> list[Manifest]:
    """One slice for each port on this machine; a port the backend does not have goes to its first."""
    spec = manifest.get("spec")
    ports = spec.get("ports", []) if isinstance(spec, dict) else []
    slices = []
    for port in ports:
        real = place.ports.get(port["port"]) or next(iter(place.ports.values()))
        slices += [
            slice_(
                name,
                namespace,
                "127.0.0.1",
                ports=((port.get("name", ""), number),),
                suffix=f"{port['port']}-{number}",
            )
            for number in real
        ]
    return slices


def choose_policy(name: str, trusted_ca: str) -> TenancyPolicy:
    """The rules by a case's name for them. All backends are on this machine, so loopback is allowed under each.

    Args:
        name: ``laptop``, ``cluster`` or ``permissive``.
        trusted_ca: The file with the authorities the gateway believes where nobody names others.
    """
    policies = {
        "laptop": TenancyPolicy.laptop(),
        "cluster": TenancyPolicy(),
        "permissive": TenancyPolicy.permissive(),
    }
    return replace(policies[name], loopback=True, trusted_ca=trusted_ca)


def compile_text(
    text: str, policy: TenancyPolicy, *, namespace: str = "default", change: Change = unchanged
) -> Compiled:
    """Read and compile what somebody applies; ``change`` is a mutation of what was read."""
    return compile_routes(change(read_manifests([("case.yaml", text)], namespace=namespace)), policy)


def build_snapshot(compiled: Compiled, generation: int) -> Snapshot:
    """Say it in Envoy's words."""
    return translate(replace(compiled.table, generation=generation), ListenerSettings(port=0))


def judge_problems(problems: tuple[Problem, ...], case: Case) -> list[str]:
    """Compare the problems with those the case expects: exactly these codes, or none of severity error."""
    if case.problems is not None:
        codes = {problem.code for problem in problems}
        return (
            [] if codes == set(case.problems) else [f"expected problems {sorted(case.problems)}, got {_tell(problems)}"]
        )
    errors = tuple(problem for problem in problems if problem.severity == "error")
    return [f"expected no error, got {_tell(errors)}"] if errors else []


def _tell(problems: tuple[Problem, ...]) -> str:
    return "; ".join(f"{problem.code}: {problem}" for problem in problems) or "none"

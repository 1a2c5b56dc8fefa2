"""What is told to those who tell the cluster, made by hand: objects, generations, and a clock."""

from dataclasses import dataclass

from kfambassador.controller.state import Work
from kfambassador.kube.kinds import MAPPING, SERVICE, Kind
from kfambassador.kube.objects import Manifest
from kfambassador.problems import Fault, ObjectKey, Origin, Problem
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.routing.model import Compiled, RoutingTable

TIME = "2026-01-01T00:00:00Z"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Post:
    """A leadership that is given and taken by hand."""

    term: int = 1
    left: float = float("inf")

    def remaining(self) -> float:
        return self.left


def manifest(
    name: str = "m", *, kind: Kind = MAPPING, version: int = 1, status: object = None, uid: str = "u"
) -> Manifest:
    metadata = {"name": name, "namespace": "team", "resourceVersion": str(version), "generation": 1, "uid": uid}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, "status": status or {}}


def key(name: str = "m", *, kind: Kind = MAPPING) -> ObjectKey:
    return ObjectKey(kind.kind, "team", name)


def conflict(name: str = "m", words: str = "taken") -> Problem:
    return Fault("conflicting-route", words).at(Origin(key(name)))


def mistake(name: str = "s", words: str = "expected a number", *, document: int = 1, path: str = "weight") -> Problem:
    """A problem in a Service's annotation."""
    return Fault("wrong-type", words, path=path).at(Origin(key(name, kind=SERVICE), document=document))


def work(
    *problems: Problem,
    names: tuple[str, ...] = ("m",),
    kind: Kind = MAPPING,
    version: str = "1",
    generation: int = 1,
    mappings: tuple[SourcedMapping, ...] = (),
) -> Work:
    """A generation in which all of these objects carry configuration."""
    sources = {key(name, kind=kind): version for name in names}
    resources = ResourceSet(sources=sources, generation=generation, mappings=mappings)
    return Work(resources, Compiled(RoutingTable(), problems), since=dict.fromkeys(sources, generation))

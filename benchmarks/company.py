"""What a company's gateway shows in a route browser: thousands of routes of many teams, compiled as a gateway does it.

Each team has its namespace. Some models have a canary, some a shadow, some a host of their own; a few are written with
a typo, a few have no server, a few ask for what another has, and a few are left out. The same is made each time.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from kfambassador.kube.client import Manifest
from kfambassador.kube.kinds import ENDPOINT_SLICE, SERVICE
from kfambassador.kube.reflector import Listed
from kfambassador.kube.store import Store
from kfambassador.names import CONFIG_ANNOTATION
from kfambassador.notebook.rows import Event, TableBuilder
from kfambassador.resources.documents import write_documents
from kfambassador.routing.compile import Compiler
from kfambassador.routing.describe import Json, describe_route
from kfambassador.routing.policy import TenancyPolicy
from kfambassador.sdk.views import Generation, Route

TEAMS = 40
# Of so many models one is special, beginning with which.
_WITH_HOST = (15, 2)
_WITH_CANARY = (10, 3)
_WITH_SHADOW = (50, 4)
_WITH_TYPO = (100, 7)
_WITHOUT_SERVER = (100, 8)
_IN_CONFLICT = (200, 9)
_LEFT_OUT = (500, 11)
_WITH_FIGURES = (3, 0)
_SUBJECTS = ("fraud", "ranking", "churn", "speech", "vision", "intent", "pricing", "demand", "abuse", "search")
_KINDS = ("bert", "xgboost", "resnet", "lightgbm", "forest", "whisper", "linear", "gru")
_GATEWAY = {"url": "http://127.0.0.1:8080", "place": "a company's cluster", "namespace": "team-0"}


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a team publishes.

    Attributes:
        number: Which.
        team: Whose.
        name: Its own, without the team's.
    """

    number: int
    team: str
    name: str

    def services(self, rewrite: str) -> Iterator[Manifest]:
        """The Service that carries its mappings, and its next version's where it has one."""
        yield self._service(self.name, {CONFIG_ANNOTATION: write_documents(*self._mappings(rewrite))})
        if self._has_next:
            yield self._service(f"{self.name}-next", {})

    def slices(self) -> Iterator[Manifest]:
        """Where its servers are; a few models have none."""
        if not self.is_one_of(_WITHOUT_SERVER):
            yield self._slice(self.name)
        if self._has_next:
            yield self._slice(f"{self.name}-next")

    def is_one_of(self, special: tuple[int, int]) -> bool:
        """Whether it is special in a way."""
        every, first = special
        return self.number % every == first

    @property
    def _has_next(self) -> bool:
        return self.is_one_of(_WITH_CANARY) or self.is_one_of(_WITH_SHADOW)

    def _service(self, name: str, annotations: dict[str, str]) -> Manifest:
        metadata = {
            "name": name,
            "namespace": self.team,
            "annotations": annotations,
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        spec = {"ports": [{"port": 8501, "protocol": "TCP"}]}
        return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}

    def _slice(self, name: str) -> Manifest:
        labels = {"kubernetes.io/service-name": name}
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": self.team, "labels": labels, "resourceVersion": "1"},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "", "port": 8501, "protocol": "TCP"}],
        }

    def _mappings(self, rewrite: str) -> Iterator[dict[str, object]]:
        mapping: dict[str, object] = {
            "apiVersion": "getambassador.io/v3alpha1",
            "kind": "Mapping",
            "name": self.name,
            "prefix": f"/models/{self.team}/{self.name}/",
            "method": "POST",
            "rewrite": rewrite,
            "timeout_ms": 5000,
            "service": f"{self.name}.{self.team}:8501",
        }
        if self.is_one_of(_WITH_HOST):
            mapping["host"] = f"{self.team}.models.example.com"
        if self.is_one_of(_WITH_TYPO):
            mapping["timout"] = 5
        if self.is_one_of(_IN_CONFLICT):
            mapping["prefix"] = "/models/wanted-by-many/"
        if self.is_one_of(_LEFT_OUT):
            mapping["cors"] = {"origins": 5}
        yield mapping
        other = {**mapping, "service": f"{self.name}-next.{self.team}:8501"}
        if self.is_one_of(_WITH_CANARY):
            yield {**other, "name": f"{self.name}-canary", "weight": 10}
        if self.is_one_of(_WITH_SHADOW):
            yield {**other, "name": f"{self.name}-shadow", "shadow": True}


class Company:
    """So many models, and what a route browser is told of them.

    Args:
        models: How many.
    """

    def __init__(self, models: int) -> None:
        chosen = random.Random(7)
        self._models = [
            Model(
                number, f"team-{chosen.randrange(TEAMS)}", f"{chosen.choice(_SUBJECTS)}-{_KINDS[number % 8]}-v{number}"
            )
            for number in range(models)
        ]
        self._builder = TableBuilder(_GATEWAY)
        self._compiler = Compiler(TenancyPolicy.laptop())

    def table(self, turn: int) -> Event:
        """The table; each turn all mappings are rewritten to somewhere else."""
        store = Store([SERVICE, ENDPOINT_SLICE])
        services = (each for model in self._models for each in model.services(f"/v{turn}/models/{model.name}/"))
        store.apply(Listed(SERVICE, tuple(services), "1"))
        store.apply(Listed(ENDPOINT_SLICE, tuple(each for model in self._models for each in model.slices()), "1"))
        compiled = self._compiler.compile(store.resources(generation=turn))
        routes = [Route.model_validate(describe_route(route)) for route in compiled.table.routes()]
        return self._builder.build(routes, compiled.problems, Generation(generation=turn, served=turn))

    def figures(self, turn: int) -> Event:
        """Figures of every third model, other ones each turn."""
        chosen = random.Random(turn)
        figures: dict[str, Json] = {
            f"{model.team}/{model.name}": [
                round(chosen.expovariate(0.1), 3),
                chosen.choice((0.0, 0.0, 0.0, 0.02)),
                round(chosen.uniform(3, 400), 2),
                0,
            ]
            for model in self._models
            if model.is_one_of(_WITH_FIGURES)
        }
        return {"kind": "figures", "at": 1_790_000_000 + 2 * turn, "seconds": 2.0, "figures": figures}

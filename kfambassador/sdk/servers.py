"""Model servers: the paths each answers, and the shape of its requests and answers.

A server knows nothing of Kubernetes or of gateways. Its routes are safe by segment: a model's never take a request
meant for another whose name merely begins alike.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import BaseModel, Field

from kfambassador.routing.describe import Json
from kfambassador.sdk.attributes import MappingAttributes

#: Ambassador's own three seconds are too short for a model that answers with thought.
PREDICT_TIMEOUT_MS: Final = 300_000

_LOADED = 200


@dataclass(frozen=True, slots=True)
class ServerRoute:
    """One route a model server needs.

    Attributes:
        name: The mapping's name.
        attributes: What the mapping says.
        port: The port that answers it, where it is not the server's usual one.
    """

    name: str
    attributes: MappingAttributes
    port: int | None = None


class ModelServer(BaseModel, frozen=True, extra="forbid"):
    """What every model server is; subclasses say how one kind of server behaves.

    ``base`` is always the public path of the model, with a slash at its end.
    """

    #: The port it listens on when nothing is said.
    port: ClassVar[int]
    #: Instances to show a call with; None where the server has no predictions of a known shape.
    sample: ClassVar[list[float] | None] = None
    #: Attributes a caller cannot set, because the server's own routes consist of them.
    reserved: ClassVar[frozenset[str]] = frozenset()

    @property
    def api_version(self) -> str:
        """The API version its mappings are written in."""
        return "getambassador.io/v2"

    def base(self, name: str) -> str:
        """The public path of a model when nothing is said."""
        raise NotImplementedError

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs; the first is named for all of them."""
        raise NotImplementedError

    def predict_path(self, base: str) -> str:
        """Where predictions are asked for."""
        return base

    def probe_path(self, base: str) -> str:
        """What a GET without effect may ask for to see whether the server answers."""
        return base

    def judge_probe(self, name: str, status: int) -> str:  # noqa: ARG002 - any answer proves a server of any kind
        """Say what is wrong when the probe was answered with this status; "" when nothing is."""
        return ""

    def write_request(self, instances: object) -> object:
        """The body that asks for a prediction of each instance."""
        return instances

    def read_predictions(self, answer: Json) -> Json:
        """The predictions in an answer, one for each instance."""
        return answer


class TFServing(ModelServer, frozen=True):
    """TensorFlow Serving's REST API, and every server that speaks it.

    A model ``mnist`` is published under ``/models/mnist``: POST there, to ``/models/mnist/`` or to
    ``/models/mnist:predict`` predicts (``:classify`` and ``:regress`` go the same way), GET tells its status, and
    ``/models/mnist/metadata`` and ``/models/mnist/versions/3:predict`` reach what they name.

    Args:
        model: The model's name in the server; None means the name it is published by.
        signature: The signature to predict with; None means the model's default one.
        legacy: Write the mappings Kubeflow wrote, to the letter and with their faults: POST reaches the HTTP proxy on
            port 8000, and one of the three routes can never match.

    Example:
        >>> [route.attributes["prefix"] for route in TFServing().routes("mnist", "/models/mnist/")[:2]]
        ['/models/mnist/', '/models/mnist:']
    """

    kind: Literal["tfserving"] = "tfserving"
    model: Annotated[str, Field(min_length=1, pattern=r"^[^/:\s]+$")] | None = None
    signature: str | None = None
    legacy: bool = False

    port: ClassVar[int] = 8501
    sample: ClassVar[list[float] | None] = [1.0]
    reserved: ClassVar[frozenset[str]] = frozenset(
        {
            *("method", "method_regex", "prefix_exact", "prefix_regex", "rewrite", "regex_rewrite"),
            # Who is sent elsewhere, or gets no answer, cannot be asked for predictions.
            *(
                "host_redirect",
                "path_redirect",
                "prefix_redirect",
                "regex_redirect",
                "redirect_response_code",
                "shadow",
            ),
        }
    )

    @property
    def api_version(self) -> str:
        """The API version its mappings are written in."""
        return "ambassador/v0" if self.legacy else super().api_version

    def base(self, name: str) -> str:
        """The public path of a model when nothing is said."""
        return f"/models/{name}/"

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs."""
        model = self.model or name
        return _legacy_routes(name, base, model) if self.legacy else _safe_routes(name, base.rstrip("/"), model)

    def predict_path(self, base: str) -> str:
        """Where predictions are asked for."""
        return base if self.legacy else f"{base.rstrip('/')}:predict"

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong: the model's status is told with 200 once it is loaded."""
        if self.legacy or status == _LOADED:
            return ""
        return (
            f"the server answers {status} when asked for model {self.model or name!r}. Is it loaded, and is that its "
            "name there? If not, say TFServing(model=...), or --model on the command line"
        )

    def write_request(self, instances: object) -> object:
        """The body that asks for a prediction of each instance, in row format."""
        signature = {} if self.signature is None else {"signature_name": self.signature}
        return {**signature, "instances": instances}

    def read_predictions(self, answer: Json) -> Json:
        """The predictions in an answer, one for each instance."""
        return answer.get("predictions") if isinstance(answer, dict) else None


def _safe_routes(name: str, path: str, model: str) -> tuple[ServerRoute, ...]:
    served = f"/v1/models/{model}"
    spellings = {"": path, "-slash": f"{path}/"}
    return (
        ServerRoute(name, {"prefix": f"{path}/", "rewrite": f"{served}/", "timeout_ms": PREDICT_TIMEOUT_MS}),
        ServerRoute(
            f"{name}-verbs",
            {"prefix": f"{path}:", "rewrite": f"{served}:", "method": "POST", "timeout_ms": PREDICT_TIMEOUT_MS},
        ),
        *(
            ServerRoute(
                f"{name}-predict{suffix}",
                {
                    "prefix": spelling,
                    "prefix_exact": True,
                    "rewrite": f"{served}:predict",
                    "method": "POST",
                    "timeout_ms": PREDICT_TIMEOUT_MS,
                },
            )
            for suffix, spelling in spellings.items()
        ),
        *(
            ServerRoute(
                f"{name}-status{suffix}",
                {"prefix": spelling, "prefix_exact": True, "rewrite": served, "method": "GET"},
            )
            for suffix, spelling in spellings.items()
        ),
    )


def _legacy_routes(name: str, base: str, model: str) -> tuple[ServerRoute, ...]:
    return (
        ServerRoute(f"tfserving-mapping-{name}-get", {"prefix": base, "rewrite": "/", "method": "GET"}, port=8000),
        ServerRoute(
            f"tfserving-mapping-{name}-post",
            {"prefix": base, "rewrite": f"/model/{model}:predict", "method": "POST"},
            port=8000,
        ),
        ServerRoute(
            f"tfserving-predict-mapping-{name}",
            # Without its leading slash it can never match; that is how Kubeflow shipped it.
            {"prefix": f"tfserving{base}", "rewrite": f"/v1/models/{model}:predict", "method": "POST"},
            port=8500,
        ),
    )


class HTTPServer(ModelServer, frozen=True):
    """Anything that speaks HTTP: one mapping, and it says what the caller says.

    Without attributes ``/NAME/`` is taken off the path and the rest is passed on.

    Example:
        >>> HTTPServer().routes("httpbin", "/httpbin/")[0].attributes
        {'prefix': '/httpbin/'}
    """

    kind: Literal["http"] = "http"

    port: ClassVar[int] = 80

    def base(self, name: str) -> str:
        """The public path of a service when nothing is said."""
        return f"/{name}/"

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The one route."""
        return (ServerRoute(name, {"prefix": base}),)


#: Every model server, told apart by its kind where one is read back.
AnyServer: TypeAlias = Annotated[TFServing | HTTPServer, Field(discriminator="kind")]

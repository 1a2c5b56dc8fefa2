"""What every model server is, and how its paths are spelled so that no neighbour's requests are taken."""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Self, TypedDict, Unpack

from pydantic import BaseModel, Field, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator

from kfambassador.errors import MappingRejected
from kfambassador.problems import Fault, suggest
from kfambassador.resources.validation import describe_refusals
from kfambassador.routing.describe import Json
from kfambassador.sdk.attributes import MappingAttributes

#: Ambassador's own three seconds are too short for a model that answers with thought.
PREDICT_TIMEOUT_MS: Final = 300_000


class Timing(TypedDict, total=False):
    """How long an answer may take; see :class:`~kfambassador.attributes.timeouts.Timeouts`."""

    timeout_ms: int
    idle_timeout_ms: int


#: The time of an answer that comes whole.
WHOLE: Final[Timing] = {"timeout_ms": PREDICT_TIMEOUT_MS}

#: The time of an answer that may come in pieces. ``timeout_ms`` counts up to the last byte and would cut a long one, so
#: it is off; ``idle_timeout_ms`` counts silence, and gives up a server from which nothing comes any more.
STREAMED: Final[Timing] = {"timeout_ms": 0, "idle_timeout_ms": PREDICT_TIMEOUT_MS}

#: The header by which a gRPC client says which model it means: of all models the paths are the same.
MODEL_HEADER: Final = "x-model"

Port = Annotated[int, Field(ge=1, le=65535)]

#: What a server calls its model: one segment of a path.
ModelName = Annotated[str, Field(min_length=1, pattern=r"^[^/:\s?#%]+$")]

#: What a server's own routes consist of. Who is sent elsewhere, or gets no answer, cannot be asked for predictions.
_OWN: Final = frozenset(
    {
        *("method", "method_regex", "prefix_exact", "prefix_regex", "rewrite", "regex_rewrite"),
        *("host_redirect", "path_redirect", "prefix_redirect", "regex_redirect", "redirect_response_code"),
        "shadow",
    }
)

_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class ServerRoute:
    """One route a model server needs.

    Attributes:
        name: The mapping's name.
        attributes: What the mapping says.
        port: The port that answers it, where it is not the server's usual one.
        insists: Whether that port counts even where the caller names one, because the server listens on both.
    """

    name: str
    attributes: MappingAttributes
    port: int | None = None
    insists: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a server can be asked for.

    Attributes:
        method: Such as ``POST``.
        path: The public path.
        summary: What it does, in a few words.
        streams: Whether the answer may come in pieces.
    """

    method: str
    path: str
    summary: str
    streams: bool = False


class ModelServer(BaseModel, frozen=True, extra="forbid"):
    """What every model server is; subclasses say how one kind of server behaves.

    ``base`` is always the public path of the model, with a slash at its end.

    Example:
        >>> from kfambassador.sdk.servers.tfserving import TFServing
        >>> server = TFServing()
        >>> server.base("mnist"), server.predict_path("/models/mnist/"), server.write_request([1.0])
        ('/models/mnist/', '/models/mnist:predict', {'instances': [1.0]})
    """

    #: The port it listens on when nothing is said.
    port: Port
    #: Inputs to show a call with; None where the server has no predictions of a known shape.
    sample: ClassVar[Json] = None
    #: Whether requests are written by what the server tells of its model, so that it is asked first.
    wants_metadata: ClassVar[bool] = False

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_in_words(cls, said: object, make: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        try:
            return make(said)
        except ValidationError as error:
            if info.mode == "json" or not isinstance(said, dict):
                raise  # read from a note: whoever reads it tells
            lines = [f"  {fault.path}: {fault.message}{_guess(cls, fault)}" for fault in describe_refusals(error, said)]
            raise MappingRejected("\n".join([f"{cls.__name__} cannot be made so:", *lines])) from None

    @property
    def reserved(self) -> frozenset[str]:
        """Attributes a caller cannot set, because the server's own routes consist of them."""
        return _OWN

    @property
    def api_version(self) -> str:
        """The API version its mappings are written in."""
        return "getambassador.io/v2"

    def base(self, name: str) -> str:
        """The public path of a model when nothing is said."""
        return f"/models/{name}/"

    def routes(self, name: str, base: str) -> tuple[ServerRoute, ...]:
        """The routes a model needs; the first is named for all of them, and takes the probe."""
        raise NotImplementedError

    def operations(self, base: str) -> dict[str, Operation]:
        """What the server can be asked for, by name; ``predict`` is what it is there for."""
        raise NotImplementedError

    def predict_path(self, base: str) -> str:
        """Where predictions are asked for; the model's own path where the server has no word for it."""
        predict = self.operations(base).get("predict")
        return base if predict is None else predict.path

    def health_path(self, name: str) -> str | None:
        """What the server itself answers with success when it is well; None where that is not known."""
        raise NotImplementedError

    def probe_path(self, base: str) -> str:
        """What a GET without effect may ask for to see whether the server answers."""
        return base

    def judge_probe(self, name: str, status: int) -> str:
        """Say what is wrong when the probe was answered with this status; "" when nothing is."""
        raise NotImplementedError

    def write_request(self, inputs: object, metadata: Json = None) -> object:
        """The body that asks for predictions.

        Args:
            inputs: What the caller wants predictions of; a body that is ready stays as it is.
            metadata: What the server tells of the model, where that is known.

        Raises:
            ValueError: The server cannot be asked for that.
        """
        raise NotImplementedError

    def read_predictions(self, answer: Json) -> Json:
        """The predictions in an answer; None when there are none."""
        raise NotImplementedError

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        # As a person would write it: what is as usual goes without saying.
        for name, field in type(self).model_fields.items():
            if (value := getattr(self, name)) != field.get_default(call_default_factory=True):
                yield name, value

    def read_sample(self, metadata: Json) -> Json:  # noqa: ARG002 - most servers tell nothing of the kind
        """Inputs of the shape that the server tells of the model; ``sample`` where it tells none."""
        return self.sample


def _guess(kind: type[BaseModel], fault: Fault) -> str:
    return suggest(fault.path, kind.model_fields) if fault.code == "unknown-attribute" else ""


def is_success(status: int) -> bool:
    """Whether an HTTP status is one of success."""
    return status in _SUCCESS


def take_below(name: str, public: str, served: str, **more: Unpack[MappingAttributes]) -> ServerRoute:
    """Take whatever is below a path.

    Args:
        name: The mapping's name.
        public: The public path, with what ends its last segment (a slash or a colon): without that it would take its
            neighbours' requests too.
        served: What takes its place on the server, with the same at its end.
        **more: What else the mapping says.

    Example:
        >>> take_below("m", "/models/m/", "/v2/models/m/").attributes
        {'prefix': '/models/m/', 'rewrite': '/v2/models/m/'}
    """
    return ServerRoute(name, {"prefix": public, "rewrite": served, **more})


def take_prefix(name: str, public: str, **more: Unpack[MappingAttributes]) -> ServerRoute:
    """Take whatever is below a path; what becomes of the path is said in ``more``, or it is taken off."""
    return ServerRoute(name, {"prefix": public, **more})


def take_exactly(name: str, public: str, served: str, **more: Unpack[MappingAttributes]) -> ServerRoute:
    """Take one path and nothing below it.

    Example:
        >>> take_exactly("m", "/models/m", "/ping", method="GET").attributes
        {'prefix': '/models/m', 'prefix_exact': True, 'rewrite': '/ping', 'method': 'GET'}
    """
    return ServerRoute(name, {"prefix": public, "prefix_exact": True, "rewrite": served, **more})


def take_spellings(
    name: str, base: str, served: str, **more: Unpack[MappingAttributes]
) -> tuple[ServerRoute, ServerRoute]:
    """Take a model's path both ways people write it, without the slash and with it, and nothing below.

    Example:
        >>> [route.attributes["prefix"] for route in take_spellings("m", "/models/m/", "/invocations")]
        ['/models/m', '/models/m/']
    """
    path = base.rstrip("/")
    return take_exactly(name, path, served, **more), take_exactly(f"{name}-slash", f"{path}/", served, **more)


def take_grpc(name: str, path: str, *, model: str, port: int, **more: Unpack[MappingAttributes]) -> ServerRoute:
    """Take gRPC calls whose path begins so, of those who name the model in a header.

    Args:
        name: The mapping's name.
        path: The beginning of the path: the gRPC service, or one of its methods.
        model: The name the model is published by.
        port: The port of the server's gRPC API.
        **more: What else the mapping says.
    """
    asked = {MODEL_HEADER: model}
    attributes: MappingAttributes = {"prefix": path, "rewrite": "", "grpc": True, "headers": asked, **more}
    return ServerRoute(name, attributes, port=port, insists=True)


def ask_for_model(server: str, name: str, status: int) -> str:
    """The question to ask when a server does not know a model by its name."""
    return (
        f"the server answers {status} when asked for model {name!r}. Is it loaded, and is that its name there? If not, "
        f"say {server}(model=...), or --model on the command line. A server of another kind has a class of its own; "
        "whatever speaks HTTP is server=HTTPServer()"
    )


def is_ready_made(inputs: object, keys: frozenset[str]) -> bool:
    """Whether what a caller gives is a whole body already: an object with one of the keys that make a body."""
    return isinstance(inputs, Dict) and not keys.isdisjoint(inputs)

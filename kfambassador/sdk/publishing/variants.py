"""Who takes part in the traffic of one model, and the mappings that make it so. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, Field, JsonValue

from kfambassador.names import VARIANT_HEADER
from kfambassador.problems import Fault
from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.attributes import build_mapping
from kfambassador.sdk.publishing.backends import read_backend, write_service
from kfambassador.sdk.servers.base import PREDICT_TIMEOUT_MS, ModelServer, ServerRoute
from kfambassador.sdk.servers.registry import AnyServer

#: The variant that is there from the start, and takes what the others leave.
STABLE: Final = "stable"
#: What others are called when nothing is said.
CANARY: Final = "canary"
SHADOW: Final = "shadow"

#: What names a variant.
VARIANT_NAME: Final = r"^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$"


class Variant(BaseModel, frozen=True, extra="forbid"):
    """One of the servers that share a model's traffic.

    Attributes:
        name: ``stable``, ``canary`` or what the caller calls it.
        service: Where it is, with its namespace; without a port the server's usual one counts.
        weight: Its share of the requests in percent; None takes what the others leave. Of a shadow, the percentage of
            requests it gets copies of.
        shadow: Whether it gets copies, and its answers are thrown away.
        server: What kind of server it is; None means the publication's.
        attributes: What its mappings say besides what all say.
        by: Who put it there, in words; "" where nobody says.
        run: The run, such as a pipeline's, that put it there; "" where none did.
        shifting: Whether that run goes on giving it other shares.
    """

    name: Annotated[str, Field(pattern=VARIANT_NAME)] = STABLE
    service: str
    weight: Annotated[int, Field(ge=0, le=100, strict=True)] | None = None
    shadow: bool = False
    server: AnyServer | None = None
    attributes: Dict[str, JsonValue] = {}
    by: str = ""
    run: str = ""
    shifting: bool = False


class Member(NamedTuple):
    """One mapping of a publication.

    Attributes:
        variant: The variant it leads to.
        pinned: Whether it takes only requests that ask for the variant.
        mapping: The mapping; None when it could not be built.
        faults: What is to be said about it.
    """

    variant: str
    pinned: bool
    mapping: Mapping | None
    faults: tuple[Fault, ...] = ()


def name_mapping(route: str, variant: str, *, pinned: bool = False) -> str:
    """Name the mapping of one route and variant.

    Example:
        >>> name_mapping("mnist-verbs", "stable"), name_mapping("mnist-verbs", "canary", pinned=True)
        ('mnist-verbs', 'mnist-verbs.canary.pinned')
    """
    # A dot, because no route's and no variant's name has one.
    if pinned:
        return f"{route}.{variant}.pinned"
    return route if variant == STABLE else f"{route}.{variant}"


def pin_headers(variants: Sequence[Variant], name: str) -> dict[str, str]:
    """The headers by which a request asks for a variant; none where there is no choice.

    Example:
        >>> two = [Variant(service="a"), Variant(name="canary", service="b", weight=10)]
        >>> pin_headers(two, "canary"), pin_headers(two[:1], "stable")
        ({'x-model-variant': 'canary'}, {})
    """
    return {VARIANT_HEADER: name} if len(list_answering(variants)) > 1 else {}


def list_answering(variants: Sequence[Variant]) -> list[Variant]:
    """Those whose answers reach the caller."""
    return [variant for variant in variants if not variant.shadow]


def build_members(
    name: str,
    *,
    namespace: str,
    server: ModelServer,
    base: str,
    attributes: Dict[str, object],
    variants: Sequence[Variant],
) -> Iterator[Member]:
    """Build the mappings of all variants, the stable one's first.

    Args:
        name: The name the model is published by.
        namespace: Where.
        server: What kind of server it is.
        base: The public path.
        attributes: What every mapping says.
        variants: Who takes part; the first is named for all.
    """
    for variant in variants:
        serving = variant.server or server
        said = {**attributes, **variant.attributes}
        pins = {} if variant.shadow else pin_headers(variants, variant.name)
        for route in serving.routes(name, base):
            service = _locate(variant, route, serving, name=name, namespace=namespace)
            fields = {**route.attributes, **_merge(route, _outlast(said)), "service": service}
            yield _build(fields | _share(variant), name_mapping(route.name, variant.name), variant=variant.name)
            if pins:
                asked = {**_headers(fields), **pins}
                written = name_mapping(route.name, variant.name, pinned=True)
                yield _build(fields | {"headers": asked, "weight": None}, written, variant=variant.name, pinned=True)


def _build(fields: Dict[str, object], name: str, *, variant: str, pinned: bool = False) -> Member:
    mapping, faults = build_mapping(
        {"name": name, **{key: value for key, value in fields.items() if value is not None}}
    )
    return Member(variant, pinned, mapping, faults)


def _locate(variant: Variant, route: ServerRoute, server: ModelServer, *, name: str, namespace: str) -> str:
    backend, _ = read_backend(variant.service, name=name, namespace=namespace, by_name=True)
    # What cannot be read is told by the mapping it stands in.
    if backend is None:
        return variant.service
    if route.insists:
        backend = replace(backend, port=route.port)
    return write_service(backend, port=route.port or server.port)


def _share(variant: Variant) -> dict[str, object]:
    shadow: dict[str, object] = {"shadow": True} if variant.shadow else {}
    return shadow if variant.weight is None else shadow | {"weight": variant.weight}


def _outlast(said: Dict[str, object]) -> Dict[str, object]:
    """Let silence last as long as the whole answer may take: Envoy would cut it after five minutes otherwise."""
    timeout = said.get("timeout_ms")
    if "idle_timeout_ms" in said or not isinstance(timeout, int) or timeout <= PREDICT_TIMEOUT_MS:
        return said
    return {**said, "idle_timeout_ms": timeout}


def _merge(route: ServerRoute, said: Dict[str, object]) -> Dict[str, object]:
    """What the caller says counts over what the server says; headers of both must hold."""
    own = _headers({**route.attributes})
    return {**said, "headers": {**own, **_headers(said)}} if own and "headers" in said else said


def _headers(fields: Dict[str, object]) -> dict[str, object]:
    headers = fields.get("headers")
    return {**headers} if isinstance(headers, Dict) else {}
